// SPDX-License-Identifier: MIT
// Bound arguments: in every call that takes a function, sent to each worker once, shared, and gone when
// nobody needs them.
#include <dlfcn.h>

#include "bound_functions.h"
#include "host.h"

// ---- pools

static int g_as_command;  // workers are this program

static mproc_pool_t* BoundPool(int32_t workers) {
  mproc_pool_options_t* options = Options(workers);
  const char* argv[] = {"/proc/self/exe", "--serve"};
  char self[4096];
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_BOUND));
  if (g_as_command) {
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    NEED(size > 0);
    self[size] = '\0';
    argv[0] = self;
    NEED_OK(mproc_pool_options_set_start_method(options, MPROC_START_SPAWN));
    NEED_OK(mproc_pool_options_set_command(options, argv, 2));
  }
  return ReadyWith(options);
}

// ---- what processes have

// Descriptors of this process whose links have this name in them.
static int CountDescriptors(const char* name) {
  char path[300], link[300];
  int count = 0;
  DIR* folder = opendir("/proc/self/fd");
  for (struct dirent* entry; (entry = readdir(folder));) {
    snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
    ssize_t size = readlink(path, link, sizeof link - 1);
    if (size <= 0) continue;
    link[size] = '\0';
    count += strstr(link, name) != NULL;
  }
  closedir(folder);
  return count;
}
// Bytes of a process's mappings with this name; how many in *count.
static uint64_t MappedBytes(pid_t pid, const char* name, int* count) {
  char path[64], line[512];
  uint64_t bytes = 0;
  *count = 0;
  snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
  FILE* maps = fopen(path, "re");
  while (maps && fgets(line, sizeof line, maps)) {
    unsigned long from, to;
    if (!strstr(line, name) || sscanf(line, "%lx-%lx", &from, &to) != 2) continue;
    bytes += to - from;
    ++*count;
  }
  if (maps) fclose(maps);
  return bytes;
}
static bool HasMapping(pid_t pid, const char* name) {
  int count;
  MappedBytes(pid, name, &count);
  return count > 0;
}
static uint64_t OwnMemory(void) {
  unsigned long whole = 0, resident = 0;
  FILE* file = fopen("/proc/self/statm", "re");
  NEED(file && fscanf(file, "%lu %lu", &whole, &resident) == 2);
  fclose(file);
  return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

// ---- every call

static Fixed FixedOf(int64_t first, int64_t second) {
  Fixed fixed = {first, second, {0}};
  for (size_t i = 0; i < sizeof fixed.filling; i++) fixed.filling[i] = PatternAt(i + (size_t)first);
  return fixed;
}
static uint32_t Bind(mproc_pool_t* pool, uint32_t function, const void* data, size_t size) {
  uint32_t id = 0;
  NEED_OK(mproc_pool_bind(pool, function, data, size, &id));
  CHECK(id >= UINT32_C(1) << 31);
  return id;
}
static void CheckPartial(const void* data, size_t size, const Fixed* fixed, int64_t third, uint64_t item) {
  Partial partial;
  if (!CHECK_EQ(size, sizeof partial)) return;
  memcpy(&partial, data, sizeof partial);
  CHECK_EQ(partial.first, fixed->first);
  CHECK_EQ(partial.second, fixed->second);
  CHECK_EQ(partial.third, third);
  CHECK(partial.sum == SumOf(fixed, sizeof *fixed).sum);
  CHECK_EQ(partial.item, item);
  CHECK_EQ(partial.function, fn_partial);
}
static void TakePartial(mproc_future_t* future, const Fixed* fixed, int64_t third) {
  const void* data = NULL;
  size_t size = 0;
  WaitEnd(future);
  CHECK_OK(mproc_future_result(future, &data, &size));
  CheckPartial(data, size, fixed, third, 0);
  Release(future);
}

enum { kItems = 300 };
static int64_t g_numbers[kItems];
static const void* g_items[kItems];
static size_t g_sizes[kItems];
static void Fill(void) {
  for (int i = 0; i < kItems; i++) {
    g_numbers[i] = 7 * i;
    g_items[i] = &g_numbers[i];
    g_sizes[i] = sizeof g_numbers[i];
  }
}

static void SubmitsTakeBound(mproc_pool_t* pool, uint32_t id, const Fixed* fixed) {
  mproc_future_t* future = NULL;
  mproc_task_options_t* options = NULL;
  int64_t number = 5;
  for (int64_t i = 0; i < 50; i++) TakePartial(SubmitNumber(pool, id, i), fixed, i);
  NEED_OK(mproc_pool_apply(pool, id, &number, sizeof number, TestLong(), &future));
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_FUNCTION_ID), id);
  TakePartial(future, fixed, 5);
  NEED_OK(
      mproc_pool_submit_borrowed(pool, id, &number, sizeof number, NULL, NULL, 0, NULL, NULL, NULL, &future));
  TakePartial(future, fixed, 5);
  NEED_OK(mproc_task_options_create(&options));
  NEED_OK(mproc_task_options_set_time_limit(options, TestLong()));
  NEED_OK(mproc_task_options_set_retry(options, 2, MPROC_RETRY_ON_LOST, 0));
  NEED_OK(mproc_pool_submit_with(pool, id, &number, sizeof number, options, &future));
  NEED_OK(mproc_task_options_destroy(options));
  TakePartial(future, fixed, 5);
}
static void MapsTakeBound(mproc_pool_t* pool, uint32_t id, const Fixed* fixed) {
  const int64_t chunks[] = {MPROC_CHUNK_AUTO, 1, 7, kItems};
  for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++) {
    mproc_future_t* future = NULL;
    static Partial partials[kItems];
    NEED_OK(mproc_pool_map(pool, id, g_items, g_sizes, kItems, chunks[c], 0, TestLong(), &future));
    for (size_t i = 0; i < kItems; i++) {
      const void* data = NULL;
      size_t size = 0;
      CHECK_OK(mproc_future_item(future, i, &data, &size));
      CheckPartial(data, size, fixed, g_numbers[i], i);
    }
    Release(future);
    NEED_OK(mproc_pool_map_array(pool, id, g_numbers, sizeof g_numbers[0], kItems, partials,
                                 sizeof partials[0], chunks[c], TestLong(), &future));
    for (size_t i = 0; i < kItems; i++) {
      CheckPartial(&partials[i], sizeof partials[i], fixed, g_numbers[i], i);
    }
    Release(future);
  }
}
static void LazyMapsTakeBound(mproc_pool_t* pool, uint32_t id, const Fixed* fixed) {
  for (int64_t chunk = 1; chunk < 20; chunk += 9) {
    mproc_imap_t* imap = NULL;
    NEED_OK(mproc_pool_imap_items(pool, id, g_items, g_sizes, kItems, chunk, 0, 0, 0, &imap));
    for (uint64_t i = 0; i < kItems; i++) {
      const void* data = NULL;
      size_t size = 0;
      NEED_OK(mproc_imap_next(imap, TestLong(), &data, &size, NULL));
      CheckPartial(data, size, fixed, g_numbers[i], i);
    }
    CHECK_STATUS(mproc_imap_next(imap, 0, NULL, NULL, NULL), MPROC_ERROR_END);
    CHECK_OK(mproc_imap_destroy(imap));
  }
}
// Two of three arguments are bound once.
static void EveryCallTakesBoundFunctions(void) {
  mproc_pool_t* pool = BoundPool(2);
  Fixed one = FixedOf(1, 2), other = FixedOf(3, 4);
  uint32_t first = Bind(pool, fn_partial, &one, sizeof one),
           second = Bind(pool, fn_partial, &other, sizeof other);
  CHECK(first != second);
  Fill();
  SubmitsTakeBound(pool, first, &one);
  SubmitsTakeBound(pool, second, &other);
  MapsTakeBound(pool, second, &other);
  LazyMapsTakeBound(pool, first, &one);
  CHECK_OK(mproc_pool_unbind(pool, first));
  SubmitsTakeBound(pool, second, &other);
  CloseJoinDestroy(pool);
}
static void WorkersMayBeCommands(void) {
  g_as_command = 1;
  EveryCallTakesBoundFunctions();
}

