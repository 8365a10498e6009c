// SPDX-License-Identifier: MIT
#include <mproc/call.h>
#include <mproc/worker.h>

#include <cstdlib>

#include "capi/handle_calls.hh"
#include "capi/self_table.hh"
#include "capi/table_handles.hh"
#include "platform/fork_lock.hh"
#include "worker/puller.hh"
#include "worker/worker_main.hh"

namespace mproc::capi {
namespace {

constinit platform::ForkMutex g_self_mutex;
constinit std::shared_ptr<const task::Table>* g_self_table = nullptr;  // g_self_mutex; never freed

void SetSelfTable(const task::Table& table) {
  auto copy = std::make_shared<const task::Table>(table);
  std::lock_guard lock(g_self_mutex);
  if (!g_self_table) g_self_table = new std::shared_ptr<const task::Table>();
  g_self_table->swap(copy);
}

}  // namespace

std::shared_ptr<const task::Table> SelfTable() {
  std::lock_guard lock(g_self_mutex);
  return g_self_table ? *g_self_table : nullptr;
}

}  // namespace mproc::capi

using namespace mproc;
using namespace mproc::capi;

mproc_status_t mproc_worker_main(mproc_table_t* table) {
  return GuardOn<TableHandles>(table, [&](const task::Table& served) {
    Report(Status());  // makes this thread's last error now: a worker may run out of memory later
    uint64_t nonce = 0;
    bool serves = worker::TakeSelfMark(&nonce);
    SetSelfTable(served);  // in a worker, too: its functions may use pools
    if (serves) std::exit(worker::WorkerMain(&served, nonce, nullptr));
    return Status();
  });
}

mproc_status_t mproc_worker_serve(mproc_table_t* table) {
  return GuardOn<TableHandles>(table, [&](const task::Table& served) {
    task::Table copy = served;
    return worker::ServeCommand(copy);
  });
}

mproc_status_t mproc_worker_next(mproc_table_t* table, int64_t limit, mproc_call_t** call, const void** input,
                                 size_t* size) {
  return Guard([&] {
    if (!call || !input || !size) return BadArgument("call, input or size is null");
    TableHandles::Pinned object;
    if (Status known = TableHandles::Get().Find(table, &object); !known.ok()) return known;
    worker::Call* taken = nullptr;
    ByteView bytes;
    Status status = worker::Puller::Get().Next(*object, Deadline::After(limit), &taken, &bytes);
    if (!status.ok()) return status;
    *call = reinterpret_cast<mproc_call_t*>(taken);
    *input = bytes.data();
    *size = bytes.size();
    return status;
  });
}

mproc_status_t mproc_worker_reply(mproc_call_t* call, const void* data, size_t size) {
  return Guard([&] {
    if (!data && size) return BadArgument("data is null, size is not 0");
    auto* taken = reinterpret_cast<worker::Call*>(call);
    if (Status known = worker::Puller::Get().Answer(taken, 0); !known.ok()) return known;
    int32_t replied = mproc_call_reply(call, data, size);
    if (replied == MPROC_OK) return Status();
    Status why(replied, mproc_last_error_message());
    taken->Fail(replied, StatusName(replied), why.message().c_str(), nullptr);
    return why;
  });
}

mproc_status_t mproc_worker_fail(mproc_call_t* call, int32_t code, const char* type, const char* message,
                                 const char* trace) {
  return Guard([&] {
    auto* taken = reinterpret_cast<worker::Call*>(call);
    if (Status known = worker::Puller::Get().Answer(taken, code != 0 ? code : -1); !known.ok()) return known;
    taken->Fail(code != 0 ? code : -1, type, message, trace);
    return Status();
  });
}
