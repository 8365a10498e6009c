// SPDX-License-Identifier: MIT
#include "platform/host_threads.hh"

#include <time.h>

#include <string>

#include "platform/process_state.hh"
#include "platform/thread.hh"

namespace mproc::platform {
namespace {

// A thread that has ended is shown by the system for another moment.
constexpr int kLooks = 20;
constexpr timespec kPause{0, 500'000};

}  // namespace

Status CheckNoHostThreads() {
  std::string others = "may have threads of its own (/proc cannot tell)";
  for (int look = 0; look < kLooks; look++) {
    int all = CountThreads();
    if (all == 0) break;
    int more = all - CountOwnThreads() - 1;
    if (more <= 0) return Status();
    others = "has " + std::to_string(more) + (more == 1 ? " thread" : " threads") + " beside its first";
    nanosleep(&kPause, nullptr);
  }
  return Status(MPROC_ERROR_UNSUPPORTED,
                "the host " + others +
                    ", and whatever those hold locked would stay locked in a forked worker: use start method "
                    "spawn or forkserver, or insist with mproc_pool_options_set_fork_with_threads");
}

}  // namespace mproc::platform
