// SPDX-License-Identifier: MIT
// SIGUSR1 makes the program tell on its standard error what its pool does, while this lives. Made before any
// other thread, so that all of them leave the signal to its own.
#ifndef MPROC_CLI_DUMP_ON_SIGNAL_HH
#define MPROC_CLI_DUMP_ON_SIGNAL_HH

#include <mproc/mproc.h>

#include <atomic>
#include <thread>

namespace mproc::cli {

class DumpOnSignal {
 public:
  DumpOnSignal();
  ~DumpOnSignal();
  DumpOnSignal(const DumpOnSignal&) = delete;
  DumpOnSignal& operator=(const DumpOnSignal&) = delete;

  void SetPool(mproc_pool_t* pool) { pool_.store(pool); }

 private:
  void Serve();

  std::atomic<mproc_pool_t*> pool_{nullptr};  // a handle: stale when the pool is gone
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace mproc::cli

#endif
