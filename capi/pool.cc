// SPDX-License-Identifier: MIT
#include <mproc/pool.h>

#include <algorithm>
#include <cstring>

#include "capi/options_change.hh"
#include "capi/shared_pools.hh"
#include "capi/start_options.hh"
#include "capi/task_options.hh"
#include "pool/callbacks.hh"
#include "pool/wait.hh"

using namespace mproc;
using namespace mproc::capi;
using pool::Pool;

namespace {

Status CheckBytes(const void* data, size_t size) {
  return !data && size ? BadArgument("data is null, size is not 0") : Status();
}

// What a pool is to be made with.
Result<pool::Options> ReadOptions(mproc_pool_options_t* options) {
  pool::Options wanted;
  if (options) {
    Status read = On<OptionsHandles>(options, [&](const pool::Options& o) { return wanted = o, Status(); });
    if (!read.ok()) return read;
  }
  if (Status good = CompleteStart(&wanted, "pool's workers"); !good.ok()) return good;
  return wanted;
}

Status GiveHandle(std::shared_ptr<Pool> made, mproc_pool_t** pool) {
  Status given = GiveOut<PoolHandles>(made, "pools", pool);
  if (!given.ok()) LeavePool(*made);
  return given;
}

// MPROC_FUNCTION_STATISTIC_: six of the runs, then the same six of the waits.
uint64_t NumberOf(const pool::TimesOfFunction& times, int32_t which) {
  bool waits = which >= MPROC_FUNCTION_STATISTIC_WAITS;
  const pool::Histogram& of = waits ? times.waited : times.ran;
  switch (waits ? which - MPROC_FUNCTION_STATISTIC_WAITS + MPROC_FUNCTION_STATISTIC_RUNS : which) {
    case MPROC_FUNCTION_STATISTIC_RUNS:
      return of.Count();
    case MPROC_FUNCTION_STATISTIC_RUN_TOTAL:
      return of.total();
    case MPROC_FUNCTION_STATISTIC_RUN_P50:
      return of.Percentile(50);
    case MPROC_FUNCTION_STATISTIC_RUN_P90:
      return of.Percentile(90);
    case MPROC_FUNCTION_STATISTIC_RUN_P99:
      return of.Percentile(99);
    default:
      return of.most();
  }
}

}  // namespace

mproc_status_t mproc_pool_create(mproc_pool_options_t* options, mproc_pool_t** pool) {
  return Guard([&]() -> Status {
    if (!pool) return BadArgument("pool is null");
    auto wanted = ReadOptions(options);
    if (!wanted.ok()) return wanted.status();
    auto made = Pool::Create(std::move(*wanted));
    return made.ok() ? GiveHandle(std::move(*made), pool) : made.status();
  });
}

mproc_status_t mproc_pool_shared(const char* name, mproc_pool_options_t* options, mproc_pool_t** pool) {
  return Guard([&]() -> Status {
    if (!pool) return BadArgument("pool is null");
    if (Status good = CheckPoolName(name); !good.ok()) return good;
    auto wanted = ReadOptions(options);
    if (!wanted.ok()) return wanted.status();
    if (auto found = FindSharedPool(name)) return GiveHandle(std::move(found), pool);
    wanted->name = name;
    auto made = Pool::Create(std::move(*wanted));
    if (!made.ok()) return made.status();
    auto shared = SharePool(name, *made);
    if (shared != *made) (*made)->Destroy();
    return GiveHandle(std::move(shared), pool);
  });
}

mproc_status_t mproc_pool_resize(mproc_pool_t* pool, int32_t workers) {
  return GuardPool(pool, [&](Pool& p) {
    Status good = CheckPoolSize(workers);
    return good.ok() ? p.Resize(workers) : good;
  });
}

mproc_status_t mproc_pool_wait_ready(mproc_pool_t* pool, int64_t limit) {
  return GuardPool(pool, [&](Pool& p) { return p.WaitReady(Deadline::After(limit)); });
}

mproc_status_t mproc_pool_submit(mproc_pool_t* pool, uint32_t function_id, const void* data, size_t size,
                                 int64_t limit, mproc_future_t** future) {
  return GuardPoolTask(pool, [&](Pool& p) {
    if (!future) return BadArgument("future is null");
    if (Status good = CheckBytes(data, size); !good.ok()) return good;
    return p.Submit(function_id, {AsBytes(data, size)}, Deadline::After(limit), pool::kNoCallbacks,
                    reinterpret_cast<pool::Future**>(future));
  });
}

