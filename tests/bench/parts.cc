// SPDX-License-Identifier: MIT
// What the parts of the path of a task cost, one by one, in one process: to see which part a change of the
// whole came from. `meson test --benchmark` runs it.
#include <benchmark/benchmark.h>
#include <mproc/mproc.h>

#include "ipc/channel.hh"
#include "platform/fd.hh"
#include "platform/futex.hh"
#include "platform/socket.hh"
#include "task/error.hh"
#include "task/value.hh"

namespace {

using namespace mproc;

// Both ends of a channel in this process.
struct Channel {
  Channel() {
    auto made = ipc::HostChannel::Create(0);
    auto ends = platform::MakeSocketPair();
    auto leader = platform::MakeEventFd(), engine = platform::MakeEventFd();
    auto memory = platform::DuplicateFd(made->memory_fd());
    auto attached = ipc::WorkerChannel::Attach(std::move(*memory), std::move(*leader), std::move(*engine));
    host = std::make_unique<ipc::HostChannel>(std::move(*made));
    worker = std::make_unique<ipc::WorkerChannel>(std::move(*attached));
    near = std::move(ends->first);
    far = std::move(ends->second);
  }
  std::unique_ptr<ipc::HostChannel> host;
  std::unique_ptr<ipc::WorkerChannel> worker;
  platform::UniqueFd near, far;
};

// A task down, its result up.
void Ring(benchmark::State& state) {
  Channel channel;
  std::vector<std::byte> payload(static_cast<size_t>(state.range(0)));
  ByteView pieces[] = {payload};
  ipc::TaskView task;
  ipc::ResultFrame result;
  for (auto _ : state) {
    auto position = channel.host->Fill(channel.near.get(), {1, 2, 0, 0}, pieces);
    channel.host->Publish();
    channel.worker->Claim(&task);
    auto place = channel.worker->Reserve(channel.far.get(), 8, ipc::WorkerChannel::Fate::kLent);
    std::memcpy(*place, &task.position, 8);
    channel.worker->Publish(task.position, 0, 8, 0);
    channel.host->PeekResult(&result);
    channel.host->ConsumeResult();
    channel.host->PublishConsumed();
    channel.host->ReleaseBelow(channel.near.get(), *position + 1);
  }
}
BENCHMARK(Ring)->Arg(8)->Arg(80)->Arg(1024)->Arg(65536);

// A bell that nobody waits for, and the two that somebody may.
void BellOfNobody(benchmark::State& state) {
  Channel channel;
  for (auto _ : state) channel.host->WakeWorker();
}
BENCHMARK(BellOfNobody);
void BellFutex(benchmark::State& state) {
  std::atomic<uint32_t> word{0};
  for (auto _ : state) platform::FutexWake(&word, 1, true);
}
BENCHMARK(BellFutex);
void BellEventFd(benchmark::State& state) {
  auto fd = platform::MakeEventFd();
  for (auto _ : state) {
    platform::RingEventFd(fd->get());
    platform::ClearEventFd(fd->get());
  }
}
BENCHMARK(BellEventFd);

// Room in the ring of small payloads, and in blocks that are used again.
void Arena(benchmark::State& state) {
  auto ends = platform::MakeSocketPair();
  ipc::BlockWriter writer("bench", false);
  uint64_t position = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        writer.Allocate(ends->first.get(), position, static_cast<size_t>(state.range(0))));
    writer.Release(ends->first.get(), ++position);
  }
}
BENCHMARK(Arena)->Arg(1000)->Arg(60000)->Arg(1 << 20);

void ErrorCodec(benchmark::State& state) {
  task::TaskError error{7, "TestError", "it failed as it was told to", "in a\nin b\nin c"}, decoded;
  for (auto _ : state) {
    auto bytes = task::EncodeError(error);
    benchmark::DoNotOptimize(task::DecodeError(bytes, &decoded));
  }
}
BENCHMARK(ErrorCodec);

// A map of a name, a number and a list of so many numbers.
void ValueCodec(benchmark::State& state) {
  task::Value value, read;
  for (auto _ : state) {
    value.Clear();
    Status written = value.Write([&](task::ValueWriter& writer) {
      bool good = writer.Begin(MPROC_VALUE_MAP).ok() && writer.PutString("name").ok() &&
                  writer.PutString("value").ok() && writer.PutString("list").ok() &&
                  writer.Begin(MPROC_VALUE_LIST).ok();
      for (int64_t i = 0; i < state.range(0); i++) good = writer.PutInt(i).ok() && good;
      return writer.End().ok() && good ? writer.End() : Status(MPROC_ERROR_INTERNAL);
    });
    if (!written.ok()) state.SkipWithError("not written");
    auto bytes = value.Bytes();
    benchmark::DoNotOptimize(read.Decode(*bytes, true));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ValueCodec)->Arg(1)->Arg(1000);

// Submits with a callback, and the dispatch that runs it; the tasks themselves do nothing.
void Dispatch(benchmark::State& state) {
  constexpr int kTasks = 100;
  mproc_pool_options_t* options = nullptr;
  mproc_pool_t* pool = nullptr;
  mproc_pool_options_create(&options);
  mproc_pool_options_set_module(options, BENCH_MODULE);
  mproc_pool_options_set_workers(options, 1);
  mproc_pool_options_set_callbacks(options, MPROC_CALLBACKS_DISPATCH);
  if (mproc_pool_create(options, &pool) != MPROC_OK) state.SkipWithError(mproc_last_error_message());
  mproc_pool_options_destroy(options);
  auto count = [](mproc_future_t*, void* ended) { ++*static_cast<int*>(ended); };
  for (auto _ : state) {
    int ended = 0;
    mproc_future_t* last = nullptr;
    for (int i = 0; i < kTasks; i++) {
      mproc_pool_submit_callback(pool, 1, nullptr, 0, MPROC_FOREVER, count, count, &ended,
                                 i + 1 == kTasks ? &last : nullptr);
    }
    mproc_future_wait(last, MPROC_FOREVER);
    mproc_future_release(last);
    while (ended < kTasks) mproc_pool_dispatch(pool, 0, nullptr);
  }
  state.SetItemsProcessed(state.iterations() * kTasks);
  mproc_pool_destroy(pool);
}
BENCHMARK(Dispatch)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
