// SPDX-License-Identifier: MIT
// How far tasks and maps are, and who is told of it: a callback at most once a tick of the engine, that is
// ten times a second, and once more at the end.
#pragma once

#include <vector>

#include "pool/core.hh"
#include "pool/early_due.hh"

namespace mproc::pool {

struct Progress {
  uint64_t done = 0;
  uint64_t total = 0;
  bool operator==(const Progress&) const = default;
};

// Of a map the items that have ended, those inside of running chunks, too: never less than before; of a task
// what it tells while it runs. The pool's mutex is held.
Progress ProgressOf(const Core& core, const Future& task);

// The callback of one task or map.
class ProgressDue final : public EarlyDue {
 public:
  ProgressDue(mproc_progress_cb callback, void* user_data) : callback_(callback), user_data_(user_data) {}

 private:
  void Tell(const Future& task, mproc_future_t* handle) override;

  const mproc_progress_cb callback_;
  void* const user_data_;
  Progress told_{UINT64_MAX, UINT64_MAX};  // where callbacks run
};

// Those of a pool. Guarded by the pool's mutex.
class ProgressWatch {
 public:
  explicit ProgressWatch(Core& core) : core_(core) {}
  // Takes the memory that Add needs: who has handed a task out must not fail.
  void Prepare();
  // Takes over one reference.
  void Add(Future* task);
  // Queues the callbacks of those that went on since the last look. Engine thread, mutex not held.
  void Look();
  // Forgets all. Mutex not held.
  void Clear();

 private:
  struct Watched {
    Future* task;  // retained
    Progress seen;
  };

  Core& core_;
  std::vector<Watched> watched_;
};

}  // namespace mproc::pool
