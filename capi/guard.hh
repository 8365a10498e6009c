// SPDX-License-Identifier: MIT
// The wall: every exported function that could throw runs inside Guard, which lets no exception out and
// remembers what a failed call had to say.
//
// No call is a point where pthread_cancel takes effect: its unwinding cannot pass through the library, which
// has an unwinder of its own linked in, and would leave locks held. So Guard puts cancellation off. That
// costs 30 ns, so calls on the path of a task run inside GuardTask, and the few things they seldom do that
// are such points (files, memory files, the engine's wake-up) put it off by themselves. Functions of the host
// that run inside, as callbacks of a dispatch, may throw what pthread_exit throws: it passes.
#pragma once

#include <cxxabi.h>

#include <new>
#include <utility>

#include "base/status.hh"
#include "platform/cancellation.hh"

namespace mproc::capi {

// Keeps the message of a failed call for this thread and returns its number.
int32_t Report(const Status& status);
int32_t ReportUnexpected(const char* what);

template <typename Body>
int32_t GuardTask(Body&& body) {
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

inline Status BadArgument(const char* why) { return Status(MPROC_ERROR_INVALID_ARGUMENT, why); }

}  // namespace mproc::capi
