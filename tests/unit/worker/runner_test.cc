// SPDX-License-Identifier: MIT
// A runner with a table of this test's own, and the host's end of its channel in the same process.
#include "worker/runner.hh"

#include <gtest/gtest.h>

#include "support/fill.hh"

#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/clock.hh"
#include "task/chunk.hh"

namespace mproc::worker {
namespace {

using Bytes = std::vector<std::byte>;

enum Id : uint32_t {
  kEcho = 1,
  kFail,
  kCode,
  kThrow,
  kThrowInt,
  kTwo,
  kNone,
  kOdd,
  kIndex,
  kHuge,
  kHostOnly,
  kLate
};

Call* CallOf(mproc_call_t* call) { return reinterpret_cast<Call*>(call); }

int32_t Reply(mproc_call_t* call, ByteView bytes) {
  auto place = CallOf(call)->Value(bytes.size());
  if (!place.ok()) return place.status().code();
  if (!bytes.empty()) std::memcpy(*place, bytes.data(), bytes.size());
  return 0;
}

int32_t Echo(mproc_call_t* call, const void* input, size_t size, void*) {
  if (!input) return -99;  // never null, also for nothing
  return Reply(call, AsBytes(input, size));
}
int32_t Fail(mproc_call_t* call, const void*, size_t, void*) {
  CallOf(call)->Fail(7, "Type", "message", "trace");
  return 0;  // failed all the same
}
int32_t Code(mproc_call_t*, const void*, size_t, void*) { return 42; }
int32_t Throw(mproc_call_t*, const void*, size_t, void*) { throw std::out_of_range("too far"); }
int32_t ThrowInt(mproc_call_t*, const void*, size_t, void*) { throw 5; }
int32_t Two(mproc_call_t* call, const void*, size_t, void*) {
  Reply(call, AsBytes(std::string(100000, 'x')));
  Reply(call, AsBytes("first, longer"));
  return Reply(call, AsBytes("second"));
}
int32_t None(mproc_call_t*, const void*, size_t, void*) { return 0; }
int32_t Odd(mproc_call_t* call, const void* input, size_t size, void*) {
  uint64_t number = 0;
  if (size != sizeof number) return -1;
  std::memcpy(&number, input, sizeof number);
  if (number % 2) {
    CallOf(call)->Fail(3, "Odd", std::to_string(number).c_str(), "");
    return 3;
  }
  return Reply(call, AsBytes(input, size));
}
int32_t Index(mproc_call_t* call, const void*, size_t, void*) {
  uint64_t index = CallOf(call)->index();
  return Reply(call, AsBytes(&index, sizeof index));
}
int32_t Huge(mproc_call_t* call, const void*, size_t, void*) {
  return CallOf(call)->Value(task::kLargestPayload + 1).status().code();
}
int32_t Late(mproc_call_t* call, const void* input, size_t size, void*) {
  Reply(call, AsBytes(input, size));
  return 9;  // an error after a value
}

class RunnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    host = std::make_unique<ipc::HostChannel>(std::move(*ipc::HostChannel::Create(0)));
    auto ends = platform::MakeSocketPair();
    ASSERT_TRUE(ends.ok());
    host_socket = std::move(ends->first);
    worker_socket = std::move(ends->second);
    auto attached =
        ipc::WorkerChannel::Attach(std::move(*platform::DuplicateFd(host->memory_fd())),
                                   std::move(*platform::MakeEventFd()), std::move(*platform::MakeEventFd()));
    ASSERT_TRUE(attached.ok());
    worker = std::make_unique<ipc::WorkerChannel>(std::move(*attached));
    context.channel = worker.get();
    context.socket = worker_socket.get();
    context.number = 5;
    context.name = "Worker-5";
    const std::pair<Id, mproc_function_cb> functions[] = {
        {kEcho, Echo}, {kFail, Fail}, {kCode, Code},   {kThrow, Throw}, {kThrowInt, ThrowInt}, {kTwo, Two},
        {kNone, None}, {kOdd, Odd},   {kIndex, Index}, {kHuge, Huge},   {kHostOnly, nullptr},  {kLate, Late}};
    for (auto [id, function] : functions) {
      ASSERT_TRUE(table.Add(id, "function " + std::to_string(id), function, nullptr).ok());
    }
  }

