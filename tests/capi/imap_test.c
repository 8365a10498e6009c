// SPDX-License-Identifier: MIT
// Lazy maps: order, the bounds of the window, iterables and items that fail, lost workers, giving up.
#include <pthread.h>

#include "host.h"

// ---- an iterable that counts what is taken from it

typedef struct {
  int64_t count;         // items; -1: no end
  int64_t fail_at;       // where it fails with -77, if above 0, or returns or writes nonsense
  int32_t fail_with;     // instead of -77
  bool null_item;        // gives a null pointer there instead
  size_t size;           // of an item, at least 8: its number, then zeros
  bool work;             // the item is a Work whose cell is `cell` + its number
  int64_t cell, ms;      // of such
  int64_t pulls, given;  // calls, items
  int64_t told;          // what the reader has counted: never more than `most` fewer than given
  int64_t most;
  pthread_t thread;
  mproc_imap_t* inside;  // used inside the pull
  bool destroy_inside;
  char bytes[1 << 16];  // the same for every item: they must be copied
} Source;

static int32_t Pull(const void** data, size_t* size, void* user_data) {
  Source* source = user_data;
  int64_t i = source->given;
  source->pulls++;
  CHECK(pthread_equal(pthread_self(), source->thread));
  if (source->inside && source->destroy_inside) {
    CHECK_OK(mproc_imap_destroy(source->inside));
    source->inside = NULL;
  } else if (source->inside) {
    const char* text;
    CHECK_STATUS(mproc_imap_next(source->inside, 0, NULL, NULL, NULL), MPROC_ERROR_BUSY);
    CHECK_STATUS(mproc_imap_error_message(source->inside, &text), MPROC_ERROR_BUSY);
  }
  if (i == source->fail_at && (source->fail_at > 0 || source->fail_with)) {
    if (source->null_item) {
      *data = NULL;
      *size = 8;
      return MPROC_ITEM_GIVEN;
    }
    return source->fail_with ? source->fail_with : -77;
  }
  if (source->count >= 0 && i >= source->count) return MPROC_ITEM_END;
  memset(source->bytes, 0x5a, sizeof source->bytes);  // what was given before is not needed any more
  if (source->work) {
    Work work = {source->ms, source->cell + i};
    memcpy(source->bytes, &work, sizeof work);
    *size = sizeof work;
  } else {
    memset(source->bytes, 0, source->size ? source->size : 8);
    memcpy(source->bytes, &i, sizeof i);
    *size = source->size ? source->size : 8;
  }
  *data = source->bytes;
  source->given++;
  if (source->given - source->told > source->most) source->most = source->given - source->told;
  return MPROC_ITEM_GIVEN;
}
static Source* NewSource(int64_t count) {
  static Source sources[16];
  static int next;
  Source* source = &sources[next++ % 16];
  memset(source, 0, sizeof *source);
  source->count = count;
  source->thread = pthread_self();
  return source;
}

static mproc_imap_t* Start(mproc_pool_t* pool, uint32_t function, Source* source, int64_t chunk,
                           uint64_t window, int32_t flags) {
  mproc_imap_t* imap = NULL;
  NEED_OK(mproc_pool_imap(pool, function, Pull, source, chunk, window, 0, flags, &imap));
  return imap;
}
static int32_t Next(mproc_imap_t* imap, const void** data, size_t* size, uint64_t* index) {
  return mproc_imap_next(imap, TestLong(), data, size, index);
}
// The next item, which must be of this index and the square of it.
static void NeedSquare(mproc_imap_t* imap, Source* source, uint64_t wanted) {
  const void* data = NULL;
  size_t size = 0;
  uint64_t index = UINT64_MAX;
  int64_t square = -1;
  NEED_OK(Next(imap, &data, &size, &index));
  if (source) source->told++;
  CHECK_EQ(index, wanted);
  if (CHECK_EQ(size, 8)) memcpy(&square, data, 8);
  CHECK_EQ(square, (int64_t)(wanted * wanted));
}
static void NeedEnd(mproc_imap_t* imap) {
  const char* text;
  int64_t value;
  for (int i = 0; i < 3; i++) {
    CHECK_STATUS(Next(imap, NULL, NULL, NULL), MPROC_ERROR_END);
    CHECK_STATUS(mproc_imap_next(imap, 0, NULL, NULL, NULL), MPROC_ERROR_END);
  }
  CHECK_STATUS(mproc_imap_error_message(imap, &text), MPROC_ERROR_NO_ERROR);
  CHECK_STATUS(mproc_imap_info(imap, MPROC_FUTURE_INFO_ERROR_CODE, &value), MPROC_ERROR_NOT_READY);
}
static void NeedItem(mproc_imap_t* imap, int32_t status, uint64_t wanted) {
  uint64_t index = UINT64_MAX;
  CHECK_STATUS(Next(imap, NULL, NULL, &index), status);
  CHECK_EQ(index, wanted);
}
static int64_t InfoOf(mproc_imap_t* imap, int32_t which) {
  int64_t value = INT64_MIN;
  CHECK_OK(mproc_imap_info(imap, which, &value));
  return value;
}
static const char* MessageOf(mproc_imap_t* imap) {
  const char* text = NULL;
  CHECK_OK(mproc_imap_error_message(imap, &text));
  return text ? text : "";
}
static void Destroy(mproc_imap_t* imap) { CHECK_OK(mproc_imap_destroy(imap)); }

// ---- order

static void EveryWayGivesTheSame(void) {
  const int64_t chunks[] = {1, 2, 7, 64, 1000, INT64_MAX, MPROC_CHUNK_AUTO};
  const uint64_t windows[] = {0, 1, 5, 1000000};
  mproc_pool_t* pool = ReadyPool(3);
  for (int way = 0; way < 7 * 4 * 2; way++) {
    int32_t flags = way % 2 ? MPROC_IMAP_UNORDERED : MPROC_IMAP_ORDERED;
    Source* source = NewSource(100);
    char seen[100] = {0};
    mproc_imap_t* imap = Start(pool, fn_square, source, chunks[way / 8], windows[way / 2 % 4], flags);
    for (uint64_t i = 0; i < 100; i++) {
      const void* data = NULL;
      size_t size = 0;
      uint64_t index = 100;
      int64_t square = -1;
      NEED_OK(Next(imap, &data, &size, &index));
      NEED(index < 100);
      if (!(flags & MPROC_IMAP_UNORDERED)) CHECK_EQ(index, i);
      CHECK_EQ(seen[index]++, 0);
      if (CHECK_EQ(size, 8)) memcpy(&square, data, 8);
      CHECK_EQ(square, (int64_t)(index * index));
    }
    NeedEnd(imap);
    CHECK_EQ(source->pulls, 101);
    Destroy(imap);
  }
  CHECK_EQ(Begun(99), 56);
  CloseJoinDestroy(pool);
}

