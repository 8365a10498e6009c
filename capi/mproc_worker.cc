// SPDX-License-Identifier: MIT
// The program mproc-worker: the launcher if called with "--launcher", a template that loads a module and
// forks workers if called with "--template" and that module, a worker that becomes another program if called
// with "--command" and that, or a process that is no worker if with "--run", else a worker that loads a
// module itself. It exports the calls that a module makes (worker_program.symbols), so that modules need no
// libmproc.
#include <cstdio>
#include <cstring>

#include "capi/guard.hh"
#include "capi/module_entry.hh"
#include "capi/sweeper.hh"
#include "launcher/launcher_main.hh"
#include "worker/worker_main.hh"

using namespace mproc;

Status capi::EnsureSweeper() { return Status(); }  // the launcher, which sees the end of this process

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--launcher") == 0) return launcher::LauncherMain();
  bool runs = argc > 2 && std::strcmp(argv[1], "--run") == 0;
  if (runs || (argc > 2 && std::strcmp(argv[1], "--command") == 0))
    return worker::CommandMain(argv + 2, !runs);
  capi::Report(Status());  // makes this thread's last error now: a worker may run out of memory later
  bool is_template = argc > 2 && std::strcmp(argv[1], "--template") == 0;
  int status = is_template ? worker::TemplateMain(argv[2], capi::CallModuleEntry)
                           : worker::WorkerMain(nullptr, 0, capi::CallModuleEntry);
  if (status == 2) {
    std::fputs("mproc-worker is started by libmproc; it is of no use by hand.\n", stderr);
  }
  return status;
}
