// SPDX-License-Identifier: MIT
#include "worker/runner.hh"

#include <cxxabi.h>

#include <algorithm>
#include <exception>

#include "base/clock.hh"
#include "task/chunk.hh"

namespace mproc::worker {
namespace {

constexpr size_t kKeptBuffer = 1 << 20;

task::TaskError OwnError(int32_t status, std::string message) {
  return {status, StatusName(status), std::move(message), ""};
}

std::string NameOfCurrentException() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (!type) return "exception";
  int status = 0;
  char* plain = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  std::string name = plain ? plain : type->name();
  free(plain);
  return name;
}

}  // namespace

int64_t Runner::Run(const ipc::TaskView& view, int64_t started) {
  ByteView input;
  task::TaskError error;
  const task::Function* function = nullptr;
  Ended ended;
  if (!FindInput(view, &input, &error) || !(function = FindFunction(view.frame.function, &error))) {
    ended = PutError(error);
  } else {
    switch (static_cast<task::Kind>(view.frame.kind)) {
      case task::Kind::kItems:
        ended = RunItems(view, *function, input);
        break;
      case task::Kind::kArray:
        ended = RunArray(view, *function, input);
        break;
      default:
        ended = RunSingle(view, *function, input);
        break;
    }
  }
  int64_t now = NowNs();
  uint64_t elapsed = static_cast<uint64_t>(std::max<int64_t>(0, now - started));
  context_->channel->Publish(view.position, ended.status, ended.size,
                             static_cast<uint32_t>(std::min<uint64_t>(elapsed, UINT32_MAX)));
  return now;
}

bool Runner::RunAlone(uint32_t id, ByteView input, task::TaskError* error) {
  const task::Function* function = FindFunction(id, error);
  if (!function) return false;
  std::vector<std::byte> value;
  Call call(context_, {0, id, 0, 0}, Call::Sink::kBuffer);
  call.SetBuffer(&value);
  if (CallFunction(*function, &call, input)) return true;
  *error = std::move(call.error());
  return false;
}

bool Runner::FindInput(const ipc::TaskView& view, ByteView* input, task::TaskError* error) {
  if (view.block == 0) {
    *input = ByteView(view.data, view.size);
    return true;
  }
  platform::Message message;
  while (!blocks_.Knows(view.block) && !blocks_.Lost(view.block)) {
    if (platform::ReceiveMessage(context_->socket, true, &message) != platform::Receive::kMessage) break;
    auto head = ipc::HeadOf(message);
    if (!head) continue;
    Status taken = blocks_.Take(*head, &message);
    if (!taken.ok() && head->number == view.block) {
      *error = OwnError(taken.code(), taken.message());
      return false;
    }
  }
  const std::byte* at = blocks_.Find(view.block, view.offset, view.size);
  if (!at) {
    *error = OwnError(MPROC_ERROR_DESCRIPTOR_LIMIT,
                      "the payload's shared memory could not be received: raise the limit of open files");
    return false;
  }
  *input = ByteView(at, view.size);
  return true;
}

const task::Function* Runner::FindFunction(uint32_t id, task::TaskError* error) {
  const task::Function* function = table_->Find(id);
  if (function && function->entry) return function;
  *error = OwnError(MPROC_ERROR_UNKNOWN_FUNCTION,
                    "the worker's function table has no function of id " + std::to_string(id));
  return nullptr;
}

