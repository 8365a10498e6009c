// SPDX-License-Identifier: MIT
#include "pool/callbacks.hh"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace mproc::pool {
namespace {

// Ended tasks with callbacks.
struct Tasks {
  explicit Tasks(size_t count) : records(count), extras(count) {
    for (size_t i = 0; i < count; i++) records[i].extra = &extras[i];
  }
  std::vector<Future> records;
  std::vector<Extra> extras;
};

TEST(CallbackQueue, GivesInTheOrderOfTheEnds) {
  CallbackQueue queue;
  EXPECT_FALSE(queue.Pop(false));
  Tasks five(5);
  auto& tasks = five.records;
  for (auto& task : tasks) queue.Push(&task);
  EXPECT_EQ(queue.size(), 5U);
  for (auto& task : tasks) EXPECT_EQ(queue.Pop(false), &task);
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_FALSE(queue.Pop(false));
}

TEST(CallbackQueue, GivesWhatIsThereBeforeItStops) {
  CallbackQueue queue;
  Tasks one(1);
  queue.Push(&one.records[0]);
  queue.Stop();
  EXPECT_EQ(queue.Pop(true), &one.records[0]);
  EXPECT_FALSE(queue.Pop(true));
}

TEST(CallbackQueue, WakesWhoWaits) {
  CallbackQueue queue;
  constexpr int kTasks = 2000;
  Tasks many(kTasks);
  auto& tasks = many.records;
  int got = 0;
  bool in_order = true;
  std::thread taker([&] {
    while (Future* task = queue.Pop(true)) in_order = in_order && task == &tasks[static_cast<size_t>(got++)];
  });
  for (auto& task : tasks) queue.Push(&task);
  queue.Stop();
  taker.join();
  EXPECT_EQ(got, kTasks);
  EXPECT_TRUE(in_order);
}

TEST(Callbacks, NobodyIsInsideOneHere) {
  EXPECT_FALSE(InsideAnyCallback());
  EXPECT_FALSE(InsideCallbackOf(nullptr));
}

}  // namespace
}  // namespace mproc::pool