static void ItemsOfAnArray(void) {
  mproc_pool_t* pool = ReadyPool(2);
  char bytes[200];
  const void* items[200];
  size_t sizes[200];
  for (int64_t chunk = 1; chunk <= 6; chunk += 5) {
    mproc_imap_t* imap = NULL;
    for (size_t i = 0; i < 200; i++) {  // sizes 0 to 199
      bytes[i] = (char)i;
      items[i] = i ? bytes : NULL;
      sizes[i] = i;
    }
    NEED_OK(mproc_pool_imap_items(pool, fn_echo, items, sizes, 200, chunk, 0, 0, 0, &imap));
    memset(bytes, 'x', sizeof bytes);  // they were copied
    memset(sizes, 'x', sizeof sizes);
    memset(items, 0, sizeof items);
    for (size_t i = 0; i < 200; i++) {
      const void* data = NULL;
      size_t size = 999;
      uint64_t index = 999;
      NEED_OK(Next(imap, &data, &size, &index));
      CHECK_EQ(index, i);
      CHECK(data != NULL);
      if (CHECK_EQ(size, i) && i) CHECK_EQ(((const unsigned char*)data)[i - 1], i - 1);
    }
    NeedEnd(imap);
    Destroy(imap);
    NEED_OK(mproc_pool_imap_items(pool, fn_pile, NULL, NULL, 20, chunk, 0, 0, 0, &imap));
    for (uint64_t i = 0; i < 20; i++) {
      size_t size = 0;
      CHECK_OK(Next(imap, NULL, &size, NULL));
      CHECK_EQ(size, 8);
    }
    NeedEnd(imap);
    Destroy(imap);
  }
  CloseJoinDestroy(pool);
}

static void UnorderedIsByArrival(void) {
  const int64_t order[] = {2, 0, 3, 1};
  mproc_pool_t* pool = ReadyPool(4);
  Source* source = NewSource(4);
  uint64_t index = 9;
  source->work = true;
  source->cell = 100;
  mproc_imap_t* imap = Start(pool, fn_gate, source, 1, 0, MPROC_IMAP_UNORDERED);
  NEED_SOON(CountBegun(100, 4) == 4);
  CHECK_STATUS(mproc_imap_next(imap, 0, NULL, NULL, &index), MPROC_ERROR_TIMED_OUT);
  CHECK_STATUS(mproc_imap_next(imap, 20 * MPROC_MILLISECOND, NULL, NULL, &index), MPROC_ERROR_TIMED_OUT);
  CHECK_STATUS(mproc_imap_next(imap, -5, NULL, NULL, &index), MPROC_ERROR_TIMED_OUT);
  CHECK_EQ(index, 9);
  for (int i = 0; i < 4; i++) {
    OpenGate(100 + order[i]);
    NeedItem(imap, MPROC_OK, (uint64_t)order[i]);
  }
  NeedEnd(imap);
  Destroy(imap);
  CloseJoinDestroy(pool);
}

static void OrderedWaitsForTheFirst(void) {
  mproc_pool_t* pool = ReadyPool(4);
  Source* source = NewSource(4);
  source->work = true;
  source->cell = 100;
  mproc_imap_t* imap = Start(pool, fn_gate, source, 1, 0, 0);
  for (int64_t i = 1; i < 4; i++) OpenGate(100 + i);
  NEED_SOON(Ended(101) && Ended(102) && Ended(103));
  CHECK_STATUS(mproc_imap_next(imap, 20 * MPROC_MILLISECOND, NULL, NULL, NULL), MPROC_ERROR_TIMED_OUT);
  OpenGate(100);
  for (uint64_t i = 0; i < 4; i++) NeedItem(imap, MPROC_OK, i);
  NeedEnd(imap);
  Destroy(imap);
  CloseJoinDestroy(pool);
}

static void ItemsKnowTheirIndex(void) {
  mproc_pool_t* pool = ReadyPool(2);
  for (int64_t chunk = 1; chunk <= 7; chunk += 3) {
    mproc_imap_t* imap = Start(pool, fn_about, NewSource(50), chunk, 0, 0);
    for (uint64_t i = 0; i < 50; i++) {
      const void* data = NULL;
      size_t size = 0;
      About about = {.item = 99};
      NEED_OK(Next(imap, &data, &size, NULL));
      if (CHECK_EQ(size, sizeof about)) memcpy(&about, data, size);
      CHECK_EQ(about.item, i);
      CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_TASK_ID), about.task);
      CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_FUNCTION_ID), fn_about);
      CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_WORKER_PID), about.pid);
      CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_WORKER_NUMBER), about.number);
      CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_FAILED_ITEM), -1);
    }
    Destroy(imap);
  }
  CloseJoinDestroy(pool);
}

// ---- the window

