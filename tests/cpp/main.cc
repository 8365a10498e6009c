// SPDX-License-Identifier: MIT
// mproc.hpp in use: arguments and results of all kinds, maps, errors; with workers that are this program, and
// with those that load the module given as argument.
#include <functional>
#include <list>
#include <numeric>

#include "check.hh"
#include "work.hh"

using namespace work;
using Pool = mproc::pool<Functions>;

namespace {

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

void Bound(Pool& pool) {
  auto add_five = pool.bind<Add>(5);
  CHECK(add_five.submit(1).get() == 6);
  std::list<int> some{1, 2, 3};
  CHECK((add_five.map(some) == std::vector<int>{6, 7, 8}));
  std::vector<int> numbers(1000, 1);
  CHECK((add_five.map(numbers) == std::vector<int>(1000, 6)));  // an array
  std::vector<int> sums;
  for (int sum : add_five.imap(some)) sums.push_back(sum);
  CHECK((sums == std::vector<int>{6, 7, 8}));
  auto all = pool.bind<Add>(20, 22);
  CHECK(all.submit().get() == 42);
  Person ada{"Ada", 36, {{"maths", {1.0, 1.5}}}, int64_t{1815}};
  auto older = pool.bind<Older>(ada);
  CHECK((older.map(std::vector<int>{1, 2})[1].age == 38));
  auto item = pool.bind<Item>(int64_t{7});  // a function that asks about its call
  CHECK(item.submit().get() == 0);
  add_five = pool.bind<Add>(50);
  auto moved = std::move(add_five);
  CHECK(moved.submit(1).get() == 51);
  CHECK(pool.submit<Add>(1, 2).get() == 3);  // not bound
  // Bytes that are not its arguments.
  uint32_t id = 0;
  mproc_future_t* raw = nullptr;
  CHECK(mproc_pool_bind(pool.handle(), Functions::id<Add>(), "abc", 3, &id) == MPROC_OK);
  CHECK(mproc_pool_apply(pool.handle(), id, "abcd", 4, MPROC_FOREVER, &raw) == MPROC_OK);
  CHECK(ErrorOf([&] { mproc::future<int>(raw).get(); }).type() == "mproc::bad_input");
}

// Numbers from 0 without end, or until it throws.
class Counting {
 public:
  explicit Counting(int64_t throws_at = -1) : throws_at_(throws_at) {}
  class iterator {
   public:
    using value_type = int64_t;
    using difference_type = std::ptrdiff_t;
    explicit iterator(Counting* of) : of_(of) {}
    int64_t operator*() const {
      if (of_->at_ == of_->throws_at_) throw std::out_of_range("no such number");
      return of_->at_;
    }
    iterator& operator++() { return of_->at_++, *this; }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return false; }

   private:
    Counting* of_;
  };
  iterator begin() { return iterator(this); }
  std::default_sentinel_t end() const { return {}; }
  int64_t at() const { return at_; }

 private:
  int64_t throws_at_, at_ = 0;
};

