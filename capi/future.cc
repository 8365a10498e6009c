// SPDX-License-Identifier: MIT
#include <mproc/future.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "capi/guard.hh"
#include "capi/objects.hh"
#include "pool/future_slab.hh"
#include "pool/wait.hh"

namespace mproc::capi {

namespace {

// Why a handle is none of a living future of this process.
[[gnu::cold, gnu::noinline]] Status WhyNot(const mproc_future_t* handle) {
  if (!handle) return BadArgument("the future is null");
  switch (pool::FutureSlab::Get().Check(handle)) {
    case pool::FutureSlab::Kind::kNoFuture:
      return Status(MPROC_ERROR_INVALID_HANDLE);
    case pool::FutureSlab::Kind::kStale:
      return Status(MPROC_ERROR_STALE_HANDLE);
    case pool::FutureSlab::Kind::kLive:
      break;
  }
  return Status(MPROC_ERROR_FORKED);
}

// The handle of a future is its record's address, checked against the memory of all records.
inline Status FindFuture(mproc_future_t* handle, pool::Future** future) {
  bool live = handle && pool::FutureSlab::Get().Check(handle) == pool::FutureSlab::Kind::kLive;
  *future = reinterpret_cast<pool::Future*>(handle);
  return live && (*future)->pool->epoch() == platform::ForkEpoch() ? Status() : WhyNot(handle);
}

}  // namespace

int32_t StatusOfOutcome(uint32_t outcome) {
  switch (outcome) {
    case MPROC_OUTCOME_PENDING:
      return MPROC_ERROR_NOT_READY;
    case MPROC_OUTCOME_VALUE:
      return MPROC_OK;
    case MPROC_OUTCOME_ERROR:
      return MPROC_ERROR_TASK;
    case MPROC_OUTCOME_TIMED_OUT:
      return MPROC_ERROR_TASK_TIMED_OUT;
    case MPROC_OUTCOME_CANCELLED:
      return MPROC_ERROR_CANCELLED;
    case MPROC_OUTCOME_WORKER_LOST:
      return MPROC_ERROR_WORKER_LOST;
    default:
      return MPROC_ERROR_NOT_RUN;
  }
}

}  // namespace mproc::capi

using namespace mproc;
using namespace mproc::capi;
using pool::Future;

namespace {

// Runs `body` on the future behind the handle.
template <typename Body>
int32_t GuardFuture(mproc_future_t* handle, Body&& body) {
  return GuardTask([&]() -> Status {
    Future* future;
    if (Status known = FindFuture(handle, &future); !known.ok()) return known;
    return body(future);
  });
}

// The same on one that has ended and that this thread may see.
template <typename Body>
int32_t GuardEnded(mproc_future_t* handle, Body&& body) {
  return GuardFuture(handle, [&](Future* future) {
    if (!pool::IsReady(*future)) {
      future->pool->Refresh();
      if (!pool::IsReady(*future)) return Status(MPROC_ERROR_NOT_READY);
    }
    return body(future);
  });
}

const pool::ErrorInfo* ErrorOf(const Future* future) {
  return future->extra ? future->extra->error.get() : nullptr;
}

Status EndStatus(const Future* future) {
  int32_t code = StatusOfOutcome(future->outcome());
  if (code == MPROC_OK) return Status();
  const pool::ErrorInfo* info = ErrorOf(future);
  return info ? Status(code, info->error.message) : Status(code);
}

template <typename Pick>
int32_t GuardErrorText(mproc_future_t* handle, const char** text, Pick&& pick) {
  return GuardEnded(handle, [&](Future* future) {
    if (!text) return BadArgument("text is null");
    const pool::ErrorInfo* info = ErrorOf(future);
    if (!info) return Status(MPROC_ERROR_NO_ERROR);
    *text = pick(*info).c_str();
    return Status();
  });
}

Status ItemOf(Future* future, size_t index, pool::MapState::Item* item) {
  if (!future->is_map || future->extra->map->is_array()) {
    return BadArgument("the future is not one of a map of byte items");
  }
  if (index >= future->extra->map->count()) return BadArgument("the map has no item of this index");
  *item = future->extra->map->item(index);
  return Status();
}

Status FindAll(mproc_future_t* const* handles, size_t count, std::vector<Future*>* futures) {
  if (!handles && count) return BadArgument("futures is null");
  futures->resize(count);
  for (size_t i = 0; i < count; i++) {
    if (!handles[i]) continue;
    if (Status known = FindFuture(handles[i], &(*futures)[i]); !known.ok()) return known;
  }
  return Status();
}

}  // namespace