// Reads the first `count` squares of an iterable without end; what was pulled and not told at most.
static int64_t MostHeld(mproc_pool_t* pool, int64_t count, int64_t chunk, uint64_t items) {
  Source* source = NewSource(-1);
  mproc_imap_t* imap = Start(pool, fn_square, source, chunk, items, 0);
  for (int64_t i = 0; i < count; i++) NeedSquare(imap, source, (uint64_t)i);
  CHECK(source->given <= count + source->most);
  Destroy(imap);
  return source->most;
}
static void NeverMoreThanTheWindow(void) {
  mproc_pool_t* pool = ReadyPool(3);
  CHECK_EQ(MostHeld(pool, 300, 1, 0), 6);  // 2 x workers x chunk
  CHECK_EQ(MostHeld(pool, 300, 4, 0), 24);
  CHECK_EQ(MostHeld(pool, 300, MPROC_CHUNK_AUTO, 0), 6);
  CHECK_EQ(MostHeld(pool, 300, 1, 1), 1);
  CHECK_EQ(MostHeld(pool, 300, 4, 10), 10);
  CHECK_EQ(MostHeld(pool, 300, 100, 10), 10);
  CHECK_EQ(MostHeld(pool, 300, 7, 100), 100);
  CloseJoinDestroy(pool);
}
static void NeverMoreBytesThanTheWindow(void) {
  mproc_pool_t* pool = ReadyPool(3);
  const struct {
    int64_t chunk, most;
    uint64_t bytes;
    size_t size;
  } ways[] = {// the fifth fills 5000; the sixth does not fit into 5500 but is pulled
              {1, 5, 5000, 1000}, {1, 6, 5500, 1000}, {1, 1, 1, 1000},    {1, 1, 1000, 60000},
              {4, 5, 5000, 1000}, {4, 1, 1, 1000},    {3, 6, 5500, 1000}, {50, 10, 10000, 1000}};
  for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
    Source* source = NewSource(-1);
    mproc_imap_t* imap = NULL;
    source->size = ways[w].size;
    NEED_OK(mproc_pool_imap(pool, fn_checksum, Pull, source, ways[w].chunk, 1000, ways[w].bytes, 0, &imap));
    for (uint64_t i = 0; i < 100; i++) {
      NeedItem(imap, MPROC_OK, i);
      source->told++;
    }
    CHECK_EQ(source->most, ways[w].most);
    Destroy(imap);
  }
  CloseJoinDestroy(pool);
}

static void NothingBeyondTheWindowIsPulledWhileNobodyReads(void) {
  mproc_pool_t* pool = ReadyPool(2);
  Source* source = NewSource(-1);
  mproc_imap_t* imap = Start(pool, fn_square, source, 2, 0, MPROC_IMAP_UNORDERED);
  CHECK_EQ(source->given, 8);  // work begins at once
  CHECK_SOON(CountBegun(0, 8) == 8);
  TestRest(30 * MPROC_MILLISECOND);
  CHECK_EQ(source->pulls, 8);
  Destroy(imap);
  CHECK_EQ(source->pulls, 8);
  CloseJoinDestroy(pool);
}

static void ManyItemsThroughASlowReader(void) {
  if (TestSanitized()) TestSkip("memory is measured");
  const int64_t count = 100000;
  int64_t early = 0;
  mproc_pool_t* pool = ReadyPool(2);
  for (int32_t flags = 0; flags < 2; flags++) {
    Source* source = NewSource(count);
    source->size = 1000;
    mproc_imap_t* imap = Start(pool, fn_echo, source, 5, 100, flags);
    for (int64_t i = 0; i < count; i++) {
      const void* data = NULL;
      size_t size = 0;
      NEED_OK(Next(imap, &data, &size, NULL));
      source->told++;
      if (size != 1000) CHECK_EQ(size, 1000);
      if (i % 1000 == 0) {
        TestRest(MPROC_MILLISECOND);
        CHECK(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED_BYTES) <= 110000);
      }
      if (i == 10000 && flags == 0) early = TestStatusBytes(getpid(), "VmRSS:");
    }
    CHECK_EQ(source->most, 100);
    NeedEnd(imap);
    Destroy(imap);
  }
  int64_t late = TestStatusBytes(getpid(), "VmRSS:");
  CHECK(early > 0 && late - early < 4 << 20);  // 200 MB went through
  CloseJoinDestroy(pool);
}

static void LargeItemsAndResults(void) {
  const int64_t sizes[] = {1 << 20, 3, 0, 300000, 1 << 22, 70000, 40000, 1 << 20};
  const void* items[8];
  size_t lengths[8];
  mproc_pool_t* pool = ReadyPool(2);
  for (int i = 0; i < 8; i++) {
    items[i] = &sizes[i];
    lengths[i] = 8;
  }
  for (int64_t chunk = 1; chunk <= 8; chunk += chunk) {
    mproc_imap_t* imap = NULL;
    NEED_OK(mproc_pool_imap_items(pool, fn_big, items, lengths, 8, chunk, 8, 0, 0, &imap));
    for (int i = 0; i < 8; i++) {
      const unsigned char* data = NULL;
      size_t size = 9;
      NEED_OK(Next(imap, (const void**)&data, &size, NULL));
      if (!CHECK_EQ(size, sizes[i])) continue;
      bool good = true;
      for (size_t k = 0; k < size; k += 997) good &= data[k] == PatternAt(k);
      CHECK(good);
    }
    NeedEnd(imap);
    Destroy(imap);
  }
  static char large[1 << 22];
  for (size_t i = 0; i < sizeof large; i++) large[i] = (char)PatternAt(i);
  for (int i = 0; i < 8; i++) {
    items[i] = large;
    lengths[i] = (size_t)sizes[i];
  }
  for (int64_t chunk = 1; chunk <= 8; chunk += 7) {
    mproc_imap_t* imap = NULL;
    NEED_OK(mproc_pool_imap_items(pool, fn_checksum, items, lengths, 8, chunk, 0, 1 << 20, 0, &imap));
    for (int i = 0; i < 8; i++) {
      const void* data = NULL;
      size_t size = 0;
      Sum sum = {0, 0}, wanted = SumOf(large, lengths[i]);
      NEED_OK(Next(imap, &data, &size, NULL));
      if (CHECK_EQ(size, sizeof sum)) memcpy(&sum, data, size);
      CHECK(sum.size == wanted.size && sum.sum == wanted.sum);
    }
    Destroy(imap);
  }
  CloseJoinDestroy(pool);
}

// ---- what fails