// ---- the memory

static Peek TakePeek(mproc_future_t* future) {
  Peek peek;
  WaitEnd(future);
  ReadValue(future, &peek, sizeof peek);
  Release(future);
  return peek;
}
static void CheckPeek(mproc_pool_t* pool, uint32_t id, uint64_t offset, uint64_t size) {
  Peek peek = TakePeek(SubmitNumber(pool, id, (int64_t)offset));
  CHECK_EQ(peek.size, size);
  CHECK_EQ(peek.byte, offset < size ? PatternAt(offset) : -1);
}

// A hundred thousand tasks see the same memory, which is there once, whoever runs them.
static void MemoryIsThereOnce(void) {
  enum { kSize = 64 << 20, kTasks = 100000, kWorkers = 3 };
  mproc_pool_t* pool = BoundPool(kWorkers);
  unsigned char* bytes = malloc(kSize);
  int64_t* offsets = calloc(kTasks, sizeof *offsets);
  mproc_future_t* future = NULL;
  pid_t pids[kWorkers];
  int count = 0, tasks = TestSanitized() ? 2000 : kTasks;
  NEED(bytes && offsets);
  for (size_t i = 0; i < kSize; i++) bytes[i] = PatternAt(i);
  for (int i = 0; i < tasks; i++) offsets[i] = i * 641;
  int32_t* bound = malloc(sizeof *bound * (size_t)tasks);
  uint32_t id = Bind(pool, fn_peek, bytes, kSize), plain = Bind(pool, fn_unbound, bytes, 1);
  free(bytes);
  CHECK_EQ(CountDescriptors("memfd:mproc-bound"), 2);
  uint64_t before = OwnMemory();
  Peek peek = TakePeek(SubmitNumber(pool, id, 12345));
  for (int i = 0; i < 200; i++) {
    Peek next = TakePeek(SubmitNumber(pool, id, i * 335521));
    CHECK_EQ(next.inode, peek.inode);
    CHECK_EQ(next.size, kSize);
    CHECK_EQ(next.byte, PatternAt((uint64_t)i * 335521));
  }
  NEED_OK(mproc_pool_map_array(pool, plain, offsets, sizeof *offsets, (size_t)tasks, bound, sizeof *bound, 1,
                               TestLong(), &future));
  Release(future);
  for (int i = 0; i < tasks; i++) CHECK_EQ(bound[i], 1);
  for (int i = 0; i < tasks / 10; i++) Release(SubmitNumber(pool, id, i));
  CHECK_EQ(TakePeek(SubmitNumber(pool, id, kSize)).byte, -1);
  NEED_SOON(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED) + Statistic(pool, MPROC_POOL_STATISTIC_RUNNING) ==
            0);
  CHECK(OwnMemory() < before + (24 << 20));
  CHECK(!HasMapping(getpid(), "mproc-bound"));
  for (int32_t i = 0; i < kWorkers; i++) {
    pids[i] = WorkerPid(pool, i);
    CHECK(MappedBytes(pids[i], "mproc-bound", &count) <= kSize + 4096);
    CHECK(count <= 2);
  }
  CHECK_EQ(CountDescriptors("memfd:mproc-bound"), 2);
  CHECK_OK(mproc_pool_unbind(pool, id));
  CHECK_OK(mproc_pool_unbind(pool, plain));
  CHECK_EQ(CountDescriptors("memfd:mproc-bound"), 0);
  for (int32_t i = 0; i < kWorkers; i++) NEED_SOON(!HasMapping(pids[i], "mproc-bound"));
  free(offsets);
  free(bound);
  CloseJoinDestroy(pool);
}

