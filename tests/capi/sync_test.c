// SPDX-License-Identifier: MIT
// Locks, semaphores, events, conditions and barriers that tasks have in common with one another and the host.
#include "host.h"
#include "sync_functions.h"

enum { kTasks = 4 };

static mproc_pool_t* SyncPool(void) {
  OpenBoard();
  mproc_pool_options_t* options = Options(kTasks);
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_SYNC));
  return ReadyWith(options);
}
static uint32_t BindTwo(mproc_pool_t* pool, uint32_t function, void* first, void* second) {
  void* objects[] = {first, second};
  uint32_t id = 0;
  NEED_OK(mproc_pool_bind_objects(pool, function, NULL, 0, objects, second ? 2 : 1, &id));
  return id;
}
static uint32_t BindOne(mproc_pool_t* pool, uint32_t function, void* object) {
  return BindTwo(pool, function, object, NULL);
}
// So many tasks of a function, each of which has a worker of its own as long as none ends.
static void SubmitAll(mproc_pool_t* pool, uint32_t function, int64_t number,
                      mproc_future_t* futures[kTasks]) {
  for (int i = 0; i < kTasks; i++) futures[i] = SubmitNumber(pool, function, number);
}
static void TakeAll(mproc_future_t* futures[kTasks]) {
  for (int i = 0; i < kTasks; i++) {
    NEED_OK(mproc_future_wait(futures[i], TestLong()));
    CHECK_OK(mproc_future_error(futures[i]));
    Release(futures[i]);
  }
}
static mproc_lock_t* NewLock(int32_t kind) {
  mproc_lock_t* lock = NULL;
  NEED_OK(mproc_lock_create(kind, &lock));
  return lock;
}
static mproc_event_t* NewEvent(void) {
  mproc_event_t* event = NULL;
  NEED_OK(mproc_event_create(&event));
  return event;
}

// ---- among tasks

static void OneAtATime(void) {
  mproc_pool_t* pool = SyncPool();
  mproc_future_t* futures[kTasks];
  Board* board = g_board;
  for (int32_t kind = MPROC_LOCK_PLAIN; kind <= (MPROC_LOCK_RECURSIVE | MPROC_LOCK_ROBUST); kind++) {
    mproc_lock_t* lock = NewLock(kind);
    uint32_t id = BindOne(pool, sync_count, lock);
    uint32_t before = Ended(0);
    SubmitAll(pool, id, 500, futures);
    for (int i = 0; i < 500; i++) {  // the host is one of them
      NEED_OK(mproc_lock_acquire(lock, TestLong()));
      uint32_t seen = atomic_load_explicit(&board->ended[0], memory_order_relaxed);
      atomic_store_explicit(&board->ended[0], seen + 1, memory_order_relaxed);
      NEED_OK(mproc_lock_release(lock));
    }
    TakeAll(futures);
    CHECK_EQ(Ended(0) - before, (kTasks + 1) * 500);
    CHECK_OK(mproc_pool_unbind(pool, id));
    CHECK_OK(mproc_lock_destroy(lock));
  }
  CloseJoinDestroy(pool);
}

static void OnlySoMany(void) {
  mproc_pool_t* pool = SyncPool();
  mproc_future_t* futures[kTasks];
  mproc_semaphore_t* semaphore = NULL;
  int64_t value = -1;
  NEED_OK(mproc_semaphore_create(3, 3, &semaphore));
  uint32_t id = BindOne(pool, sync_enter, semaphore);
  SubmitAll(pool, id, 200, futures);
  TakeAll(futures);
  CHECK_EQ(Begun(2), 3);
  CHECK_OK(mproc_semaphore_value(semaphore, &value));
  CHECK_EQ(value, 3);
  CHECK_STATUS(mproc_semaphore_release(semaphore, 1), MPROC_ERROR_RELEASED_TOO_OFTEN);
  CHECK_OK(mproc_semaphore_destroy(semaphore));
  CloseJoinDestroy(pool);
}

static void AllGoOnAtOnce(void) {
  mproc_pool_t* pool = SyncPool();
  mproc_future_t* futures[kTasks];
  mproc_event_t* event = NewEvent();
  SubmitAll(pool, BindOne(pool, sync_await, event), 0, futures);
  CHECK_SOON(Begun(3) == kTasks);
  for (int i = 0; i < kTasks; i++) CHECK_STATUS(mproc_future_ready(futures[i]), MPROC_ERROR_NOT_READY);
  CHECK_OK(mproc_event_set(event));
  CHECK_OK(mproc_event_destroy(event));  // they have theirs
  TakeAll(futures);
  CloseJoinDestroy(pool);
}