static void TheIterableFails(void) {
  const int64_t chunks[] = {1, 4, 100};
  mproc_pool_t* pool = ReadyPool(2);
  for (int way = 0; way < 6; way++) {
    int32_t flags = way % 2;
    Source* source = NewSource(-1);
    source->fail_at = 7;
    mproc_imap_t* imap = Start(pool, fn_square, source, chunks[way / 2], 0, flags);
    int64_t sum = 0;
    for (uint64_t i = 0; i < 7; i++) {
      uint64_t index = 99;
      NEED_OK(Next(imap, NULL, NULL, &index));
      sum += (int64_t)index;
      if (!flags) CHECK_EQ(index, i);
    }
    CHECK_EQ(sum, 21);
    CHECK_STATUS(Next(imap, NULL, NULL, NULL), MPROC_ERROR_ITERABLE);
    CHECK_HAS(mproc_last_error_message(), "-77");
    CHECK_HAS(MessageOf(imap), "pull callback");
    CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_ERROR_CODE), -77);
    CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_FAILED_ITEM), -1);
    NeedEnd(imap);
    CHECK_EQ(source->pulls, 8);
    Destroy(imap);
  }
  // At once, and with answers that mean nothing.
  const int32_t codes[] = {-1, INT32_MIN, 2, INT32_MAX, 1};
  for (int i = 0; i < 5; i++) {
    Source* source = NewSource(-1);
    source->fail_with = codes[i];
    source->null_item = codes[i] == 1;
    mproc_imap_t* imap = Start(pool, fn_square, source, 3, 0, 0);
    CHECK_STATUS(Next(imap, NULL, NULL, NULL), MPROC_ERROR_ITERABLE);
    CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_ERROR_CODE),
             codes[i] < 0 ? codes[i] : MPROC_ERROR_INVALID_ARGUMENT);
    NeedEnd(imap);
    CHECK_EQ(source->pulls, 1);
    Destroy(imap);
  }
  CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, 9)), 81);
  CloseJoinDestroy(pool);
}

// Items 0 to 9 by square, of which 3 and 7 fail.
static mproc_imap_t* StartFailing(mproc_pool_t* pool, int64_t chunk, int32_t flags) {
  static int64_t numbers[10];
  const void* items[10];
  size_t sizes[10];
  mproc_imap_t* imap = NULL;
  for (int i = 0; i < 10; i++) {
    numbers[i] = i == 3 || i == 7 ? -i : i;
    items[i] = &numbers[i];
    sizes[i] = 8;
  }
  NEED_OK(mproc_pool_imap_items(pool, fn_square, items, sizes, 10, chunk, 0, 0, flags, &imap));
  return imap;
}
static void ItemsFail(void) {
  mproc_pool_t* pool = ReadyPool(2);
  for (int way = 0; way < 4; way++) {
    int64_t chunk = way % 2 ? 4 : 1;
    int32_t flags = way / 2 ? MPROC_IMAP_KEEP_GOING : 0;
    mproc_imap_t* imap = StartFailing(pool, chunk, flags);
    for (uint64_t i = 0; i < 10; i++) {
      const char* text = NULL;
      if (i == 3 || i == 7) {
        NeedItem(imap, MPROC_ERROR_TASK, i);
        CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_ERROR_CODE), i);
        CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_FAILED_ITEM), i);
        CHECK(InfoOf(imap, MPROC_FUTURE_INFO_WORKER_PID) > 0);
        CHECK(strcmp(MessageOf(imap), "negative") == 0);
        CHECK_HAS(mproc_last_error_message(), "negative");
        CHECK_OK(mproc_imap_error_type(imap, &text));
        CHECK_HAS(text, "TestError");
        CHECK_OK(mproc_imap_error_trace(imap, &text));
        CHECK(text && !*text);
      } else {
        NeedSquare(imap, NULL, i);
        CHECK_STATUS(mproc_imap_error_message(imap, &text), MPROC_ERROR_NO_ERROR);
        CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_ERROR_CODE), 0);
      }
    }
    NeedEnd(imap);
    Destroy(imap);
  }
  CloseJoinDestroy(pool);
}
static void TheRestOfAFailingChunkIsNotRun(void) {
  mproc_pool_t* pool = ReadyPool(2);
  for (int32_t flags = 0; flags < 2; flags++) {
    mproc_imap_t* imap = StartFailing(pool, 5, flags);  // 0 to 4, 5 to 9
    int32_t status[10];
    for (int i = 0; i < 10; i++) {
      uint64_t index = 10;
      int32_t one = Next(imap, NULL, NULL, &index);
      NEED(index < 10);
      status[index] = one;
      if (one == MPROC_ERROR_NOT_RUN) CHECK_HAS(MessageOf(imap), "earlier item");
    }
    for (int i = 0; i < 10; i++) {
      CHECK_STATUS(status[i], i == 3 || i == 7             ? MPROC_ERROR_TASK
                              : i == 4 || i == 8 || i == 9 ? MPROC_ERROR_NOT_RUN
                                                           : MPROC_OK);
    }
    NeedEnd(imap);
    Destroy(imap);
  }
  CHECK_EQ(Begun(2), 2);
  CHECK_EQ(Begun(4), 0);
  CHECK_EQ(Begun(9), 0);
  mproc_imap_t* imap = StartFailing(pool, 5, MPROC_IMAP_KEEP_GOING);
  for (int i = 0; i < 10; i++)
    CHECK_STATUS(Next(imap, NULL, NULL, NULL), i == 3 || i == 7 ? MPROC_ERROR_TASK : MPROC_OK);
  Destroy(imap);
  CHECK_EQ(Begun(9), 1);
  CloseJoinDestroy(pool);
}

static void ALostWorkerCostsItsChunk(void) {
  mproc_pool_t* pool = ReadyPool(2);
  for (int64_t chunk = 1; chunk <= 4; chunk += 3) {
    mproc_imap_t* imap = Start(pool, fn_lottery, NewSource(40), chunk, 0, 0);
    for (uint64_t i = 0; i < 40; i++) {
      bool lost = chunk == 1 ? i == 13 : i / 4 == 3;  // 13 is among 12 to 15
      if (!lost) {
        NeedSquare(imap, NULL, i);
        continue;
      }
      NeedItem(imap, MPROC_ERROR_WORKER_LOST, i);
      CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_SIGNAL);
      CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_SIGNAL), SIGKILL);
      CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_FAILED_ITEM), i);
      CHECK_HAS(MessageOf(imap), "worker");
    }
    NeedEnd(imap);
    Destroy(imap);
  }
  mproc_imap_t* imap = Start(pool, fn_lottery, NewSource(40), 1, 0, MPROC_IMAP_UNORDERED);
  int good = 0, lost = 0;
  for (int i = 0; i < 40; i++) {
    int32_t status = Next(imap, NULL, NULL, NULL);
    good += status == MPROC_OK;
    lost += status == MPROC_ERROR_WORKER_LOST;
  }
  CHECK_EQ(good, 39);
  CHECK_EQ(lost, 1);
  NeedEnd(imap);
  Destroy(imap);
  CloseJoinDestroy(pool);
}