// Who writes there dies of it, and nobody else sees anything.
static void WritingCostsTheWorkerOnly(void) {
  enum { kSize = 100000 };
  static unsigned char bytes[kSize];
  mproc_pool_t* pool = BoundPool(2);
  for (size_t i = 0; i < kSize; i++) bytes[i] = PatternAt(i);
  uint32_t bad = Bind(pool, fn_scribble, bytes, kSize), good = Bind(pool, fn_peek, bytes, kSize);
  for (int round = 0; round < 3; round++) {
    CheckPeek(pool, good, kSize / 2, kSize);
    mproc_future_t* future = SubmitNumber(pool, bad, 0);
    WaitEnd(future);
    CHECK_EQ(Outcome(future), MPROC_OUTCOME_WORKER_LOST);
    if (!TEST_UNDER_ASAN) CHECK_EQ(Info(future, MPROC_FUTURE_INFO_SIGNAL), SIGSEGV);
    CHECK_HAS(Message(future), "'scribble'");
    Release(future);
    CheckPeek(pool, good, kSize / 2, kSize);  // by a worker that may be new
  }
  CloseJoinDestroy(pool);
}

static void WaitRelease(mproc_future_t* future) {
  WaitEnd(future);
  CHECK_STATUS(mproc_future_error(future), MPROC_OK);
  Release(future);
}

