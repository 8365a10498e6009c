// SPDX-License-Identifier: MIT
// What the options of a task hold, and their handles.
#pragma once

#include <mproc/task_options.h>

#include "capi/objects.hh"
#include "pool/policy.hh"

namespace mproc::capi {

struct TaskOptions {
  pool::Policy policy{.grace = 100 * MPROC_MILLISECOND};
  pool::Callbacks callbacks;
  int64_t room_limit = MPROC_FOREVER;
};

using TaskOptionsHandles = Handles<TaskOptions, 6>;

// A copy of what the handle stands for; null stands for the defaults.
Status ReadTaskOptions(mproc_task_options_t* handle, TaskOptions* options);

}  // namespace mproc::capi
