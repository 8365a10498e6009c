// SPDX-License-Identifier: MIT
#include "pool/bounds.hh"

#include <gtest/gtest.h>

namespace mproc::pool {
namespace {

uint32_t AddTo(Bounds& bounds, uint32_t function, std::weak_ptr<SharedBlock>* seen) {
  uint32_t id = bounds.NewId();
  auto memory = SharedBlock::CreateBound(AsBytes("bytes", 5), {id, function, 0, 5}, {});
  EXPECT_TRUE(memory.ok());
  *seen = *memory;
  bounds.Add(std::move(*memory));
  return id;
}

TEST(Bounds, MemoryLivesUntilItsIdIsGivenBackAndItsLastTaskHasEnded) {
  Bounds bounds;
  std::weak_ptr<SharedBlock> one, other;
  uint32_t first = AddTo(bounds, 7, &one), second = AddTo(bounds, 8, &other);
  EXPECT_GE(first, task::kFirstBound);
  EXPECT_NE(first, second);
  EXPECT_TRUE(bounds.Check(first).ok());
  bounds.Begin(first);
  bounds.Begin(first);
  EXPECT_TRUE(bounds.Remove(first).ok());
  EXPECT_EQ(bounds.Check(first).code(), MPROC_ERROR_UNKNOWN_FUNCTION);
  EXPECT_EQ(bounds.Remove(first).code(), MPROC_ERROR_UNKNOWN_FUNCTION);
  bounds.End(first);
  EXPECT_EQ(bounds.FunctionOf(first), 7U);
  EXPECT_EQ(bounds.MemoryOf(first), one.lock());
  bounds.End(first);
  EXPECT_TRUE(one.expired());
  bounds.Begin(second);
  bounds.End(second);
  EXPECT_FALSE(other.expired());  // somebody may submit another one
  EXPECT_TRUE(bounds.Remove(second).ok());
  EXPECT_TRUE(other.expired());
  EXPECT_NE(AddTo(bounds, 8, &other), second);
}

TEST(Bounds, OtherFunctionsAreNotItsBusiness) {
  Bounds bounds;
  for (uint32_t id : {0U, 1U, task::kFirstBound - 1}) {
    bounds.Begin(id);
    bounds.End(id);
    EXPECT_EQ(bounds.FunctionOf(id), id);
    EXPECT_FALSE(bounds.Check(id).ok());
  }
  Status never = bounds.Check(task::kFirstBound);
  EXPECT_NE(never.message().find("not of this pool"), std::string::npos);
  EXPECT_EQ(bounds.Remove(UINT32_MAX).code(), MPROC_ERROR_UNKNOWN_FUNCTION);
}

TEST(Bounds, AllAreRemovedAtTheEnd) {
  Bounds bounds;
  std::weak_ptr<SharedBlock> one, used;
  AddTo(bounds, 1, &one);
  uint32_t id = AddTo(bounds, 1, &used);
  bounds.Begin(id);
  bounds.RemoveAll();
  EXPECT_TRUE(one.expired());
  EXPECT_FALSE(used.expired());
  bounds.End(id);
  EXPECT_TRUE(used.expired());
}

}  // namespace
}  // namespace mproc::pool
