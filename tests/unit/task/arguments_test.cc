// SPDX-License-Identifier: MIT
#include "task/arguments.hh"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "task/value.hh"

namespace mproc::task {
namespace {

using Bytes = std::vector<std::byte>;

Bytes Pack(const std::vector<std::string>& arguments) {
  std::vector<const void*> pointers;
  std::vector<size_t> sizes;
  for (const auto& one : arguments) {
    pointers.push_back(one.data());
    sizes.push_back(one.size());
  }
  Bytes packed;
  PackArguments(pointers.data(), sizes.data(), arguments.size(), &packed);
  return packed;
}

TEST(Arguments, AreTheListThatTheValueIs) {
  for (const auto& arguments :
       {std::vector<std::string>{}, {""}, {"one"}, {"one", "", std::string(300, 'x')}}) {
    Bytes packed = Pack(arguments);
    ValueWriter writer;
    ASSERT_TRUE(writer.Begin(MPROC_VALUE_LIST).ok());
    for (const auto& one : arguments) ASSERT_TRUE(writer.PutBytes(AsBytes(one)).ok());
    ASSERT_TRUE(writer.End().ok());
    EXPECT_EQ(AsText(packed), AsText(writer.bytes()));
    for (size_t i = 0; i < arguments.size(); i++) {
      auto one = ArgumentAt(packed, i);
      ASSERT_TRUE(one.ok());
      EXPECT_EQ(AsText(*one), arguments[i]);
    }
    for (uint64_t beyond : {uint64_t{arguments.size()}, UINT64_MAX}) {
      EXPECT_EQ(ArgumentAt(packed, beyond).status().code(), MPROC_ERROR_NO_VALUE);
    }
  }
  Bytes empty;
  PackArguments(nullptr, nullptr, 2, &empty);
  EXPECT_EQ(AsText(empty), AsText(Pack({"", ""})));
}

TEST(Arguments, OfOtherKindsAreForTheValueCalls) {
  ValueWriter writer;
  ASSERT_TRUE(writer.Begin(MPROC_VALUE_LIST).ok());
  ASSERT_TRUE(writer.PutString("text").ok());
  ASSERT_TRUE(writer.PutInt(5).ok());
  ASSERT_TRUE(writer.PutBytes(AsBytes("x", 1)).ok());
  ASSERT_TRUE(writer.End().ok());
  EXPECT_EQ(AsText(*ArgumentAt(writer.bytes(), 0)), "text");
  EXPECT_EQ(ArgumentAt(writer.bytes(), 1).status().code(), MPROC_ERROR_WRONG_KIND);
  EXPECT_EQ(ArgumentAt(writer.bytes(), 2).status().code(), MPROC_ERROR_WRONG_KIND);
  writer.Clear();
  ASSERT_TRUE(writer.PutBytes(AsBytes("x", 1)).ok());
  EXPECT_EQ(ArgumentAt(writer.bytes(), 0).status().code(), MPROC_ERROR_BAD_VALUE);
}

TEST(Arguments, NothingIsBelieved) {
  const Bytes good = Pack({"first", "second", "third"});
  for (size_t size = 0; size < good.size(); size++) {
    EXPECT_FALSE(ArgumentAt(ByteView(good).first(size), 2).ok());
  }
  std::mt19937_64 random(3);
  for (int round = 0; round < 20000; round++) {
    Bytes bytes = good;
    for (uint64_t n = 1 + random() % 4; n > 0; n--) bytes[random() % bytes.size()] = std::byte(random());
    for (uint64_t i = 0; i < 4; i++) {
      auto one = ArgumentAt(bytes, i);
      if (!one.ok()) continue;
      EXPECT_GE(one->data(), bytes.data());
      EXPECT_LE(one->data() + one->size(), bytes.data() + bytes.size());
    }
  }
}

}  // namespace
}  // namespace mproc::task