static void RoundsDoNotOvertake(void) {
  mproc_pool_t* pool = SyncPool();
  mproc_future_t* futures[kTasks];
  mproc_barrier_t* barrier = NULL;
  NEED_OK(mproc_barrier_create(kTasks, &barrier));
  SubmitAll(pool, BindOne(pool, sync_meet, barrier), 300, futures);
  for (int i = 0; i < kTasks; i++) CHECK_EQ(TakeNumber(futures[i]), 0);
  CHECK_OK(mproc_barrier_destroy(barrier));
  CloseJoinDestroy(pool);
}

static void UntilItIsSo(void) {
  mproc_pool_t* pool = SyncPool();
  mproc_future_t* futures[kTasks];
  mproc_lock_t* lock = NewLock(MPROC_LOCK_PLAIN);
  for (int own = 0; own < 2; own++) {
    mproc_condition_t* condition = NULL;
    uint32_t before = Begun(5);
    atomic_store(&g_board->open[5], 0);
    NEED_OK(mproc_condition_create(own ? NULL : lock, &condition));
    SubmitAll(pool, BindOne(pool, sync_until, condition), 0, futures);
    CHECK_SOON(Begun(5) - before == kTasks);
    NEED_OK(mproc_condition_acquire(condition, TestLong()));  // so they wait
    CHECK_OK(mproc_condition_notify(condition, INT64_MAX));   // in vain
    CHECK_OK(mproc_condition_release(condition));
    for (int i = 0; i < kTasks; i++) CHECK_STATUS(mproc_future_ready(futures[i]), MPROC_ERROR_NOT_READY);
    NEED_OK(mproc_condition_acquire(condition, TestLong()));
    OpenGate(5);
    CHECK_OK(mproc_condition_notify(condition, kTasks));
    CHECK_OK(mproc_condition_release(condition));
    TakeAll(futures);
    CHECK_OK(mproc_condition_destroy(condition));
  }
  CHECK_OK(mproc_lock_acquire(lock, 0));
  CHECK_OK(mproc_lock_destroy(lock));
  CloseJoinDestroy(pool);
}

// ---- deaths

static void DiesWith(mproc_pool_t* pool, mproc_lock_t* lock) {
  mproc_future_t* future = Submit(pool, BindOne(pool, sync_die, lock), NULL, 0);
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_WORKER_LOST);
  Release(future);
}
static void TakenFromTheDead(void) {
  if (TestStart() == MPROC_START_THREADS) TestSkip("threads die with the host");
  mproc_pool_t* pool = SyncPool();
  mproc_lock_t *robust = NewLock(MPROC_LOCK_ROBUST), *plain = NewLock(MPROC_LOCK_PLAIN);
  int64_t pid = 0, tid = 0, held = -1;
  DiesWith(pool, robust);
  CHECK_STATUS(mproc_lock_acquire(robust, 0), MPROC_ERROR_OWNER_DIED);
  CHECK_OK(mproc_lock_release(robust));
  CHECK_OK(mproc_lock_acquire(robust, 0));
  CHECK_OK(mproc_lock_release(robust));
  DiesWith(pool, plain);
  CHECK_STATUS(mproc_lock_acquire(plain, MPROC_MILLISECOND), MPROC_ERROR_TIMED_OUT);
  CHECK_OK(mproc_lock_holder(plain, &pid, &tid, &held));
  CHECK(pid > 1 && pid != getpid() && tid == pid && held >= 0);
  CHECK_OK(mproc_lock_release(plain));  // anybody may
  CHECK_OK(mproc_lock_acquire(plain, 0));
  CHECK_OK(mproc_lock_destroy(robust));
  CHECK_OK(mproc_lock_destroy(plain));
  CloseJoinDestroy(pool);
}

static void HolderIsKnown(void) {
  mproc_pool_t* pool = SyncPool();
  mproc_lock_t* lock = NewLock(MPROC_LOCK_RECURSIVE);
  mproc_event_t* event = NewEvent();
  int64_t pid = 0, tid = 0, held = 0;
  mproc_future_t* future = Submit(pool, BindTwo(pool, sync_hold, lock, event), NULL, 0);
  CHECK_SOON(mproc_lock_holder(lock, &pid, &tid, &held) == MPROC_OK && pid != 0 && held > 0);
  CHECK_STATUS(mproc_lock_release(lock), MPROC_ERROR_NOT_HOLDER);
  CHECK_STATUS(mproc_lock_acquire(lock, 0), MPROC_ERROR_TIMED_OUT);
  CHECK_OK(mproc_event_set(event));
  CHECK_EQ(TakeNumber(future), pid);
  CHECK_OK(mproc_lock_holder(lock, &pid, NULL, NULL));
  CHECK_EQ(pid, 0);
  CHECK_OK(mproc_lock_destroy(lock));
  CHECK_OK(mproc_event_destroy(event));
  CloseJoinDestroy(pool);
}

// ---- how they go and come