bool Runner::CallFunction(const task::Function& function, Call* call, ByteView input) {
  static const std::byte kNothing{};
  const void* data = input.data() ? input.data() : &kNothing;
  int32_t code;
  try {
    code = function.entry(reinterpret_cast<mproc_call_t*>(call), data, input.size(), function.user_data);
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (const std::exception& thrown) {
    call->Fail(-1, NameOfCurrentException().c_str(), thrown.what(), nullptr);
    return false;
  } catch (...) {
    call->Fail(-1, NameOfCurrentException().c_str(), "a C++ exception left the function", nullptr);
    return false;
  }
  if (call->failed()) {
    if (code != 0) call->error().code = code;
    return false;
  }
  if (code == 0) return true;
  call->Fail(code, "", ("function '" + function.name + "' returned " + std::to_string(code)).c_str(),
             nullptr);
  return false;
}

Runner::Ended Runner::PutBytes(task::Answer answer, ByteView bytes) {
  auto place = context_->channel->Reserve(context_->socket, bytes.size());
  if (place.ok()) {
    if (!bytes.empty()) std::memcpy(*place, bytes.data(), bytes.size());
    return {static_cast<uint32_t>(answer), bytes.size()};
  }
  // No memory for it: an error that fits into the slot says so.
  auto small = task::EncodeError({place.status().code(), "", "no shared memory for the result", ""});
  auto slot = context_->channel->Reserve(context_->socket, small.size());
  std::memcpy(*slot, small.data(), small.size());
  return {static_cast<uint32_t>(task::Answer::kError), small.size()};
}

Runner::Ended Runner::PutError(const task::TaskError& error) {
  return PutBytes(task::Answer::kError, task::EncodeError(error));
}

Runner::Ended Runner::RunSingle(const ipc::TaskView& view, const task::Function& function, ByteView input) {
  Call call(context_, view.frame, Call::Sink::kChannel);
  call.BeginItem(view.frame.index);
  if (!CallFunction(function, &call, input)) return PutError(call.error());
  if (!call.replied()) return PutBytes(task::Answer::kValue, {});
  return {static_cast<uint32_t>(task::Answer::kValue), call.value_size()};
}

Runner::Ended Runner::RunItems(const ipc::TaskView& view, const task::Function& function, ByteView input) {
  task::ItemReader reader;
  if (!reader.Open(input)) {
    return PutError(OwnError(MPROC_ERROR_PROTOCOL, "the chunk cannot be read"));
  }
  Call call(context_, view.frame, Call::Sink::kBuffer);
  task::ChunkResultHead result{0, 0};
  buffer_.assign(sizeof result, std::byte{});
  call.SetBuffer(&buffer_);
  ByteView item;
  while (reader.Next(&item)) {
    size_t word_at = buffer_.size();
    buffer_.resize(word_at + sizeof(uint64_t));
    call.BeginItem(reader.head().first + result.done);
    uint64_t word;
    if (CallFunction(function, &call, item)) {
      word = uint64_t{call.value_size()} * 2;
    } else {
      auto error = task::EncodeError(call.error());
      buffer_.resize(word_at + sizeof(uint64_t));
      buffer_.insert(buffer_.end(), error.begin(), error.end());
      word = uint64_t{error.size()} * 2 + 1;
      result.failed = 1;
    }
    std::memcpy(buffer_.data() + word_at, &word, sizeof word);
    result.done++;
    if (result.failed && !reader.head().keep_going) break;
  }
  std::memcpy(buffer_.data(), &result, sizeof result);
  Ended ended = PutBytes(task::Answer::kValue, buffer_);
  if (buffer_.capacity() > kKeptBuffer) std::vector<std::byte>().swap(buffer_);
  return ended;
}

Runner::Ended Runner::RunArray(const ipc::TaskView& view, const task::Function& function, ByteView input) {
  task::ChunkHead head;
  if (input.size() < sizeof head) {
    return PutError(OwnError(MPROC_ERROR_PROTOCOL, "the chunk cannot be read"));
  }
  std::memcpy(&head, input.data(), sizeof head);
  input = input.subspan(sizeof head);
  task::ChunkResultHead result{0, 0};
  size_t outputs = sizeof result + head.count * head.output_stride;
  auto place = context_->channel->Reserve(context_->socket, outputs);
  if (!place.ok()) return PutError(OwnError(place.status().code(), place.status().message()));
  std::byte* at = *place + sizeof result;
  Call call(context_, view.frame, Call::Sink::kPlace);
  for (; result.done < head.count; result.done++, at += head.output_stride) {
    call.BeginItem(head.first + result.done);
    call.SetPlace(at, head.output_stride);
    if (!CallFunction(function, &call, input.subspan(result.done * head.input_stride, head.input_stride))) {
      result.failed = 1;
      break;
    }
    if (!call.replied() && head.output_stride) {
      call.Fail(MPROC_ERROR_NO_VALUE, "", "the function gave no value for an item of an array map", nullptr);
      result.failed = 1;
      break;
    }
  }
  if (result.failed) {
    auto error = task::EncodeError(call.error());
    std::vector<std::byte> all(*place, at);
    std::memcpy(all.data(), &result, sizeof result);
    all.insert(all.end(), error.begin(), error.end());
    return PutBytes(task::Answer::kValue, all);
  }
  std::memcpy(*place, &result, sizeof result);
  return {static_cast<uint32_t>(task::Answer::kValue), outputs};
}

}  // namespace mproc::worker
