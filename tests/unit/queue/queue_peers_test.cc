// SPDX-License-Identifier: MIT
// Many processes and one queue.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <random>
#include <string>

#include "queue/queue.hh"
#include "unit/sync/peer.hh"

namespace mproc::queue {
namespace {

using namespace test;

const Deadline kNow = Deadline::After(0);
const Deadline kEver = Deadline::After(INT64_MAX);

struct Numbered {
  int64_t producer, number;
};

Status Put(Queue& queue, const Numbered& item, size_t more = 0) {
  std::string text(sizeof item + more, 'n');
  std::memcpy(text.data(), &item, sizeof item);
  return queue.Put(AsBytes(text.data(), text.size()), {}, kEver);
}
Status Get(Queue& queue, Numbered* item, const Deadline& deadline = kEver) {
  object::Message message;
  Status got = queue.Get(&message, deadline);
  *item = {};
  if (got.ok() && message.bytes.size() >= sizeof *item) std::memcpy(item, message.bytes.data(), sizeof *item);
  return got;
}

// Four put, four take: each item comes once, and those of one producer in their order.
void ManyToMany(const Limits& limits, size_t most_more) {
  constexpr int kEach = 3000, kOf = 4;
  auto queue = std::move(*Queue::Create(limits, false));
  auto shared = MakeShared();
  auto takers = MakePeers(kOf, [&] {
    auto mine = Adopted(*queue);
    int64_t last[kOf] = {-1, -1, -1, -1};
    for (;;) {
      Numbered item;
      ASSERT_TRUE(Get(*mine, &item).ok());
      if (item.producer < 0) return;
      ASSERT_GT(item.number, last[item.producer]);
      last[item.producer] = item.number;
      shared->at[0]++;
      shared->at[1] += item.number;
    }
  });
  std::atomic<int64_t>& next = shared->at[2];
  auto producers = MakePeers(kOf, [&] {
    auto mine = Adopted(*queue);
    int64_t me = next++;
    for (int64_t i = 0; i < kEach; i++)
      ASSERT_TRUE(Put(*mine, {me, i}, most_more ? static_cast<size_t>(i * 7919) % most_more : 0).ok());
  });
  for (auto& producer : producers) EXPECT_TRUE(producer.EndsWell(100 * kSecond));
  for (int i = 0; i < kOf; i++) EXPECT_TRUE(Put(*queue, {-1, 0}).ok());
  for (auto& taker : takers) EXPECT_TRUE(taker.EndsWell(100 * kSecond));
  EXPECT_EQ(shared->at[0], kOf * kEach);
  EXPECT_EQ(shared->at[1], int64_t{kOf} * kEach * (kEach - 1) / 2);
}

TEST(QueuePeers, PutAndTakeWithoutALimit) { ManyToMany({}, 0); }
TEST(QueuePeers, PutAndTakeWithLittleRoom) { ManyToMany({3, 0}, 0); }
TEST(QueuePeers, PutAndTakeManySizes) { ManyToMany({0, 50'000}, 30'000); }

// A taker that sleeps is woken, and so is one who waits for room or for the last report.
TEST(QueuePeers, WakeOneAnother) {
  auto queue = std::move(*Queue::Create({1, 0}, false));
  for (int i = 0; i < 20; i++) {
    Peer taker([&] {
      Numbered item;
      EXPECT_TRUE(Get(*Adopted(*queue), &item).ok());
    });
    EXPECT_TRUE(taker.Sleeps());
    EXPECT_TRUE(Put(*queue, {0, i}).ok());
    EXPECT_TRUE(taker.EndsWell());
    EXPECT_TRUE(Put(*queue, {0, i}).ok());
    Peer putter([&] { EXPECT_TRUE(Put(*Adopted(*queue), {1, i}).ok()); });
    EXPECT_TRUE(putter.Sleeps());
    Numbered item;
    EXPECT_TRUE(Get(*queue, &item).ok());
    EXPECT_TRUE(putter.EndsWell());
    EXPECT_TRUE(Get(*queue, &item).ok());
    Peer joiner([&] { EXPECT_TRUE(Adopted(*queue)->WaitUntilDone(kEver).ok()); });
    EXPECT_TRUE(joiner.Sleeps());
    for (int k = 0; k < 3; k++) EXPECT_TRUE(queue->ReportDone().ok());
    EXPECT_TRUE(joiner.EndsWell());
  }
}

// Those that put and take are killed all the time; what the others put comes, whole and once.
TEST(QueuePeers, AreKilledAtAnyMoment) {
  constexpr int kEach = 4000;
  auto queue = std::move(*Queue::Create({}, false));
  auto shared = MakeShared();
  Peer producer([&] {
    auto mine = Adopted(*queue);
    for (int64_t i = 0; i < kEach; i++) ASSERT_TRUE(Put(*mine, {0, i}, static_cast<size_t>(i) % 2000).ok());
    shared->at[1] = 1;
  });
  Peer taker([&] {
    auto mine = Adopted(*queue);
    int64_t last = -1;
    for (;;) {
      Numbered item;
      ASSERT_TRUE(Get(*mine, &item).ok());
      if (item.producer < 0) return;
      if (item.producer != 0) continue;
      ASSERT_GT(item.number, last);
      last = item.number;
      shared->at[0]++;
    }
  });
  std::mt19937 random(11);
  int killed = 0;
  for (; !shared->at[1] || killed < 60; killed++) {
    bool puts = killed % 2;
    Peer victim([&] {
      auto mine = Adopted(*queue);
      for (int64_t i = 0;; i++) {
        Numbered item;
        if (puts) (void)Put(*mine, {1, i}, 300);
        if (!puts && Get(*mine, &item, kNow).ok() && item.producer == 0) shared->at[2]++;
      }
    });
    usleep(random() % 3000);
    victim.Kill();
  }
  EXPECT_TRUE(producer.EndsWell(100 * kSecond));
  EXPECT_TRUE(Put(*queue, {-1, 0}).ok());
  EXPECT_TRUE(taker.EndsWell(100 * kSecond));
  int64_t arrived = shared->at[0] + shared->at[2];
  EXPECT_LE(arrived, kEach);
  EXPECT_GE(arrived, kEach - killed);  // each that was killed may have lost one
}

// Whatever a process writes into the memory, the others get an error or an item, and end.
TEST(QueuePeers, WriteNonsense) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 150; round++) {
    auto queue = std::move(*Queue::Create({}, false));
    for (int i = 0; i < 3; i++) ASSERT_TRUE(Put(*queue, {0, i}, 5000).ok());
    size_t span = round % 2 ? 1024 : 64 << 10;
    void* at = mmap(nullptr, 64 << 10, PROT_READ | PROT_WRITE, MAP_SHARED, queue->fd(), 0);
    ASSERT_NE(at, MAP_FAILED);
    auto* words = static_cast<uint64_t*>(at);
    for (int i = 0; i < 30; i++) {
      size_t word = 16 + random() % (span / 8 - 16);
      uint64_t value = random() % 3 ? random() >> (random() % 64) : 0;
      // Not the lock, which a scribbler could hold for ever: that costs a second and says BUSY.
      if (word < 24) continue;
      words[word] = value;
    }
    Peer other([&] {
      auto mine = Adopted(*queue);
      for (int i = 0; i < 6; i++) {
        Numbered item;
        (void)Get(*mine, &item, kNow);
        (void)mine->Put(AsBytes("more", 4), {}, kNow);
        (void)mine->Count();
      }
    });
    int status = other.Join();
    ASSERT_EQ(status, 0) << "round " << round;
    munmap(at, 64 << 10);
  }
}

}  // namespace
}  // namespace mproc::queue
