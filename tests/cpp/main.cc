// SPDX-License-Identifier: MIT
// mproc.hpp in use: arguments and results of all kinds, maps, errors; with workers that are this program, and
// with those that load the module given as argument. The last line is "N passed, N failed".
#include <cstdio>
#include <functional>
#include <list>
#include <numeric>

#include "work.hh"

using namespace work;
using Pool = mproc::pool<Functions>;

namespace {

int g_failures = 0;

void Check(bool good, const char* what, int line) {
  if (good) return;
  g_failures++;
  std::printf("  line %d: %s\n", line, what);
}
#define CHECK(condition) Check((condition), #condition, __LINE__)

template <typename Body>
mproc::task_error ErrorOf(Body&& body) {
  try {
    body();
  } catch (const mproc::task_error& error) {
    return error;
  }
  throw std::runtime_error("no task_error was thrown");
}

void ScalarsAndStructs(Pool& pool) {
  CHECK(pool.submit<Square>(-12).get() == 144);
  CHECK(pool.submit<Add>(2, 40).get() == 42);
  CHECK(pool.submit<Length>(Point{3, 4}).get() == 5.0);
  CHECK((pool.submit<Mirror>(Point{1, 2}).get() == Point{2, 1}));
  CHECK(pool.submit<Other>(Colour::kRed).get() == Colour::kGreen);
  CHECK(pool.submit<IsOdd>(7).get());
  CHECK(!pool.submit<IsOdd>(8).get());
  pool.submit<Nothing>().get();
  CHECK(SumOfSquares(pool, 100) == 338350);
}

void WhatNeedsCereal(Pool& pool) {
  CHECK(pool.submit<Shout>("ab", std::nullopt).get() == "AB");
  CHECK(pool.submit<Shout>("ab", "cd").get() == "ABCD");
  Person ada{"Ada", 36, {{"maths", {1.0, 1.5}}, {"music", {}}}, int64_t{1815}};
  Person older = pool.submit<Older>(ada, 2).get();
  CHECK((older == Person{"Ada", 38, {{"maths", {1.0, 1.5, 2.0}}, {"music", {2.0}}}, std::string("1815")}));
  CHECK((pool.submit<Older>(Person{}, 1).get() == Person{"", std::nullopt, {}, std::string("0")}));
  auto people = pool.submit<Sorted>(std::vector<Person>{{"b", {}, {}, int64_t{1}}, {"a", {}, {}, "x"}}).get();
  CHECK(people.size() == 2 && people[0].name == "a" && people[1].name == "b");
  CHECK((pool.submit<Count>(std::vector<std::string>{"x", "y", "x"}).get() ==
         std::map<std::string, size_t>{{"x", 2}, {"y", 1}}));
  std::vector<double> many(100000, 1.5);
  CHECK(pool.submit<Scale>(many, 2.0).get() == std::vector<double>(100000, 3.0));
}

void Maps(Pool& pool) {
  std::vector<int64_t> numbers(1000);
  std::iota(numbers.begin(), numbers.end(), 0);
  auto squares = pool.map<Square>(numbers);  // an array
  CHECK(squares.size() == 1000 && squares[999] == 998001);
  std::list<int> some{1, 2, 3};
  CHECK((pool.map<Square>(some) == std::vector<int64_t>{1, 4, 9}));  // no array, and not of its type
  CHECK((pool.map<IsOdd>(some) == std::vector<bool>{true, false, true}));
  CHECK((pool.map<Add>(std::vector<std::tuple<int, int>>{{1, 2}, {3, 4}}) == std::vector<int>{3, 7}));
  auto texts = pool.map_async<Shout>(
      std::vector<std::pair<std::string, std::optional<std::string>>>{{"a", "b"}, {"c", {}}}, 1);
  CHECK((texts.get() == std::vector<std::string>{"AB", "C"}));
  CHECK((pool.map<Item>(numbers, 7) == numbers));  // each knows its place
  CHECK(pool.map<Square>(std::vector<int64_t>{}).empty());
  CHECK(pool.map_async<Square>(std::list<int>{}).get().empty());
}

void Errors(Pool& pool) {
  auto thrown = ErrorOf([&] { pool.submit<Throws>("what it says").get(); });
  CHECK(thrown.status() == MPROC_ERROR_TASK && thrown.outcome() == MPROC_OUTCOME_ERROR);
  CHECK(std::string(thrown.what()).find("what it says") != std::string::npos);
  CHECK(thrown.type() == "work::Trouble");
  CHECK(thrown.item() == -1);
  CHECK(ErrorOf([&] { pool.submit<ThrowsInt>().get(); }).outcome() == MPROC_OUTCOME_ERROR);
  auto crash = ErrorOf([&] { pool.submit<Crash>().get(); });
  CHECK(crash.status() == MPROC_ERROR_WORKER_LOST && crash.cause() == MPROC_CAUSE_SIGNAL &&
        crash.signal() == 6);
  CHECK(crash.worker_pid() > 0);
  auto future = pool.submit<Throws>("twice");
  CHECK(ErrorOf([&] { future.get(); }).type() == ErrorOf([&] { future.get(); }).type());
  std::vector<int64_t> unlucky{11, 12, 13, 14};
  CHECK(ErrorOf([&] { pool.map<Picky>(unlucky, 1); }).item() == 2);
  CHECK(ErrorOf([&] { pool.map_async<Picky>(std::list<int64_t>{13}).get(); }).item() == 0);
  // Bytes of somebody else's making.
  mproc_future_t* raw = nullptr;
  CHECK(mproc_pool_apply(pool.handle(), Functions::id<Add>(), "abc", 3, MPROC_FOREVER, &raw) == MPROC_OK);
  CHECK(ErrorOf([&] { mproc::future<int>(raw).get(); }).type() == "mproc::bad_input");
  CHECK(mproc_pool_apply(pool.handle(), Functions::id<Scale>(), "\xff\xff\xff\xff\xff\xff\xff\x1f", 8,
                         MPROC_FOREVER, &raw) == MPROC_OK);
  CHECK(ErrorOf([&] { mproc::future<std::vector<double>>(raw).get(); }).type() == "mproc::bad_input");
}

void Futures(Pool& pool) {
  auto future = pool.submit<Add>(1, 2);
  future.wait();
  CHECK(future.ready() && future.wait_for(std::chrono::nanoseconds(0)));
  CHECK(!future.cancel());
  auto moved = std::move(future);
  CHECK(moved.get() == 3 && moved.get() == 3);
  moved = pool.submit<Add>(3, 4);
  CHECK(moved.get() == 7);
  pool.submit<Add>(5, 6);  // nobody wants it
  CHECK(pool.submit<Worker>().get().find("PoolWorker-") != std::string::npos);
  try {
    mproc::pool_options().workers(-1);
    CHECK(!"refused");
  } catch (const mproc::error& error) {
    CHECK(error.status() == MPROC_ERROR_INVALID_ARGUMENT);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Functions::serve();
  static const std::pair<const char*, void (*)(Pool&)> tests[] = {{"scalars and structs", ScalarsAndStructs},
                                                                  {"what needs cereal", WhatNeedsCereal},
                                                                  {"maps", Maps},
                                                                  {"errors", Errors},
                                                                  {"futures", Futures}};
  int passed = 0, failed = 0;
  std::vector<const char*> modules{nullptr};
  if (argc > 1) modules.push_back(argv[1]);
  for (const char* module : modules) {
    for (auto [name, run] : tests) {
      g_failures = 0;
      try {
        mproc::pool_options options;
        options.workers(2);
        if (module) options.module(module);
        Pool pool(options);
        run(pool);
        pool.close();
        pool.join();
      } catch (const std::exception& error) {
        std::printf("  %s\n", error.what());
        g_failures++;
      }
      std::printf("%s %s, %s\n", g_failures ? "FAILED" : "ok", name, module ? "module" : "self");
      (g_failures ? failed : passed)++;
    }
  }
  if (mproc_runtime_finish(10 * MPROC_SECOND) != MPROC_OK) failed++;
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