void LazyMaps(Pool& pool) {
  static_assert(std::ranges::input_range<mproc::imap_results<int>>);
  std::vector<int64_t> squares;
  std::list<int> some{1, 2, 3};
  for (int64_t square : pool.imap<Square>(some)) squares.push_back(square);
  CHECK((squares == std::vector<int64_t>{1, 4, 9}));
  int64_t place = 0;
  Counting numbers;
  for (int64_t square : pool.imap<Square>(numbers, {.chunk = 3, .window_items = 30})) {
    CHECK(square == place * place);
    if (++place == 1000) break;
  }
  CHECK(numbers.at() <= 1030);
  std::vector<std::pair<std::string, std::optional<std::string>>> texts{{"a", "b"}, {"c", {}}};
  auto loud = pool.imap<Shout>(std::move(texts), {.unordered = true});
  std::map<uint64_t, std::string> heard;
  while (auto one = loud.next()) heard[loud.index()] = *one;
  CHECK((heard == std::map<uint64_t, std::string>{{0, "AB"}, {1, "C"}}));
  CHECK(!loud.next() && loud.begin() == loud.end());
  // Items that fail, and a range that does.
  auto picky = pool.imap<Picky>(std::vector<int64_t>{12, 13, 14});
  CHECK(picky.next() == 12);
  auto unlucky = ErrorOf([&] { picky.next(); });
  CHECK(unlucky.item() == 1 && unlucky.type() == "work::Trouble" && unlucky.outcome() == MPROC_OUTCOME_ERROR);
  CHECK(picky.next() == 14 && !picky.next());
  auto crash = pool.imap<Throws>(std::vector<std::string>{"this"});
  CHECK(std::string(ErrorOf([&] { crash.next(); }).what()).find("this") != std::string::npos);
  auto ends = pool.imap<Item>(Counting(7), {.chunk = 4});
  for (int64_t i = 0; i < 7; i++) CHECK(ends.next() == i);
  try {
    ends.next();
    CHECK(!"thrown");
  } catch (const std::out_of_range& thrown) {
    CHECK(std::string(thrown.what()) == "no such number");
  }
  auto moved = std::move(ends);
  CHECK(!moved.next());
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

void Workers(Pool& pool) {
  uint64_t size = 0;
  pool.resize(3);
  CHECK(mproc_pool_statistic(pool.handle(), MPROC_POOL_STATISTIC_SIZE, &size) == MPROC_OK && size == 3);
  using namespace std::chrono_literals;
  mproc::pool_options options;
  Pool own(
      options.workers(1).worker_tasks(1).worker_memory(int64_t{1} << 40).worker_age(1h).worker_idle(1h, 0));
  CHECK(own.submit<Worker>().get() != own.submit<Worker>().get());
  try {
    options.worker_idle(1s, -1);
    CHECK(!"refused");
  } catch (const mproc::error& error) {
    CHECK(error.status() == MPROC_ERROR_INVALID_ARGUMENT);
  }
}

void Seeing(Pool& pool) {
  std::vector<std::string> heard;
  mproc::pool_options options;
  auto on_log = [](int32_t level, const char* text, size_t, uint64_t, uint32_t, int64_t, void* to) {
    if (level == MPROC_LOG_INFO) static_cast<std::vector<std::string>*>(to)->push_back(text);
  };
  options.workers(1).log_callback(on_log, &heard, MPROC_LOG_INFO);
  Pool listening(options);
  CHECK(listening.submit<Tell>("hello").get());
  CHECK(heard == std::vector<std::string>{"hello"});
  std::vector<int64_t> numbers(100);
  auto map = pool.map_async<Square>(numbers);
  map.wait();
  CHECK((map.progress() == std::pair<uint64_t, uint64_t>(100, 100)));
  CHECK(pool.dump().find("worker 2 in place 1") != std::string::npos);
}

}  // namespace

int main(int argc, char** argv) {
  Functions::serve();
  static const std::pair<const char*, void (*)(Pool&)> tests[] = {{"scalars and structs", ScalarsAndStructs},
                                                                  {"what needs cereal", WhatNeedsCereal},
                                                                  {"maps", Maps},
                                                                  {"bound", Bound},
                                                                  {"lazy maps", LazyMaps},
                                                                  {"errors", Errors},
                                                                  {"futures", Futures},
                                                                  {"workers", Workers},
                                                                  {"seeing", Seeing}};
  Tests run;
  std::vector<const char*> modules{nullptr};
  if (argc > 1) modules.push_back(argv[1]);
  for (const char* module : modules) {
    for (const auto& test : tests) {
      run.Run((std::string(test.first) + (module ? ", module" : ", self")).c_str(), [&] {
        mproc::pool_options options;
        options.workers(2);
        if (module) options.module(module);
        Pool pool(options);
        test.second(pool);
        pool.close();
        pool.join();
      });
    }
  }
  return run.End();
}
