// SPDX-License-Identifier: MIT
#include "shm/memory.hh"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>

#include "sync/lock.hh"
#include "unit/sync/peer.hh"

namespace mproc::shm {
namespace {

using namespace test;
using platform::Pages;

TEST(Memory, IsZeroAndTheSameElsewhere) {
  auto memory = std::move(*Memory::Create(5000, Pages::kReserved));
  EXPECT_EQ(memory->bytes(), 5000U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory->data()) % 64, 0U);
  for (size_t i = 0; i < 5000; i++) ASSERT_EQ(memory->data()[i], std::byte{0});
  Peer other([&] {
    auto mine = Adopted<Memory>(memory->fd());
    EXPECT_EQ(mine->bytes(), 5000U);
    std::memcpy(mine->data() + 4990, "0123456789", 10);
  });
  EXPECT_TRUE(other.EndsWell());
  EXPECT_EQ(std::memcmp(memory->data() + 4990, "0123456789", 10), 0);
}

TEST(Memory, TakesItsPagesAtOnceOrLater) {
  auto blocks = [](const Memory& memory) {
    struct stat info;
    return fstat(memory.fd(), &info) == 0 ? info.st_blocks * 512 : -1;
  };
  EXPECT_GE(blocks(**Memory::Create(8 << 20, Pages::kReserved)), 8 << 20);
  EXPECT_LE(blocks(**Memory::Create(8 << 20, Pages::kLater)), 1 << 20);
}

TEST(Memory, HasLimits) {
  EXPECT_EQ(Memory::Create(kLargest + 1, Pages::kLater).status().code(), MPROC_ERROR_TOO_LARGE);
  EXPECT_EQ(Memory::Create(kLargest, Pages::kReserved).status().code(), MPROC_ERROR_OUT_OF_MEMORY);
}

TEST(Memory, IsNotMadeOfAnything) {
  EXPECT_EQ(Memory::Adopt(std::move(*platform::OpenNull())).status().code(), MPROC_ERROR_PROTOCOL);
  auto lock = std::move(*sync::Lock::Create({}));
  EXPECT_EQ(Memory::Adopt(std::move(*platform::DuplicateFd(lock->fd()))).status().code(),
            MPROC_ERROR_WRONG_KIND);
}

// A peer that lies about the size cannot make others read beyond the end.
TEST(Memory, IsAsLargeAsItIs) {
  auto memory = std::move(*Memory::Create(100, Pages::kReserved));
  auto* head = reinterpret_cast<object::ObjectHead*>(memory->data() - sizeof(object::ObjectHead));
  for (uint64_t lie : {uint64_t{0}, uint64_t{63}, uint64_t{4097}, UINT64_MAX}) {
    head->size = lie;
    EXPECT_EQ(Memory::Adopt(std::move(*platform::DuplicateFd(memory->fd()))).status().code(),
              MPROC_ERROR_PROTOCOL);
  }
  EXPECT_EQ(memory->bytes(), 100U);
}

}  // namespace
}  // namespace mproc::shm
