// SPDX-License-Identifier: MIT
// What only the host does: a module has no pools.
#include "work.hh"

namespace work {

int64_t SumOfSquares(mproc::pool<Functions>& pool, int64_t count) {
  std::vector<mproc::future<int64_t>> futures;
  for (int64_t i = 1; i <= count; i++) futures.push_back(pool.submit<Square>(i));
  int64_t sum = 0;
  for (auto& future : futures) sum += future.get();
  return sum;
}

}  // namespace work
