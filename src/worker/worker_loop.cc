// SPDX-License-Identifier: MIT
//
// When to poll. A wake-up of a sleeping CPU costs some 20 us, so a worker that has just run a task looks for
// the next one for 50 us before it sleeps. It polls only where that can help: when the host says this worker
// may (one polling worker at most per pool), when the host was last seen on another CPU, and after two
// failures in a row only every 2^k-th time. A host that comes back after 80 to 300 us again and again just
// misses those 50: as long as it does, and calls one by one, the worker looks for 400 us. On the host's own
// CPU it yields instead, once: a host that was preempted by the wake-up of this worker then goes on
// submitting and pays for no further wake-up, where sleeping would mean two switches a task. If that takes
// long, others want the CPU, and it counts as failed.
//
// When to ring. A host that is woken for each of many short results does little else than wake up. While the
// next task is at hand and short (by the last run of its function), the bell is put off, 50 us at most; it is
// rung before a task that may take long and always before sleeping. Should a task take long that did not the
// last time, the host finds the results before it by itself: it looks again after a few milliseconds.
#include "worker/worker_loop.hh"

#include <iterator>

#include "base/clock.hh"
#include "platform/cpu.hh"
#include "platform/futex.hh"
#include "platform/identity.hh"
#include "platform/process_state.hh"
#include "platform/streams.hh"

namespace mproc::worker {
namespace {

constexpr int64_t kPollNs = 50'000;
constexpr int64_t kLongPollNs = 400'000;
constexpr uint32_t kFewTasks = 2;
constexpr int64_t kSpinNs = 1'000'000;
constexpr int64_t kYieldNs = 50'000;
constexpr int64_t kShort = 10'000;
constexpr int64_t kPutOff = 50'000;
constexpr int64_t kIdleSlice = 1'000'000'000;
constexpr int64_t kMeasureEvery = 5'000'000;

enum Polling : uint32_t { kAdaptive = 0, kOff = 1, kSpin = 2 };

}  // namespace

bool WorkerLoop::Poll() {
  ipc::WorkerChannel& channel = *context_->channel;
  int64_t limit = kSpinNs;
  uint32_t cpu = platform::CurrentCpu();
  channel.PublishCpu(cpu);
  if (channel.polling() == kOff) return false;
  if (channel.polling() == kAdaptive) {
    if (channel.host_cpu() == cpu) return Yield();
    if (!channel.may_poll()) return false;
    if (!gate_.Open()) return false;
    limit = patient_ ? kLongPollNs : kPollNs;
  }
  int64_t end = NowNs() + limit;
  do {
    for (int i = 0; i < 16; i++) {
      if (channel.HasTask()) return gate_.Succeeded(), true;
      platform::CpuRelax();
    }
    if (channel.order() != ipc::kServe) return false;
    if (channel.host_cpu() == cpu) platform::YieldCpu();
  } while (NowNs() < end);
  gate_.Failed();
  return false;
}

void WorkerLoop::NoteIdle(int64_t nanoseconds, uint32_t tasks) {
  patient_ = nanoseconds < kLongPollNs && tasks <= kFewTasks;
  if (patient_) gate_.Reset();
}

bool WorkerLoop::Yield() {
  if (!yield_gate_.Open()) return false;
  int64_t begun = NowNs();
  platform::YieldCpu();
  bool found = context_->channel->HasTask();
  if (found && NowNs() - begun < kYieldNs) {
    yield_gate_.Succeeded();
  } else {
    yield_gate_.Failed();
  }
  return found;
}

bool WorkerLoop::IsTooLarge(int64_t now) {
  if (now - measured_ < kMeasureEvery) return false;
  measured_ = now;
  return platform::OwnMemory(platform::CurrentPid()) > memory_limit_;
}

bool WorkerLoop::Rest() {
  if (!host_alive_(host_)) return false;
  context_->channel->Trim(context_->socket);
  runner_->Hear();
  return true;
}

bool WorkerLoop::Leave() {
  ipc::WorkerChannel& channel = *context_->channel;
  channel.AskToLeave();
  channel.RingHost(true);
  platform::FlushStandardStreams();
  while (channel.order() != ipc::kFinish) {
    channel.SleepForOrder(context_->idle_slice ? *context_->idle_slice : kIdleSlice);
    if (channel.order() != ipc::kFinish && !Rest()) return false;
  }
  return true;
}

bool WorkerLoop::Run() {
  ipc::WorkerChannel& channel = *context_->channel;
  ipc::TaskView view;
  for (;;) {
    uint32_t tasks = 0;  // one after the other
    int64_t now = NowNs();
    int64_t rung = now;
    while (channel.Claim(&view)) {
      int64_t& usual = usual_[view.frame.function % std::size(usual_)];
      if (usual >= kShort) {
        channel.RingHost(!channel.HasTask());  // earlier results, before what may take long
        rung = now;
      }
      int64_t begun = now;
      now = runner_->Run(view, now);
      tasks++;
      usual = now - begun;
      if (memory_limit_ && IsTooLarge(now)) return Leave();
      bool more = channel.HasTask();
      if (more && usual < kShort && now - rung < kPutOff) continue;
      channel.RingHost(!more);
      rung = now;
    }
    if (channel.order() == ipc::kFinish && !channel.HasTask()) return true;
    channel.RingHost(true);
    if (tasks > kFewTasks) patient_ = false;
    if (Poll()) continue;
    if (context_->owns_process) platform::FlushStandardStreams();
    channel.Sleep(context_->idle_slice ? *context_->idle_slice : kIdleSlice);
    if (channel.HasTask()) {
      NoteIdle(NowNs() - now, tasks);
    } else if (!Rest()) {
      return false;
    }
  }
}

}  // namespace mproc::worker
