// SPDX-License-Identifier: MIT
// Values from C: writing, reading, what is refused and leaves everything as it was; and on their way to a
// worker and back. The bytes themselves are the business of tests/codec.
#include <math.h>
#include <sys/resource.h>

#include "host.h"

static mproc_value_t* NewValue(void) {
  mproc_value_t* value = NULL;
  NEED_OK(mproc_value_create(&value));
  return value;
}
static void Destroy(mproc_value_t* value) { CHECK_OK(mproc_value_destroy(value)); }
static int32_t Kind(mproc_value_t* value, uint64_t node) {
  int32_t kind = -1;
  CHECK_OK(mproc_value_kind(value, node, &kind));
  return kind;
}

static void KindsAreToldApart(void) {
  mproc_value_t* value = NewValue();
  CHECK_OK(mproc_value_begin_list(value));
  CHECK_OK(mproc_value_put_int(value, 1));
  CHECK_OK(mproc_value_put_uint(value, 1));
  CHECK_OK(mproc_value_put_double(value, 1.0));
  CHECK_OK(mproc_value_put_string(value, "1", 1));
  CHECK_OK(mproc_value_put_bytes(value, "1", 1));
  CHECK_OK(mproc_value_put_bool(value, 7));
  CHECK_OK(mproc_value_put_nil(value));
  CHECK_OK(mproc_value_end(value));
  static const int32_t wanted[] = {MPROC_VALUE_INT,    MPROC_VALUE_UINT,  MPROC_VALUE_DOUBLE,
                                   MPROC_VALUE_STRING, MPROC_VALUE_BYTES, MPROC_VALUE_BOOL,
                                   MPROC_VALUE_NIL};
  uint64_t entry = 0, count = 0, number = 0;
  int64_t integer = 0;
  int32_t truth = 0;
  double real = 0;
  const char* text = NULL;
  const void* data = NULL;
  size_t size = 0;
  CHECK_OK(mproc_value_count(value, 0, &count));
  CHECK_EQ(count, 7);
  for (uint64_t i = 0; i < 7; i++) {
    CHECK_OK(mproc_value_list_at(value, 0, i, &entry));
    CHECK_EQ(Kind(value, entry), wanted[i]);
    int32_t kind = wanted[i];
    int is_number = kind == MPROC_VALUE_INT || kind == MPROC_VALUE_UINT;
    CHECK_STATUS(mproc_value_get_int(value, entry, &integer), is_number ? MPROC_OK : MPROC_ERROR_WRONG_KIND);
    CHECK_STATUS(mproc_value_get_uint(value, entry, &number), is_number ? MPROC_OK : MPROC_ERROR_WRONG_KIND);
    CHECK_STATUS(mproc_value_get_double(value, entry, &real),
                 kind == MPROC_VALUE_DOUBLE ? MPROC_OK : MPROC_ERROR_WRONG_KIND);
    CHECK_STATUS(mproc_value_get_string(value, entry, &text, &size),
                 kind == MPROC_VALUE_STRING ? MPROC_OK : MPROC_ERROR_WRONG_KIND);
    CHECK_STATUS(mproc_value_get_bytes(value, entry, &data, &size),
                 kind == MPROC_VALUE_BYTES ? MPROC_OK : MPROC_ERROR_WRONG_KIND);
    CHECK_STATUS(mproc_value_get_bool(value, entry, &truth),
                 kind == MPROC_VALUE_BOOL ? MPROC_OK : MPROC_ERROR_WRONG_KIND);
  }
  CHECK_EQ(integer, 1);
  CHECK_EQ(number, 1);
  CHECK(real == 1.0);
  CHECK_EQ(truth, 1);
  CHECK(size == 1 && text[0] == '1' && *(const char*)data == '1');
  Destroy(value);
}

