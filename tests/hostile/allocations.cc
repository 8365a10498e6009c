// SPDX-License-Identifier: MIT
// Single allocations fail in the host: a call either has done what it says, or nothing.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <thread>

#include "calls.hh"
#include "connection_objects.hh"
#include "host.hh"
#include "process_objects.hh"
#include "share_objects.hh"
#include "sync_objects.hh"

using namespace hostile;

namespace {

thread_local int t_left = 0;  // allocations of this thread up to the one that fails; 0: none does

void OnRelease(void* owner) { static_cast<std::atomic<int>*>(owner)->fetch_add(1); }

}  // namespace

#if !HOSTILE_SANITIZED
extern "C" void* __libc_malloc(size_t size);
extern "C" void* malloc(size_t size) {
  if (t_left > 0 && --t_left == 0) return nullptr;
  return __libc_malloc(size);
}
#endif

namespace {

// The first submit of a pool does what later ones need not do.
CASE(lent_memory_comes_back_once) {
  if (HOSTILE_SANITIZED) return Skip("the allocator is the sanitizer's");
  bool taken = false;
  for (int nth = 1; nth <= 40 && !(taken && nth > 20); nth++) {
    mproc_pool_t* pool = MakePool(1);
    if (!pool) return;
    std::atomic<int> released{0};
    mproc_future_t* future = nullptr;
    std::string bytes(50, 'x');  // so that the result needs no allocation, whichever thread takes it
    t_left = nth;
    int32_t status = mproc_pool_submit_borrowed(pool, kEcho, bytes.data(), bytes.size(), OnRelease, &released,
                                                MPROC_SECOND, nullptr, nullptr, nullptr, &future);
    taken = status == MPROC_OK;
    t_left = 0;
    if (taken) CHECK_OK(mproc_future_wait(future, 10 * MPROC_SECOND));
    if (!taken) CHECK_EQ(status, MPROC_ERROR_OUT_OF_MEMORY);
    CHECK_OK(mproc_future_release(future));
    CHECK_OK(mproc_pool_destroy(pool));
    CHECK_EQ(released.load(), 1);
  }
  CHECK(taken);
}

void CountEnd(mproc_future_t*, void* count) { static_cast<std::atomic<int>*>(count)->fetch_add(1); }

// Options of tasks with all that needs memory of its own.
mproc_task_options_t* MakeTaskOptions(std::atomic<int>* ended) {
  mproc_task_options_t* options = nullptr;
  CHECK_OK(mproc_task_options_create(&options));
  CHECK_OK(mproc_task_options_set_time_limit(options, 100 * MPROC_SECOND));
  CHECK_OK(mproc_task_options_set_deadline(options, 100 * MPROC_SECOND));
  CHECK_OK(mproc_task_options_set_priority(options, 1));
  CHECK_OK(mproc_task_options_set_retry(options, 2, MPROC_RETRY_ON_LOST, 0));
  CHECK_OK(mproc_task_options_set_callbacks(options, CountEnd, CountEnd, ended));
  CHECK_OK(mproc_task_options_set_progress_callback(
      options, [](mproc_future_t*, uint64_t, uint64_t, void*) {}, nullptr));
  return options;
}

// Whatever is submitted is taken, and then ends, or is not; the pool knows how much it has to do.
CASE(calls_take_all_or_nothing) {
  if (HOSTILE_SANITIZED) return Skip("the allocator is the sanitizer's");
  std::atomic<int> ended{0};
  mproc_task_options_t* options = MakeTaskOptions(&ended);
  std::string bytes(5000, 'x');
  const void* items[40];
  size_t sizes[40];
  std::fill(std::begin(items), std::end(items), bytes.data());
  std::fill(std::begin(sizes), std::end(sizes), 100);
  using Call = std::function<mproc_status_t(mproc_pool_t*, mproc_future_t**)>;
  const Call calls[] = {
      [&](mproc_pool_t* pool, mproc_future_t** future) {
        return mproc_pool_submit(pool, kEcho, bytes.data(), bytes.size(), MPROC_SECOND, future);
      },
      [&](mproc_pool_t* pool, mproc_future_t** future) {
        return mproc_pool_submit_with(pool, kEcho, bytes.data(), bytes.size(), options, future);
      },
      [&](mproc_pool_t* pool, mproc_future_t** future) {
        return mproc_pool_map_with(pool, kEcho, items, sizes, 40, 3, MPROC_MAP_KEEP_GOING, options, future);
      },
      [&](mproc_pool_t* pool, mproc_future_t** future) {
        return mproc_pool_broadcast(pool, kEcho, bytes.data(), bytes.size(), future);
      }};
  for (const Call& call : calls) {
    mproc_pool_t* pool = MakePool(2);
    if (!pool) break;
    int taken = 0, with_options = ended.load();
    for (int nth = 1; nth <= 60; nth++) {
      mproc_future_t* future = nullptr;
      t_left = nth;
      int32_t status = call(pool, &future);
      t_left = 0;
      if (status != MPROC_OK) {
        CHECK_EQ(status, MPROC_ERROR_OUT_OF_MEMORY);
        continue;
      }
      taken++;
      CHECK_OK(mproc_future_wait(future, 10 * MPROC_SECOND));
      CHECK_OK(mproc_future_release(future));
    }
    CHECK(taken > 20);
    CHECK_OK(mproc_pool_close(pool));
    CHECK_OK(mproc_pool_join(pool, 10 * MPROC_SECOND));
    CHECK(ended.load() == with_options || ended.load() == with_options + taken);
    CHECK_OK(mproc_pool_destroy(pool));
  }
  CHECK_OK(mproc_task_options_destroy(options));
}

// Who waits reads results, starts workers and hands out tasks: none is lost.
CASE(waits_go_on) {
  if (HOSTILE_SANITIZED) return Skip("the allocator is the sanitizer's");
  constexpr int kTasks = 30;
  std::string bytes(5000, 'x');
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  for (int nth = 1; nth <= 60; nth++) {
    mproc_future_t* futures[kTasks] = {};
    for (int i = 0; i < kTasks; i++) {
      futures[i] = Submit(pool, kEcho, bytes.data(), static_cast<size_t>(i * 100));
    }
    if (int64_t pid = nth % 10 == 0 ? WorkerInfo(pool, 0, MPROC_WORKER_INFO_PID) : 0; pid > 1) {
      kill(static_cast<pid_t>(pid), SIGKILL);
    }
    for (mproc_future_t* future : futures) {
      t_left = nth;
      int32_t status = mproc_future_wait(future, 10 * MPROC_SECOND);
      t_left = 0;
      if (status != MPROC_OK) {
        CHECK_EQ(status, MPROC_ERROR_OUT_OF_MEMORY);
        CHECK_OK(mproc_future_wait(future, 10 * MPROC_SECOND));
      }
      CHECK_OK(mproc_future_release(future));
    }
  }
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, 10 * MPROC_SECOND));
  CHECK_OK(mproc_pool_destroy(pool));
}