static void NothingToDo(void) {
  mproc_imap_t* imap = NULL;
  mproc_pool_t* pool = ReadyPool(1);
  for (int32_t flags = 0; flags < 4; flags++) {
    Source* source = NewSource(0);
    imap = Start(pool, fn_square, source, 3, 0, flags);
    NeedEnd(imap);
    CHECK_EQ(source->pulls, 1);
    Destroy(imap);
    NEED_OK(mproc_pool_imap_items(pool, fn_square, NULL, NULL, 0, 3, 0, 0, flags, &imap));
    NeedEnd(imap);
    Destroy(imap);
  }
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_SUBMITTED), 0);
  CloseJoinDestroy(pool);
}

// ---- the end of the pool

static void CanBeReadAfterCloseAndJoin(void) {
  for (int way = 0; way < 4; way++) {
    mproc_pool_t* pool = ReadyPool(3);
    Source *all = NewSource(6), *more = NewSource(60);
    mproc_imap_t* imap = Start(pool, fn_square, all, 1, 0, way % 2);  // the window is just as large
    mproc_imap_t* other = Start(pool, fn_square, more, 4, 24, way % 2);
    CHECK_OK(Next(other, NULL, NULL, NULL));
    CHECK_OK(mproc_pool_close(pool));
    CHECK_OK(mproc_pool_join(pool, TestLong()));
    if (way / 2) CHECK_OK(mproc_pool_destroy(pool));
    for (int i = 0; i < 6; i++) CHECK_OK(Next(imap, NULL, NULL, NULL));
    NeedEnd(imap);
    CHECK_EQ(all->pulls, 7);
    Destroy(imap);
    // What was pulled is told; one more item shows that the iterable had not ended.
    for (int i = 1; i < 24; i++) CHECK_OK(Next(other, NULL, NULL, NULL));
    NeedItem(other, MPROC_ERROR_NOT_RUN, 24);
    CHECK_EQ(InfoOf(other, MPROC_FUTURE_INFO_ERROR_CODE), MPROC_ERROR_NOT_RUNNING);
    CHECK_HAS(MessageOf(other), "closed");
    NeedEnd(other);
    CHECK_EQ(more->pulls, 25);
    Destroy(other);
    if (!(way / 2)) CHECK_OK(mproc_pool_destroy(pool));
  }
}

static void TerminatedAndDestroyed(void) {
  for (int way = 0; way < 8; way++) {
    int64_t chunk = way & 4 ? 3 : 1, cause = way & 2 ? MPROC_CAUSE_DESTROY : MPROC_CAUSE_TERMINATE;
    mproc_pool_t* pool = ReadyPool(2);
    Source* source = NewSource(-1);
    source->work = true;
    source->cell = 1000 * way;
    mproc_imap_t* imap = Start(pool, fn_gate, source, chunk, 12, way % 2);
    NEED_SOON(CountBegun(1000 * way, 12) == 2);
    int64_t begin = TestNow();
    if (way & 2) {
      CHECK_OK(mproc_pool_destroy(pool));
    } else {
      CHECK_OK(mproc_pool_terminate(pool));
    }
    CHECK(TestNow() - begin < 5 * MPROC_SECOND * TestSlowness());
    for (uint64_t i = 0; i < 13; i++) {
      uint64_t index = 99;
      CHECK_STATUS(Next(imap, NULL, NULL, &index), MPROC_ERROR_CANCELLED);
      if (!(way % 2)) CHECK_EQ(index, i);
      CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_CAUSE), cause);
    }
    NeedEnd(imap);
    CHECK_EQ(source->given, 13);  // the last one could not be submitted
    Destroy(imap);
    if (!(way & 2)) CHECK_OK(mproc_pool_destroy(pool));
  }
}

static void ABrokenPoolRunsNothing(void) {
  mproc_pool_options_t* options = Options(1);
  mproc_imap_t* imap = NULL;
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_REFUSING));
  mproc_pool_t* pool = CreateWith(options);
  int32_t begun = mproc_pool_imap(pool, fn_square, Pull, NewSource(-1), 2, 4, 0, 0, &imap);
  if (begun != MPROC_ERROR_BROKEN && CHECK_OK(begun)) {
    for (uint64_t i = 0; i < 4; i++) {
      NeedItem(imap, MPROC_ERROR_NOT_RUN, i);
      CHECK_EQ(InfoOf(imap, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_BROKEN);
    }
    while (Next(imap, NULL, NULL, NULL) == MPROC_ERROR_NOT_RUN) {
    }
    NeedEnd(imap);
    Destroy(imap);
  }
  CHECK_STATUS(mproc_pool_imap(pool, fn_square, Pull, NewSource(-1), 2, 4, 0, 0, &imap), MPROC_ERROR_BROKEN);
  CHECK_OK(mproc_pool_destroy(pool));
}

// ---- giving up

static void AbandonedAtAnyPoint(void) {
  const int reads[] = {0, 1, 2, 5, 11, 29, 30, 31};
  mproc_pool_t* pool = ReadyPool(2);
  for (int way = 0; way < 8 * 4; way++) {
    mproc_imap_t* imap = Start(pool, fn_square, NewSource(30), way & 2 ? 4 : 1, 0, way % 2);
    for (int i = 0; i < reads[way / 4]; i++) {
      CHECK_STATUS(Next(imap, NULL, NULL, NULL), i < 30 ? MPROC_OK : MPROC_ERROR_END);
    }
    Destroy(imap);
    CHECK_STATUS(mproc_imap_destroy(imap), MPROC_ERROR_STALE_HANDLE);
    CHECK_STATUS(mproc_imap_next(imap, 0, NULL, NULL, NULL), MPROC_ERROR_STALE_HANDLE);
  }
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED) == 0);
  CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, 9)), 81);
  CloseJoinDestroy(pool);
}

