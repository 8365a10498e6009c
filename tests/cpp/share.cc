// SPDX-License-Identifier: MIT
// What processes share, in C++: mutexes, values, arrays, queues, connections, and processes of their own.
#include <mproc/mproc.hpp>
#include <mutex>
#include <thread>

#include "check.hh"

using namespace std::chrono_literals;

namespace {

struct Point {
  double x, y;
};

// Objects 0 and 1: a mutex and a value; each process adds one, so many times.
void Count(mproc::call& call, int times) {
  mproc::mutex mutex(call, 0);
  mproc::shared_value<int64_t> value(call, 1);
  for (int i = 0; i < times; i++) {
    std::scoped_lock lock(mutex);
    value.get()++;
  }
}

// Objects 0 and 1: takes words until there is an empty one, and answers with their lengths.
int Measure(mproc::call& call) {
  mproc::queue<std::string> words(call, 0);
  mproc::queue<size_t> sizes(call, 1);
  int seen = 0;
  for (std::string word; !(word = words.get()).empty(); seen++) {
    sizes.put(word.size());
    words.task_done();
  }
  words.task_done();
  return seen;
}

void Move(mproc::call& call, double by) {
  mproc::shared_array<Point> points(call, 0);
  std::scoped_lock lock(points);
  for (Point& point : points.items()) point.x += by;
}

void Answer(mproc::call& call) {
  mproc::connection connection(call, 0);
  while (auto bytes = connection.receive()) connection.send(*bytes);
}

void Hang(mproc::call& call) { mproc::event(call, 0).wait(); }

using Functions = mproc::functions<Count, Measure, Move, Answer, Hang>;
using Process = mproc::process<Functions>;

void MutexesAndValues() {
  for (int32_t kind : {int32_t{MPROC_LOCK_PLAIN}, int32_t{MPROC_LOCK_RECURSIVE | MPROC_LOCK_ROBUST}}) {
    mproc::mutex mutex(kind);
    mproc::shared_value<int64_t> value(5);
    auto first = Process::start<Count>({mutex.handle(), value.handle()}, 3000);
    auto second = Process::start<Count>({mutex.handle(), value.handle()}, 3000);
    first.join();
    second.join();
    CHECK(first.exit_code() == 0 && second.exit_code() == 0);
    CHECK(value.get() == 6005);
    CHECK(mutex.try_lock());
    CHECK(!mutex.owner_died());
    mutex.unlock();
  }
}

void Arrays() {
  mproc::shared_array<Point> points(10);
  points[3] = {1, 2};
  mproc::pool<Functions> pool(mproc::pool_options().workers(2));
  auto move = pool.bind_with<Move>({points.handle()});
  for (double by : {2.0, 3.0}) move.submit(by).get();
  CHECK(points[3].x == 6 && points[3].y == 2 && points[9].x == 5);
  std::thread([&] { points.lock(); }).join();  // it ends with the lock
  CHECK(points.try_lock() && points.owner_died());
  points.unlock();
  CHECK(points.try_lock() && !points.owner_died());
  points.unlock();
  bool thrown = false;
  try {
    mproc::shared_array<char> wrong(0);
  } catch (const mproc::error& error) {
    thrown = error.status() == MPROC_ERROR_INVALID_ARGUMENT;
  }
  CHECK(thrown);
}

void Queues() {
  mproc::queue<std::string> words(2);
  mproc::queue<size_t> sizes;
  CHECK(!words.try_get());
  words.put("one");
  words.put("three");
  CHECK(!words.try_put("no room") && !words.put_for("no room", 1ms));
  auto process = Process::start<Measure>({words.handle(), sizes.handle()});
  words.put("");
  words.join();
  process.join();
  CHECK(sizes.get() == 3 && sizes.get_for(10s) == 5 && !sizes.try_get());
}

void Connections() {
  auto [ours, theirs] = mproc::connection::pipe();
  auto process = Process::start<Answer>({theirs.handle()});
  { auto gone = std::move(theirs); }
  CHECK(!ours.poll());
  std::vector<std::byte> bytes(100'000, std::byte{7});
  ours.send(bytes);
  CHECK(ours.receive() == bytes);
  { auto gone = std::move(ours); }
  process.join();
  CHECK(process.exit_code() == 0);
}

void KilledWithItsOwner() {
  mproc::event never;
  int64_t pid = 0;
  {
    auto process = Process::start<Hang>({never.handle()});
    pid = process.pid();
    CHECK(process.alive() && !process.join_for(1ms));
  }
  CHECK(pid > 0);
  CHECK(!never.wait_for(0ms));
  mproc::semaphore semaphore(1, 1);
  CHECK(semaphore.try_acquire() && !semaphore.try_acquire_for(1ms));
  semaphore.release();
}

void Segments() {
  auto made = mproc::segment::create(100);
  auto attached = mproc::segment::attach(made.name());
  made.bytes()[99] = std::byte{7};
  CHECK(attached.bytes().size() == 100 && attached.bytes()[99] == std::byte{7});
  CHECK(attached.unlink() && !made.unlink());
}

}  // namespace

int main() {
  Functions::serve();
  const std::pair<const char*, void (*)()> cases[] = {{"mutexes and values", MutexesAndValues},
                                                      {"arrays", Arrays},
                                                      {"segments", Segments},
                                                      {"queues", Queues},
                                                      {"connections", Connections},
                                                      {"killed with its owner", KilledWithItsOwner}};
  Tests run;
  for (const auto& [name, test] : cases) run.Run(name, test);
  return run.End();
}
