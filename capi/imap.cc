// SPDX-License-Identifier: MIT
#include <mproc/imap.h>

#include <cstring>
#include <vector>

#include "capi/handle_calls.hh"
#include "capi/objects.hh"
#include "pool/imap.hh"

using namespace mproc;
using namespace mproc::capi;
using pool::Imap;
using pool::ImapInput;
using pool::ImapItem;

namespace {

using ImapHandles = Handles<Imap, 7>;

Status Begin(mproc_pool_t* pool, ImapInput input, int64_t chunk, int32_t flags, mproc_imap_t** iterator,
             Imap::Pull pull) {
  if (!iterator) return BadArgument("iterator is null");
  if (chunk < 1 && chunk != MPROC_CHUNK_AUTO) return BadArgument("a chunk has at least one item");
  if (flags & ~(MPROC_IMAP_UNORDERED | MPROC_IMAP_KEEP_GOING)) {
    return BadArgument("flags are more than MPROC_IMAP_");
  }
  input.chunk = chunk == MPROC_CHUNK_AUTO ? 1 : static_cast<uint64_t>(chunk);
  input.unordered = flags & MPROC_IMAP_UNORDERED;
  input.keep_going = flags & MPROC_IMAP_KEEP_GOING;
  PoolHandles::Pinned pinned;
  if (Status known = PoolHandles::Get().Find(pool, &pinned); !known.ok()) return known;
  if (Status fit = pinned->MaySubmit(input.function); !fit.ok()) return fit;
  auto made = std::make_shared<Imap>(pinned.Share(), input, std::move(pull));
  void* handle = ImapHandles::Get().Add(made);
  if (!handle) return Status(MPROC_ERROR_OUT_OF_MEMORY, "there are 65536 iterators already");
  struct Undo {  // if the pull callback ends its thread or throws
    void* handle;
    ~Undo() {
      std::shared_ptr<Imap> object;
      if (handle && ImapHandles::Get().Take(handle, &object).ok()) object->Abandon();
    }
  } undo{handle};
  {
    Imap::Turn turn(*made);
    if (turn.status().ok()) made->Fill();
  }
  *iterator = static_cast<mproc_imap_t*>(std::exchange(undo.handle, nullptr));
  return Status();
}

// A copy of byte items, as an iterable.
Status CopyItems(const void* const* items, const size_t* sizes, size_t count, Imap::Pull* pull) {
  struct Items {
    std::vector<std::byte> bytes;
    std::vector<size_t> ends;  // none if every size is 0
    size_t count = 0, next = 0;
  };
  auto all = std::make_shared<Items>();
  all->count = count;
  if (sizes && count) {
    if (!items) return BadArgument("items is null");
    size_t total = 0;
    all->ends.reserve(count);
    for (size_t i = 0; i < count; i++) {
      if (!items[i] && sizes[i]) return BadArgument("an item is null, its size is not 0");
      if (__builtin_add_overflow(total, sizes[i], &total)) return Status(MPROC_ERROR_TOO_LARGE);
      all->ends.push_back(total);
    }
    all->bytes.reserve(total);
    for (size_t i = 0; i < count; i++) {
      ByteView item = AsBytes(items[i], sizes[i]);
      all->bytes.insert(all->bytes.end(), item.begin(), item.end());
    }
  }
  *pull = [all](ByteView* item) {
    if (all->next == all->count) return MPROC_ITEM_END;
    size_t i = all->next++;
    size_t begin = all->ends.empty() || i == 0 ? 0 : all->ends[i - 1];
    *item = {all->bytes.data() + begin, all->ends.empty() ? 0 : all->ends[i] - begin};
    return MPROC_ITEM_GIVEN;
  };
  return Status();
}

// Runs `body` on the iterator behind the handle, alone.
template <typename Body>
int32_t GuardImap(mproc_imap_t* handle, Body&& body) {
  return GuardOn<ImapHandles>(handle, [&](Imap& imap) -> Status {
    Imap::Turn turn(imap);
    if (!turn.status().ok()) return turn.status();
    return body(imap);
  });
}

template <typename Pick>
int32_t GuardText(mproc_imap_t* handle, const char** text, Pick&& pick) {
  return GuardImap(handle, [&](Imap& imap) {
    if (!text) return BadArgument("text is null");
    const pool::ErrorInfo* error = imap.told().error;
    if (!error) return Status(MPROC_ERROR_NO_ERROR);
    *text = pick(error->error).c_str();
    return Status();
  });
}

// The number of an item's task; false if there is none of this kind.
bool NumberOf(const Imap& imap, int32_t which, int64_t* value) {
  const ImapItem& told = imap.told();
  const pool::Future* task = imap.told_task();
  const pool::ErrorInfo* error = told.error;
  switch (which) {
    case MPROC_FUTURE_INFO_TASK_ID:
      *value = task ? static_cast<int64_t>(task->id) : 0;
      return true;
    case MPROC_FUTURE_INFO_FUNCTION_ID:
      *value = imap.function();
      return true;
    case MPROC_FUTURE_INFO_WORKER_PID:
      *value = task ? task->worker_pid : 0;
      return true;
    case MPROC_FUTURE_INFO_WORKER_NUMBER:
      *value = task ? task->worker_number : 0;
      return true;
    case MPROC_FUTURE_INFO_SIGNAL:
      *value = error ? error->signal : 0;
      return true;
    case MPROC_FUTURE_INFO_EXIT_CODE:
      *value = error ? error->exit_code : 0;
      return true;
    case MPROC_FUTURE_INFO_CAUSE:
      *value = error ? error->cause : 0;
      return true;
    case MPROC_FUTURE_INFO_ERROR_CODE:
      *value = error ? error->error.code : 0;
      return true;
    case MPROC_FUTURE_INFO_FAILED_ITEM:
      *value = error && told.outcome ? static_cast<int64_t>(told.index) : -1;
      return true;
    default:
      return false;
  }
}

}  // namespace

