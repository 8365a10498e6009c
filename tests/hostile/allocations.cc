// SPDX-License-Identifier: MIT
// Single allocations fail in the host: a call either has done what it says, or nothing.
#include <stdlib.h>

#include <atomic>

#include "host.hh"

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

}  // namespace

int main(int argc, char** argv) { return Main(argc, argv); }