// What must be done by hand before `call` can destroy something.
void Prepare(const ProcessObjects& objects, const HandleCall& call) {
  if (std::string_view(call.name) != "mproc_process_destroy") return;
  (void)mproc_process_kill(objects.process);
  (void)mproc_process_join(objects.process, 10 * MPROC_SECOND);
}
void Prepare(const ConnectionObjects& objects, const HandleCall& call) {
  if (std::string_view(call.name) == "mproc_connection_destroy")
    CHECK_OK(mproc_connection_destroy(objects.other));
}
template <typename Objects>
void Prepare(const Objects&, const HandleCall&) {}

// No call ends the host, and what is destroyed is gone.
template <typename Objects>
void CallWithoutMemory() {
  int refused = 0;
  for (int nth = 1; nth <= 20; nth++) {
    Objects objects;
    objects.Make();
    for (const HandleCall& call : HandleCalls()) {
      void* handle = objects.Of(call.kind);
      bool destroys = std::string_view(call.name).ends_with("_destroy");
      if (!handle) continue;
      Prepare(objects, call);
      t_left = nth;
      int32_t status = call.call(handle);
      t_left = 0;
      refused += status == MPROC_ERROR_OUT_OF_MEMORY;
      CHECK_THAT(!destroys || status == MPROC_OK, std::string(call.name) + ": " + mproc_status_name(status));
    }
  }
  CHECK(refused > 0);
}
CASE(objects_hold_without_memory) {
  if (HOSTILE_SANITIZED) return Skip("the allocator is the sanitizer's");
  CallWithoutMemory<SyncObjects>();
  CallWithoutMemory<ProcessObjects>();
  CallWithoutMemory<ConnectionObjects>();
  CallWithoutMemory<ShareObjects>();
}