mproc_status_t mproc_pool_submit_callback(mproc_pool_t* pool, uint32_t function_id, const void* data,
                                          size_t size, int64_t limit, mproc_future_cb callback,
                                          mproc_future_cb error_callback, void* user_data,
                                          mproc_future_t** future) {
  return GuardPoolTask(pool, [&](Pool& p) {
    if (Status good = CheckBytes(data, size); !good.ok()) return good;
    return p.Submit(function_id, {AsBytes(data, size)}, Deadline::After(limit),
                    {callback, error_callback, user_data}, reinterpret_cast<pool::Future**>(future));
  });
}

mproc_status_t mproc_pool_submit_borrowed(mproc_pool_t* pool, uint32_t function_id, const void* data,
                                          size_t size, mproc_release_cb release, void* owner, int64_t limit,
                                          mproc_future_cb callback, mproc_future_cb error_callback,
                                          void* user_data, mproc_future_t** future) {
  return GuardBorrowed(release, owner, [&] {
    return OnPool(pool, [&](Pool& p) {
      if (Status good = CheckBytes(data, size); !good.ok()) return good;
      return p.Submit(function_id, {AsBytes(data, size), true}, Deadline::After(limit),
                      {callback, error_callback, user_data, release, owner},
                      reinterpret_cast<pool::Future**>(future));
    });
  });
}

mproc_status_t mproc_pool_submit_with(mproc_pool_t* pool, uint32_t function_id, const void* data, size_t size,
                                      mproc_task_options_t* options, mproc_future_t** future) {
  return GuardPoolTask(pool, [&](Pool& p) {
    TaskOptions how;
    if (Status good = CheckBytes(data, size); !good.ok()) return good;
    if (Status good = ReadTaskOptions(options, &how); !good.ok()) return good;
    return p.Submit(function_id, {AsBytes(data, size)}, Deadline::After(how.room_limit), how.callbacks,
                    reinterpret_cast<pool::Future**>(future), how.policy);
  });
}

mproc_status_t mproc_pool_broadcast(mproc_pool_t* pool, uint32_t function_id, const void* data, size_t size,
                                    mproc_future_t** future) {
  return GuardPool(pool, [&](Pool& p) {
    if (!future) return BadArgument("future is null");
    if (Status good = CheckBytes(data, size); !good.ok()) return good;
    return p.Broadcast(function_id, AsBytes(data, size), reinterpret_cast<pool::Future**>(future));
  });
}

mproc_status_t mproc_pool_apply(mproc_pool_t* pool, uint32_t function_id, const void* data, size_t size,
                                int64_t limit, mproc_future_t** future) {
  return GuardPoolTask(pool, [&](Pool& p) {
    if (!future) return BadArgument("future is null");
    *future = nullptr;
    if (Status good = CheckBytes(data, size); !good.ok()) return good;
    if (pool::InsideCallbackOf(&p)) return Status(MPROC_ERROR_WOULD_BLOCK_ITSELF);
    Deadline deadline = Deadline::After(limit);
    pool::Future* task = nullptr;
    if (Status sent = p.Submit(function_id, {AsBytes(data, size)}, deadline, {.quiet = true}, &task);
        !sent.ok())
      return sent;
    Status waited = pool::WaitOne(task, deadline);
    if (!waited.ok()) {
      pool::ReleaseHandle(task);
      return waited;
    }
    *future = reinterpret_cast<mproc_future_t*>(task);
    return Status();
  });
}

mproc_status_t mproc_pool_dispatch(mproc_pool_t* pool, size_t max, size_t* ran) {
  return GuardPool(pool, [&](Pool& p) { return p.Dispatch(max, ran); });
}

mproc_status_t mproc_pool_next(mproc_pool_t* pool, int64_t limit, mproc_future_t** future, void** user_data) {
  return GuardPoolTask(pool, [&](Pool& p) {
    if (!future) return BadArgument("future is null");
    return p.Next(Deadline::After(limit), reinterpret_cast<pool::Future**>(future), user_data);
  });
}

