// SPDX-License-Identifier: MIT
// The end of a task. End() is the one place where a task ends, whatever ended it: it stores value or error,
// makes the future ready, hands it to its callback and wakes who waits. Its caller has taken the task out of
// the backlog or of a worker's in-flight entry and so is the only one who can end it.
#pragma once

#include <memory>
#include <string_view>

#include "pool/future.hh"

namespace mproc::pool {

struct Ending {
  int32_t outcome = MPROC_OUTCOME_VALUE;
  ByteView value;                    // VALUE: borrowed for the call
  std::unique_ptr<Holder> holder;    // VALUE: keeps it longer, if given
  bool in_place = false;             // VALUE: it lies in the memory of the payload
  int64_t elapsed = 0;               // ns that the task ran
  int64_t begun_at = 0;              // when it began, if all tasks of the pool are timed
  std::unique_ptr<ErrorInfo> error;  // else
};

Ending ValueEnding(ByteView value);
Ending ErrorEnding(task::TaskError error);
// An end that is the library's own doing. Needs no memory: without it the end has no message.
Ending OwnEnding(int32_t outcome, int32_t status, std::string_view message, int32_t cause) noexcept;
Ending CancelledEnding(int32_t cause);
// For what had not begun when its time was over (TIMED_OUT) or when it was cancelled.
Ending StoppedEnding(int32_t outcome, int32_t cause);
Ending NotRunEnding(int32_t status, std::string_view message, int32_t cause);

// Any thread; the pool's mutex may be held or not. Needs no memory: a value that finds none is an error, an
// error that finds none has no message.
void End(Future* task, Ending ending) noexcept;

// The same for a chunk, but that the reference of its caller stays.
void EndChunk(Future* chunk, Ending* ending) noexcept;

}  // namespace mproc::pool
