// SPDX-License-Identifier: MIT
#include "platform/file_region.hh"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace mproc::platform {
namespace {

constexpr size_t kPage = 4096, kStep = 256, kMany = 16;

struct Region {
  SharedMemory memory;
  MappedRegion mapped;

  bool Extend(size_t pages) { return mapped.Extend(memory.fd(), 0, pages * kPage).ok(); }
};

// Maps some pages of a file of more.
Region NewRegion(size_t pages, size_t most) {
  auto memory = SharedMemory::CreateSparse("test", kPage, most * kPage);
  EXPECT_TRUE(memory.ok() && ReserveRegion(memory->fd(), 0, most * kPage).ok());
  auto mapped = MappedRegion::Map(memory->fd(), 0, pages * kPage);
  EXPECT_TRUE(mapped.ok());
  return {std::move(*memory), std::move(*mapped)};
}

// Some of the page: a thread sanitizer remembers so many accesses of a thread and no more.
void Touch(const MappedRegion& region, size_t page) {
  for (size_t i = 0; i < kPage; i += kStep) region.data()[page * kPage + i] = static_cast<std::byte>(i % 251);
}

bool Touched(const MappedRegion& region, size_t page) {
  for (size_t i = 0; i < kPage; i += kStep) {
    if (region.data()[page * kPage + i] != static_cast<std::byte>(i % 251)) return false;
  }
  return true;
}

TEST(FileRegion, KeepsWhatIsInItWhenItIsExtended) {
  Region region = NewRegion(1, 64);
  Touch(region.mapped, 0);
  for (size_t pages = 2; pages <= 64; pages *= 2) {
    ASSERT_TRUE(region.Extend(pages));
    EXPECT_EQ(region.mapped.size(), pages * kPage);
    Touch(region.mapped, pages - 1);
    EXPECT_TRUE(Touched(region.mapped, 0));
    EXPECT_TRUE(Touched(region.mapped, pages / 2 - 1));
  }
}

TEST(FileRegion, StaysAsItIsWhenThereIsNoRoom) {
  Region region = NewRegion(1, 64);
  Touch(region.mapped, 0);
  EXPECT_FALSE(region.Extend(size_t{1} << 48));
  EXPECT_EQ(region.mapped.size(), kPage);
  EXPECT_TRUE(Touched(region.mapped, 0));
}

// Every second one of another thread's regions moves away; where they lay there is room for this thread's.
// The order of the two is nothing that a thread sanitizer knows of: it must not take the one's writes for the
// other's.
TEST(FileRegion, LiesWhereAnotherThreadsHasLain) {
  std::vector<Region> mine(kMany), others(kMany);
  for (auto& region : mine) region = NewRegion(1, 2);
  std::atomic<bool> moved{false};
  std::thread other([&] {
    for (auto& region : others) {
      region = NewRegion(2, 4);
      for (size_t page = 0; page < 2; page++) Touch(region.mapped, page);
    }
    for (size_t i = 0; i < kMany; i += 2) EXPECT_TRUE(others[i].Extend(4));
    moved.store(true, std::memory_order_relaxed);
  });
  while (!moved.load(std::memory_order_relaxed)) std::this_thread::yield();
  for (auto& region : mine) {
    EXPECT_TRUE(region.Extend(2));
    for (size_t page = 0; page < 2; page++) Touch(region.mapped, page);
  }
  other.join();
}

}  // namespace
}  // namespace mproc::platform
