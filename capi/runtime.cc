// SPDX-License-Identifier: MIT
#include <mproc/runtime.h>

#include "capi/guard.hh"
#include "pool/callbacks.hh"
#include "pool/pool.hh"
#include "runtime/runtime.hh"
#include "worker/exit_hooks.hh"

using namespace mproc;
using namespace mproc::capi;

mproc_status_t mproc_runtime_finish(int64_t limit) {
  return Guard([&] {
    if (pool::InsideAnyCallback()) return Status(MPROC_ERROR_WOULD_BLOCK_ITSELF);
    worker::RunExitHooks(0);
    Status finished = runtime::Runtime::Finish(limit);
    if (finished.ok()) worker::RunExitHooks(INT32_MIN);
    return finished;
  });
}

mproc_status_t mproc_runtime_launcher_pid(int64_t* pid) {
  return Guard([&] {
    if (!pid) return BadArgument("pid is null");
    auto current = runtime::Runtime::Current();
    *pid = current ? current->launcher().pid() : 0;
    return Status();
  });
}

mproc_status_t mproc_runtime_default_workers(int32_t* workers) {
  return Guard([&] {
    if (!workers) return BadArgument("workers is null");
    *workers = pool::DefaultWorkers();
    return Status();
  });
}
