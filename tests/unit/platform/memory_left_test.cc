// SPDX-License-Identifier: MIT
#include "platform/memory_left.hh"

#include <gtest/gtest.h>

#include "platform/shared_memory.hh"

namespace mproc::platform {
namespace {

TEST(MemoryLeft, IsSomeAndNotAll) {
  EXPECT_GT(MemoryLeft(), uint64_t{16} << 20);
  EXPECT_LT(MemoryLeft(), uint64_t{1} << 50);
}

// The system would give page after page until it ends processes for more.
TEST(MemoryLeft, WhatCannotBeHadIsRefusedBeforeItIsTried) {
  for (int shift : {42, 45, 46}) {
    auto memory = SharedMemory::Create("test", size_t{1} << shift, SharedMemory::Peer::kWrites);
    EXPECT_EQ(memory.status().code(), MPROC_ERROR_OUT_OF_MEMORY);
  }
  auto some = SharedMemory::Create("test", size_t{20} << 20, SharedMemory::Peer::kWrites);
  EXPECT_TRUE(some.ok());
}

}  // namespace
}  // namespace mproc::platform
