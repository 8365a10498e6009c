// SPDX-License-Identifier: MIT
// The work of `mproc map` that is under way: bounded, so that endless input takes bounded memory.
#ifndef MPROC_CLI_MAP_WINDOW_HH
#define MPROC_CLI_MAP_WINDOW_HH

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cli/handles.hh"

namespace mproc::cli {

class Window;

// The items of one task, and what became of it.
struct Batch {
  uint64_t first = 0;  // number of the first item, from 0
  std::vector<std::string> items;
  size_t bytes = 0;
  FuturePtr future;                   // none if the pool did not take it, or while a callback is due
  mproc_status_t refused = MPROC_OK;  // why the pool did not take it
  std::string refusal;
  Window* window = nullptr;
};

// Between the thread that feeds the pool and the one that prints. Thread-safe.
class Window {
 public:
  Window(size_t most_batches, size_t most_bytes) : most_batches_(most_batches), most_bytes_(most_bytes) {}

  // Waits for room and takes it for `batch`, which may exceed the bytes if it is alone.
  void Enter(const Batch& batch);
  // Hands over a batch that can be waited for or is done.
  void Push(std::unique_ptr<Batch> batch);
  // The input has ended, with what went wrong, if anything did.
  void EndInput(std::string error);

  // The batch pushed first; null if there is none yet.
  std::unique_ptr<Batch> TryPop();
  // The same, waiting for one; null after the last.
  std::unique_ptr<Batch> Pop();
  // Gives the room back.
  void Leave(const Batch& batch);
  std::string input_error() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable news_;
  const size_t most_batches_;
  const size_t most_bytes_;
  // Guarded by mutex_.
  std::deque<std::unique_ptr<Batch>> queue_;
  size_t batches_ = 0;
  size_t bytes_ = 0;
  bool input_ended_ = false;
  std::string input_error_;
};

}  // namespace mproc::cli

#endif
