// SPDX-License-Identifier: MIT
// One run of `mproc map` on a pool that is ready: one thread reads items and feeds the pool, the caller's
// prints results as they become ready, in input order or as they come.
#ifndef MPROC_CLI_MAP_RUN_HH
#define MPROC_CLI_MAP_RUN_HH

#include <mproc/mproc.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "cli/map_input.hh"
#include "cli/map_window.hh"
#include "cli/progress_bar.hh"
#include "cli/trace_file.hh"

namespace mproc::cli {

class MapRun {
 public:
  struct Settings {
    uint32_t function = 0;
    int workers = 1;
    size_t chunk = 1;
    bool unordered = false;
    int64_t time_limit = MPROC_FOREVER;  // of a task, ns
    int32_t retries = 0;
    uint64_t items = 0;          // if they are known already
    TraceFile* trace = nullptr;  // these are borrowed
    ProgressBar* bar = nullptr;
  };

  // `pool` and `source` are borrowed for the life of the run.
  MapRun(mproc_pool_t* pool, ItemSource* source, const Settings& settings);

  // Returns an ExitCode. *abandoned is set if the feeding thread may still wait for input: the process must
  // then end without destroying the run.
  int Run(bool* abandoned);

 private:
  void Feed();
  void Send(std::unique_ptr<Batch> batch);
  // Waits for the end of a batch; signals only interrupt.
  void AwaitEnd(mproc_future_t* future);
  void ShowProgress(uint64_t done);
  static void OnEnd(mproc_future_t* future, void* user_data);

  // These return kAllGood, or the ExitCode with which to stop at once.
  int PrintAll();
  int Print(const Batch& batch);
  int PrintItem(const Batch& batch, size_t index);
  int ReportFailure(const Batch& batch, size_t index, mproc_status_t status);
  int ReportBroken();
  int Flush();
  int OutputFailed();

  mproc_pool_t* const pool_;
  ItemSource* const source_;
  const Settings settings_;
  const TaskOptionsPtr task_options_;  // the feeding thread's
  Window window_;
  std::atomic<uint64_t> items_;  // in all; 0: not known yet
  uint64_t printed_ = 0;
  bool some_failed_ = false;
};

}  // namespace mproc::cli

#endif
