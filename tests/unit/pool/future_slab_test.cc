// SPDX-License-Identifier: MIT
#include "pool/future_slab.hh"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace mproc::pool {
namespace {

using Kind = FutureSlab::Kind;

std::vector<Future*> Batch() {
  std::vector<Future*> all;
  for (Future* record = FutureSlab::Get().TakeBatch(); record; record = record->next) all.push_back(record);
  return all;
}

// As a task that one public handle stands for.
void Use(Future* record) {
  record->state.store(kOneHandle);
  record->magic.store(kFutureMagic);
}

void GiveBack(const std::vector<Future*>& records) {
  Future* list = nullptr;
  for (Future* record : records) {
    record->magic.store(0);
    record->next = list;
    list = record;
  }
  FutureSlab::Get().GiveBack(list);
}

TEST(FutureSlab, KnowsLiveOnes) {
  FutureSlab& slab = FutureSlab::Get();
  auto records = Batch();
  ASSERT_FALSE(records.empty());
  for (Future* record : records) EXPECT_EQ(slab.Check(record), Kind::kStale);  // not in use yet
  for (Future* record : records) Use(record);
  for (Future* record : records) EXPECT_EQ(slab.Check(record), Kind::kLive);
  records[1]->state.store(kReady | kWaited);  // its last handle is gone, whoever else may hold it
  EXPECT_EQ(slab.Check(records[1]), Kind::kStale);
  records[0]->magic.store(0);
  EXPECT_EQ(slab.Check(records[0]), Kind::kStale);
  GiveBack(records);
  for (Future* record : records) EXPECT_EQ(slab.Check(record), Kind::kStale);
}

TEST(FutureSlab, KnowsWhatIsNoFuture) {
  FutureSlab& slab = FutureSlab::Get();
  auto records = Batch();
  for (Future* record : records) Use(record);
  auto on_heap = std::make_unique<Future>();
  Use(on_heap.get());
  auto address = reinterpret_cast<uintptr_t>(records[0]);
  const void* volatile elsewhere = nullptr;  // nothing for the compiler to know
  EXPECT_EQ(slab.Check(elsewhere), Kind::kNoFuture);
  elsewhere = on_heap.get();
  EXPECT_EQ(slab.Check(elsewhere), Kind::kNoFuture);
  elsewhere = &slab;
  EXPECT_EQ(slab.Check(elsewhere), Kind::kNoFuture);
  for (uintptr_t off = 1; off < sizeof(Future); off++) {
    EXPECT_EQ(slab.Check(reinterpret_cast<void*>(address + off)), Kind::kNoFuture);
  }
  for (uintptr_t far : {uintptr_t{1}, uintptr_t{128}, UINTPTR_MAX, UINTPTR_MAX - 127,
                        address + (uintptr_t{1} << 35), address - (uintptr_t{1} << 35)}) {
    EXPECT_EQ(slab.Check(reinterpret_cast<void*>(far)), Kind::kNoFuture);
  }
  GiveBack(records);
}

TEST(FutureSlab, GivesNoRecordTwice) {
  std::set<Future*> seen;
  std::vector<std::vector<Future*>> batches;
  for (int i = 0; i < 200; i++) {
    batches.push_back(Batch());
    for (Future* record : batches.back()) {
      EXPECT_TRUE(seen.insert(record).second);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(record) % sizeof(Future), 0U);
    }
  }
  EXPECT_GT(seen.size(), 10000U);
  for (auto& batch : batches) GiveBack(batch);
}

// When none is in use the memory is the system's again; stale pointers are looked at without harm.
TEST(FutureSlab, StalePointersStayHarmlessWhenThePagesAreGone) {
  std::vector<std::vector<Future*>> batches;
  for (int i = 0; i < 500; i++) batches.push_back(Batch());
  for (auto& batch : batches) {
    for (Future* record : batch) Use(record);
  }
  for (auto& batch : batches) GiveBack(batch);
  for (auto& batch : batches) {
    for (Future* record : batch) ASSERT_EQ(FutureSlab::Get().Check(record), Kind::kStale);
  }
  auto again = Batch();
  EXPECT_FALSE(again.empty());
  for (Future* record : again) Use(record);
  GiveBack(again);
}

TEST(FutureSlab, ServesManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([] {
      for (int i = 0; i < 300; i++) {
        auto records = Batch();
        for (Future* record : records) Use(record);
        for (Future* record : records) ASSERT_EQ(FutureSlab::Get().Check(record), Kind::kLive);
        GiveBack(records);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(Future, KeepsSmallAndLargeValues) {
  for (size_t size : {size_t{0}, size_t{1}, kFutureInline, kFutureInline + 1, size_t{100000}}) {
    Future future{};
    std::vector<std::byte> value(size, std::byte{7});
    ASSERT_TRUE(StoreBytes(&future, value));
    EXPECT_EQ(future.size, size);
    EXPECT_EQ(future.input, size <= kFutureInline ? Input::kInline : Input::kHeap);
    EXPECT_TRUE(std::equal(value.begin(), value.end(), future.stored().begin()));
    ASSERT_TRUE(StoreBytes(&future, AsBytes("another")));
    EXPECT_EQ(AsText(future.stored()), "another");
    FreeBytes(&future);
    EXPECT_EQ(future.size, 0U);
  }
}

}  // namespace
}  // namespace mproc::pool
