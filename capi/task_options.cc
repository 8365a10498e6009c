// SPDX-License-Identifier: MIT
#include "capi/task_options.hh"

#include <mproc/task_options.h>

#include "capi/handle_calls.hh"

using namespace mproc;
using namespace mproc::capi;

namespace {

// Runs `set` on the options behind the handle.
template <typename Set>
int32_t GuardChange(mproc_task_options_t* options, Set&& set) {
  return GuardOn<TaskOptionsHandles>(options, set);
}

Status SetTime(int64_t limit, int64_t* time) {
  if (limit < 1) return BadArgument("a time limit is at least 1 ns");
  *time = limit == MPROC_FOREVER ? 0 : limit;
  return Status();
}

}  // namespace

namespace mproc::capi {

Status ReadTaskOptions(mproc_task_options_t* handle, TaskOptions* options) {
  if (!handle) return Status();
  return On<TaskOptionsHandles>(handle, [&](TaskOptions& object) {
    *options = object;
    return Status();
  });
}

}  // namespace mproc::capi

mproc_status_t mproc_task_options_create(mproc_task_options_t** options) {
  return GuardCreate<TaskOptionsHandles, TaskOptions>("option objects", options);
}

mproc_status_t mproc_task_options_destroy(mproc_task_options_t* options) {
  return GuardDestroy<TaskOptionsHandles, TaskOptions>(options);
}

mproc_status_t mproc_task_options_set_time_limit(mproc_task_options_t* options, int64_t limit) {
  return GuardChange(options, [&](TaskOptions& o) { return SetTime(limit, &o.policy.time_limit); });
}

mproc_status_t mproc_task_options_set_deadline(mproc_task_options_t* options, int64_t limit) {
  return GuardChange(options, [&](TaskOptions& o) { return SetTime(limit, &o.policy.deadline); });
}

mproc_status_t mproc_task_options_set_grace(mproc_task_options_t* options, int64_t grace) {
  return GuardChange(options, [&](TaskOptions& o) {
    o.policy.grace = grace < 0 ? 0 : grace;
    return Status();
  });
}

mproc_status_t mproc_task_options_set_retry(mproc_task_options_t* options, int32_t times, int32_t on,
                                            int64_t back_off) {
  return GuardChange(options, [&](TaskOptions& o) {
    constexpr int32_t kAll = MPROC_RETRY_ON_LOST | MPROC_RETRY_ON_ERROR | MPROC_RETRY_ON_TIMEOUT;
    if (times < 0 || times > 255) return BadArgument("a task is run again 0 to 255 times");
    if (on & ~kAll) return BadArgument("on is no sum of MPROC_RETRY_ON_");
    o.policy.retries = static_cast<uint32_t>(times);
    o.policy.retry_on = static_cast<uint32_t>(on);
    o.policy.back_off = back_off < 0 ? 0 : back_off;
    return Status();
  });
}

mproc_status_t mproc_task_options_set_priority(mproc_task_options_t* options, int32_t priority) {
  return GuardChange(options, [&](TaskOptions& o) {
    o.policy.priority = priority;
    return Status();
  });
}

mproc_status_t mproc_task_options_set_callbacks(mproc_task_options_t* options, mproc_future_cb callback,
                                                mproc_future_cb error_callback, void* user_data) {
  return GuardChange(options, [&](TaskOptions& o) {
    o.callbacks.callback = callback;
    o.callbacks.error_callback = error_callback;
    o.callbacks.user_data = user_data;
    return Status();
  });
}

mproc_status_t mproc_task_options_set_progress_callback(mproc_task_options_t* options,
                                                        mproc_progress_cb callback, void* user_data) {
  return GuardChange(options, [&](TaskOptions& o) {
    o.callbacks.progress = callback;
    o.callbacks.progress_data = user_data;
    return Status();
  });
}

mproc_status_t mproc_task_options_set_started_callback(mproc_task_options_t* options,
                                                       mproc_started_cb callback, void* user_data) {
  return GuardChange(options, [&](TaskOptions& o) {
    o.callbacks.started = callback;
    o.callbacks.started_data = user_data;
    return Status();
  });
}

mproc_status_t mproc_task_options_set_room_limit(mproc_task_options_t* options, int64_t limit) {
  return GuardChange(options, [&](TaskOptions& o) {
    o.room_limit = limit;
    return Status();
  });
}