static void WhatIsAbandonedIsTakenBack(void) {
  mproc_pool_t* pool = ReadyPool(2);
  for (int32_t flags = 0; flags < 2; flags++) {
    Source* source = NewSource(-1);
    source->work = true;
    source->cell = 10000 * (1 + flags);
    mproc_imap_t* imap = Start(pool, fn_gate, source, 1, 2000, flags);
    NEED_SOON(CountBegun(source->cell, 2000) == 2);
    CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED), 1998);
    int64_t begin = TestNow();
    Destroy(imap);
    CHECK(TestNow() - begin < MPROC_SECOND * TestSlowness());
    CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_QUEUED), 0);
    CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_RUNNING), 2);
    OpenAllGates();
    CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_RUNNING) == 0);
    CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, 9)), 81);
    CHECK_EQ(CountBegun(source->cell, 2000), 2);
    atomic_store(&g_board->all_open, 0);
  }
  Source* source = NewSource(-1);
  source->work = true;
  source->cell = 50000;
  mproc_imap_t* imap = Start(pool, fn_gate, source, 5, 500, 0);
  NEED_SOON(CountBegun(50000, 500) == 2);
  Destroy(imap);
  int64_t begin = TestNow();
  CHECK_OK(mproc_pool_terminate(pool));
  CHECK_OK(mproc_pool_join(pool, TestLong()));
  CHECK(TestNow() - begin < 5 * MPROC_SECOND * TestSlowness());
  CHECK_OK(mproc_pool_destroy(pool));
}

static void WrongArguments(void) {
  const int32_t invalid = MPROC_ERROR_INVALID_ARGUMENT;
  mproc_pool_t* pool = ReadyPool(1);
  mproc_imap_t* imap = NULL;
  Source* source = NewSource(3);
  const char* text;
  int64_t value;
  const void* items[2] = {"12345678", NULL};
  const size_t sizes[2] = {8, 8};
  const int64_t chunks[] = {0, -1, INT64_MIN + 1};
  for (int i = 0; i < 3; i++) {
    CHECK_STATUS(mproc_pool_imap(pool, fn_square, Pull, source, chunks[i], 0, 0, 0, &imap), invalid);
    CHECK_STATUS(mproc_pool_imap_items(pool, fn_square, items, sizes, 1, chunks[i], 0, 0, 0, &imap), invalid);
  }
  CHECK_STATUS(mproc_pool_imap(pool, fn_square, NULL, source, 1, 0, 0, 0, &imap), invalid);
  CHECK_STATUS(mproc_pool_imap(pool, fn_square, Pull, source, 1, 0, 0, 0, NULL), invalid);
  CHECK_STATUS(mproc_pool_imap(pool, fn_square, Pull, source, 1, 0, 0, 4, &imap), invalid);
  CHECK_STATUS(mproc_pool_imap(pool, fn_square, Pull, source, 1, 0, 0, -1, &imap), invalid);
  CHECK_STATUS(mproc_pool_imap(NULL, fn_square, Pull, source, 1, 0, 0, 0, &imap), invalid);
  CHECK_STATUS(mproc_pool_imap_items(pool, fn_square, items, sizes, 2, 1, 0, 0, 0, &imap), invalid);
  CHECK_STATUS(mproc_pool_imap_items(pool, fn_square, NULL, sizes, 2, 1, 0, 0, 0, &imap), invalid);
  CHECK_STATUS(mproc_pool_imap_items(pool, fn_square, items, sizes, 1, 1, 0, 0, 0, NULL), invalid);
  CHECK_STATUS(mproc_pool_imap(pool, 9999, Pull, source, 1, 0, 0, 0, &imap), MPROC_ERROR_UNKNOWN_FUNCTION);
  CHECK(imap == NULL);
  CHECK_EQ(source->pulls, 0);
  CHECK_STATUS(mproc_imap_next(NULL, 0, NULL, NULL, NULL), invalid);
  CHECK_STATUS(mproc_imap_error_message(NULL, &text), invalid);
  CHECK_STATUS(mproc_imap_info(NULL, MPROC_FUTURE_INFO_CAUSE, &value), invalid);
  CHECK_OK(mproc_imap_destroy(NULL));
  CHECK_STATUS(mproc_imap_next((mproc_imap_t*)pool, 0, NULL, NULL, NULL), MPROC_ERROR_INVALID_HANDLE);
  CHECK_STATUS(mproc_imap_destroy((mproc_imap_t*)&value), MPROC_ERROR_INVALID_HANDLE);
  imap = Start(pool, fn_square, source, 1, 0, 0);
  CHECK_STATUS(mproc_pool_destroy((mproc_pool_t*)imap), MPROC_ERROR_INVALID_HANDLE);
  CHECK_STATUS(mproc_imap_info(imap, MPROC_FUTURE_INFO_CAUSE, &value), MPROC_ERROR_NOT_READY);
  NeedSquare(imap, source, 0);
  CHECK_STATUS(mproc_imap_error_message(imap, NULL), invalid);
  CHECK_STATUS(mproc_imap_info(imap, MPROC_FUTURE_INFO_CAUSE, NULL), invalid);
  CHECK_STATUS(mproc_imap_info(imap, 0, &value), invalid);
  CHECK_STATUS(mproc_imap_info(imap, 10, &value), invalid);
  Destroy(imap);
  CHECK_STATUS(mproc_imap_destroy(imap), MPROC_ERROR_STALE_HANDLE);
  CHECK_OK(mproc_pool_close(pool));
  imap = NULL;
  CHECK_STATUS(mproc_pool_imap(pool, fn_square, Pull, source, 1, 0, 0, 0, &imap), MPROC_ERROR_NOT_RUNNING);
  CHECK(imap == NULL);
  CHECK_OK(mproc_pool_destroy(pool));
}

// ---- threads

typedef struct {
  mproc_imap_t* imap;
  atomic_int at;
  int32_t status;
  uint64_t seen[4000];
  int got;
} Reader;

