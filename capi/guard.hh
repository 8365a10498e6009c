// SPDX-License-Identifier: MIT
// The wall: every exported function that could throw runs inside Guard, which lets no exception out and
// remembers what a failed call had to say. What pthread_cancel throws must pass: to stop it would abort the
// host.
#pragma once

#include <cxxabi.h>

#include <new>

#include "base/status.hh"

namespace mproc::capi {

// Keeps the message of a failed call for this thread and returns its number.
int32_t Report(const Status& status);
int32_t ReportUnexpected(const char* what);

template <typename Body>
int32_t Guard(Body&& body) {
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

inline Status BadArgument(const char* why) { return Status(MPROC_ERROR_INVALID_ARGUMENT, why); }

}  // namespace mproc::capi