// ---- its end

static void UnboundWhileTasksWait(void) {
  enum { kTasks = 40 };
  static unsigned char bytes[5000];
  mproc_pool_t* pool = BoundPool(2);
  mproc_future_t *futures[kTasks], *map = NULL, *refused = NULL;
  Fill();
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = PatternAt(i);
  uint32_t id = Bind(pool, fn_wait, bytes, sizeof bytes);
  for (int i = 0; i < kTasks; i++) futures[i] = SubmitNumber(pool, id, i);
  NEED_OK(mproc_pool_map_async(pool, id, g_items, g_sizes, 50, 3, 0, NULL, NULL, NULL, &map));
  NEED_SOON(CountBegun(0, kTasks) == 2);
  CHECK_OK(mproc_pool_unbind(pool, id));
  CHECK_STATUS(mproc_pool_unbind(pool, id), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_STATUS(mproc_pool_submit(pool, id, g_items[0], 8, 0, &refused), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_HAS(mproc_last_error_message(), "unbound");
  CHECK_STATUS(mproc_pool_map(pool, id, g_items, g_sizes, 5, 1, 0, 0, &refused),
               MPROC_ERROR_UNKNOWN_FUNCTION);
  TestKill(WorkerPid(pool, 0), SIGKILL);  // the next one gets the bytes as well
  NEED_SOON(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS) == 1);
  CHECK_EQ(CountDescriptors("memfd:mproc-bound"), 1);
  OpenAllGates();
  int lost = 0;
  for (int i = 0; i < kTasks; i++) {
    WaitEnd(futures[i]);
    lost += Outcome(futures[i]) == MPROC_OUTCOME_WORKER_LOST;
    if (Outcome(futures[i]) == MPROC_OUTCOME_VALUE) {
      CHECK_EQ(TakePeek(futures[i]).byte, PatternAt((uint64_t)i));
    } else {
      Release(futures[i]);
    }
  }
  CHECK_EQ(lost, 1);
  WaitEnd(map);
  CHECK_STATUS(mproc_future_error(map), MPROC_OK);
  CHECK_EQ(CountDescriptors("memfd:mproc-bound"), 0);  // before anybody sees the end
  Release(map);
  CloseJoinDestroy(pool);
}

// However tasks end, they do not hold the memory on.
static void EveryEndLetsGo(void) {
  mproc_pool_t* pool = BoundPool(1);
  mproc_future_t *futures[5], *map = NULL;
  Fill();
  uint32_t id = Bind(pool, fn_wait, "some", 4);
  for (int i = 0; i < 5; i++) futures[i] = SubmitNumber(pool, id, i);
  NEED_OK(
      mproc_pool_map_async(pool, id, g_items, g_sizes, kItems, MPROC_CHUNK_AUTO, 0, NULL, NULL, NULL, &map));
  NEED_SOON(Begun(0) == 1);
  CHECK_OK(mproc_pool_unbind(pool, id));
  CHECK_OK(mproc_future_cancel(futures[4]));
  CHECK_OK(mproc_future_cancel(map));
  CHECK_OK(mproc_future_cancel_running(futures[0], 0));
  TakeEnd(futures[0], MPROC_OUTCOME_CANCELLED, MPROC_CAUSE_CALL);
  CHECK_EQ(CountDescriptors("memfd:mproc-bound"), 1);
  CHECK_OK(mproc_pool_terminate(pool));
  for (int i = 1; i < 5; i++) WaitEnd(futures[i]);
  WaitEnd(map);
  CHECK_EQ(CountDescriptors("memfd:mproc-bound"), 0);
  for (int i = 1; i < 5; i++) Release(futures[i]);
  Release(map);
  CHECK_OK(mproc_pool_destroy(pool));
  pool = BoundPool(1);
  Bind(pool, fn_peek, "left", 4);  // goes with the pool
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK_EQ(CountDescriptors("memfd:mproc-bound"), 0);
}

static void LazyMapEndsWhenUnbound(void) {
  mproc_pool_t* pool = BoundPool(1);
  mproc_imap_t* imap = NULL;
  int values = 0, not_run = 0;
  mproc_status_t status;
  Fill();
  Fixed fixed = FixedOf(1, 2);
  uint32_t id = Bind(pool, fn_partial, &fixed, sizeof fixed);
  NEED_OK(mproc_pool_imap_items(pool, id, g_items, g_sizes, kItems, 1, 4, 0, 0, &imap));
  NEED_OK(mproc_imap_next(imap, TestLong(), NULL, NULL, NULL));
  CHECK_OK(mproc_pool_unbind(pool, id));
  while ((status = mproc_imap_next(imap, TestLong(), NULL, NULL, NULL)) != MPROC_ERROR_END) {
    values += status == MPROC_OK;
    not_run += status == MPROC_ERROR_NOT_RUN;
    CHECK(status == MPROC_OK || status == MPROC_ERROR_NOT_RUN);
    if (status == MPROC_ERROR_NOT_RUN) CHECK_HAS(mproc_last_error_message(), "unbound");
  }
  CHECK(values <= 4);
  CHECK_EQ(not_run, 1);
  CHECK_EQ(CountDescriptors("memfd:mproc-bound"), 0);
  CHECK_OK(mproc_imap_destroy(imap));
  CloseJoinDestroy(pool);
}

// ---- blocks

static void BlocksAreNotCopied(void) {
  enum { kSize = 1 << 20, kOffset = 4000 };
  mproc_pool_t* pool = BoundPool(2);
  mproc_block_t* block = NULL;
  unsigned char* bytes = NULL;
  uint32_t id = 0, whole = 0;
  NEED_OK(mproc_block_create(kSize, &block));
  NEED_OK(mproc_block_data(block, (void**)&bytes, NULL));
  for (size_t i = 0; i < kSize; i++) bytes[i] = PatternAt(i);
  NEED_OK(mproc_pool_bind_block(pool, fn_peek, block, kOffset, 5000, &id));
  NEED_OK(mproc_pool_bind_block(pool, fn_peek, block, 0, kSize, &whole));
  CHECK_EQ(CountDescriptors("memfd:mproc-bound"), 0);
  Peek peek = TakePeek(SubmitNumber(pool, id, 17)), other = TakePeek(SubmitNumber(pool, whole, kSize - 1));
  CHECK_EQ(peek.size, 5000);
  CHECK_EQ(peek.byte, PatternAt(kOffset + 17));
  CHECK_EQ(other.byte, PatternAt(kSize - 1));
  CHECK_EQ(peek.inode, other.inode);
  bytes[kOffset + 17] ^= 1;  // seen there
  CHECK_EQ(TakePeek(SubmitNumber(pool, id, 17)).byte, PatternAt(kOffset + 17) ^ 1);
  CHECK_STATUS(mproc_pool_bind_block(pool, fn_peek, block, kSize, 1, &id), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_bind_block(pool, fn_peek, block, 1, SIZE_MAX, &id), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_block_destroy(block));
  CHECK_STATUS(mproc_pool_bind_block(pool, fn_peek, block, 0, 1, &id), MPROC_ERROR_STALE_HANDLE);
  CHECK_EQ(TakePeek(SubmitNumber(pool, whole, 5)).byte, PatternAt(5));
  CHECK_OK(mproc_pool_unbind(pool, whole));
  CHECK_OK(mproc_pool_unbind(pool, id));
  CHECK_EQ(CountDescriptors("memfd:mproc-block"), 0);
  CloseJoinDestroy(pool);
}

// A worker without a free descriptor says so, and gets the bytes when it has one.
static void WorkerWithoutDescriptors(void) {
  if (TestUnderValgrind() && TestStart() == MPROC_START_FORK) TestSkip("valgrind keeps the limit to itself");
  mproc_pool_t* pool = BoundPool(1);
  uint32_t id = Bind(pool, fn_peek, "bytes", 5);
  WaitRelease(SubmitNumber(pool, fn_limit, 4));
  for (int i = 0; i < 3; i++) {
    mproc_future_t* future = SubmitNumber(pool, id, 1);
    WaitEnd(future);
    CHECK_EQ(Outcome(future), MPROC_OUTCOME_ERROR);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ERROR_CODE), MPROC_ERROR_DESCRIPTOR_LIMIT);
    Release(future);
  }
  WaitRelease(SubmitNumber(pool, fn_limit, 64));
  CHECK_EQ(TakePeek(SubmitNumber(pool, id, 1)).byte, 'y');
  CloseJoinDestroy(pool);
}

