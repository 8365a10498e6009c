// SPDX-License-Identifier: MIT
// Processes of the bench module that begin together and tell when they are through.
#ifndef MPROC_CLI_CREW_HH
#define MPROC_CLI_CREW_HH

#include "cli/bench.hh"

namespace mproc::cli {

using SemaphorePtr = std::unique_ptr<mproc_semaphore_t, Freed<mproc_semaphore_t, mproc_semaphore_destroy>>;
using EventPtr = std::unique_ptr<mproc_event_t, Freed<mproc_event_t, mproc_event_destroy>>;
using LockPtr = std::unique_ptr<mproc_lock_t, Freed<mproc_lock_t, mproc_lock_destroy>>;
using QueuePtr = std::unique_ptr<mproc_queue_t, Freed<mproc_queue_t, mproc_queue_destroy>>;
using ProcessPtr = std::unique_ptr<mproc_process_t, Freed<mproc_process_t, mproc_process_destroy>>;

// What its functions take.
struct CrewTask {
  uint64_t times;
  uint64_t size;
};

// Each function has these objects: what it works on, a semaphore for "ready", the event to begin at, and a
// semaphore for "through".
class Crew {
 public:
  explicit Crew(const BenchSettings& settings);
  ~Crew();
  Crew(const Crew&) = delete;

  void Add(BenchFunction function, const CrewTask& task, void* object);
  // Lets all begin that were added; returns the time.
  uint64_t Begin();
  // Waits until so many more are through.
  void AwaitThrough(size_t count);

 private:
  const BenchSettings& settings_;
  SemaphorePtr ready_, through_;
  EventPtr begin_;
  std::vector<ProcessPtr> members_;
};

}  // namespace mproc::cli

#endif
