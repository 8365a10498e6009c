// SPDX-License-Identifier: MIT
// The worker's life after its start: take, run, reply, look again, poll a little, sleep. Worker's main
// thread.
#pragma once

#include <cstdint>

#include "base/poll_gate.hh"
#include "worker/runner.hh"

namespace mproc::worker {

class WorkerLoop {
 public:
  // `host_alive` is asked now and then while nothing is to do.
  // With a memory limit (bytes; 0: none) a worker that has more of its own after a task asks to leave.
  WorkerLoop(WorkerContext* context, Runner* runner, uint64_t memory_limit, bool (*host_alive)(void*),
             void* host)
      : context_(context),
        runner_(runner),
        memory_limit_(memory_limit),
        host_alive_(host_alive),
        host_(host) {}

  // Serves until the host orders the end (true) or is gone.
  bool Run();

 private:
  // Looks for a task for a short while. True if there is one.
  bool Poll();
  bool Yield();
  // Whether the tasks up to now have left too much memory behind; looks now and then.
  bool IsTooLarge(int64_t now);
  // Waits for the order to finish, claiming nothing; as Run.
  bool Leave();
  // Nothing is to do for a while: false if the host is gone.
  bool Rest();
  // After so many tasks nothing came for so long, and then one that woke the worker.
  void NoteIdle(int64_t nanoseconds, uint32_t tasks);

  WorkerContext* context_;
  Runner* runner_;
  uint64_t memory_limit_;
  int64_t measured_ = 0;  // when, last
  bool (*host_alive_)(void*);
  void* host_;
  PollGate gate_{64};
  PollGate yield_gate_{64};
  bool patient_ = false;    // Poll looks for long
  int64_t usual_[64] = {};  // what the last task took, by function id modulo its size
};

}  // namespace mproc::worker
