// SPDX-License-Identifier: MIT
// The wall: every exported function that could throw runs inside Guard, which lets no exception out and
// remembers what a failed call had to say.
//
// No call is a point where pthread_cancel takes effect: a wait that it unwinds would leave locks held and
// results unread. So Guard puts cancellation off. That costs 30 ns, so calls on the path of a task run inside
// GuardTask, and the few things they seldom do that are such points (files, memory files, the engine's
// wake-up) put it off by themselves. A callback that a dispatch runs may end its thread, though, which
// platform/thread.cc lets pass; an exception of its ends here, as the status of the dispatch.
#pragma once

#include <mproc/future.h>

#include <new>
#include <utility>

#include "base/forced_unwind.hh"
#include "base/status.hh"
#include "platform/cancellation.hh"

namespace mproc::capi {

// Keeps the message of a failed call for this thread and returns its number.
int32_t Report(const Status& status);
int32_t ReportUnexpected(const char* what);

template <typename Body>
MPROC_HANDLES_FORCED_UNWIND int32_t GuardTask(Body&& body) {
  try {
    Status status = body();
    if (status.ok()) return MPROC_OK;
    return Report(status);
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (const std::bad_alloc&) {
    return Report(Status(MPROC_ERROR_OUT_OF_MEMORY));
  } catch (const std::exception& error) {
    return ReportUnexpected(error.what());
  } catch (...) {
    return ReportUnexpected("an unknown exception");
  }
}

template <typename Body>
int32_t Guard(Body&& body) {
  platform::CancellationOff no_cancel;
  return GuardTask(std::forward<Body>(body));
}

// For a call that was lent something: what fails gives it back at once.
template <typename Body>
int32_t GuardBorrowed(mproc_release_cb release, void* owner, Body&& body) {
  int32_t status = GuardTask(std::forward<Body>(body));
  if (status != MPROC_OK && release) {
    GuardTask([&] {
      release(owner);
      return Status();
    });
  }
  return status;
}

inline Status BadArgument(const char* why) { return Status(MPROC_ERROR_INVALID_ARGUMENT, why); }

}  // namespace mproc::capi