mproc_status_t mproc_pool_fd(mproc_pool_t* pool, int32_t* fd) {
  return GuardPool(pool, [&](Pool& p) {
    if (!fd) return BadArgument("fd is null");
    auto made = p.MakeReadable();
    if (!made.ok()) return made.status();
    *fd = made->Release();
    return Status();
  });
}

// Nothing here allocates or locks as long as the handle is good.
mproc_status_t mproc_pool_wake(mproc_pool_t* pool) {
  return GuardPoolTask(pool, [](Pool& p) { return p.Wake(), Status(); });
}

mproc_status_t mproc_pool_close(mproc_pool_t* pool) {
  return GuardPool(pool, [](Pool& p) {
    p.Close();
    return Status();
  });
}

mproc_status_t mproc_pool_terminate(mproc_pool_t* pool) {
  return GuardPool(pool, [](Pool& p) {
    p.Terminate();
    return Status();
  });
}

mproc_status_t mproc_pool_join(mproc_pool_t* pool, int64_t limit) {
  return GuardPool(pool, [&](Pool& p) { return p.Join(Deadline::After(limit)); });
}

mproc_status_t mproc_pool_destroy(mproc_pool_t* pool) {
  return Guard([&] {
    if (!pool) return Status();
    std::shared_ptr<Pool> object;
    if (Status known = PoolHandles::Get().Take(pool, &object); !known.ok()) return known;
    LeavePool(*object);
    return Status();
  });
}

mproc_status_t mproc_pool_statistic(mproc_pool_t* pool, int32_t which, uint64_t* value) {
  return GuardPool(pool, [&](Pool& p) {
    if (!value) return BadArgument("value is null");
    const pool::Counters& counters = p.counters();
    switch (which) {
      case MPROC_POOL_STATISTIC_SUBMITTED:
        *value = counters.submitted.load();
        return Status();
      case MPROC_POOL_STATISTIC_QUEUED:
        *value = p.Statistics().queued;
        return Status();
      case MPROC_POOL_STATISTIC_QUEUED_BYTES:
        *value = p.Statistics().queued_bytes;
        return Status();
      case MPROC_POOL_STATISTIC_RUNNING:
        *value = p.Statistics().running;
        return Status();
      case MPROC_POOL_STATISTIC_VALUES:
        *value = counters.ended.load();
        for (const auto& badly : counters.ended_badly) *value -= badly.load();
        return Status();
      case MPROC_POOL_STATISTIC_ERRORS:
        *value = counters.ended_badly[MPROC_OUTCOME_ERROR].load();
        return Status();
      case MPROC_POOL_STATISTIC_CANCELLED:
        *value = counters.ended_badly[MPROC_OUTCOME_CANCELLED].load();
        return Status();
      case MPROC_POOL_STATISTIC_LOST:
        *value = counters.ended_badly[MPROC_OUTCOME_WORKER_LOST].load();
        return Status();
      case MPROC_POOL_STATISTIC_NOT_RUN:
        *value = counters.ended_badly[MPROC_OUTCOME_NOT_RUN].load();
        return Status();
      case MPROC_POOL_STATISTIC_WORKERS:
        *value = p.Statistics().workers;
        return Status();
      case MPROC_POOL_STATISTIC_STARTS:
        *value = counters.starts.load();
        return Status();
      case MPROC_POOL_STATISTIC_DEATHS:
        *value = counters.deaths.load();
        return Status();
      case MPROC_POOL_STATISTIC_TAKEN_BACK:
        *value = counters.taken_back.load();
        return Status();
      case MPROC_POOL_STATISTIC_TIMED_OUT:
        *value = counters.ended_badly[MPROC_OUTCOME_TIMED_OUT].load();
        return Status();
      case MPROC_POOL_STATISTIC_RETRIED:
        *value = counters.retried.load();
        return Status();
      case MPROC_POOL_STATISTIC_RECYCLED:
        *value = counters.recycled.load();
        return Status();
      case MPROC_POOL_STATISTIC_SIZE:
        *value = static_cast<uint64_t>(p.size());
        return Status();
      case MPROC_POOL_STATISTIC_LOG_RECORDS:
        *value = p.log().records();
        return Status();
      case MPROC_POOL_STATISTIC_LOG_DROPPED:
        *value = p.log().dropped();
        return Status();
      case MPROC_POOL_STATISTIC_BYTES_IN:
        *value = counters.bytes_in.load();
        return Status();
      case MPROC_POOL_STATISTIC_BYTES_OUT:
        *value = counters.bytes_out.load();
        return Status();
      default:
        return BadArgument("this is none of MPROC_POOL_STATISTIC_");
    }
  });
}

