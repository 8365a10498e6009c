// SPDX-License-Identifier: MIT
// The program mproc-worker: the launcher if called with "--launcher", else a worker that loads a module. It
// exports the calls that a module makes (worker_program.symbols), so that modules need no libmproc.
#include <cstdio>
#include <cstring>

#include "capi/guard.hh"
#include "capi/table_handles.hh"
#include "launcher/launcher_main.hh"
#include "worker/worker_main.hh"

using namespace mproc;

namespace {

// Gives the module's entry point a handle on the table that it is to fill.
Status CallEntry(void* entry, task::Table* table) {
  auto filled = std::make_shared<task::Table>();
  void* handle = capi::TableHandles::Get().Add(filled);
  auto module_main = reinterpret_cast<mproc_module_main_cb>(entry);
  int32_t status = module_main(static_cast<mproc_table_t*>(handle));
  std::shared_ptr<task::Table> taken;
  Status gone = capi::TableHandles::Get().Take(handle, &taken);
  if (status != MPROC_OK) {
    return Status(MPROC_ERROR_BAD_MODULE, std::string("the module's mproc_module_main returned ") +
                                              std::to_string(status) + " (" + StatusName(status) + ")");
  }
  *table = *filled;
  return gone.ok() || gone.code() == MPROC_ERROR_STALE_HANDLE ? Status() : gone;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--launcher") == 0) return launcher::LauncherMain();
  capi::Report(Status());  // makes this thread's last error now: a worker may run out of memory later
  int status = worker::WorkerMain(nullptr, 0, CallEntry);
  if (status == 2) {
    std::fputs("mproc-worker is started by libmproc; it is of no use by hand.\n", stderr);
  }
  return status;
}
