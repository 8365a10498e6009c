// SPDX-License-Identifier: MIT
#include "pool/callbacks.hh"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace mproc::pool {
namespace {

struct Due final : DueCallback {
  void Run() override {}
};

TEST(CallbackQueue, GivesInOrder) {
  CallbackQueue queue;
  EXPECT_FALSE(queue.Pop(false));
  std::vector<Due> five(5);
  for (auto& due : five) queue.Push(&due);
  EXPECT_EQ(queue.size(), 5U);
  for (auto& due : five) EXPECT_EQ(queue.Pop(false), &due);
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_FALSE(queue.Pop(false));
}

TEST(CallbackQueue, TakesOneThatWaitsOnlyOnce) {
  CallbackQueue queue;
  Due told, end;
  EXPECT_TRUE(queue.PushOnce(&told, false));
  EXPECT_FALSE(queue.PushOnce(&told, false));
  EXPECT_EQ(queue.Pop(false), &told);
  EXPECT_TRUE(queue.PushOnce(&told, false));
  EXPECT_FALSE(queue.PushOnce(&told, true));
  queue.Push(&end);
  EXPECT_EQ(queue.Pop(false), &told);
  EXPECT_FALSE(queue.PushOnce(&told, false));
  EXPECT_EQ(queue.Pop(false), &end);
  EXPECT_FALSE(queue.Pop(false));
}

// However many threads put it in, it is never behind what comes after its last time.
TEST(CallbackQueue, NothingComesAfterTheLast) {
  for (int round = 0; round < 2000; round++) {
    CallbackQueue queue;
    Due told, end;
    std::thread other([&] { queue.PushOnce(&told, false); });
    queue.PushOnce(&told, true);
    queue.Push(&end);
    bool ended = false;
    auto take_all = [&] {
      while (DueCallback* due = queue.Pop(false)) {
        EXPECT_FALSE(ended);
        ended = due == &end;
      }
    };
    take_all();
    other.join();
    take_all();
    EXPECT_TRUE(ended);
  }
}

TEST(CallbackQueue, GivesWhatIsThereBeforeItStops) {
  CallbackQueue queue;
  Due one;
  queue.Push(&one);
  queue.Stop();
  EXPECT_EQ(queue.Pop(true), &one);
  EXPECT_FALSE(queue.Pop(true));
}

TEST(CallbackQueue, WakesWhoWaits) {
  CallbackQueue queue;
  constexpr int kMany = 2000;
  std::vector<Due> many(kMany);
  int got = 0;
  bool in_order = true;
  std::thread taker([&] {
    while (DueCallback* due = queue.Pop(true))
      in_order = in_order && due == &many[static_cast<size_t>(got++)];
  });
  for (auto& due : many) queue.Push(&due);
  queue.Stop();
  taker.join();
  EXPECT_EQ(got, kMany);
  EXPECT_TRUE(in_order);
}

TEST(Callbacks, NobodyIsInsideOneHere) {
  EXPECT_FALSE(InsideAnyCallback());
  EXPECT_FALSE(InsideCallbackOf(nullptr));
}

}  // namespace
}  // namespace mproc::pool
