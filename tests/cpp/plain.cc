// SPDX-License-Identifier: MIT
// mproc.hpp without RTTI, and so without cereal: plain types, and strings and vectors of them.
#include <cstdio>
#include <mproc/mproc.hpp>

static_assert(MPROC_HAS_CEREAL == 0);

struct Point {
  double x, y;
};
static std::vector<Point> Mirror(std::vector<Point> points) {
  for (Point& point : points) point = {point.y, point.x};
  return points;
}
static std::string Twice(const std::string& text, int64_t more) { return text + text + std::to_string(more); }
static int Throws() { throw std::runtime_error("thrown"); }

int main() {
  using work = mproc::functions<Mirror, Twice, Throws>;
  work::serve();
  int failed = 0;
  for (int32_t method : {MPROC_START_SPAWN, MPROC_START_THREADS}) {
    mproc::pool<work> pool(mproc::pool_options().workers(1).start_method(method));
    auto points = pool.submit<Mirror>(std::vector<Point>{{1, 2}, {3, 4}}).get();
    failed += points.size() != 2 || points[1].x != 4;
    failed += pool.submit<Twice>("ab", 7).get() != "abab7";
    try {
      pool.submit<Throws>().get();
      failed++;
    } catch (const mproc::task_error& error) {
      failed += error.type() != "exception" || error.what() == nullptr;
    }
  }
  mproc_runtime_finish(MPROC_FOREVER);
  std::printf("%d passed, %d failed\n", failed ? 0 : 1, failed ? 1 : 0);
  return failed != 0;
}