// Descriptors of objects that a process has.
static int CountObjects(pid_t pid) {
  char path[600], link[300];
  int count = 0;
  snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
  DIR* folder = opendir(path);
  for (struct dirent* entry; folder && (entry = readdir(folder));) {
    snprintf(path, sizeof path, "/proc/%d/fd/%.200s", (int)pid, entry->d_name);
    ssize_t length = readlink(path, link, sizeof link - 1);
    if (length <= 0) continue;
    link[length] = '\0';
    count += strstr(link, "mproc-object") != NULL;
  }
  if (folder) closedir(folder);
  return count;
}
static void GoneWhenUnbound(void) {
  if (TestStart() == MPROC_START_THREADS) TestSkip("threads have the host's descriptors");
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_SYNC));
  mproc_pool_t* pool = ReadyWith(options);
  mproc_lock_t* lock = NewLock(MPROC_LOCK_PLAIN);
  for (int i = 0; i < 20; i++) {
    uint32_t id = BindTwo(pool, sync_count, lock, lock);
    mproc_future_t* future = SubmitNumber(pool, id, 1);
    WaitEnd(future);
    CHECK_OK(mproc_future_error(future));
    Release(future);
    CHECK(i > 0 || CountObjects(WorkerPid(pool, 0)) == 2);
    CHECK_OK(mproc_pool_unbind(pool, id));
  }
  CHECK_SOON(CountObjects(WorkerPid(pool, 0)) == 0);  // while it rests
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  CHECK_OK(mproc_lock_destroy(lock));
  CloseJoinDestroy(pool);
}

static void WrongOnes(void) {
  mproc_pool_t* pool = SyncPool();
  mproc_event_t* event = NewEvent();
  mproc_lock_t* lock = NewLock(MPROC_LOCK_PLAIN);
  void* objects[65];
  int64_t got[2];
  uint32_t id = 0;
  mproc_future_t* future = Submit(pool, BindOne(pool, sync_wrong, event), NULL, 0);
  WaitEnd(future);
  ReadValue(future, got, sizeof got);
  Release(future);
  CHECK_EQ(got[0], MPROC_ERROR_INVALID_HANDLE);
  CHECK_EQ(got[1], MPROC_ERROR_END);
  CHECK_STATUS(mproc_lock_acquire((mproc_lock_t*)event, 0), MPROC_ERROR_INVALID_HANDLE);
  CHECK_HAS(mproc_last_error_message(), "event");
  CHECK_STATUS(mproc_lock_destroy((mproc_lock_t*)event), MPROC_ERROR_INVALID_HANDLE);
  for (int i = 0; i < 65; i++) objects[i] = lock;
  CHECK_STATUS(mproc_pool_bind_objects(pool, sync_count, NULL, 0, objects, 65, &id),
               MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_bind_objects(pool, sync_count, NULL, 0, objects, 0, &id),
               MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_bind_objects(pool, sync_count, NULL, 0, NULL, 1, &id),
               MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_bind_objects(pool, sync_count, NULL, 0, objects, 64, &id));
  future = SubmitNumber(pool, id, 10);
  WaitEnd(future);
  CHECK_OK(mproc_future_error(future));
  Release(future);
  CHECK_OK(mproc_lock_destroy(lock));
  CHECK_STATUS(mproc_pool_bind_objects(pool, sync_count, NULL, 0, objects, 1, &id), MPROC_ERROR_STALE_HANDLE);
  objects[0] = pool;
  CHECK_STATUS(mproc_pool_bind_objects(pool, sync_count, NULL, 0, objects, 1, &id),
               MPROC_ERROR_INVALID_HANDLE);
  CHECK_OK(mproc_event_destroy(event));
  CloseJoinDestroy(pool);
}

// ---- in one process

