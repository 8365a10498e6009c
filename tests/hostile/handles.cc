// SPDX-License-Identifier: MIT
// Handles that are none, are no more, or are of another kind, in every function; and ownership that is given
// up once too often.
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <random>
#include <set>

#include "calls.hh"
#include "connection_objects.hh"
#include "host.hh"
#include "process_objects.hh"
#include "share_objects.hh"
#include "sync_objects.hh"

using namespace hostile;

namespace {

// One live object of each kind.
struct Live {
  mproc_table_t* table = nullptr;
  mproc_pool_options_t* options = nullptr;
  mproc_pool_t* pool = nullptr;
  mproc_future_t* future = nullptr;
  mproc_value_t* value = nullptr;
  mproc_block_t* block = nullptr;
  mproc_task_options_t* task_options = nullptr;
  mproc_imap_t* imap = nullptr;
  ProcessObjects process;
  SyncObjects sync;
  ConnectionObjects connection;
  ShareObjects share;

  bool Make() {
    sync.Make();
    process.Make();
    connection.Make();
    share.Make();
    CHECK_OK(mproc_task_options_create(&task_options));
    CHECK_OK(mproc_value_create(&value));
    CHECK_OK(mproc_block_create(4096, &block));
    CHECK_OK(mproc_table_create(&table));
    CHECK_OK(mproc_pool_options_create(&options));
    pool = MakePool(1);
    if (!pool) return false;
    CHECK_OK(mproc_pool_imap_items(pool, kEcho, nullptr, nullptr, 0, 1, 0, 0, 0, &imap));
    future = Submit(pool, kEcho, "hello", 5);
    return CHECK_OK(mproc_future_wait(future, 5 * MPROC_SECOND));
  }
  void* Of(Kind kind) const {
    switch (kind) {
      case Kind::kTable:
        return table;
      case Kind::kOptions:
        return options;
      case Kind::kPool:
        return pool;
      case Kind::kValue:
        return value;
      case Kind::kBlock:
        return block;
      case Kind::kTaskOptions:
        return task_options;
      case Kind::kImap:
        return imap;
      case Kind::kFuture:
        return future;
      case Kind::kProcess:
      case Kind::kProcessOptions:
        return process.Of(kind);
      case Kind::kConnection:
      case Kind::kMessage:
      case Kind::kListener:
        return connection.Of(kind);
      case Kind::kMemory:
      case Kind::kSegment:
      case Kind::kArray:
      case Kind::kQueue:
        return share.Of(kind);
      default:
        return sync.Of(kind);
    }
  }
  void StillWell() const {
    size_t count = 9, size = 0;
    const void* data = nullptr;
    CHECK_OK(mproc_table_count(table, &count));
    CHECK_EQ(count, 0);
    CHECK_OK(mproc_pool_options_set_workers(options, 2));
    CHECK_OK(mproc_future_result(future, &data, &size));
    CHECK_EQ(size, 5);
    process.StillWell();
    connection.StillWell();
    share.StillWell();
    CHECK_OK(mproc_value_clear(value));
    CHECK_OK(mproc_task_options_set_grace(task_options, 1));
    CHECK_OK(mproc_block_data(block, nullptr, &size));
    CHECK_EQ(size, 4096);
    CHECK_STATUS(mproc_imap_next(imap, 0, nullptr, nullptr, nullptr), MPROC_ERROR_END);
    CHECK(Serves(pool));
    sync.StillWell();
  }
  void Drop() {
    sync.Drop();
    process.Drop();
    connection.Drop();
    share.Drop();
    CHECK_OK(mproc_imap_destroy(imap));
    CHECK_OK(mproc_value_destroy(value));
    CHECK_OK(mproc_block_destroy(block));
    CHECK_OK(mproc_task_options_destroy(task_options));
    CHECK_OK(mproc_future_release(future));
    Destroy(pool);
    CHECK_OK(mproc_pool_options_destroy(options));
    CHECK_OK(mproc_table_destroy(table));
  }
};

void Try(const HandleCall& call, void* handle, std::initializer_list<int32_t> wanted, const char* what) {
  int32_t got = call.call(handle);
  CHECK_THAT(std::find(wanted.begin(), wanted.end(), got) != wanted.end(),
             std::string(call.name) + " with " + what + " gives " + mproc_status_name(got));
}

}  // namespace

