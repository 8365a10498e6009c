// SPDX-License-Identifier: MIT
//
// When to poll. A wake-up of a sleeping CPU costs some 20 us, so a worker that has just run a task looks for
// the next one for 50 us before it sleeps. It polls only where that can help: when the host says this worker
// may (one polling worker at most per pool), when the host was last seen on another CPU (else polling keeps
// the host from running), and after two failures in a row only every 2^k-th time.
#include "worker/worker_loop.hh"

#include "base/clock.hh"
#include "platform/cpu.hh"
#include "platform/futex.hh"
#include "platform/streams.hh"

namespace mproc::worker {
namespace {

constexpr int64_t kPollNs = 50'000;
constexpr int64_t kSpinNs = 1'000'000;
constexpr uint32_t kProbe = 256;
constexpr int64_t kIdleSlice = 1'000'000'000;

enum Polling : uint32_t { kAdaptive = 0, kOff = 1, kSpin = 2 };

}  // namespace

bool WorkerLoop::Poll() {
  ipc::WorkerChannel& channel = *context_->channel;
  int64_t limit = kSpinNs;
  uint32_t cpu = platform::CurrentCpu();
  channel.PublishCpu(cpu);
  if (channel.polling() == kOff) return false;
  if (channel.polling() == kAdaptive) {
    if (!channel.may_poll()) return false;
    if (channel.host_cpu() == cpu && ++looks_ % kProbe != 0) return false;
    if (!gate_.Open()) return false;
    limit = kPollNs;
  }
  int64_t end = NowNs() + limit;
  do {
    for (int i = 0; i < 16; i++) {
      if (channel.HasTask()) return gate_.Succeeded(), true;
      platform::CpuRelax();
    }
    if (channel.order() != ipc::kServe) return false;
  } while (NowNs() < end);
  gate_.Failed();
  return false;
}

void WorkerLoop::Run() {
  ipc::WorkerChannel& channel = *context_->channel;
  ipc::TaskView view;
  for (;;) {
    int64_t now = NowNs();
    while (channel.Claim(&view)) {
      if (!channel.HasTask()) channel.RingHost(true);  // earlier results, before what may take long
      now = runner_->Run(view, now);
      channel.RingHost(!channel.HasTask());
    }
    if (channel.order() == ipc::kFinish && !channel.HasTask()) return;
    channel.RingHost(true);
    if (Poll()) continue;
    platform::FlushStandardStreams();
    channel.Sleep(kIdleSlice);
    if (!channel.HasTask()) {
      if (!host_alive_(host_)) return;
      channel.Trim(context_->socket);
    }
  }
}

}  // namespace mproc::worker