  struct Out {
    bool value = false;
    Bytes bytes;
    task::TaskError error;
  };
  Out Run(uint32_t function, task::Kind kind, ByteView payload) {
    Out out;
    auto position = ::test::FillAndPublish(*host, host_socket.get(),
                                           {77, function, static_cast<uint32_t>(kind), 0}, {&payload, 1});
    EXPECT_TRUE(position.ok());
    ipc::TaskView view;
    EXPECT_TRUE(worker->Claim(&view));
    int64_t began = NowNs();
    EXPECT_GE(runner.Run(view, began), began);
    ipc::ResultFrame frame;
    EXPECT_TRUE(host->PeekResult(&frame));
    EXPECT_EQ(frame.task, *position);
    const std::byte* at = frame.data;
    if (frame.block) {
      platform::Message message;
      while (!blocks.Knows(frame.block) &&
             platform::ReceiveMessage(host_socket.get(), false, &message) == platform::Receive::kMessage) {
        auto head = ipc::HeadOf(message);
        EXPECT_TRUE(head && blocks.Take(*head, &message).ok());
      }
      at = blocks.Find(frame.block, frame.offset, frame.size);
      EXPECT_TRUE(at);
    }
    if (at) out.bytes.assign(at, at + frame.size);
    out.value = frame.status == static_cast<uint32_t>(task::Answer::kValue);
    EXPECT_TRUE(out.value || task::DecodeError(out.bytes, &out.error));
    host->ConsumeResult();
    host->PublishConsumed();
    host->ReleaseBelow(host_socket.get(), *position + 1);
    return out;
  }
  Out Single(uint32_t function, const std::string& payload) {
    return Run(function, task::Kind::kSingle, AsBytes(payload));
  }

  static Bytes BytesOf(const std::string& text) {
    auto view = AsBytes(text);
    return Bytes(view.begin(), view.end());
  }
  static Bytes Items(const std::vector<std::string>& items, bool keep_going, uint64_t first = 10) {
    task::ChunkHead head{first, items.size(), task::kVaried, 0, keep_going ? 1u : 0u, 0};
    std::string text(reinterpret_cast<const char*>(&head), sizeof head), body;
    for (const auto& item : items) {
      text += Number(body.size());
      body += item;
    }
    return BytesOf(text + Number(body.size()) + body);
  }
  static std::string Number(uint64_t number) {
    return {reinterpret_cast<const char*>(&number), sizeof number};
  }
  static Bytes Array(uint64_t count, size_t input_stride, size_t output_stride, const std::string& input) {
    task::ChunkHead head{20, count, input_stride, output_stride, 0, 0};
    std::string text(reinterpret_cast<const char*>(&head), sizeof head);
    return BytesOf(text + input);
  }

  std::unique_ptr<ipc::HostChannel> host;
  std::unique_ptr<ipc::WorkerChannel> worker;
  platform::UniqueFd host_socket, worker_socket;
  ipc::BlockReader blocks{true};
  WorkerContext context;
  task::Table table;
  Runner runner{&context, &table};
};

TEST_F(RunnerTest, RunsASingleTask) {
  for (size_t size : {0, 1, 80, 81, 5000, 300000}) {
    std::string payload(size, 'p');
    Out out = Single(kEcho, payload);
    EXPECT_TRUE(out.value) << size;
    EXPECT_EQ(AsText(out.bytes), payload);
  }
  EXPECT_TRUE(Single(kNone, "x").value);
  EXPECT_TRUE(Single(kNone, "x").bytes.empty());
}

TEST_F(RunnerTest, TheLastReplyCounts) { EXPECT_EQ(AsText(Single(kTwo, "").bytes), "second"); }

TEST_F(RunnerTest, TellsErrorsOfFunctions) {
  Out out = Single(kFail, "");
  EXPECT_FALSE(out.value);
  EXPECT_EQ(out.error.code, 7);
  EXPECT_EQ(out.error.type, "Type");
  EXPECT_EQ(out.error.message, "message");
  EXPECT_EQ(out.error.trace, "trace");
  out = Single(kCode, "");
  EXPECT_EQ(out.error.code, 42);
  EXPECT_NE(out.error.message.find("function 3"), std::string::npos);
  out = Single(kLate, std::string(100000, 'x'));
  EXPECT_FALSE(out.value);
  EXPECT_EQ(out.error.code, 9);
}

TEST_F(RunnerTest, TurnsExceptionsIntoErrors) {
  Out out = Single(kThrow, "");
  EXPECT_FALSE(out.value);
  EXPECT_EQ(out.error.code, -1);
  EXPECT_EQ(out.error.type, "std::out_of_range");
  EXPECT_EQ(out.error.message, "too far");
  out = Single(kThrowInt, "");
  EXPECT_FALSE(out.value);
  EXPECT_EQ(out.error.type, "int");
  EXPECT_TRUE(Single(kEcho, "x").value);
}