// To look after a lock's holder takes no memory; and an item whose objects cannot be given out keeps them.
CASE(nothing_is_lost_without_memory) {
  if (HOSTILE_SANITIZED) return Skip("the allocator is the sanitizer's");
  mproc_lock_t* lock = nullptr;
  CHECK_OK(mproc_lock_create(MPROC_LOCK_ROBUST, &lock));
  CHECK_OK(mproc_lock_acquire(lock, 0));
  std::thread([&] {
    for (int nth = 1; nth <= 5; nth++) {
      t_left = nth;
      int32_t status = mproc_lock_acquire(lock, 0);
      t_left = 0;
      CHECK_EQ(status, MPROC_ERROR_TIMED_OUT);
    }
  }).join();
  CHECK_OK(mproc_lock_release(lock));

  mproc_queue_t* queue = nullptr;
  mproc_message_t* message = nullptr;
  CHECK_OK(mproc_queue_create(0, 0, MPROC_QUEUE_OBJECTS, &queue));
  void* objects[] = {lock, lock};
  CHECK_OK(mproc_queue_put_objects(queue, "hello", 5, objects, 2, 0));
  int refused = 0;
  for (int nth = 1; nth <= 60 && !message; nth++) {
    t_left = nth;
    int32_t status = mproc_queue_get(queue, 0, &message);
    t_left = 0;
    refused += status != MPROC_OK;
    CHECK(status == MPROC_OK || status == MPROC_ERROR_OUT_OF_MEMORY);
  }
  CHECK(refused > 3);
  void* came = nullptr;
  CHECK_OK(mproc_message_object(message, 1, &came));
  CHECK_OK(mproc_lock_acquire(static_cast<mproc_lock_t*>(came), 0));
  CHECK_EQ(mproc_lock_acquire(lock, 0), MPROC_ERROR_TIMED_OUT);
  CHECK_OK(mproc_lock_destroy(static_cast<mproc_lock_t*>(came)));
  CHECK_OK(mproc_message_destroy(message));
  CHECK_OK(mproc_queue_destroy(queue));
  CHECK_OK(mproc_lock_destroy(lock));
}

// A key that could not be taken leaves the one before it.
CASE(keys_are_kept) {
  if (HOSTILE_SANITIZED) return Skip("the allocator is the sanitizer's");
  const std::string one(300, 'a'), longer(900, 'b');
  std::string key(1000, '\0');
  size_t size = 0;
  t_left = 2;
  int32_t status = mproc_process_set_authkey(one.data(), one.size());
  t_left = 0;
  CHECK_EQ(status, MPROC_ERROR_OUT_OF_MEMORY);
  CHECK_OK(mproc_process_authkey(key.data(), key.size(), &size));
  CHECK_EQ(size, 32);  // its own
  int refused = 0;
  for (int nth = 1; nth <= 5; nth++) {
    CHECK_OK(mproc_process_set_authkey(one.data(), one.size()));
    t_left = nth;
    status = mproc_process_set_authkey(longer.data(), longer.size());
    t_left = 0;
    CHECK(status == MPROC_OK || status == MPROC_ERROR_OUT_OF_MEMORY);
    refused += status != MPROC_OK;
    CHECK_OK(mproc_process_authkey(key.data(), key.size(), &size));
    CHECK_THAT(key.substr(0, size) == (status == MPROC_OK ? longer : one), "another key is known");
  }
  CHECK(refused > 0 && refused < 5);
}

mproc_process_options_t* MakeProcessOptions() {
  mproc_process_options_t* options = nullptr;
  CHECK_OK(mproc_process_options_create(&options));
  CHECK_OK(mproc_process_options_set_module(options, Module().c_str()));
  CHECK_OK(mproc_process_options_set_function(options, kForget, nullptr, 0));
  return options;
}

// Starts a process while the nth allocation fails: a start that was refused can be tried again.
bool StartWithoutMemory(mproc_process_options_t* options, int nth, int* refused) {
  mproc_process_t* process = nullptr;
  CHECK_OK(mproc_process_create(options, &process));
  t_left = nth;
  int32_t status = mproc_process_start(process), code = -1;
  bool had_all = t_left > 0;
  t_left = 0;
  if (status != MPROC_OK) {
    ++*refused;
    CHECK_EQ(status, MPROC_ERROR_OUT_OF_MEMORY);
    CHECK_OK(mproc_process_start(process));
  }
  CHECK_OK(mproc_process_join(process, 10 * MPROC_SECOND));
  CHECK_OK(mproc_process_exit_code(process, &code));
  CHECK_EQ(code, 0);
  CHECK_OK(mproc_process_destroy(process));
  return had_all;
}

