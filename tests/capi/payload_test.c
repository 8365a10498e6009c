// SPDX-License-Identifier: MIT
// Large payloads: values that are looked at where the worker put them, payloads that are lent, blocks that
// both sides write; and the memory of all that.
#include <pthread.h>

#include "host.h"

static unsigned char* Pattern(size_t size) {
  unsigned char* bytes = malloc(size + 1);
  NEED(bytes != NULL);
  for (size_t i = 0; i < size; i++) bytes[i] = PatternAt(i);
  return bytes;
}
static void CheckPattern(mproc_future_t* future, size_t size) {
  const unsigned char* data = NULL;
  size_t got = 0;
  if (!CHECK_OK(mproc_future_result(future, (const void**)&data, &got)) || !CHECK_EQ(got, size)) return;
  size_t wrong = 0;
  for (size_t i = 0; i < size; i++) wrong += data[i] != PatternAt(i);
  CHECK_EQ(wrong, 0);
}

// ---- values and payloads that are copied for nobody

// More values than a worker lends, each kept until the last has come, the pool gone and its workers killed.
static void ValuesStayWhileTheyAreHeld(void) {
  enum { kTasks = 1500 };
  static mproc_future_t* futures[kTasks];
  mproc_pool_t* pool = ReadyPool(2);
  for (int i = 0; i < kTasks; i++) futures[i] = SubmitNumber(pool, fn_big, 33000 + i * 7);
  NEED_OK(mproc_future_wait_all(futures, kTasks, TestLong()));
  for (int i = 0; i < kTasks; i += 3) {  // some blocks are used again
    CheckPattern(futures[i], 33000 + (size_t)i * 7);
    Release(futures[i]);
    futures[i] = SubmitNumber(pool, fn_big_in_place, 40000 + i);
  }
  for (int i = 0; i < kTasks; i += 3) WaitEnd(futures[i]);
  for (int i = 0; i < 2; i++) TestKill(WorkerPid(pool, i), SIGKILL);
  CHECK_OK(mproc_pool_destroy(pool));
  for (int i = 0; i < kTasks; i++) {
    CheckPattern(futures[i], i % 3 ? 33000 + (size_t)i * 7 : 40000 + (size_t)i);
    Release(futures[i]);
  }
}

// What was copied to a worker only comes back from there when the worker dies before it begins the task.
static void PayloadsSurviveAWorkerThatHasNotBegun(void) {
  enum { kTasks = 3, kSize = 700000 };
  unsigned char* bytes = Pattern(kSize);
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t *blocker = SubmitWork(pool, fn_gate, 0, 1), *futures[kTasks];
  NEED_SOON(Begun(1) == 1);
  for (int i = 0; i < kTasks; i++) futures[i] = Submit(pool, fn_checksum, bytes + i, kSize - (size_t)i);
  memset(bytes, 0, kSize);  // they were copied
  TestKill(WorkerPid(pool, 0), SIGKILL);
  TakeEnd(blocker, MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_SIGNAL);
  free(bytes);
  bytes = Pattern(kSize);
  for (int i = 0; i < kTasks; i++) {
    Sum wanted = SumOf(bytes + i, kSize - (size_t)i), sum;
    WaitEnd(futures[i]);
    ReadValue(futures[i], &sum, sizeof sum);
    CHECK(sum.size == wanted.size && sum.sum == wanted.sum);
    Release(futures[i]);
  }
  free(bytes);
  CloseJoinDestroy(pool);
}

// A payload that the host may need again cannot be spoilt by the worker.
static void WorkersCannotWriteToPayloads(void) {
  unsigned char* bytes = Pattern(100000);
  mproc_pool_t* pool = ReadyPool(1);
  mproc_future_t* future = Submit(pool, fn_overwrite, bytes, 100000);
  TakeEnd(future, MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_SIGNAL);
  free(bytes);
  CloseJoinDestroy(pool);
}

// ---- payloads that are lent

typedef struct {
  atomic_int released, called;
  atomic_int late;  // released after the callback was called
} Lender;
static void OnRelease(void* owner) {
  Lender* lender = owner;
  if (atomic_load(&lender->called)) atomic_fetch_add(&lender->late, 1);
  atomic_fetch_add(&lender->released, 1);
}
static void OnEnd(mproc_future_t* future, void* user_data) {
  (void)future;
  atomic_fetch_add(&((Lender*)user_data)->called, 1);
}