// ---- any number, any size, wrong ones

// More than a worker keeps at a time.
static void ManyBoundFunctions(void) {
  enum { kMany = 700 };
  mproc_pool_t* pool = BoundPool(1);
  uint32_t ids[kMany];
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < kMany; i++) {
      unsigned char bytes[3] = {(unsigned char)i, (unsigned char)(i >> 8), (unsigned char)round};
      ids[i] = Bind(pool, fn_peek, bytes, sizeof bytes);
    }
    mproc_future_t* futures[kMany];
    for (int i = 0; i < kMany; i++) futures[i] = SubmitNumber(pool, ids[i], i % 2);
    for (int i = 0; i < kMany; i++) CHECK_EQ(TakePeek(futures[i]).byte, i % 2 ? i >> 8 : i & 255);
    for (int i = 0; i < kMany; i += 50) CHECK_EQ(TakePeek(SubmitNumber(pool, ids[i], 2)).byte, round);
    for (int i = 0; i < kMany; i++) CHECK_OK(mproc_pool_unbind(pool, ids[i]));
    CHECK_EQ(CountDescriptors("memfd:mproc-bound"), 0);
  }
  CloseJoinDestroy(pool);
}

static void AnySize(void) {
  const size_t sizes[] = {0, 1, 80, 4095, 4096, 4097, 300000};
  static unsigned char bytes[300000];
  mproc_pool_t* pool = BoundPool(2);
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = PatternAt(i);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    uint32_t id = Bind(pool, fn_peek, sizes[i] ? bytes : NULL, sizes[i]);
    for (uint64_t offset = 0; offset <= sizes[i]; offset += sizes[i] / 3 + 1)
      CheckPeek(pool, id, offset, sizes[i]);
    Peek peek = TakePeek(SubmitNumber(pool, id, 0));
    CHECK(peek.address != 0 && peek.address % 4096 == 0);
    CHECK_OK(mproc_pool_unbind(pool, id));
  }
  CloseJoinDestroy(pool);
}

