// SPDX-License-Identifier: MIT
#include <mproc/worker_options.h>

#include "capi/options_change.hh"

using namespace mproc;
using namespace mproc::capi;
using pool::kMostCpus;

mproc_status_t mproc_pool_options_set_worker_tasks(mproc_pool_options_t* options, int64_t tasks) {
  return GuardChange(options, [&](pool::Options& o) {
    if (tasks < 1) return BadArgument("a worker runs at least one task");
    o.worker.tasks = static_cast<uint64_t>(tasks);
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_worker_memory(mproc_pool_options_t* options, int64_t bytes) {
  return GuardChange(options, [&](pool::Options& o) {
    if (bytes < 1) return BadArgument("a worker has at least one byte of memory");
    o.worker.terms.memory = static_cast<uint64_t>(bytes);
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_worker_age(mproc_pool_options_t* options, int64_t age) {
  return GuardChange(options, [&](pool::Options& o) {
    if (age < MPROC_MILLISECOND) return BadArgument("a worker lives at least a millisecond");
    o.worker.age = age;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_worker_idle(mproc_pool_options_t* options, int64_t idle) {
  return GuardChange(options, [&](pool::Options& o) {
    if (idle < MPROC_MILLISECOND) return BadArgument("a worker may be idle for at least a millisecond");
    o.worker.idle = idle;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_least_workers(mproc_pool_options_t* options, int32_t workers) {
  return GuardChange(options, [&](pool::Options& o) {
    if (workers < 0 || workers > 4096) return BadArgument("0 to 4096 workers stay");
    o.worker.least = workers;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_finalizer(mproc_pool_options_t* options, uint32_t id, const void* data,
                                                size_t size) {
  return GuardChange(options, [&](pool::Options& o) {
    if (!data && size) return BadArgument("data is null, size is not 0");
    o.worker.terms.finalizer_data = AsText(AsBytes(data, size));
    o.worker.terms.finalizer = id;
    o.worker.terms.has_finalizer = true;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_finalizer_callback(mproc_pool_options_t* options,
                                                         mproc_finalizer_cb callback, void* user_data) {
  return GuardChange(options, [&](pool::Options& o) {
    o.worker.last_call = {callback, user_data};
    o.worker.terms.finalizer_told = callback != nullptr;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_worker_limit(mproc_pool_options_t* options, int32_t which,
                                                   int64_t value) {
  return GuardChange(options, [&](pool::Options& o) {
    if (value < 1) return BadArgument("a limit is at least 1");
    auto limit = static_cast<uint64_t>(value);
    switch (which) {
      case MPROC_LIMIT_MEMORY:
        o.worker.terms.address_space = limit;
        return Status();
      case MPROC_LIMIT_CPU_TIME:
        o.worker.terms.cpu_seconds = limit / MPROC_SECOND + (limit % MPROC_SECOND != 0);
        return Status();
      case MPROC_LIMIT_FILES:
        o.worker.terms.files = limit;
        return Status();
      default:
        return BadArgument("this is none of MPROC_LIMIT_");
    }
  });
}

mproc_status_t mproc_pool_options_set_worker_nice(mproc_pool_options_t* options, int32_t nice) {
  return GuardChange(options, [&](pool::Options& o) {
    if (nice < -20 || nice > 19) return BadArgument("niceness is -20 to 19");
    o.worker.terms.has_nice = true;
    o.worker.terms.nice = nice;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_worker_cpus(mproc_pool_options_t* options, const int32_t* cpus,
                                                  size_t count, int32_t mode) {
  return GuardChange(options, [&](pool::Options& o) {
    if (!cpus && count) return BadArgument("cpus is null, count is not 0");
    if (count > kMostCpus) return BadArgument("there are at most 1024 CPUs");
    if (mode != MPROC_CPUS_SHARED && mode != MPROC_CPUS_ONE_EACH) {
      return BadArgument("mode is none of MPROC_CPUS_");
    }
    for (size_t i = 0; i < count; i++) {
      if (cpus[i] < 0 || cpus[i] >= kMostCpus) return BadArgument("a CPU has a number from 0 to 1023");
    }
    o.worker.terms.cpus.assign(cpus, cpus + count);
    o.worker.one_cpu_each = mode == MPROC_CPUS_ONE_EACH;
    return Status();
  });
}

mproc_status_t mproc_pool_options_set_restart_limit(mproc_pool_options_t* options, int32_t deaths,
                                                    int64_t span) {
  return GuardChange(options, [&](pool::Options& o) {
    if (deaths < 0 || deaths > 65536) return BadArgument("0 to 65536 workers may die");
    if (span < MPROC_MILLISECOND) return BadArgument("the time in which they die is at least a millisecond");
    o.worker.deaths = deaths;
    o.worker.death_span = span;
    return Status();
  });
}
