// SPDX-License-Identifier: MIT
// Payloads beyond 4 GiB, both ways: copied, lent, in place. Needs 15 GiB of memory; skipped with less.
#include <unistd.h>

#include "capi/host.h"

enum { kGiB = 1 << 30 };
static const size_t kHuge = (size_t)5 * kGiB + 12345;

static unsigned char ByteAt(size_t i) { return (unsigned char)((i >> 12) * 37 + i % 251); }

static void Check5GiB(const unsigned char* data, size_t size) {
  size_t wrong = 0;
  if (!CHECK_EQ(size, kHuge)) return;
  for (size_t i = 0; i < size; i += 509) wrong += data[i] != ByteAt(i);
  CHECK_EQ(wrong, 0);
  CHECK_EQ(data[size - 1], ByteAt(size - 1));
}

static int g_released;
static void OnRelease(void* owner) {
  (void)owner;
  g_released++;
}

static void CopiedAndLent(void) {
  unsigned char* bytes = malloc(kHuge);
  NEED(bytes != NULL);
  for (size_t i = 0; i < kHuge; i++) bytes[i] = ByteAt(i);
  mproc_pool_t* pool = ReadyPool(1);
  for (int lent = 0; lent < 2; lent++) {
    mproc_future_t* future = NULL;
    if (lent) {
      NEED_OK(mproc_pool_submit_borrowed(pool, fn_echo, bytes, kHuge, OnRelease, NULL, MPROC_FOREVER, NULL,
                                         NULL, NULL, &future));
    } else {
      future = Submit(pool, fn_echo, bytes, kHuge);
    }
    NEED_OK(mproc_future_wait(future, 300 * MPROC_SECOND));
    const void* data = NULL;
    size_t size = 0;
    if (CHECK_OK(mproc_future_result(future, &data, &size))) Check5GiB(data, size);
    Release(future);
    CHECK_EQ(g_released, lent);
  }
  CloseJoinDestroy(pool);
  free(bytes);
}

static void InPlace(void) {
  mproc_block_t* block = NULL;
  void* data = NULL;
  NEED_OK(mproc_block_create(kHuge, &block));
  NEED_OK(mproc_block_data(block, &data, NULL));
  unsigned char* bytes = data;
  mproc_pool_t* pool = ReadyPool(1);
  for (int i = 1; i <= 3; i++) {
    mproc_future_t* future = NULL;
    NEED_OK(mproc_pool_submit_block(pool, fn_stamp, block, 0, kHuge, NULL, NULL, MPROC_FOREVER, NULL, NULL,
                                    NULL, &future));
    WaitEnd(future);
    const void* value = NULL;
    size_t size = 0;
    CHECK_OK(mproc_future_result(future, &value, &size));
    CHECK(value == data);
    CHECK_EQ(size, kHuge);
    CHECK(bytes[0] == i && bytes[kHuge - 1] == i);
    Release(future);
  }
  CHECK_OK(mproc_block_destroy(block));
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {{"copied and lent", CopiedAndLent, 300}, {"in place", InPlace, 0}};
  if (sysconf(_SC_AVPHYS_PAGES) < (long)(3 * (kHuge / 4096) + 100000)) return 77;
  return TEST_MAIN(argc, argv, cases);
}