static void* WaitInNext(void* argument) {
  Reader* reader = argument;
  atomic_store(&reader->at, 1);
  do {  // the other thread asks whether this one is inside
    reader->status = mproc_imap_next(reader->imap, TestLong(), NULL, NULL, NULL);
  } while (reader->status == MPROC_ERROR_BUSY);
  atomic_store(&reader->at, 2);
  return NULL;
}
static void OneCallAtATime(void) {
  mproc_pool_t* pool = ReadyPool(2);
  for (int way = 0; way < 4; way++) {
    static Reader reader;
    pthread_t thread;
    const char* text;
    memset(&reader, 0, sizeof reader);
    Source* source = NewSource(2);
    source->work = true;
    source->cell = 10 * way;
    reader.imap = Start(pool, fn_gate, source, 1, 0, way % 2);
    NEED_SOON(CountBegun(10 * way, 2) == 2);
    source->count = 2;
    NEED(pthread_create(&thread, NULL, WaitInNext, &reader) == 0);
    source->thread = thread;  // it asks the iterable once more
    CHECK_SOON(mproc_imap_error_message(reader.imap, &text) == MPROC_ERROR_BUSY);
    CHECK_STATUS(mproc_imap_next(reader.imap, 0, NULL, NULL, NULL), MPROC_ERROR_BUSY);
    if (way / 2) {  // abandoned under its reader
      Destroy(reader.imap);
      CHECK_SOON(atomic_load(&reader.at) == 2);
      CHECK_STATUS(reader.status, MPROC_ERROR_STALE_HANDLE);
      OpenGate(10 * way);
      OpenGate(10 * way + 1);
    } else {
      OpenGate(10 * way);
      OpenGate(10 * way + 1);
      CHECK_SOON(atomic_load(&reader.at) == 2);
      CHECK_STATUS(reader.status, MPROC_OK);
    }
    pthread_join(thread, NULL);
    if (way / 2) continue;
    source->thread = pthread_self();
    CHECK_OK(Next(reader.imap, NULL, NULL, NULL));  // another thread may go on
    NeedEnd(reader.imap);
    Destroy(reader.imap);
  }
  CloseJoinDestroy(pool);
}

static int32_t Numbers(const void** data, size_t* size, void* user_data) {
  static int64_t number;
  int64_t* next = user_data;
  if (*next == 4000) return MPROC_ITEM_END;
  number = (*next)++;
  *data = &number;
  *size = sizeof number;
  return MPROC_ITEM_GIVEN;
}
static void* ReadAll(void* argument) {
  Reader* reader = argument;
  for (;;) {
    uint64_t index = 0;
    reader->status = mproc_imap_next(reader->imap, TestLong(), NULL, NULL, &index);
    if (reader->status == MPROC_OK) reader->seen[reader->got++] = index;
    if (reader->status == MPROC_OK || reader->status == MPROC_ERROR_BUSY) continue;
    return NULL;
  }
}
static void ManyReadersTakeEachItemOnce(void) {
  mproc_pool_t* pool = ReadyPool(2);
  static Reader readers[4];
  for (int32_t flags = 0; flags < 2; flags++) {
    mproc_imap_t* imap = NULL;
    pthread_t threads[4];
    int64_t next = 0;
    static char seen[4000];
    int all = 0;
    memset(seen, 0, sizeof seen);
    memset(readers, 0, sizeof readers);
    NEED_OK(mproc_pool_imap(pool, fn_square, Numbers, &next, 3, 0, 0, flags, &imap));
    for (int i = 0; i < 4; i++) {
      readers[i].imap = imap;
      NEED(pthread_create(&threads[i], NULL, ReadAll, &readers[i]) == 0);
    }
    for (int i = 0; i < 4; i++) {
      pthread_join(threads[i], NULL);
      CHECK_STATUS(readers[i].status, MPROC_ERROR_END);
      for (int k = 0; k < readers[i].got; k++) CHECK_EQ(seen[readers[i].seen[k]]++, 0);
      all += readers[i].got;
    }
    CHECK_EQ(all, 4000);
    Destroy(imap);
  }
  CloseJoinDestroy(pool);
}

static void ThePullMayUseTheLibrary(void) {
  mproc_pool_t* pool = ReadyPool(2);
  Source* source = NewSource(20);
  mproc_imap_t* imap = Start(pool, fn_square, source, 2, 4, 0);
  source->inside = imap;  // every call on its own iterator is BUSY
  for (uint64_t i = 0; i < 20; i++) NeedSquare(imap, source, i);
  NeedEnd(imap);
  Destroy(imap);
  // But for destroy, which is fine.
  for (int64_t chunk = 1; chunk <= 2; chunk++) {
    source = NewSource(-1);
    imap = Start(pool, fn_square, source, chunk, 4, MPROC_IMAP_UNORDERED);
    CHECK_OK(Next(imap, NULL, NULL, NULL));
    source->inside = imap;
    source->destroy_inside = true;
    CHECK_STATUS(Next(imap, NULL, NULL, NULL), MPROC_ERROR_STALE_HANDLE);
    CHECK_STATUS(mproc_imap_destroy(imap), MPROC_ERROR_STALE_HANDLE);
  }
  CloseJoinDestroy(pool);
}

// ---- beside the rest of the pool

static atomic_int g_called;
static void ReadInside(mproc_future_t* future, void* user_data) {
  (void)future;
  mproc_imap_t* imap = user_data;
  for (int i = 0; i < 5; i++) CHECK_OK(Next(imap, NULL, NULL, NULL));
  atomic_fetch_add(&g_called, 1);
}
static void EveryCallbackMode(void) {
  const int32_t modes[] = {MPROC_CALLBACKS_THREAD, MPROC_CALLBACKS_DISPATCH, MPROC_CALLBACKS_NEXT};
  for (int m = 0; m < 3; m++) {
    mproc_pool_options_t* options = Options(2);
    NEED_OK(mproc_pool_options_set_callbacks(options, modes[m]));
    mproc_pool_t* pool = ReadyWith(options);
    for (int32_t flags = 0; flags < 2; flags++) {
      mproc_imap_t* imap = Start(pool, fn_square, NewSource(50), 3, 0, flags);
      for (int i = 0; i < 50; i++) CHECK_OK(Next(imap, NULL, NULL, NULL));
      NeedEnd(imap);
      Destroy(imap);
    }
    if (modes[m] == MPROC_CALLBACKS_DISPATCH) {
      size_t ran = 9;
      CHECK_OK(mproc_pool_dispatch(pool, 0, &ran));
      CHECK_EQ(ran, 0);
    } else if (modes[m] == MPROC_CALLBACKS_NEXT) {
      mproc_future_t* future;
      CHECK_STATUS(mproc_pool_next(pool, 0, &future, NULL), MPROC_ERROR_TIMED_OUT);
    }
    if (modes[m] != MPROC_CALLBACKS_NEXT) {  // inside a callback, too
      mproc_future_t* future = NULL;
      int64_t number = 3, next = 0;
      mproc_imap_t* imap = NULL;
      atomic_store(&g_called, 0);
      NEED_OK(mproc_pool_imap(pool, fn_square, Numbers, &next, 1, 0, 0, 0, &imap));
      NEED_OK(mproc_pool_submit_callback(pool, fn_square, &number, 8, MPROC_FOREVER, ReadInside, NULL, imap,
                                         &future));
      WaitEnd(future);
      if (modes[m] == MPROC_CALLBACKS_DISPATCH) CHECK_OK(mproc_pool_dispatch(pool, 0, NULL));
      CHECK_EQ(atomic_load(&g_called), 1);
      Release(future);
      Destroy(imap);
    }
    CloseJoinDestroy(pool);
  }
}

