// SPDX-License-Identifier: MIT
// What a worker did last, in words: read from its flight recorder, whether it runs, is stuck or has ended.
#pragma once

#include <string>

#include "ipc/flight.hh"
#include "pool/core.hh"

namespace mproc::pool {

// "function 4 'square'", of bound arguments the function behind them. The pool's mutex is held.
std::string DescribeFunction(const Core& core, uint32_t function);
// "1.250 ms".
std::string DescribeTime(int64_t nanoseconds);
// What a task tells while it runs: ", item 7, progress 3 of 10"; empty if nothing.
std::string DescribeProgress(const ipc::FlightReader& flight, const ipc::Run& run);
// The last `most` runs and log records before `now`, a line for each, oldest first. The pool's mutex is held.
std::string LastSteps(const Core& core, const ipc::FlightReader& flight, int64_t now, size_t most);

}  // namespace mproc::pool