static void WrongOnesAreRefused(void) {
  mproc_pool_t *pool = BoundPool(1), *other = BoundPool(1);
  mproc_future_t* future = NULL;
  uint32_t id = 0, none = 77;
  int32_t any = 0;
  CHECK_STATUS(mproc_pool_bind(pool, fn_peek, NULL, 1, &none), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_bind(pool, fn_peek, "x", 1, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_bind(pool, 99, "x", 1, &none), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_STATUS(mproc_pool_bind(NULL, fn_peek, "x", 1, &none), MPROC_ERROR_INVALID_ARGUMENT);
  id = Bind(pool, fn_unbound, "x", 1);
  CHECK_STATUS(mproc_pool_bind(pool, id, "x", 1, &none), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_EQ(none, 77);
  CHECK_STATUS(mproc_pool_submit(other, id, NULL, 0, 0, &future), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_STATUS(mproc_pool_unbind(other, id), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_STATUS(mproc_pool_unbind(pool, fn_unbound), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK_STATUS(mproc_pool_submit(pool, id + 1, NULL, 0, 0, &future), MPROC_ERROR_UNKNOWN_FUNCTION);
  // By turns: what was bound for one call is not there in another.
  for (int i = 0; i < 10; i++) {
    mproc_future_t* task = Submit(pool, i % 2 ? id : fn_unbound, NULL, 0);
    WaitEnd(task);
    ReadValue(task, &any, sizeof any);
    CHECK_EQ(any, i % 2);
    Release(task);
  }
  CHECK_OK(mproc_pool_close(pool));
  CHECK_STATUS(mproc_pool_bind(pool, fn_peek, "x", 1, &none), MPROC_ERROR_NOT_RUNNING);
  CHECK_OK(mproc_pool_unbind(pool, id));
  CHECK_OK(mproc_pool_destroy(pool));
  CloseJoinDestroy(other);
}

// As the command of a pool's workers.
static int ServeModule(void) {
  mproc_table_t* table = NULL;
  void* module = dlopen(TEST_MODULE_BOUND, RTLD_NOW);
  if (!module || mproc_table_create(&table)) return 3;
  mproc_module_main_cb fill = (mproc_module_main_cb)(uintptr_t)dlsym(module, MPROC_MODULE_ENTRY_NAME);
  return fill && !fill(table) ? mproc_worker_serve(table) : 4;
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"every call takes bound functions", EveryCallTakesBoundFunctions, 0},
      {"workers may be commands", WorkersMayBeCommands, 0},
      {"memory is there once", MemoryIsThereOnce, 0},
      {"writing costs the worker only", WritingCostsTheWorkerOnly, 0},
      {"unbound while tasks wait", UnboundWhileTasksWait, 0},
      {"every end lets go", EveryEndLetsGo, 0},
      {"lazy map ends when unbound", LazyMapEndsWhenUnbound, 0},
      {"blocks are not copied", BlocksAreNotCopied, 0},
      {"worker without descriptors", WorkerWithoutDescriptors, 0},
      {"many bound functions", ManyBoundFunctions, 0},
      {"any size", AnySize, 0},
      {"wrong ones are refused", WrongOnesAreRefused, 0},
  };
  if (argc == 2 && strcmp(argv[1], "--serve") == 0) return ServeModule();
  return TEST_MAIN(argc, argv, cases);
}
