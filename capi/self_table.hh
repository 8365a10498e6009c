// SPDX-License-Identifier: MIT
// The table that this program serves when it is its own worker.
#pragma once

#include <memory>

#include "task/table.hh"

namespace mproc::capi {

// What mproc_worker_main was given; null before that call.
std::shared_ptr<const task::Table> SelfTable();

}  // namespace mproc::capi
