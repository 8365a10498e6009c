// SPDX-License-Identifier: MIT
#include <mproc/options.h>

#include "capi/options_change.hh"
#include "capi/start_options.hh"

using namespace mproc;
using namespace mproc::capi;

namespace {

Status OneOf(int32_t value, int32_t most, const char* what) {
  if (value >= 0 && value <= most) return Status();
  return Status(MPROC_ERROR_INVALID_ARGUMENT, std::string(what) + " is none of the numbers named for it");
}

}  // namespace

mproc_status_t mproc_pool_options_create(mproc_pool_options_t** options) {
  return GuardCreate<OptionsHandles, pool::Options>("option objects", options);
}

mproc_status_t mproc_pool_options_destroy(mproc_pool_options_t* options) {
  return GuardDestroy<OptionsHandles, pool::Options>(options);
}

mproc_status_t mproc_pool_options_set_workers(mproc_pool_options_t* options, int32_t workers) {
  return GuardChange(options, [&](pool::Options& o) {
    if (Status good = CheckPoolSize(workers); !good.ok()) return good;
    o.workers = workers;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_name(mproc_pool_options_t* options, const char* name) {
  return GuardChange(options, [&](pool::Options& o) {
    Status good = CheckPoolName(name);
    if (good.ok()) o.name = name;
    return good;
  });
}

mproc_status_t mproc_pool_options_set_start_method(mproc_pool_options_t* options, int32_t method) {
  return GuardChange(options, [&](pool::Options& o) { return SetStartMethod(o, method); });
}

mproc_status_t mproc_pool_options_set_fork_with_threads(mproc_pool_options_t* options, int32_t on) {
  return GuardChange(options, [&](pool::Options& o) {
    o.fork_with_threads = on != 0;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_module(mproc_pool_options_t* options, const char* path) {
  return GuardChange(options, [&](pool::Options& o) { return SetModule(o, path); });
}

mproc_status_t mproc_pool_options_set_self(mproc_pool_options_t* options) {
  return GuardChange(options, [&](pool::Options& o) {
    o.module.clear();
    o.command.clear();
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_command(mproc_pool_options_t* options, const char* const* argv,
                                              size_t argc) {
  return GuardChange(options, [&](pool::Options& o) { return SetCommand(o, argv, argc); });
}

mproc_status_t mproc_pool_options_set_environment(mproc_pool_options_t* options, const char* name,
                                                  const char* value) {
  return GuardChange(options, [&](pool::Options& o) { return SetEnvironment(o, name, value); });
}

mproc_status_t mproc_pool_options_set_directory(mproc_pool_options_t* options, const char* path) {
  return GuardChange(options, [&](pool::Options& o) { return SetDirectory(o, path); });
}

mproc_status_t mproc_pool_options_set_table(mproc_pool_options_t* options, mproc_table_t* table) {
  return GuardChange(options, [&](pool::Options& o) { return SetTable(o, table); });
}

mproc_status_t mproc_pool_options_set_initializer(mproc_pool_options_t* options, uint32_t id,
                                                  const void* data, size_t size) {
  return GuardChange(options, [&](pool::Options& o) {
    if (!data && size) return BadArgument("data is null, size is not 0");
    auto bytes = AsBytes(data, size);
    o.initializer_data.assign(bytes.begin(), bytes.end());
    o.initializer = id;
    o.has_initializer = true;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_queue_limits(mproc_pool_options_t* options, uint64_t tasks,
                                                   uint64_t bytes) {
  return GuardChange(options, [&](pool::Options& o) {
    o.queue_tasks = tasks;
    o.queue_bytes = bytes;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_polling(mproc_pool_options_t* options, int32_t polling) {
  return GuardChange(options, [&](pool::Options& o) {
    Status known = OneOf(polling, MPROC_POLLING_SPIN, "polling");
    if (known.ok()) o.polling = polling;
    return known;
  });
}

mproc_status_t mproc_pool_options_set_callbacks(mproc_pool_options_t* options, int32_t mode) {
  return GuardChange(options, [&](pool::Options& o) {
    Status known = OneOf(mode, MPROC_CALLBACKS_NEXT, "the callback mode");
    if (known.ok()) o.callbacks = mode;
    return known;
  });
}

mproc_status_t mproc_pool_options_set_log_callback(mproc_pool_options_t* options, mproc_log_cb callback,
                                                   void* user_data, int32_t least_level) {
  return GuardChange(options, [&](pool::Options& o) {
    o.log = {callback, user_data, least_level};
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_output_callback(mproc_pool_options_t* options, mproc_output_cb callback,
                                                      void* user_data) {
  return GuardChange(options, [&](pool::Options& o) {
    o.output = {callback, user_data};
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_timing(mproc_pool_options_t* options, int32_t timing) {
  return GuardChange(options, [&](pool::Options& o) {
    if (timing < MPROC_TIMING_SAMPLED || timing > MPROC_TIMING_OFF) {
      return BadArgument("timing is none of MPROC_TIMING_");
    }
    o.timing = timing;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_terminate_grace(mproc_pool_options_t* options, int64_t grace) {
  return GuardChange(options, [&](pool::Options& o) {
    o.terminate_grace = grace;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_start_limit(mproc_pool_options_t* options, int64_t limit) {
  return GuardChange(options, [&](pool::Options& o) {
    if (limit < MPROC_MILLISECOND) return BadArgument("the start limit is at least a millisecond");
    o.start_limit = limit;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_worker_program(mproc_pool_options_t* options, const char* path) {
  return GuardChange(options, [&](pool::Options& o) { return SetWorkerProgram(o, path); });
}
