// SPDX-License-Identifier: MIT
#include "capi/sweeper.hh"

#include "platform/fork_lock.hh"
#include "runtime/runtime.hh"
#include "shm/segment.hh"

namespace mproc::capi {
namespace {

using runtime::Runtime;

// At the end of the runtime its launcher ends, too, and sweeps; so segments must be let go before.
class LetsGo final : public Runtime::Member {
 public:
  void BeginEnd() override { shm::Segment::LetAllGo(); }
  bool WaitEnded(const Deadline&) override { return true; }
};

platform::ForkMutex g_mutex;

}  // namespace

Status EnsureSweeper() {
  auto started = Runtime::Acquire();
  if (!started.ok()) return started.status();
  std::lock_guard lock(g_mutex);
  static const auto* g_member = new std::shared_ptr<LetsGo>(std::make_shared<LetsGo>());
  static std::weak_ptr<Runtime> g_of;  // the runtime that knows it
  if (g_of.lock() == *started || !(*started)->AddMember(*g_member)) return Status();
  g_of = *started;
  shm::Segment::SweepAll();  // what a host and its launcher left that were killed together
  return Status();
}

}  // namespace mproc::capi