static void NumbersKeepTheirRange(void) {
  mproc_value_t* value = NewValue();
  int64_t integer = 0;
  uint64_t number = 0;
  double real = 0;
  CHECK_OK(mproc_value_put_uint(value, UINT64_MAX));
  CHECK_STATUS(mproc_value_get_int(value, 0, &integer), MPROC_ERROR_WRONG_KIND);
  CHECK_OK(mproc_value_get_uint(value, 0, &number));
  CHECK(number == UINT64_MAX);
  CHECK_OK(mproc_value_clear(value));
  CHECK_OK(mproc_value_put_int(value, INT64_MIN));
  CHECK_STATUS(mproc_value_get_uint(value, 0, &number), MPROC_ERROR_WRONG_KIND);
  CHECK_OK(mproc_value_get_int(value, 0, &integer));
  CHECK(integer == INT64_MIN);
  static const double doubles[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, 5e-324};
  for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++) {
    CHECK_OK(mproc_value_clear(value));
    CHECK_OK(mproc_value_put_double(value, doubles[i]));
    CHECK_OK(mproc_value_get_double(value, 0, &real));
    CHECK(memcmp(&real, &doubles[i], sizeof real) == 0);
  }
  Destroy(value);
}

static void ArraysLieAligned(void) {
  static const float floats[] = {1.5f, -2.5f, 3.5f};
  mproc_value_t* value = NewValue();
  CHECK_OK(mproc_value_begin_map(value));
  CHECK_OK(mproc_value_put_string(value, "odd", 3));
  CHECK_OK(mproc_value_put_array(value, MPROC_ELEMENT_FLOAT32, floats, 3));
  CHECK_OK(mproc_value_put_string(value, "none", 4));
  CHECK_OK(mproc_value_put_array(value, MPROC_ELEMENT_INT64, NULL, 0));
  CHECK_OK(mproc_value_end(value));
  uint64_t entry = 0, count = 9;
  int32_t type = 0;
  const void* elements = NULL;
  CHECK_OK(mproc_value_map_find(value, 0, "odd", 3, &entry));
  CHECK_OK(mproc_value_get_array(value, entry, &type, &elements, &count));
  CHECK_EQ(type, MPROC_ELEMENT_FLOAT32);
  CHECK_EQ(count, 3);
  CHECK_EQ((uintptr_t)elements % 8, 0);
  CHECK(memcmp(elements, floats, sizeof floats) == 0);
  CHECK_OK(mproc_value_map_find(value, 0, "none", 4, &entry));
  CHECK_OK(mproc_value_get_array(value, entry, &type, &elements, &count));
  CHECK_EQ(count, 0);
  CHECK_STATUS(mproc_value_map_find(value, 0, "no", 2, &entry), MPROC_ERROR_NO_VALUE);
  CHECK_STATUS(mproc_value_put_array(value, 11, floats, 3), MPROC_ERROR_INVALID_ARGUMENT);
  Destroy(value);
}

static void WhatIsRefusedLeavesNoTrace(void) {
  mproc_value_t* value = NewValue();
  const void* data = NULL;
  size_t size = 0;
  CHECK_STATUS(mproc_value_encode(value, &data, &size), MPROC_ERROR_NOT_READY);
  CHECK_STATUS(mproc_value_end(value), MPROC_ERROR_WRONG_KIND);
  CHECK_STATUS(mproc_value_put_string(value, "\xff", 1), MPROC_ERROR_BAD_VALUE);
  CHECK_OK(mproc_value_begin_map(value));
  CHECK_STATUS(mproc_value_begin_list(value), MPROC_ERROR_WRONG_KIND);
  CHECK_STATUS(mproc_value_put_array(value, MPROC_ELEMENT_INT8, "x", 1), MPROC_ERROR_WRONG_KIND);
  CHECK_OK(mproc_value_put_int(value, 5));
  CHECK_STATUS(mproc_value_end(value), MPROC_ERROR_WRONG_KIND);  // a key without a value
  CHECK_STATUS(mproc_value_put_string(value, "\xc0\x80", 2), MPROC_ERROR_BAD_VALUE);
  CHECK_OK(mproc_value_put_nil(value));
  CHECK_STATUS(mproc_value_put_int(value, 5), MPROC_ERROR_DUPLICATE);
  CHECK_STATUS(mproc_value_put_uint(value, 5), MPROC_ERROR_DUPLICATE);
  CHECK_OK(mproc_value_put_double(value, 5));
  CHECK_OK(mproc_value_put_nil(value));
  CHECK_STATUS(mproc_value_encode(value, &data, &size), MPROC_ERROR_NOT_READY);
  CHECK_OK(mproc_value_end(value));
  CHECK_STATUS(mproc_value_put_nil(value), MPROC_ERROR_WRONG_KIND);  // it is complete
  CHECK_OK(mproc_value_encode(value, &data, &size));
  CHECK_EQ(size, 9 + 2 * (9 + 1));
  uint64_t count = 0;
  CHECK_OK(mproc_value_count(value, 0, &count));
  CHECK_EQ(count, 2);
  Destroy(value);
}