TEST_F(RunnerTest, TellsWhatItCannotCall) {
  for (uint32_t function : {uint32_t{0}, uint32_t{999}, uint32_t{kHostOnly}, UINT32_MAX}) {
    Out out = Single(function, "x");
    EXPECT_FALSE(out.value);
    EXPECT_EQ(out.error.code, MPROC_ERROR_UNKNOWN_FUNCTION);
    EXPECT_EQ(out.error.type, "MPROC_ERROR_UNKNOWN_FUNCTION");
  }
}

TEST_F(RunnerTest, RefusesValuesBeyondAllMeasure) {
  EXPECT_EQ(Single(kHuge, "").error.code, MPROC_ERROR_TOO_LARGE);
  EXPECT_TRUE(Single(kEcho, "x").value);
}

TEST_F(RunnerTest, RunsItemsInOrder) {
  for (bool large : {false, true}) {
    std::vector<std::string> items{"a", "", "ccc", std::string(large ? 200000 : 10, 'd')};
    Out out = Run(kEcho, task::Kind::kItems, Items(items, false));
    ASSERT_TRUE(out.value);
    task::ItemResults results;
    ASSERT_TRUE(results.Open(out.bytes, items.size()));
    ASSERT_EQ(results.done(), items.size());
    EXPECT_EQ(results.failed(), 0U);
    for (size_t i = 0; i < items.size(); i++) EXPECT_EQ(AsText(results.at(i)), items[i]);
  }
}

TEST_F(RunnerTest, TellsItemsTheirIndex) {
  Out out = Run(kIndex, task::Kind::kItems, Items({"", "", ""}, false, 10));
  task::ItemResults results;
  ASSERT_TRUE(results.Open(out.bytes, 3));
  ASSERT_EQ(results.done(), 3U);
  for (uint64_t i = 0; i < 3; i++) EXPECT_EQ(AsText(results.at(i)), Number(i + 10));
}

TEST_F(RunnerTest, StopsAtAFailedItemUnlessToldToKeepGoing) {
  std::vector<std::string> items{Number(2), Number(3), Number(4), Number(5)};
  for (bool keep_going : {false, true}) {
    Out out = Run(kOdd, task::Kind::kItems, Items(items, keep_going));
    ASSERT_TRUE(out.value);
    task::ItemResults results;
    ASSERT_TRUE(results.Open(out.bytes, items.size()));
    EXPECT_EQ(results.done(), keep_going ? 4U : 2U);
    for (uint64_t i = 0; i < results.done(); i++) {
      EXPECT_EQ(results.failed_at(i), i % 2 == 1);
      if (i % 2 == 0) {
        EXPECT_EQ(AsText(results.at(i)), items[i]);
        continue;
      }
      task::TaskError error;
      ASSERT_TRUE(task::DecodeError(results.at(i), &error));
      EXPECT_EQ(error.code, 3);
      EXPECT_EQ(error.message, std::to_string(i + 2));
    }
  }
}

TEST_F(RunnerTest, TheLastReplyOfAnItemCounts) {
  Out out = Run(kTwo, task::Kind::kItems, Items({"", ""}, false));
  task::ItemResults results;
  ASSERT_TRUE(results.Open(out.bytes, 2));
  ASSERT_EQ(results.done(), 2U);
  for (uint64_t i = 0; i < 2; i++) EXPECT_EQ(AsText(results.at(i)), "second");
}

TEST_F(RunnerTest, RunsAnArray) {
  for (uint64_t count : {1, 7, 50000}) {
    std::string input;
    for (uint64_t i = 0; i < count; i++) input += Number(i * 2);
    Out out = Run(kOdd, task::Kind::kArray, Array(count, 8, 8, input));
    ASSERT_TRUE(out.value);
    task::ArrayResult result;
    ASSERT_TRUE(task::ReadArrayResult(out.bytes, count, 8, &result));
    EXPECT_FALSE(result.failed);
    EXPECT_TRUE(AsText(result.outputs) == input);
  }
}

TEST_F(RunnerTest, RunsArraysWithoutInputOrOutput) {
  Out out = Run(kNone, task::Kind::kArray, Array(3, 4, 0, "aaaabbbbcccc"));
  task::ArrayResult result;
  ASSERT_TRUE(out.value && task::ReadArrayResult(out.bytes, 3, 0, &result));
  out = Run(kIndex, task::Kind::kArray, Array(3, 0, 8, ""));
  ASSERT_TRUE(out.value && task::ReadArrayResult(out.bytes, 3, 8, &result));
  EXPECT_EQ(AsText(result.outputs), Number(20) + Number(21) + Number(22));
}

