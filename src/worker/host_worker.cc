// SPDX-License-Identifier: MIT
// Workers that are made of the host: a fork of it, or a thread in it.
#include <new>

#include "ipc/channel.hh"
#include "platform/child.hh"
#include "platform/streams.hh"
#include "platform/surroundings.hh"
#include "task/setup.hh"
#include "worker/worker_main.hh"

namespace mproc::worker {
namespace {

// Nothing that is thrown may go on into the frames of the host.
int ServeToTheEnd(const FindTable& find_table, const Start& start) {
  try {
    auto served = Serve(find_table, start);
    return served.ok() ? *served : kCouldNotServe;
  } catch (const std::bad_alloc&) {
    return kCouldNotServe;
  }
}

}  // namespace

int ForkedMain(const ForkedWorker& worker, int socket, const FindTable& find_table) {
  platform::SettleAsFork(worker.host, "mproc-worker");
  platform::ChangeEnvironment(worker.environment, worker.unset_environment);
  auto find_here = [&](const task::Setup& setup) -> Result<const task::Table*> {
    if (!worker.directory.empty()) {
      auto directory = platform::OpenDirectory(worker.directory);
      if (!directory.ok()) return directory.status();
      if (!platform::EnterDirectory(directory->get())) {
        return Status(MPROC_ERROR_SYSTEM, "the directory '" + worker.directory + "' cannot be entered");
      }
    }
    return find_table(setup);
  };
  int code = ServeToTheEnd(find_here, {.method = MPROC_START_FORK, .socket = socket});
  platform::FlushStandardStreams();
  return code;
}

int ThreadMain(ipc::WorkerChannel* channel, int socket, const FindTable& find_table) {
  return ServeToTheEnd(find_table, {.method = MPROC_START_THREADS, .socket = socket, .channel = channel});
}

}  // namespace mproc::worker