// What was decoded stays when a part is refused, and goes when one is taken.
static void WhatIsRefusedLeavesTheDecoded(void) {
  static const unsigned char kSeven[] = {MPROC_VALUE_INT, 7, 0, 0, 0, 0, 0, 0, 0};
  mproc_value_t* value = NewValue();
  int64_t number = 0;
  for (int i = 0; i < 2; i++) {
    CHECK_OK(i ? mproc_value_decode(value, kSeven, sizeof kSeven)
               : mproc_value_decode_borrowed(value, kSeven, sizeof kSeven));
    CHECK_STATUS(mproc_value_put_string(value, "\xff", 1), MPROC_ERROR_BAD_VALUE);
    CHECK_STATUS(mproc_value_put_array(value, 99, "x", 1), MPROC_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(mproc_value_end(value), MPROC_ERROR_WRONG_KIND);
    CHECK_OK(mproc_value_get_int(value, 0, &number));
    CHECK_EQ(number, 7);
  }
  CHECK_OK(mproc_value_put_int(value, 8));
  CHECK_OK(mproc_value_get_int(value, 0, &number));
  CHECK_EQ(number, 8);
  CHECK_STATUS(mproc_value_put_int(value, 9), MPROC_ERROR_WRONG_KIND);
  Destroy(value);
}

// Without the memory to look at all of it, nothing of it is believed.
static void ADecodeWithoutMemoryLeavesNothing(void) {
  if (TestSanitized()) TestSkip("a limit of the address space does not go together with a sanitizer");
  size_t size = (size_t)48 << 20;
  unsigned char* list = calloc(1, size + 9);
  uint64_t count = size;
  list[0] = MPROC_VALUE_LIST;
  memcpy(list + 1, &count, sizeof count);
  list[9 + 100] = 99;  // no such kind
  mproc_value_t* value = NewValue();
  struct rlimit limit = {0, 0};
  limit.rlim_cur = limit.rlim_max = (rlim_t)TestStatusBytes(getpid(), "VmSize:") + ((rlim_t)256 << 20);
  NEED(setrlimit(RLIMIT_AS, &limit) == 0);
  const void* data = NULL;
  CHECK_STATUS(mproc_value_decode_borrowed(value, list, size + 9), MPROC_ERROR_OUT_OF_MEMORY);
  CHECK_STATUS(mproc_value_encode(value, &data, &size), MPROC_ERROR_NOT_READY);
  Destroy(value);
  free(list);
}

static void DepthIsBounded(void) {
  mproc_value_t* value = NewValue();
  for (int i = 0; i < 100; i++) CHECK_OK(mproc_value_begin_list(value));
  CHECK_STATUS(mproc_value_begin_list(value), MPROC_ERROR_TOO_DEEP);
  CHECK_STATUS(mproc_value_begin_map(value), MPROC_ERROR_TOO_DEEP);
  CHECK_OK(mproc_value_put_nil(value));
  for (int i = 0; i < 100; i++) CHECK_OK(mproc_value_end(value));
  uint64_t node = 0;
  for (int i = 0; i < 100; i++) CHECK_OK(mproc_value_list_at(value, node, 0, &node));
  CHECK_EQ(Kind(value, node), MPROC_VALUE_NIL);

  enum { kDepth = 1000000 };
  unsigned char* deep = malloc(9 * (size_t)kDepth + 1);
  memset(deep, 0, 9 * (size_t)kDepth + 1);
  for (size_t i = 0; i < kDepth; i++) deep[9 * i] = MPROC_VALUE_LIST, deep[9 * i + 1] = 1;
  CHECK_STATUS(mproc_value_decode(value, deep, 9 * (size_t)kDepth + 1), MPROC_ERROR_TOO_DEEP);
  CHECK_OK(mproc_value_decode(value, deep + 9 * (kDepth - 100), 9 * 100 + 1));
  CHECK_STATUS(mproc_value_decode(value, deep + 9 * (kDepth - 101), 9 * 101 + 1), MPROC_ERROR_TOO_DEEP);
  int32_t kind;
  CHECK_STATUS(mproc_value_kind(value, 0, &kind), MPROC_ERROR_NOT_READY);  // empty after the error
  free(deep);
  Destroy(value);
}

static void CountsAreNotBelieved(void) {
  mproc_value_t* value = NewValue();
  unsigned char bytes[32] = {0};
  static const int32_t kinds[] = {MPROC_VALUE_STRING, MPROC_VALUE_BYTES, MPROC_VALUE_LIST, MPROC_VALUE_MAP};
  for (int i = 0; i < 4; i++) {
    bytes[0] = (unsigned char)kinds[i];
    bytes[8] = 0x80;  // 2^63
    CHECK_STATUS(mproc_value_decode(value, bytes, sizeof bytes), MPROC_ERROR_BAD_VALUE);
    CHECK_HAS(mproc_last_error_message(), "at byte");
  }
  bytes[0] = MPROC_VALUE_ARRAY;
  bytes[1] = MPROC_ELEMENT_UINT64;
  memset(bytes + 2, 0xff, 8);
  CHECK_STATUS(mproc_value_decode(value, bytes, sizeof bytes), MPROC_ERROR_BAD_VALUE);
  CHECK_STATUS(mproc_value_decode(value, bytes, 0), MPROC_ERROR_BAD_VALUE);

  // Lists that each claim all that is left: no more is allocated than there are bytes.
  enum { kBytes = 1 << 20 };
  unsigned char* greedy = calloc(1, kBytes);
  for (size_t i = 0; i < 99; i++) {
    uint64_t left = kBytes - 9 * (i + 1);
    greedy[9 * i] = MPROC_VALUE_LIST;
    memcpy(greedy + 9 * i + 1, &left, sizeof left);
  }
  int64_t before = TestStatusBytes(getpid(), "VmHWM:");
  CHECK_STATUS(mproc_value_decode(value, greedy, kBytes), MPROC_ERROR_BAD_VALUE);
  if (!TestSanitized()) CHECK(TestStatusBytes(getpid(), "VmHWM:") - before < (128 << 20));
  free(greedy);
  Destroy(value);
}

static void WrittenAgainAndAgain(void) {
  mproc_value_t *value = NewValue(), *other = NewValue();
  const void* data = NULL;
  size_t size = 0;
  for (int64_t i = 0; i < 3; i++) {
    CHECK_OK(mproc_value_put_int(value, i));
    CHECK_OK(mproc_value_encode(value, &data, &size));
    CHECK_OK(mproc_value_decode(other, data, size));
    CHECK_OK(mproc_value_clear(value));
    int64_t number = -1;
    CHECK_OK(mproc_value_get_int(other, 0, &number));
    CHECK_EQ(number, i);
  }
  // Its own bytes, and what was decoded gives way to what is written.
  CHECK_OK(mproc_value_encode(other, &data, &size));
  CHECK_OK(mproc_value_decode(other, data, size));
  CHECK_OK(mproc_value_put_bool(other, 1));
  CHECK_EQ(Kind(other, 0), MPROC_VALUE_BOOL);
  Destroy(value);
  Destroy(other);
}

static void HandlesAreChecked(void) {
  mproc_value_t* value = NewValue();
  mproc_pool_options_t* options = NULL;
  int32_t kind;
  CHECK_STATUS(mproc_value_create(NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_value_kind(value, 0, &kind), MPROC_ERROR_NOT_READY);
  CHECK_OK(mproc_value_put_nil(value));
  CHECK_STATUS(mproc_value_kind(value, 1, &kind), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_value_kind(value, 0, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_value_kind(NULL, 0, &kind), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_value_kind((mproc_value_t*)&kind, 0, &kind), MPROC_ERROR_INVALID_HANDLE);
  CHECK_OK(mproc_pool_options_create(&options));
  CHECK_STATUS(mproc_value_kind((mproc_value_t*)options, 0, &kind), MPROC_ERROR_INVALID_HANDLE);
  CHECK_OK(mproc_pool_options_destroy(options));
  Destroy(value);
  CHECK_STATUS(mproc_value_put_nil(value), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_value_destroy(value), MPROC_ERROR_STALE_HANDLE);
  CHECK_OK(mproc_value_destroy(NULL));
}

static void ToAWorkerAndBack(void) {
  mproc_pool_t* pool = ReadyPool(1);
  mproc_value_t *value = NewValue(), *answer = NewValue();
  const void* data = NULL;
  size_t size = 0;
  CHECK_OK(mproc_value_begin_list(value));
  for (int64_t i = 1; i <= 1000; i++) CHECK_OK(mproc_value_put_int(value, i));
  CHECK_OK(mproc_value_end(value));
  CHECK_OK(mproc_value_encode(value, &data, &size));
  mproc_future_t* future = Submit(pool, fn_total, data, size);
  WaitEnd(future);
  CHECK_OK(mproc_future_result(future, &data, &size));
  CHECK_OK(mproc_value_decode_borrowed(answer, data, size));
  uint64_t entry = 0, count = 0;
  int64_t total = 0;
  CHECK_OK(mproc_value_map_find(answer, 0, "count", 5, &entry));
  CHECK_OK(mproc_value_get_uint(answer, entry, &count));
  CHECK_EQ(count, 1000);
  CHECK_OK(mproc_value_map_find(answer, 0, "total", 5, &entry));
  CHECK_OK(mproc_value_get_int(answer, entry, &total));
  CHECK_EQ(total, 500500);
  Release(future);

  // Bytes that are no value reach the function, which says so.
  future = Submit(pool, fn_total, "\7", 1);
  WaitEnd(future);
  CHECK_EQ(Outcome(future), MPROC_OUTCOME_ERROR);
  CHECK_EQ(Info(future, MPROC_FUTURE_INFO_ERROR_CODE), MPROC_ERROR_BAD_VALUE);
  CHECK_HAS(Message(future), "cut off");
  Release(future);
  Destroy(value);
  Destroy(answer);
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"kinds are told apart", KindsAreToldApart, 0},
      {"numbers keep their range", NumbersKeepTheirRange, 0},
      {"arrays lie aligned", ArraysLieAligned, 0},
      {"what is refused leaves no trace", WhatIsRefusedLeavesNoTrace, 0},
      {"what is refused leaves the decoded", WhatIsRefusedLeavesTheDecoded, 0},
      {"a decode without memory leaves nothing", ADecodeWithoutMemoryLeavesNothing, 0},
      {"depth is bounded", DepthIsBounded, 0},
      {"counts are not believed", CountsAreNotBelieved, 0},
      {"written again and again", WrittenAgainAndAgain, 0},
      {"handles are checked", HandlesAreChecked, 0},
      {"to a worker and back", ToAWorkerAndBack, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