static void TheQueueIsBounded(void) {
  mproc_pool_options_t* options = Options(1);
  NEED_OK(mproc_pool_options_set_queue_limits(options, 2, 0));
  mproc_pool_t* pool = ReadyWith(options);
  for (int way = 0; way < 4; way++) {
    Source* source = NewSource(60);
    mproc_imap_t* imap = Start(pool, fn_square, source, way & 2 ? 4 : 1, 50, way % 2);
    CHECK(source->given < 60);
    for (int i = 0; i < 60; i++) CHECK_OK(Next(imap, NULL, NULL, NULL));
    NeedEnd(imap);
    Destroy(imap);
  }
  CloseJoinDestroy(pool);
  // Others fill the queue: the call waits for room, within its limit.
  options = Options(1);
  NEED_OK(mproc_pool_options_set_queue_limits(options, 2, 0));
  pool = ReadyWith(options);
  mproc_future_t* futures[64];
  int count = 0;
  Work work = {0, 7};
  while (count < 64 && mproc_pool_submit(pool, fn_gate, &work, sizeof work, 0, &futures[count]) == MPROC_OK) {
    count++;
  }
  NEED(count < 64);
  mproc_imap_t* imap = Start(pool, fn_square, NewSource(9), 1, 0, 0);
  CHECK_STATUS(mproc_imap_next(imap, 0, NULL, NULL, NULL), MPROC_ERROR_TIMED_OUT);
  CHECK_STATUS(mproc_imap_next(imap, 20 * MPROC_MILLISECOND, NULL, NULL, NULL), MPROC_ERROR_TIMED_OUT);
  OpenGate(7);
  for (uint64_t i = 0; i < 9; i++) NeedSquare(imap, NULL, i);
  NeedEnd(imap);
  Destroy(imap);
  for (int i = 0; i < count; i++) Release(futures[i]);
  CloseJoinDestroy(pool);
}

static void AWaitCanBeEnded(void) {
  mproc_pool_t* pool = ReadyPool(1);
  for (int32_t flags = 0; flags < 2; flags++) {
    Source* source = NewSource(1);
    source->work = true;
    source->cell = 5 + flags;
    mproc_imap_t* imap = Start(pool, fn_gate, source, 1, 0, flags);
    CHECK_OK(mproc_pool_wake(pool));
    CHECK_STATUS(Next(imap, NULL, NULL, NULL), MPROC_ERROR_INTERRUPTED);
    OpenGate(5 + flags);
    NeedItem(imap, MPROC_OK, 0);
    NeedEnd(imap);
    Destroy(imap);
  }
  CloseJoinDestroy(pool);
}

static void ManyAtOnce(void) {
  mproc_pool_t* pool = ReadyPool(2);
  mproc_imap_t* imaps[8];
  Source* sources[8];
  for (int k = 0; k < 8; k++) {
    sources[k] = NewSource(100);
    imaps[k] = Start(pool, fn_square, sources[k], 1 + k, 0, 0);
  }
  mproc_future_t* map = NULL;
  NEED_OK(mproc_pool_map(pool, fn_noop, NULL, NULL, 500, 1, 0, TestLong(), &map));
  Release(map);
  for (uint64_t i = 0; i < 100; i++) {
    for (int k = 0; k < 8; k++) NeedSquare(imaps[k], sources[k], i);
  }
  for (int k = 0; k < 8; k++) {
    NeedEnd(imaps[k]);
    Destroy(imaps[k]);
  }
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"every way gives the same", EveryWayGivesTheSame, 0},
      {"items of an array", ItemsOfAnArray, 0},
      {"unordered is by arrival", UnorderedIsByArrival, 0},
      {"ordered waits for the first", OrderedWaitsForTheFirst, 0},
      {"items know their index", ItemsKnowTheirIndex, 0},
      {"never more than the window", NeverMoreThanTheWindow, 0},
      {"never more bytes than the window", NeverMoreBytesThanTheWindow, 0},
      {"nothing beyond the window is pulled while nobody reads",
       NothingBeyondTheWindowIsPulledWhileNobodyReads, 0},
      {"many items through a slow reader", ManyItemsThroughASlowReader, 0},
      {"large items and results", LargeItemsAndResults, 0},
      {"the iterable fails", TheIterableFails, 0},
      {"items fail", ItemsFail, 0},
      {"the rest of a failing chunk is not run", TheRestOfAFailingChunkIsNotRun, 0},
      {"a lost worker costs its chunk", ALostWorkerCostsItsChunk, 0},
      {"nothing to do", NothingToDo, 0},
      {"can be read after close and join", CanBeReadAfterCloseAndJoin, 0},
      {"terminated and destroyed", TerminatedAndDestroyed, 0},
      {"a broken pool runs nothing", ABrokenPoolRunsNothing, 0},
      {"abandoned at any point", AbandonedAtAnyPoint, 0},
      {"what is abandoned is taken back", WhatIsAbandonedIsTakenBack, 0},
      {"wrong arguments", WrongArguments, 0},
      {"one call at a time", OneCallAtATime, 0},
      {"many readers take each item once", ManyReadersTakeEachItemOnce, 0},
      {"the pull may use the library", ThePullMayUseTheLibrary, 0},
      {"every callback mode", EveryCallbackMode, 0},
      {"the queue is bounded", TheQueueIsBounded, 0},
      {"a wait can be ended", AWaitCanBeEnded, 0},
      {"many at once", ManyAtOnce, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