mproc_status_t mproc_pool_imap(mproc_pool_t* pool, uint32_t function_id, mproc_item_cb next, void* user_data,
                               int64_t chunk, uint64_t window_items, uint64_t window_bytes, int32_t flags,
                               mproc_imap_t** iterator) {
  return Guard([&] {
    if (!next) return BadArgument("next is null");
    return Begin(pool, {function_id, 1, window_items, window_bytes}, chunk, flags, iterator,
                 [next, user_data](ByteView* item) {
                   const void* data = nullptr;
                   size_t size = 0;
                   int32_t code = next(&data, &size, user_data);
                   if (code == MPROC_ITEM_GIVEN) *item = {static_cast<const std::byte*>(data), size};
                   return code;
                 });
  });
}

mproc_status_t mproc_pool_imap_items(mproc_pool_t* pool, uint32_t function_id, const void* const* items,
                                     const size_t* sizes, size_t count, int64_t chunk, uint64_t window_items,
                                     uint64_t window_bytes, int32_t flags, mproc_imap_t** iterator) {
  return Guard([&] {
    Imap::Pull pull;
    if (Status good = CopyItems(items, sizes, count, &pull); !good.ok()) return good;
    return Begin(pool, {function_id, 1, window_items, window_bytes}, chunk, flags, iterator, std::move(pull));
  });
}

mproc_status_t mproc_imap_next(mproc_imap_t* iterator, int64_t limit, const void** data, size_t* size,
                               uint64_t* index) {
  return GuardImap(iterator, [&](Imap& imap) {
    ImapItem item;
    if (Status got = imap.Next(Deadline::After(limit), &item); !got.ok()) return got;
    if (index) *index = item.index;
    if (item.error) return Status(StatusOfOutcome(item.outcome), item.error->error.message);
    if (item.outcome != MPROC_OUTCOME_VALUE) return Status(StatusOfOutcome(item.outcome));
    if (data) *data = item.value.data();
    if (size) *size = item.value.size();
    return Status();
  });
}

mproc_status_t mproc_imap_error_message(mproc_imap_t* iterator, const char** text) {
  return GuardText(
      iterator, text, [](const task::TaskError& error) -> auto& { return error.message; });
}

mproc_status_t mproc_imap_error_type(mproc_imap_t* iterator, const char** text) {
  return GuardText(
      iterator, text, [](const task::TaskError& error) -> auto& { return error.type; });
}

mproc_status_t mproc_imap_error_trace(mproc_imap_t* iterator, const char** text) {
  return GuardText(
      iterator, text, [](const task::TaskError& error) -> auto& { return error.trace; });
}

mproc_status_t mproc_imap_info(mproc_imap_t* iterator, int32_t which, int64_t* value) {
  return GuardImap(iterator, [&](Imap& imap) {
    if (!value) return BadArgument("value is null");
    if (!imap.told().outcome && !imap.told().error) return Status(MPROC_ERROR_NOT_READY);
    return NumberOf(imap, which, value) ? Status() : BadArgument("this is none of MPROC_FUTURE_INFO_");
  });
}

mproc_status_t mproc_imap_destroy(mproc_imap_t* iterator) {
  return Guard([&] {
    if (!iterator) return Status();
    std::shared_ptr<Imap> object;
    if (Status known = ImapHandles::Get().Take(iterator, &object); !known.ok()) return known;
    object->Abandon();
    return Status();
  });
}
