// SPDX-License-Identifier: MIT
#include "cli/dump_on_signal.hh"

#include <signal.h>

#include <cstdio>
#include <string>

namespace mproc::cli {

namespace {

sigset_t TheSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  return set;
}

}  // namespace

DumpOnSignal::DumpOnSignal() {
  sigset_t set = TheSignal();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::thread([this] { Serve(); });
}

DumpOnSignal::~DumpOnSignal() {
  stop_.store(true);
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
}

void DumpOnSignal::Serve() {
  sigset_t set = TheSignal();
  int signal = 0;
  while (sigwait(&set, &signal) == 0 && !stop_.load()) {
    std::string text(4096, '\0');
    size_t size = 0;
    mproc_status_t status;
    while ((status = mproc_pool_dump(pool_.load(), text.data(), text.size(), &size)) ==
           MPROC_ERROR_BUFFER_TOO_SMALL) {
      text.resize(size + 4096);  // it may have grown
    }
    if (status == MPROC_OK) std::fwrite(text.data(), 1, size, stderr);
  }
}

}  // namespace mproc::cli