// Every end of a task and every refusal gives the memory back once, where the pool's callbacks run.
static void LentMemoryComesBackOnce(int32_t mode) {
  enum { kSize = 200000 };
  unsigned char* bytes = Pattern(kSize);
  mproc_pool_t* pool = CallbackPool(1, mode);
  bool calls = mode != MPROC_CALLBACKS_NEXT;
  static const uint32_t functions[] = {fn_checksum, fn_refuse, fn_abort, fn_noop, fn_checksum};
  static Lender lenders[5];
  mproc_future_t *futures[5], *blocker = SubmitWork(pool, fn_gate, 0, 2), *next;
  memset(lenders, 0, sizeof lenders);
  NEED_SOON(Begun(2) == 1);
  for (int i = 0; i < 5; i++) {
    NEED_OK(mproc_pool_submit_borrowed(pool, functions[i], bytes, i == 4 ? 50 : kSize, OnRelease, &lenders[i],
                                       MPROC_FOREVER, calls ? OnEnd : NULL, calls ? OnEnd : NULL, &lenders[i],
                                       &futures[i]));
  }
  CHECK_OK(mproc_future_cancel(futures[3]));
  for (int i = 0; i < 3; i++) CHECK_EQ(lenders[i].released, 0);
  OpenGate(2);
  WaitEnd(blocker);
  for (int i = 0; i < 5; i++) WaitEnd(futures[i]);
  if (mode == MPROC_CALLBACKS_DISPATCH) {
    for (int i = 0; i < 5; i++) CHECK_EQ(lenders[i].released, 0);
    CHECK_OK(mproc_pool_dispatch(pool, 0, NULL));
  }
  for (int i = 0; i < 6 && !calls; i++) {
    NEED_OK(mproc_pool_next(pool, TestLong(), &next, NULL));
    for (int k = 0; k < 5; k++) {
      if (next == futures[k]) CHECK_EQ(lenders[k].released, 1);
    }
    Release(next);
  }
  Sum wanted = SumOf(bytes, kSize), sum;
  ReadValue(futures[0], &sum, sizeof sum);
  CHECK_EQ(sum.sum, wanted.sum);
  CHECK_EQ(Outcome(futures[2]), MPROC_OUTCOME_WORKER_LOST);
  CHECK_EQ(Outcome(futures[3]), MPROC_OUTCOME_CANCELLED);
  for (int i = 0; i < 5; i++) {
    CHECK_EQ(lenders[i].released, 1);
    CHECK_EQ(lenders[i].called, calls);
    CHECK_EQ(lenders[i].late, 0);
    Release(futures[i]);
  }
  Release(blocker);
  Lender refused = {0, 0, 0};
  CHECK_STATUS(
      mproc_pool_submit_borrowed(pool, 9999, bytes, kSize, OnRelease, &refused, 0, NULL, NULL, NULL, &next),
      MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_STATUS(
      mproc_pool_submit_borrowed(pool, fn_echo, NULL, kSize, OnRelease, &refused, 0, NULL, NULL, NULL, &next),
      MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_submit_borrowed(NULL, fn_echo, bytes, kSize, OnRelease, &refused, 0, NULL, NULL,
                                          NULL, &next),
               MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_STATUS(mproc_pool_submit_borrowed(pool, fn_echo, bytes, kSize, OnRelease, &refused, 0, NULL, NULL,
                                          NULL, &next),
               MPROC_ERROR_NOT_RUNNING);
  CHECK_EQ(refused.released, 4);
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK_OK(mproc_pool_destroy(pool));
  free(bytes);
}
static void LentInThreadMode(void) { LentMemoryComesBackOnce(MPROC_CALLBACKS_THREAD); }
static void LentInDispatchMode(void) { LentMemoryComesBackOnce(MPROC_CALLBACKS_DISPATCH); }
static void LentInNextMode(void) { LentMemoryComesBackOnce(MPROC_CALLBACKS_NEXT); }

// A pool that is destroyed with lent payloads in its queue has given all back when that returns.
static void DestroyGivesLentMemoryBack(void) {
  enum { kTasks = 50, kSize = 100000 };
  unsigned char* bytes = Pattern(kSize);
  for (int32_t mode = MPROC_CALLBACKS_THREAD; mode <= MPROC_CALLBACKS_DISPATCH; mode++) {
    mproc_pool_t* pool = CallbackPool(1, mode);
    Lender lender = {0, 0, 0};
    mproc_future_t* blocker = SubmitWork(pool, fn_gate, 0, 10 + mode);
    NEED_SOON(Begun(10 + mode) == 1);
    for (int i = 0; i < kTasks; i++) {
      NEED_OK(mproc_pool_submit_borrowed(pool, fn_echo, bytes, kSize, OnRelease, &lender, MPROC_FOREVER, NULL,
                                         NULL, NULL, NULL));
    }
    CHECK_EQ(lender.released, 0);
    CHECK_OK(mproc_pool_destroy(pool));
    CHECK_EQ(lender.released, kTasks);
    Release(blocker);
  }
  free(bytes);
}

// ---- blocks

static mproc_block_t* Block(size_t size, unsigned char** data) {
  mproc_block_t* block = NULL;
  size_t got = 0;
  NEED_OK(mproc_block_create(size, &block));
  NEED_OK(mproc_block_data(block, (void**)data, &got));
  CHECK_EQ(got, size);
  return block;
}
static mproc_status_t SubmitBlock(mproc_pool_t* pool, uint32_t function, mproc_block_t* block, size_t offset,
                                  size_t size, mproc_future_t** future) {
  return mproc_pool_submit_block(pool, function, block, offset, size, NULL, NULL, MPROC_FOREVER, NULL, NULL,
                                 NULL, future);
}

// The worker writes where the host reads, and the other way round, again and again, in every worker.
static void BlocksAreSharedBothWays(void) {
  enum { kSize = 5000001, kRounds = 400 };
  mproc_pool_t* pool = ReadyPool(2);
  WarmUp(pool, 2);
  unsigned char* data;
  mproc_block_t* block = Block(kSize, &data);
  CHECK(data[0] == 0 && data[kSize - 1] == 0);
  CHECK_EQ((uintptr_t)data % 4096, 0);
  for (int i = 0; i < kRounds; i++) {
    mproc_future_t *future = NULL, *other = SubmitWork(pool, fn_sleep, 0, i);
    size_t offset = (size_t)i * 3;
    NEED_OK(SubmitBlock(pool, fn_stamp, block, offset, kSize - offset, &future));
    WaitEnd(future);
    const void* value = NULL;
    size_t size = 0;
    CHECK_OK(mproc_future_result(future, &value, &size));
    CHECK(value == data + offset);
    CHECK_EQ(size, kSize - offset);
    CHECK_EQ(data[0], (unsigned char)(i * 2 + 1));
    CHECK_EQ(data[kSize - 1], (unsigned char)(i * 2 + 1));
    data[0]++, data[kSize - 1]++;
    Release(future);
    WaitEnd(other);
    Release(other);
  }
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  CHECK_OK(mproc_block_destroy(block));
  CHECK_STATUS(mproc_block_data(block, NULL, NULL), MPROC_ERROR_STALE_HANDLE);
  CloseJoinDestroy(pool);
}

static void OneTaskAtATimeHasABlock(void) {
  mproc_pool_t* pool = ReadyPool(1);
  unsigned char* data;
  mproc_block_t* block = Block(100000, &data);
  Work work = {0, 5};
  memcpy(data, &work, sizeof work);
  mproc_future_t *first = NULL, *second = NULL;
  Lender lender = {0, 0, 0};
  NEED_OK(mproc_pool_submit_block(pool, fn_hold, block, 0, 100000, OnRelease, &lender, MPROC_FOREVER, NULL,
                                  NULL, NULL, &first));
  CHECK_STATUS(SubmitBlock(pool, fn_stamp, block, 0, 1, &second), MPROC_ERROR_BUSY);
  CHECK_STATUS(
      mproc_pool_submit_block(pool, fn_stamp, block, 0, 1, OnRelease, &lender, 0, NULL, NULL, NULL, &second),
      MPROC_ERROR_BUSY);
  CHECK_EQ(lender.released, 1);  // the second one's
  CHECK_STATUS(SubmitBlock(pool, fn_stamp, block, 100001, 0, &second), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(SubmitBlock(pool, fn_stamp, block, 1, 100000, &second), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(SubmitBlock(pool, fn_stamp, block, 2, SIZE_MAX, &second), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(SubmitBlock(pool, fn_stamp, NULL, 0, 0, &second), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(SubmitBlock(pool, 9999, block, 0, 0, &second), MPROC_ERROR_BUSY);
  OpenGate(5);
  WaitEnd(first);
  CHECK_EQ(lender.released, 2);
  CHECK_STATUS(SubmitBlock(pool, 9999, block, 0, 0, &second), MPROC_ERROR_UNKNOWN_FUNCTION);  // and is free
  NEED_OK(SubmitBlock(pool, fn_no_block, block, 0, 16, &second));
  int32_t got[4];
  WaitEnd(second);
  ReadValue(second, got, sizeof got);
  CHECK_EQ(got[0], MPROC_OK);
  CHECK_EQ(got[1], MPROC_OK);
  CHECK_EQ(got[2], MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_EQ(got[3], MPROC_ERROR_INVALID_ARGUMENT);
  Release(second);
  second = Submit(pool, fn_no_block, data, 100000);
  WaitEnd(second);
  ReadValue(second, got, sizeof got);
  for (int i = 0; i < 4; i++) CHECK_EQ(got[i], MPROC_ERROR_WRONG_KIND);
  Release(second);
  Release(first);
  CHECK_STATUS(mproc_block_create(0, &block), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_block_create(SIZE_MAX, &block), MPROC_ERROR_TOO_LARGE);
  CHECK(mproc_block_create((size_t)1 << 45, &block) != MPROC_OK);  // more than there is
  CHECK_OK(mproc_block_destroy(block));
  CloseJoinDestroy(pool);
}

// Destroyed while a task has it, a block stays until the task has ended and its value is released.
static void DestroyedBlocksStayWhileTheyAreUsed(void) {
  mproc_pool_t* pool = ReadyPool(1);
  unsigned char* data;
  mproc_block_t* block = Block(300000, &data);
  mproc_future_t *blocker = SubmitWork(pool, fn_gate, 0, 6), *future = NULL;
  NEED_SOON(Begun(6) == 1);
  NEED_OK(SubmitBlock(pool, fn_stamp, block, 100, 200000, &future));
  CHECK_OK(mproc_block_destroy(block));
  OpenGate(6);
  WaitEnd(future);
  WaitEnd(blocker);
  CHECK_OK(mproc_pool_destroy(pool));
  const unsigned char* value = NULL;
  size_t size = 0;
  CHECK_OK(mproc_future_result(future, (const void**)&value, &size));
  CHECK_EQ(size, 200000);
  CHECK_EQ(value[-100], 1);
  CHECK_EQ(value[299999 - 100], 1);
  Release(future);
  Release(blocker);
}

static void BlocksSurviveTheirWorker(void) {
  mproc_pool_t* pool = ReadyPool(1);
  unsigned char* data;
  mproc_block_t* block = Block(100000, &data);
  for (int i = 0; i < 3; i++) {
    Work work = {0, 20 + i};
    memcpy(data, &work, sizeof work);
    mproc_future_t *future = NULL, *waiting = NULL;
    unsigned char* other_data;
    mproc_block_t* other = Block(5000, &other_data);
    NEED_OK(SubmitBlock(pool, fn_hold, block, 0, 100000, &future));
    NEED_OK(SubmitBlock(pool, fn_stamp, other, 0, 5000, &waiting));  // not begun: goes to the next worker
    NEED_SOON(Begun(20 + i) == 1);
    TestKill(WorkerPid(pool, 0), SIGKILL);
    TakeEnd(future, MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_SIGNAL);
    WaitEnd(waiting);
    CHECK_EQ(other_data[4999], 1);
    Release(waiting);
    CHECK_OK(mproc_block_destroy(other));
  }
  mproc_future_t* future = NULL;
  NEED_OK(SubmitBlock(pool, fn_stamp, block, 0, 100000, &future));
  WaitEnd(future);
  CHECK_EQ(data[99999], 1);
  Release(future);
  CHECK_OK(mproc_block_destroy(block));
  CloseJoinDestroy(pool);
}

// More blocks than a worker is let keep.
static void ManyBlocks(void) {
  enum { kBlocks = 700 };
  static mproc_block_t* blocks[kBlocks];
  static unsigned char* data[kBlocks];
  static mproc_future_t* futures[kBlocks];
  mproc_pool_t* pool = ReadyPool(2);
  for (int i = 0; i < kBlocks; i++) blocks[i] = Block(8192, &data[i]);
  for (int round = 1; round <= 2; round++) {
    for (int i = 0; i < kBlocks; i++) NEED_OK(SubmitBlock(pool, fn_stamp, blocks[i], 0, 8192, &futures[i]));
    for (int i = 0; i < kBlocks; i++) {
      WaitEnd(futures[i]);
      CHECK_EQ(Outcome(futures[i]), MPROC_OUTCOME_VALUE);
      CHECK_EQ(data[i][8191], round);
      Release(futures[i]);
    }
  }
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  for (int i = 0; i < kBlocks; i++) CHECK_OK(mproc_block_destroy(blocks[i]));
  CloseJoinDestroy(pool);
}

// ---- memory

// After a burst, of any way to carry bytes, host and workers are as small as before.
static void MemoryComesBackAfterABurst(void) {
  enum { kTasks = 100, kSize = 1 << 20, kSlack = 6 << 20 };
  unsigned char* bytes = Pattern(kSize);
  mproc_future_t* futures[kTasks];
  mproc_block_t* blocks[kTasks];
  mproc_pool_t* pool = ReadyPool(2);
  WarmUp(pool, 2);
  int64_t host = TestStatusBytes(getpid(), "VmRSS:");
  int64_t workers[2];
  for (int i = 0; i < 2; i++) workers[i] = TestStatusBytes(WorkerPid(pool, i), "VmRSS:");
  for (int i = 0; i < kTasks; i++) futures[i] = Submit(pool, fn_echo, bytes, kSize - (size_t)i);
  NEED_OK(mproc_future_wait_all(futures, kTasks, TestLong()));
  for (int i = 0; i < kTasks; i++) Release(futures[i]);
  for (int i = 0; i < kTasks; i++) {
    unsigned char* data;
    blocks[i] = Block(kSize, &data);
    memcpy(data, bytes, kSize);
    NEED_OK(SubmitBlock(pool, fn_checksum, blocks[i], 0, kSize, &futures[i]));
  }
  NEED_OK(mproc_future_wait_all(futures, kTasks, TestLong()));
  for (int i = 0; i < kTasks; i++) {
    Release(futures[i]);
    CHECK_OK(mproc_block_destroy(blocks[i]));
  }
  if (!TestSanitized()) CHECK_SOON(TestStatusBytes(getpid(), "VmRSS:") < host + kSlack);
  for (int i = 0; i < 2 && !TestSanitized(); i++) {
    CHECK_SOON(TestStatusBytes(WorkerPid(pool, i), "VmRSS:") < workers[i] + kSlack);
  }
  CloseJoinDestroy(pool);
  free(bytes);
}

// How many mappings of a process carry this name.
static int Mappings(pid_t pid, const char* name) {
  char path[64], line[512];
  int count = 0;
  snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
  FILE* file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file)) count += strstr(line, name) != NULL;
  if (file) fclose(file);
  return count;
}
static bool NobodyMaps(mproc_pool_t* pool, const char* name) {
  return Mappings(getpid(), name) == 0 && Mappings(WorkerPid(pool, 0), name) == 0;
}

// Again after a rest: the pool has gone to sleep in between.
static void MemoryComesBackAfterASecondBurst(void) {
  enum { kSize = 1 << 20 };
  unsigned char* bytes = Pattern(kSize);
  mproc_pool_t* pool = ReadyPool(1);
  for (int i = 0; i < 2; i++) {
    mproc_future_t* future = Submit(pool, fn_checksum, bytes, kSize);
    WaitEnd(future);
    Release(future);
    CHECK_SOON(NobodyMaps(pool, "mproc-tasks"));
    if (i == 0) TestRest(4 * MPROC_SECOND);
  }
  CloseJoinDestroy(pool);
  free(bytes);
}

// What was held for long is given back, too, whatever else the pool does then: nothing.
static void MemoryComesBackAfterARest(void) {
  unsigned char* data;
  mproc_pool_t* pool = ReadyPool(1);
  mproc_block_t* block = Block(1 << 20, &data);
  mproc_future_t *value = SubmitNumber(pool, fn_big, 1 << 20), *stamp = NULL;
  NEED_OK(SubmitBlock(pool, fn_stamp, block, 0, 1 << 20, &stamp));
  WaitEnd(value);
  WaitEnd(stamp);
  Release(stamp);
  TestRest(4 * MPROC_SECOND);
  CHECK(Mappings(getpid(), "mproc-results") > 0);
  CHECK(Mappings(WorkerPid(pool, 0), "mproc-block") > 0);
  Release(value);
  CHECK_SOON(NobodyMaps(pool, "mproc-results"));
  TestRest(4 * MPROC_SECOND);
  CHECK_OK(mproc_block_destroy(block));
  CHECK_SOON(NobodyMaps(pool, "mproc-block"));
  CloseJoinDestroy(pool);
}

// More than a socket has room to tell of, both ways, at once: nobody is kept waiting, and all of it comes
// back.
static void ManyAreDroppedAtOnce(void) {
  enum { kMany = 480, kRounds = 4, kSize = 40000 };
  static mproc_future_t* futures[kMany];
  static mproc_block_t* blocks[kMany];
  mproc_pool_t* pool = ReadyPool(1);
  for (int round = 0; round < kRounds; round++) {
    for (int i = 0; i < kMany; i++) {
      NEED_OK(mproc_block_create(4096, &blocks[i]));
      NEED_OK(SubmitBlock(pool, fn_checksum, blocks[i], 0, 4096, &futures[i]));
    }
    for (int i = 0; i < kMany; i++) {
      WaitEnd(futures[i]);
      CHECK_EQ(Outcome(futures[i]), MPROC_OUTCOME_VALUE);
      Release(futures[i]);
    }
    for (int i = 0; i < kMany; i++) CHECK_OK(mproc_block_destroy(blocks[i]));
    if (round == 0) CHECK_SOON(NobodyMaps(pool, "mproc-block"));
  }
  CHECK_SOON(NobodyMaps(pool, "mproc-block"));
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < kMany; i++) futures[i] = SubmitNumber(pool, fn_big, kSize);
    NEED_OK(mproc_future_wait_all(futures, kMany, TestLong()));
    TestRest(4 * MPROC_SECOND);
    for (int i = 0; i < kMany; i++) Release(futures[i]);
    if (round == 0) CHECK_SOON(NobodyMaps(pool, "mproc-results"));
  }
  TestRest(2 * MPROC_SECOND);  // the worker is giving back
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"values stay while they are held", ValuesStayWhileTheyAreHeld, 0},
      {"payloads survive a worker that has not begun", PayloadsSurviveAWorkerThatHasNotBegun, 0},
      {"workers cannot write to payloads", WorkersCannotWriteToPayloads, 0},
      {"lent memory, thread mode", LentInThreadMode, 0},
      {"lent memory, dispatch mode", LentInDispatchMode, 0},
      {"lent memory, next mode", LentInNextMode, 0},
      {"destroy gives lent memory back", DestroyGivesLentMemoryBack, 0},
      {"blocks are shared both ways", BlocksAreSharedBothWays, 0},
      {"one task at a time has a block", OneTaskAtATimeHasABlock, 0},
      {"destroyed blocks stay while they are used", DestroyedBlocksStayWhileTheyAreUsed, 0},
      {"blocks survive their worker", BlocksSurviveTheirWorker, 0},
      {"many blocks", ManyBlocks, 0},
      {"memory comes back after a burst", MemoryComesBackAfterABurst, 0},
      {"memory comes back after a second burst", MemoryComesBackAfterASecondBurst, 0},
      {"memory comes back after a rest", MemoryComesBackAfterARest, 0},
      {"many are dropped at once", ManyAreDroppedAtOnce, 120},
  };
  return TEST_MAIN(argc, argv, cases);
}