static int32_t Never(void* asked) {
  ++*(int*)asked;
  return 0;
}
static int32_t Stop(void* unused) {
  (void)unused;
  return -1;
}
static int32_t Fails(void* unused) {
  (void)unused;
  return 1;
}
static void Statuses(void) {
  mproc_lock_t* lock = NewLock(MPROC_LOCK_PLAIN);
  mproc_semaphore_t* semaphore = NULL;
  mproc_condition_t* condition = NULL;
  mproc_barrier_t* barrier = NULL;
  int64_t parties = 0, waiting = -1, index = -1;
  int32_t broken = -1;
  int asked = 0;
  CHECK_STATUS(mproc_lock_create(4, &lock), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_lock_create(-1, &lock), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_lock_release(lock), MPROC_ERROR_RELEASED_TOO_OFTEN);
  CHECK_OK(mproc_lock_acquire(lock, -5));
  CHECK_STATUS(mproc_lock_acquire(lock, -5), MPROC_ERROR_TIMED_OUT);
  CHECK_STATUS(mproc_semaphore_create(-1, 0, &semaphore), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_semaphore_create(5, 4, &semaphore), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_semaphore_create(INT64_C(1) << 31, 0, &semaphore), MPROC_ERROR_INVALID_ARGUMENT);
  NEED_OK(mproc_semaphore_create(0, 0, &semaphore));
  CHECK_STATUS(mproc_semaphore_release(semaphore, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_semaphore_release(semaphore, INT64_MAX), MPROC_ERROR_RELEASED_TOO_OFTEN);
  CHECK_OK(mproc_semaphore_release(semaphore, INT32_MAX));
  NEED_OK(mproc_condition_create(lock, &condition));
  CHECK_OK(mproc_lock_release(lock));
  CHECK_STATUS(mproc_condition_wait(condition, 0), MPROC_ERROR_NOT_HOLDER);
  CHECK_STATUS(mproc_condition_notify(condition, 1), MPROC_ERROR_NOT_HOLDER);
  CHECK_OK(mproc_condition_acquire(condition, 0));
  CHECK_STATUS(mproc_condition_notify(condition, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_condition_wait_for(condition, NULL, NULL, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_condition_wait_for(condition, Never, &asked, MPROC_MILLISECOND), MPROC_ERROR_TIMED_OUT);
  CHECK_EQ(asked, 2);
  CHECK_STATUS(mproc_condition_wait_for(condition, Stop, NULL, MPROC_FOREVER), MPROC_ERROR_CANCELLED);
  CHECK_OK(mproc_condition_release(condition));
  CHECK_STATUS(mproc_barrier_create(0, &barrier), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_barrier_create(32768, &barrier), MPROC_ERROR_INVALID_ARGUMENT);
  NEED_OK(mproc_barrier_create(1, &barrier));
  CHECK_OK(mproc_barrier_wait(barrier, 0, NULL, NULL, &index));
  CHECK_EQ(index, 0);
  CHECK_STATUS(mproc_barrier_wait(barrier, 0, Fails, NULL, NULL), MPROC_ERROR_TASK);
  CHECK_STATUS(mproc_barrier_wait(barrier, 0, NULL, NULL, NULL), MPROC_ERROR_BARRIER_BROKEN);
  CHECK_OK(mproc_barrier_state(barrier, &parties, &waiting, &broken));
  CHECK(parties == 1 && waiting == 0 && broken == 1);
  CHECK_OK(mproc_barrier_reset(barrier));
  CHECK_OK(mproc_barrier_abort(barrier));
  CHECK_STATUS(mproc_barrier_wait(barrier, 0, NULL, NULL, NULL), MPROC_ERROR_BARRIER_BROKEN);
  CHECK_OK(mproc_lock_destroy(lock));
  CHECK_STATUS(mproc_lock_destroy(lock), MPROC_ERROR_STALE_HANDLE);
  CHECK_OK(mproc_lock_destroy(NULL));
  CHECK_OK(mproc_condition_acquire(condition, 0));  // has it still
  CHECK_OK(mproc_condition_destroy(condition));
  CHECK_OK(mproc_semaphore_destroy(semaphore));
  CHECK_OK(mproc_barrier_destroy(barrier));
}

// Nothing is left of so many: the harness counts descriptors.
static void ManyComeAndGo(void) {
  const int many = TestSanitized() ? 500 : 10000;
  for (int i = 0; i < many; i++) {
    mproc_lock_t* lock = NewLock(i % 4);
    mproc_event_t* event = NewEvent();
    mproc_semaphore_t* semaphore = NULL;
    mproc_condition_t* condition = NULL;
    mproc_barrier_t* barrier = NULL;
    NEED_OK(mproc_semaphore_create(i, 0, &semaphore));
    NEED_OK(mproc_condition_create(i % 2 ? lock : NULL, &condition));
    NEED_OK(mproc_barrier_create(i % 100 + 1, &barrier));
    CHECK_OK(mproc_lock_destroy(lock));
    CHECK_OK(mproc_event_destroy(event));
    CHECK_OK(mproc_semaphore_destroy(semaphore));
    CHECK_OK(mproc_condition_destroy(condition));
    CHECK_OK(mproc_barrier_destroy(barrier));
  }
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"one at a time", OneAtATime, 0},
      {"only so many", OnlySoMany, 0},
      {"all go on at once", AllGoOnAtOnce, 0},
      {"rounds do not overtake", RoundsDoNotOvertake, 0},
      {"until it is so", UntilItIsSo, 0},
      {"taken from the dead", TakenFromTheDead, 0},
      {"holder is known", HolderIsKnown, 0},
      {"gone when unbound", GoneWhenUnbound, 0},
      {"wrong ones", WrongOnes, 0},
      {"statuses", Statuses, 0},
      {"many come and go", ManyComeAndGo, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
