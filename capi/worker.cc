// SPDX-License-Identifier: MIT
#include <mproc/worker.h>

#include <cstdlib>

#include "capi/guard.hh"
#include "capi/self_table.hh"
#include "capi/table_handles.hh"
#include "platform/fork_lock.hh"
#include "worker/worker_main.hh"

namespace mproc::capi {
namespace {

std::mutex g_self_mutex;
std::shared_ptr<const task::Table>& SelfSlot() {
  static auto* slot = [] {
    platform::HoldOverFork(&g_self_mutex);
    return new std::shared_ptr<const task::Table>();
  }();
  return *slot;
}

}  // namespace

std::shared_ptr<const task::Table> SelfTable() {
  auto& slot = SelfSlot();
  std::lock_guard lock(g_self_mutex);
  return slot;
}

}  // namespace mproc::capi

using namespace mproc;
using namespace mproc::capi;

mproc_status_t mproc_worker_main(mproc_table_t* table) {
  return Guard([&] {
    TableHandles::Pinned object;
    if (Status known = TableHandles::Get().Find(table, &object); !known.ok()) return known;
    Report(Status());  // makes this thread's last error now: a worker may run out of memory later
    uint64_t nonce = 0;
    if (worker::TakeSelfMark(&nonce)) std::exit(worker::WorkerMain(&*object, nonce, nullptr));
    auto& slot = SelfSlot();
    std::lock_guard lock(g_self_mutex);
    slot = std::make_shared<const task::Table>(*object);
    return Status();
  });
}

int32_t mproc_worker_is_worker(void) { return worker::IsWorker() ? 1 : 0; }  // wall: cannot throw