mproc_status_t mproc_future_wait(mproc_future_t* future, int64_t limit) {
  return GuardFuture(future, [&](Future* f) { return pool::WaitOne(f, Deadline::After(limit)); });
}

mproc_status_t mproc_future_wait_any(mproc_future_t* const* futures, size_t count, int64_t limit,
                                     size_t* index) {
  return GuardTask([&] {
    std::vector<Future*> found;
    if (!index) return BadArgument("index is null");
    if (Status known = FindAll(futures, count, &found); !known.ok()) return known;
    if (std::all_of(found.begin(), found.end(), [](Future* f) { return !f; })) {
      return BadArgument("there is no future to wait for");
    }
    return pool::WaitAny(found, Deadline::After(limit), index);
  });
}

mproc_status_t mproc_future_wait_all(mproc_future_t* const* futures, size_t count, int64_t limit) {
  return GuardTask([&] {
    std::vector<Future*> found;
    if (Status known = FindAll(futures, count, &found); !known.ok()) return known;
    return pool::WaitAll(found, Deadline::After(limit));
  });
}

mproc_status_t mproc_future_ready(mproc_future_t* future) {
  return GuardEnded(future, [](Future*) { return Status(); });
}

mproc_status_t mproc_future_successful(mproc_future_t* future, int32_t* successful) {
  return GuardEnded(future, [&](Future* f) {
    if (!successful) return BadArgument("successful is null");
    *successful = f->outcome() == MPROC_OUTCOME_VALUE ? 1 : 0;
    return Status();
  });
}

mproc_status_t mproc_future_outcome(mproc_future_t* future, int32_t* outcome) {
  return GuardFuture(future, [&](Future* f) {
    if (!outcome) return BadArgument("outcome is null");
    if (!pool::IsReady(*f)) f->pool->Refresh();
    *outcome = pool::IsReady(*f) ? static_cast<int32_t>(f->outcome()) : MPROC_OUTCOME_PENDING;
    return Status();
  });
}

mproc_status_t mproc_future_result(mproc_future_t* future, const void** data, size_t* size) {
  return GuardEnded(future, [&](Future* f) {
    if (!data || !size) return BadArgument("data or size is null");
    if (f->is_map) return BadArgument("the results of a map are read item by item");
    if (Status end = EndStatus(f); !end.ok()) return end;
    ByteView value = f->stored();
    *data = value.data();
    *size = value.size();
    return Status();
  });
}

mproc_status_t mproc_future_copy_result(mproc_future_t* future, void* buffer, size_t capacity, size_t* size) {
  return GuardEnded(future, [&](Future* f) {
    if (!buffer && capacity) return BadArgument("buffer is null, capacity is not 0");
    if (f->is_map) return BadArgument("the results of a map are read item by item");
    if (Status end = EndStatus(f); !end.ok()) return end;
    ByteView value = f->stored();
    if (size) *size = value.size();
    if (value.size() > capacity) return Status(MPROC_ERROR_BUFFER_TOO_SMALL);
    if (!value.empty()) std::memcpy(buffer, value.data(), value.size());
    return Status();
  });
}

mproc_status_t mproc_future_item_count(mproc_future_t* future, size_t* count) {
  return GuardFuture(future, [&](Future* f) {
    if (!count) return BadArgument("count is null");
    *count = f->is_map ? f->extra->map->count() : 1;
    return Status();
  });
}

mproc_status_t mproc_future_item(mproc_future_t* future, size_t index, const void** data, size_t* size) {
  return GuardEnded(future, [&](Future* f) {
    if (!data || !size) return BadArgument("data or size is null");
    pool::MapState::Item item;
    if (Status known = ItemOf(f, index, &item); !known.ok()) return known;
    if (item.state != pool::MapState::kValue) {
      int32_t code = StatusOfOutcome(static_cast<uint32_t>(item.size));
      return Status(code, reinterpret_cast<const char*>(item.data));
    }
    *data = item.data;
    *size = item.size;
    return Status();
  });
}

mproc_status_t mproc_future_item_error_message(mproc_future_t* future, size_t index, const char** text) {
  return GuardEnded(future, [&](Future* f) {
    if (!text) return BadArgument("text is null");
    pool::MapState::Item item;
    if (Status known = ItemOf(f, index, &item); !known.ok()) return known;
    if (item.state == pool::MapState::kValue) return Status(MPROC_ERROR_NO_ERROR);
    *text = reinterpret_cast<const char*>(item.data);
    return Status();
  });
}