mproc_status_t mproc_pool_function_statistic(mproc_pool_t* pool, uint32_t function_id, int32_t which,
                                             uint64_t* value) {
  return GuardPool(pool, [&](Pool& p) {
    if (!value) return BadArgument("value is null");
    if (which < MPROC_FUNCTION_STATISTIC_RUNS || which > MPROC_FUNCTION_STATISTIC_WAIT_MAX) {
      return BadArgument("this is none of MPROC_FUNCTION_STATISTIC_");
    }
    p.Refresh();
    const pool::TimesOfFunction* times = p.times().Read(function_id);
    *value = times ? NumberOf(*times, which) : 0;
    return Status();
  });
}

mproc_status_t mproc_pool_worker_count(mproc_pool_t* pool, int32_t* count) {
  return GuardPool(pool, [&](Pool& p) {
    if (!count) return BadArgument("count is null");
    *count = p.place_count();
    return Status();
  });
}

mproc_status_t mproc_pool_worker_info(mproc_pool_t* pool, int32_t index, int32_t which, int64_t* value) {
  return GuardPool(pool, [&](Pool& p) {
    if (!value) return BadArgument("value is null");
    if (index < 0 || index >= p.place_count()) return BadArgument("the pool has no such place");
    pool::WorkerInfo info = p.InfoOf(index);
    switch (which) {
      case MPROC_WORKER_INFO_PID:
        *value = info.pid;
        return Status();
      case MPROC_WORKER_INFO_NUMBER:
        *value = info.number;
        return Status();
      case MPROC_WORKER_INFO_STATE:
        *value = info.state;
        return Status();
      case MPROC_WORKER_INFO_TASKS_DONE:
        *value = info.tasks_done;
        return Status();
      case MPROC_WORKER_INFO_TASKS_HELD:
        *value = info.tasks_held;
        return Status();
      case MPROC_WORKER_INFO_BUSY_TIME:
        *value = info.busy_ns;
        return Status();
      case MPROC_WORKER_INFO_READY_TIME:
        *value = info.ready_ns;
        return Status();
      case MPROC_WORKER_INFO_START_TIME:
        *value = info.start_ns;
        return Status();
      case MPROC_WORKER_INFO_INITIALIZER_TIME:
        *value = info.initializer_ns;
        return Status();
      default:
        return BadArgument("this is none of MPROC_WORKER_INFO_");
    }
  });
}

mproc_status_t mproc_pool_error_message(mproc_pool_t* pool, char* buffer, size_t capacity, size_t* size) {
  return GuardPool(pool, [&](Pool& p) {
    if (!buffer && capacity) return BadArgument("buffer is null, capacity is not 0");
    Status why = p.BrokenWhy();
    if (why.ok()) return Status(MPROC_ERROR_NO_ERROR);
    std::string message = why.message();
    if (size) *size = message.size();
    if (capacity <= message.size()) return Status(MPROC_ERROR_BUFFER_TOO_SMALL);
    std::memcpy(buffer, message.c_str(), message.size() + 1);
    return Status();
  });
}

mproc_status_t mproc_pool_dump(mproc_pool_t* pool, char* buffer, size_t capacity, size_t* size) {
  return GuardPool(pool, [&](Pool& p) {
    if (!buffer && capacity) return BadArgument("buffer is null, capacity is not 0");
    std::string text = p.Dump();
    if (size) *size = text.size();
    if (capacity) buffer[text.copy(buffer, capacity - 1)] = 0;
    return capacity > text.size() ? Status() : Status(MPROC_ERROR_BUFFER_TOO_SMALL);
  });
}

mproc_status_t mproc_pool_find_function(mproc_pool_t* pool, const char* name, uint32_t* id) {
  return GuardPool(pool, [&](Pool& p) {
    if (!name || !id) return BadArgument("name or id is null");
    auto found = p.FindFunction(name);
    if (found.ok()) *id = *found;
    return found.status();
  });
}