// Every allocation of a start fails once. `between` begins each anew. What was refused leaves nothing behind
// that the runtime would wait for at its end.
void EveryStartWithoutMemory(int32_t method, const std::function<void()>& between) {
  mproc_process_options_t* options = MakeProcessOptions();
  CHECK_OK(mproc_process_options_set_start_method(options, method));
  int nth = 1, refused = 0;
  while (nth < 1000 && Failures() == 0 && !StartWithoutMemory(options, nth, &refused)) {
    between();
    nth++;
  }
  CHECK(nth < 1000 && refused > 20);
  CHECK_OK(mproc_process_options_destroy(options));
}
void EndRuntime() { CHECK_OK(mproc_runtime_finish(10 * MPROC_SECOND)); }
CASE(starts_are_whole) {
  if (HOSTILE_SANITIZED) return Skip("the allocator is the sanitizer's");
  for (int32_t method : {MPROC_START_SPAWN, MPROC_START_FORK, MPROC_START_THREADS}) {
    EveryStartWithoutMemory(method, EndRuntime);
  }
}
CASE(starts_under_a_new_launcher_are_whole) {
  if (HOSTILE_SANITIZED) return Skip("the allocator is the sanitizer's");
  EveryStartWithoutMemory(MPROC_START_SPAWN, [] {
    int64_t launcher = 0;
    CHECK_OK(mproc_runtime_launcher_pid(&launcher));
    if (launcher > 1) kill(static_cast<pid_t>(launcher), SIGKILL);
    CHECK(Soon([&] { return mproc_runtime_launcher_pid(&launcher) == MPROC_OK && launcher == 0; }));
  });
}

// The library closes its own descriptors in forked children. No number may stay its own that is free again.
bool ForksKeepDescriptors() {
  int own[40];
  for (int& fd : own) fd = dup(STDERR_FILENO);
  bool kept = InFork([&] {
    for (int fd : own) CHECK(fcntl(fd, F_GETFD) >= 0);
  });
  for (int fd : own) close(fd);
  return kept;
}

// A launcher that cannot be started, for each allocation that fails on the way: every descriptor is closed.
CASE(no_launcher_leaves_nothing) {
  if (HOSTILE_SANITIZED) return Skip("the allocator is the sanitizer's");
  const char* folder = getenv("TMPDIR");
  std::string path = std::string(folder && *folder ? folder : "/tmp") + "/mproc-hostile-XXXXXX";
  int file = mkstemp(path.data());
  CHECK(file >= 0 && fchmod(file, 0755) == 0);
  close(file);  // it is empty: no program
  setenv("MPROC_WORKER", path.c_str(), 1);
  mproc_process_options_t* options = MakeProcessOptions();
  mproc_process_t* process = nullptr;
  CHECK_OK(mproc_process_create(options, &process));
  int nth = 1, refused = 0;
  for (bool had_all = false; nth < 1000 && !had_all; nth++) {
    t_left = nth;
    int32_t status = mproc_process_start(process);
    had_all = t_left > 0;
    t_left = 0;
    CHECK(status == MPROC_ERROR_SYSTEM || (status == MPROC_ERROR_OUT_OF_MEMORY && !had_all));
    refused += status == MPROC_ERROR_OUT_OF_MEMORY;
    CHECK(ForksKeepDescriptors());
  }
  CHECK(nth < 1000 && refused > 10);
  CHECK_OK(mproc_process_destroy(process));
  CHECK_OK(mproc_process_options_destroy(options));
  unlink(path.c_str());
}

// A segment that was not made leaves its name to the next one.
CASE(segments_keep_no_name) {
  if (HOSTILE_SANITIZED) return Skip("the allocator is the sanitizer's");
  std::string name = "mproc-hostile-" + std::to_string(getpid());
  mproc_segment_t* segment = nullptr;
  CHECK_OK(mproc_segment_create(name.c_str(), 1, 0, &segment));  // the first one starts the launcher
  CHECK_OK(mproc_segment_unlink(segment));
  CHECK_OK(mproc_segment_destroy(segment));
  int refused = 0;
  for (int nth = 1; nth <= 60; nth++) {
    t_left = nth;
    int32_t status = mproc_segment_create(name.c_str(), 1, 0, &segment);
    t_left = 0;
    if (status != MPROC_OK) {
      refused++;
      CHECK_EQ(status, MPROC_ERROR_OUT_OF_MEMORY);
      CHECK_OK(mproc_segment_create(name.c_str(), 1, 0, &segment));
    }
    CHECK_OK(mproc_segment_unlink(segment));
    t_left = nth;
    CHECK_OK(mproc_segment_destroy(segment));
    t_left = 0;
  }
  CHECK(refused > 5 && refused < 60);
}

}  // namespace

int main(int argc, char** argv) { return Main(argc, argv); }