mproc_status_t mproc_future_error(mproc_future_t* future) {
  return GuardEnded(future, [](Future* f) { return EndStatus(f); });
}

mproc_status_t mproc_future_error_message(mproc_future_t* future, const char** text) {
  return GuardErrorText(
      future, text, [](const pool::ErrorInfo& info) -> auto& { return info.error.message; });
}

mproc_status_t mproc_future_error_type(mproc_future_t* future, const char** text) {
  return GuardErrorText(
      future, text, [](const pool::ErrorInfo& info) -> auto& { return info.error.type; });
}

mproc_status_t mproc_future_error_trace(mproc_future_t* future, const char** text) {
  return GuardErrorText(
      future, text, [](const pool::ErrorInfo& info) -> auto& { return info.error.trace; });
}

mproc_status_t mproc_future_info(mproc_future_t* future, int32_t which, int64_t* value) {
  return GuardFuture(future, [&](Future* f) {
    if (!value) return BadArgument("value is null");
    bool ended = pool::IsReady(*f);
    const pool::ErrorInfo* info = ended ? ErrorOf(f) : nullptr;
    switch (which) {
      case MPROC_FUTURE_INFO_TASK_ID:
        *value = static_cast<int64_t>(f->id);
        return Status();
      case MPROC_FUTURE_INFO_FUNCTION_ID:
        *value = f->function;
        return Status();
      case MPROC_FUTURE_INFO_WORKER_PID:
        *value = ended ? f->worker_pid : 0;
        return Status();
      case MPROC_FUTURE_INFO_WORKER_NUMBER:
        *value = ended ? f->worker_number : 0;
        return Status();
      case MPROC_FUTURE_INFO_SIGNAL:
        *value = info ? info->signal : 0;
        return Status();
      case MPROC_FUTURE_INFO_EXIT_CODE:
        *value = info ? info->exit_code : 0;
        return Status();
      case MPROC_FUTURE_INFO_CAUSE:
        *value = info ? info->cause : 0;
        return Status();
      case MPROC_FUTURE_INFO_ERROR_CODE:
        *value = info ? info->error.code : 0;
        return Status();
      case MPROC_FUTURE_INFO_FAILED_ITEM:
        *value = info ? info->failed_item : -1;
        return Status();
      case MPROC_FUTURE_INFO_ELAPSED:
        *value = ended ? f->elapsed : 0;
        return Status();
      case MPROC_FUTURE_INFO_ATTEMPTS:
        *value = ended && f->worker_pid && !f->is_map ? f->attempts + 1 : 0;
        return Status();
      case MPROC_FUTURE_INFO_SUBMITTED_AT:
        *value = ended && f->extra ? f->extra->submitted_at : 0;
        return Status();
      case MPROC_FUTURE_INFO_BEGUN_AT:
        *value = ended && f->extra ? f->extra->begun_at : 0;
        return Status();
      default:
        return BadArgument("this is none of MPROC_FUTURE_INFO_");
    }
  });
}

mproc_status_t mproc_future_progress(mproc_future_t* future, uint64_t* done, uint64_t* total) {
  return GuardFuture(future, [&](Future* f) {
    if (!done || !total) return BadArgument("done or total is null");
    f->pool->Refresh();
    pool::Progress progress = f->pool->ProgressOf(*f);
    *done = progress.done;
    *total = progress.total;
    return Status();
  });
}

mproc_status_t mproc_future_cancel(mproc_future_t* future) {
  return GuardFuture(future, [](Future* f) { return f->pool->Cancel(f); });
}

mproc_status_t mproc_future_cancel_running(mproc_future_t* future, int64_t grace) {
  return GuardFuture(future, [&](Future* f) { return f->pool->CancelRunning(f, grace); });
}

mproc_status_t mproc_future_retain(mproc_future_t* future) {
  return GuardFuture(future, [](Future* f) {
    pool::AddHandle(f);
    return Status();
  });
}

mproc_status_t mproc_future_release(mproc_future_t* future) {
  return GuardTask([&] {
    if (!future) return Status();
    Future* found;
    if (Status known = FindFuture(future, &found); !known.ok()) return known;
    return pool::ReleaseHandle(found) ? Status() : Status(MPROC_ERROR_STALE_HANDLE);
  });
}
