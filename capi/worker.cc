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

constinit platform::ForkMutex g_self_mutex;
constinit std::shared_ptr<const task::Table>* g_self_table = nullptr;  // g_self_mutex; never freed

}  // namespace

std::shared_ptr<const task::Table> SelfTable() {
  std::lock_guard lock(g_self_mutex);
  return g_self_table ? *g_self_table : nullptr;
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
    auto table_copy = std::make_shared<const task::Table>(*object);
    std::lock_guard lock(g_self_mutex);
    if (!g_self_table) g_self_table = new std::shared_ptr<const task::Table>();
    g_self_table->swap(table_copy);
    return Status();
  });
}

int32_t mproc_worker_is_worker(void) { return worker::IsWorker() ? 1 : 0; }  // wall: cannot throw
