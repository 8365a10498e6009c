// SPDX-License-Identifier: MIT
#include <mproc/options.h>

#include <cstring>

#include "capi/guard.hh"
#include "capi/objects.hh"

using namespace mproc;
using namespace mproc::capi;

namespace {

// Runs `set` on the options behind the handle.
template <typename Set>
int32_t GuardChange(mproc_pool_options_t* options, Set&& set) {
  return Guard([&]() -> Status {
    OptionsHandles::Pinned object;
    if (Status known = OptionsHandles::Get().Find(options, &object); !known.ok()) return known;
    return set(*object);
  });
}

Status OneOf(int32_t value, int32_t most, const char* what) {
  if (value >= 0 && value <= most) return Status();
  return Status(MPROC_ERROR_INVALID_ARGUMENT, std::string(what) + " is none of the numbers named for it");
}

}  // namespace

mproc_status_t mproc_pool_options_create(mproc_pool_options_t** options) {
  return Guard([&] {
    if (!options) return BadArgument("options is null");
    void* handle = OptionsHandles::Get().Add(std::make_shared<pool::Options>());
    if (!handle) return Status(MPROC_ERROR_OUT_OF_MEMORY, "there are 65536 option objects already");
    *options = static_cast<mproc_pool_options_t*>(handle);
    return Status();
  });
}

mproc_status_t mproc_pool_options_destroy(mproc_pool_options_t* options) {
  return Guard([&] {
    std::shared_ptr<pool::Options> object;
    return options ? OptionsHandles::Get().Take(options, &object) : Status();
  });
}

mproc_status_t mproc_pool_options_set_workers(mproc_pool_options_t* options, int32_t workers) {
  return GuardChange(options, [&](pool::Options& o) {
    if (workers < 1 || workers > 4096) return BadArgument("a pool has 1 to 4096 workers");
    o.workers = workers;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_name(mproc_pool_options_t* options, const char* name) {
  return GuardChange(options, [&](pool::Options& o) {
    if (!name || !*name || std::strlen(name) > 63) return BadArgument("the name of a pool has 1 to 63 bytes");
    o.name = name;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_start_method(mproc_pool_options_t* options, int32_t method) {
  return GuardChange(options,
                     [&](pool::Options&) { return OneOf(method, MPROC_START_SPAWN, "the start method"); });
}

mproc_status_t mproc_pool_options_set_module(mproc_pool_options_t* options, const char* path) {
  return GuardChange(options, [&](pool::Options& o) {
    if (!path || !*path) return BadArgument("the path of the module is empty");
    o.module = path;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_self(mproc_pool_options_t* options) {
  return GuardChange(options, [&](pool::Options& o) {
    o.module.clear();
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_table(mproc_pool_options_t* options, mproc_table_t* table) {
  return GuardChange(options, [&](pool::Options& o) {
    TableHandles::Pinned object;
    if (Status known = TableHandles::Get().Find(table, &object); !known.ok()) return known;
    o.table = *object;
    return Status();
  });
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
  return GuardChange(options, [&](pool::Options& o) {
    if (!path || !*path) return BadArgument("the path of mproc-worker is empty");
    o.worker_program = path;
    return Status();
  });
}