CASE(every_function_is_tried) {
  std::set<std::string> known(OtherFunctions().begin(), OtherFunctions().end());
  for (const auto& call : HandleCalls()) known.insert(call.name);
  std::string text = ReadWhole(HOSTILE_SYMBOLS);
  size_t count = 0;
  for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1, count++) {
    std::string name = text.substr(at, end - at);
    if (name.starts_with("mproc_")) CHECK_THAT(known.contains(name), name + " is not tried");
  }
  CHECK(count > 70);
}

CASE(null_handles) {
  for (const auto& call : HandleCalls()) Try(call, nullptr, {call.on_null}, "null");
  CHECK_STATUS(mproc_future_wait_any(nullptr, 0, 0, nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  size_t index = 0;
  CHECK_STATUS(mproc_future_wait_any(nullptr, 3, 0, &index), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_wait_any(nullptr, 0, 0, &index), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_future_wait_all(nullptr, 3, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_future_wait_all(nullptr, 0, 0));
  CHECK(mproc_future_wait_all(nullptr, SIZE_MAX, 0) < 0);
  CHECK_STATUS(mproc_pool_create(nullptr, nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pipe_create(1, nullptr, nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_listener_create(nullptr, 1, nullptr, 0, 0, nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_client_connect(nullptr, nullptr, 0, 0, 0, nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_connection_adopt(0, nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_object_kind(nullptr, nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_object_destroy(nullptr));
  CHECK_STATUS(mproc_process_options_create(nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_table_create(nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_value_create(nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_block_create(1, nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_create(nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_task_options_create(nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_runtime_launcher_pid(nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_runtime_default_workers(nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  // What a running function asks, without one.
  void* data = nullptr;
  CHECK_STATUS(mproc_call_reply(nullptr, "x", 1), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_call_reply_alloc(nullptr, 1, &data), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_call_block(nullptr, &data, nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_call_bound(nullptr, nullptr, nullptr), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_call_reply_block(nullptr, 0, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_EQ(mproc_call_fail(nullptr, 5, nullptr, nullptr, nullptr), 5);
  CHECK_EQ(mproc_call_fail(nullptr, 0, nullptr, nullptr, nullptr), -1);
  CHECK_EQ(mproc_call_task_id(nullptr), 0);
  CHECK_EQ(mproc_call_function_id(nullptr), 0);
  CHECK_EQ(mproc_call_worker_number(nullptr), 0);
  CHECK(mproc_call_worker_name(nullptr) && !*mproc_call_worker_name(nullptr));
  CHECK_EQ(mproc_call_cancelled(nullptr), 0);
  CHECK_EQ(mproc_call_time_left(nullptr), 0);
  CHECK_EQ(mproc_call_item_index(nullptr), 0);
  CHECK_EQ(mproc_worker_is_worker(), 0);
  for (int32_t status : {1, 99, MPROC_ERROR_NOT_FOUND - 1, -1000, INT32_MIN, INT32_MAX}) {
    CHECK(strcmp(mproc_status_name(status), "unknown") == 0 && mproc_status_text(status));
  }
}

CASE(made_up_handles) {
  Live live;
  if (!live.Make()) return;
  int on_stack = 0;
  void* on_heap = malloc(256);
  static const char kText[64] = "some text";
  const uintptr_t numbers[] = {1,
                               2,
                               7,
                               8,
                               16,
                               4095,
                               4096,
                               0xdeadbeef,
                               0xffffffff,
                               uintptr_t{1} << 32,
                               (uintptr_t{1} << 46) | 0xffff0,
                               (uintptr_t{1} << 46) | 0xfff0000ff8,
                               (uintptr_t{1} << 47) - 1,
                               uintptr_t{1} << 47,
                               uintptr_t{1} << 63,
                               ~uintptr_t{0},
                               ~uintptr_t{7}};
  std::vector<void*> handles{&on_stack, on_heap, const_cast<char*>(kText), reinterpret_cast<void*>(&abort)};
  for (uintptr_t number : numbers) handles.push_back(reinterpret_cast<void*>(number));
  for (const auto& call : HandleCalls()) {
    for (void* handle : handles) Try(call, handle, {MPROC_ERROR_INVALID_HANDLE}, "a made-up handle");
  }
  live.StillWell();
  live.Drop();
  free(on_heap);
}

CASE(handles_with_a_flipped_bit) {
  Live live;
  if (!live.Make()) return;
  for (const auto& call : HandleCalls()) {
    for (int bit = 0; bit < 64; bit++) {
      auto handle = reinterpret_cast<uintptr_t>(live.Of(call.kind)) ^ uintptr_t { 1 } << bit;
      Try(call, reinterpret_cast<void*>(handle), {MPROC_ERROR_INVALID_HANDLE, MPROC_ERROR_STALE_HANDLE},
          "a flipped bit");
    }
  }
  live.StillWell();
  live.Drop();
}

CASE(random_handles) {
  Live live;
  if (!live.Make()) return;
  std::mt19937_64 random(11);
  for (int i = 0; i < 2000; i++) {
    for (const auto& call : HandleCalls()) {
      auto handle = reinterpret_cast<uintptr_t>(live.Of(call.kind));
      uintptr_t other = random() % 2 ? random() : handle + random() % 65536 - 32768;
      if (other == handle || other == 0) continue;
      Try(call, reinterpret_cast<void*>(other), {MPROC_ERROR_INVALID_HANDLE, MPROC_ERROR_STALE_HANDLE},
          "a random number");
    }
  }
  live.StillWell();
  live.Drop();
}

CASE(handles_of_another_kind) {
  Live live;
  if (!live.Make()) return;
  for (const auto& call : HandleCalls()) {
    for (Kind kind :
         {Kind::kTable,      Kind::kOptions,     Kind::kPool,     Kind::kFuture,  Kind::kValue,
          Kind::kBlock,      Kind::kTaskOptions, Kind::kImap,     Kind::kLock,    Kind::kSemaphore,
          Kind::kEvent,      Kind::kCondition,   Kind::kBarrier,  Kind::kProcess, Kind::kProcessOptions,
          Kind::kConnection, Kind::kMessage,     Kind::kListener, Kind::kMemory,  Kind::kArray,
          Kind::kQueue,      Kind::kSegment}) {
      if (kind != call.kind)
        Try(call, live.Of(kind), {MPROC_ERROR_INVALID_HANDLE}, "a handle of another kind");
    }
  }
  mproc_pool_t* pool = nullptr;
  CHECK_STATUS(mproc_pool_create(reinterpret_cast<mproc_pool_options_t*>(live.table), &pool),
               MPROC_ERROR_INVALID_HANDLE);
  auto* as_table = reinterpret_cast<mproc_table_t*>(live.options);
  CHECK_STATUS(mproc_pool_options_set_table(live.options, as_table), MPROC_ERROR_INVALID_HANDLE);
  CHECK(!pool);
  live.StillWell();
  live.Drop();
}

CASE(stale_handles) {
  Live live;
  if (!live.Make()) return;
  Live gone = live;
  live.Drop();
  for (int round = 0; round < 2; round++) {
    for (const auto& call : HandleCalls())
      Try(call, gone.Of(call.kind), {MPROC_ERROR_STALE_HANDLE}, "a stale handle");
    mproc_pool_t* pool = nullptr;
    CHECK_STATUS(mproc_pool_create(gone.options, &pool), MPROC_ERROR_STALE_HANDLE);
    // The second time all is gone, the runtime too.
    CHECK_OK(mproc_runtime_finish(5 * MPROC_SECOND));
  }
}

CASE(stale_handles_while_their_places_are_used_again) {
  mproc_table_t* table = nullptr;
  CHECK_OK(mproc_table_create(&table));
  CHECK_OK(mproc_table_destroy(table));
  std::set<void*> seen{table};
  for (int i = 0; i < 5000; i++) {
    mproc_table_t* other = nullptr;
    CHECK_OK(mproc_table_create(&other));
    CHECK_THAT(seen.insert(other).second, "a handle came again");
    size_t count = 0;
    if (mproc_table_count(table, &count) != MPROC_ERROR_STALE_HANDLE) {
      CHECK_STATUS(mproc_table_count(table, &count), MPROC_ERROR_STALE_HANDLE);
      break;
    }
    CHECK_OK(mproc_table_destroy(other));
    CHECK_STATUS(mproc_table_destroy(other), MPROC_ERROR_STALE_HANDLE);
  }
}

CASE(more_handles_than_there_are) {
  std::vector<mproc_pool_options_t*> all;
  mproc_status_t status = MPROC_OK;
  while (all.size() < 70000 && status == MPROC_OK) {
    mproc_pool_options_t* options = nullptr;
    status = mproc_pool_options_create(&options);
    if (status == MPROC_OK) all.push_back(options);
  }
  CHECK_EQ(status, MPROC_ERROR_OUT_OF_MEMORY);
  CHECK_EQ(all.size(), 65536);
  for (auto* options : all) CHECK_OK(mproc_pool_options_destroy(options));
  mproc_pool_options_t* options = nullptr;
  CHECK_OK(mproc_pool_options_create(&options));
  CHECK_OK(mproc_pool_options_destroy(options));
}

// The task's own hold on its record is not the caller's to give up.
CASE(future_released_twice_while_it_runs) {
  mproc_pool_t* pool = MakePool(1);
  if (!pool) return;
  for (int round = 0; round < 20; round++) {
    mproc_future_t* future = Submit(pool, kSleep, Sleep{5});
    CHECK_OK(mproc_future_release(future));
    if (!CHECK_STATUS(mproc_future_release(future), MPROC_ERROR_STALE_HANDLE)) break;
    int32_t outcome = 0;
    CHECK_STATUS(mproc_future_outcome(future, &outcome), MPROC_ERROR_STALE_HANDLE);
    CHECK_STATUS(mproc_future_retain(future), MPROC_ERROR_STALE_HANDLE);
    CHECK_STATUS(mproc_future_cancel(future), MPROC_ERROR_STALE_HANDLE);
    CHECK(Serves(pool));
  }
  CHECK(Serves(pool));
  CHECK(Serves(pool));
  Destroy(pool);
}

CASE(future_released_twice_after_its_end) {
  mproc_pool_t* pool = MakePool(1);
  if (!pool) return;
  for (int round = 0; round < 20; round++) {
    mproc_future_t* future = Submit(pool, kEcho, "x", 1);
    CHECK_OK(mproc_future_wait(future, 5 * MPROC_SECOND));
    CHECK_OK(mproc_future_retain(future));
    CHECK_OK(mproc_future_release(future));
    CHECK_OK(mproc_future_release(future));
    CHECK_STATUS(mproc_future_release(future), MPROC_ERROR_STALE_HANDLE);
  }
  CHECK(Serves(pool));
  Destroy(pool);
}

// One that was lent to a callback is not the callback's to release; if it does so all the same, nobody is
// hurt.
CASE(future_released_by_its_callback) {
  mproc_pool_t* pool = MakePool(1);
  if (!pool) return;
  static std::atomic<int> called, again;
  for (int round = 0; round < 20; round++) {
    CHECK_OK(mproc_pool_submit_callback(
        pool, kEcho, "x", 1, MPROC_SECOND,
        [](mproc_future_t* future, void*) {
          mproc_future_release(future);
          again += mproc_future_release(future) == MPROC_ERROR_STALE_HANDLE;
          called++;
        },
        nullptr, nullptr, nullptr));
  }
  CHECK(Soon([] { return called == 20; }));
  CHECK_EQ(again.load(), 20);
  CHECK(Serves(pool));
  Destroy(pool);
}

// Futures outlive their pool; so do stale ones.
CASE(futures_after_their_pool) {
  auto before = OpenDescriptors();
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  mproc_future_t* done = Submit(pool, kEcho, "kept", 4);
  CHECK_OK(mproc_future_wait(done, 5 * MPROC_SECOND));
  mproc_future_t* running = Submit(pool, kUntilStopped, "", 0);
  CHECK(Soon([&] { return Statistic(pool, MPROC_POOL_STATISTIC_RUNNING) == 1; }));
  Destroy(pool);
  CHECK_OK(mproc_runtime_finish(5 * MPROC_SECOND));
  // A kept future keeps its pool's two bells, as runtime.h says, and nothing else.
  auto kept = MoreThan(before, OpenDescriptors());
  CHECK(kept.size() <= 2);
  for (const auto& fd : kept)
    CHECK_THAT(fd.find("eventfd") != std::string::npos, "left open by a kept result: " + fd);
  const void* data = nullptr;
  size_t size = 0;
  CHECK_OK(mproc_future_result(done, &data, &size));
  CHECK(size == 4 && memcmp(data, "kept", 4) == 0);
  CHECK_STATUS(mproc_future_result(running, &data, &size), MPROC_ERROR_CANCELLED);
  CHECK_EQ(InfoOf(running, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_DESTROY);
  CHECK_STATUS(mproc_future_cancel(running), MPROC_ERROR_ALREADY_STARTED);
  CHECK_OK(mproc_future_wait(running, MPROC_FOREVER));
  mproc_future_t* both[] = {done, running};
  CHECK_OK(mproc_future_wait_all(both, 2, 0));
  CHECK_OK(mproc_future_release(done));
  CHECK_OK(mproc_future_release(running));
  for (auto* future : both) CHECK_STATUS(mproc_future_release(future), MPROC_ERROR_STALE_HANDLE);
}

int main(int argc, char** argv) { return Main(argc, argv); }