TEST_F(RunnerTest, AnArrayEndsAtItsFirstError) {
  Out out = Run(kOdd, task::Kind::kArray, Array(4, 8, 8, Number(2) + Number(4) + Number(5) + Number(6)));
  task::ArrayResult result;
  ASSERT_TRUE(out.value && task::ReadArrayResult(out.bytes, 4, 8, &result));
  EXPECT_EQ(result.done, 2U);
  ASSERT_TRUE(result.failed);
  EXPECT_EQ(AsText(result.outputs), Number(2) + Number(4));
  task::TaskError error;
  ASSERT_TRUE(task::DecodeError(result.error, &error));
  EXPECT_EQ(error.message, "5");
}

TEST_F(RunnerTest, ValuesOfAnArrayHaveItsStride) {
  task::ArrayResult result;
  task::TaskError error;
  for (size_t stride : {4, 16, 0}) {  // the function replies 8 bytes
    Out out = Run(kEcho, task::Kind::kArray, Array(2, 8, stride, Number(1) + Number(2)));
    ASSERT_TRUE(out.value && task::ReadArrayResult(out.bytes, 2, stride, &result));
    EXPECT_TRUE(result.failed);
    EXPECT_EQ(result.done, 0U);
    ASSERT_TRUE(task::DecodeError(result.error, &error));
    EXPECT_EQ(error.code, MPROC_ERROR_TOO_LARGE);
  }
  Out out = Run(kNone, task::Kind::kArray, Array(2, 8, 8, Number(1) + Number(2)));
  ASSERT_TRUE(out.value && task::ReadArrayResult(out.bytes, 2, 8, &result));
  EXPECT_TRUE(result.failed);
  ASSERT_TRUE(task::DecodeError(result.error, &error));
  EXPECT_EQ(error.code, MPROC_ERROR_NO_VALUE);
  out = Run(kThrow, task::Kind::kArray, Array(2, 8, 8, Number(1) + Number(2)));
  ASSERT_TRUE(out.value && task::ReadArrayResult(out.bytes, 2, 8, &result));
  EXPECT_TRUE(result.failed);
}

TEST_F(RunnerTest, TellsChunksThatItCannotRead) {
  for (size_t size : {size_t{0}, size_t{5}, sizeof(task::ChunkHead) - 1}) {
    for (auto kind : {task::Kind::kItems, task::Kind::kArray}) {
      Out out = Run(kEcho, kind, AsBytes(std::string(size, 'x')));
      EXPECT_FALSE(out.value);
      EXPECT_EQ(out.error.code, MPROC_ERROR_PROTOCOL);
    }
  }
}

TEST_F(RunnerTest, RunsAFunctionOutsideOfAnyTask) {
  task::TaskError error;
  EXPECT_TRUE(runner.RunAlone(kEcho, AsBytes("input"), nullptr, &error));
  EXPECT_TRUE(runner.RunAlone(kNone, {}, nullptr, &error));
  EXPECT_FALSE(runner.RunAlone(kFail, {}, nullptr, &error));
  EXPECT_EQ(error.message, "message");
  EXPECT_FALSE(runner.RunAlone(kThrow, {}, nullptr, &error));
  EXPECT_FALSE(runner.RunAlone(999, {}, nullptr, &error));
  EXPECT_EQ(error.code, MPROC_ERROR_UNKNOWN_FUNCTION);
  EXPECT_FALSE(host->HasResult());
}

TEST_F(RunnerTest, KnowsItsCall) {
  ipc::TaskFrame frame{123, kEcho, 0, 7};
  Call call(&context, frame, frame.function, Call::Sink::kChannel);
  call.BeginItem(7, nullptr);
  EXPECT_EQ(call.task_id(), 123U);
  EXPECT_EQ(call.function(), kEcho);
  EXPECT_EQ(call.index(), 7U);
  EXPECT_EQ(call.context().name, "Worker-5");
  EXPECT_FALSE(call.replied());
  EXPECT_TRUE(call.Value(0).ok());
  EXPECT_TRUE(call.replied());
  call.Fail(1, nullptr, nullptr, nullptr);
  EXPECT_TRUE(call.failed());
  std::string endless((1 << 20) + 100, 'e');
  call.Fail(1, endless.c_str(), endless.c_str(), endless.c_str());
  EXPECT_EQ(call.error().message.size(), size_t{1} << 20);
}

}  // namespace
}  // namespace mproc::worker
