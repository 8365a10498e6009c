// SPDX-License-Identifier: MIT
// Waiting for one future, for any, or for all of many. Any thread.
#pragma once

#include <span>

#include "base/clock.hh"
#include "base/status.hh"
#include "pool/future.hh"

namespace mproc::pool {

// True if this thread may see the end of the future: after its callback, where there is one, except for the
// thread that runs it.
bool IsReady(const Future& future);

Status WaitOne(Future* future, const Deadline& deadline);
// Null entries are skipped.
Status WaitAll(std::span<Future* const> futures, const Deadline& deadline);
// The place of the first that is ready.
Status WaitAny(std::span<Future* const> futures, const Deadline& deadline, size_t* index);

}  // namespace mproc::pool
