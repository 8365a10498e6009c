// SPDX-License-Identifier: MIT
#include "task/archive.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mproc::task {
namespace {

std::vector<std::byte> Count(uint64_t count, size_t more = 0) {
  std::vector<std::byte> bytes(sizeof count + more);
  std::memcpy(bytes.data(), &count, sizeof count);
  return bytes;
}

TEST(Archive, CarriesNumbersTextsAndLists) {
  std::vector<std::string> texts{"", "one", std::string(1000, 'x'), std::string("\0y", 2)};
  std::vector<std::string> back;
  ASSERT_TRUE(Decode(Encode(texts), &back));
  EXPECT_EQ(back, texts);
  std::vector<int32_t> numbers{1, -1, INT32_MIN}, numbers_back;
  ASSERT_TRUE(Decode(Encode(numbers), &numbers_back));
  EXPECT_EQ(numbers_back, numbers);
  double number = 0;
  ASSERT_TRUE(Decode(Encode(2.5), &number));
  EXPECT_EQ(number, 2.5);
}

// A count is believed only as far as there are bytes; nothing is allocated for the others.
TEST(Archive, BelievesNoCountBeyondItsBytes) {
  for (uint64_t count : {uint64_t{9}, uint64_t{1} << 20, uint64_t{1} << 32, uint64_t{1} << 60,
                         uint64_t{1} << 63, UINT64_MAX - 7, UINT64_MAX}) {
    auto bytes = Count(count, 8);
    std::string text;
    EXPECT_FALSE(Decode(bytes, &text));
    EXPECT_LT(text.capacity(), 100U);
    std::vector<std::string> texts;
    EXPECT_FALSE(Decode(bytes, &texts));
    EXPECT_LT(texts.capacity(), 100U);
    std::vector<uint64_t> numbers;
    EXPECT_FALSE(Decode(bytes, &numbers));
    EXPECT_LT(numbers.capacity(), 100U);
    std::vector<std::vector<std::string>> lists;
    EXPECT_FALSE(Decode(bytes, &lists));
  }
}

// A bool of any other byte would be neither true nor false.
TEST(Archive, TakesNoByteButZeroAndOneForABool) {
  for (int byte = 0; byte < 256; byte++) {
    std::byte bytes[1] = {static_cast<std::byte>(byte)};
    bool truth = false;
    EXPECT_EQ(Decode(bytes, &truth), byte < 2) << byte;
    EXPECT_EQ(truth, byte == 1) << byte;
    std::vector<bool> truths;
    auto list = Count(1, 1);
    list.back() = bytes[0];
    EXPECT_EQ(Decode(list, &truths), byte < 2) << byte;
  }
}

TEST(Archive, WantsExactlyItsBytes) {
  auto bytes = Encode(std::string("text"));
  std::string text;
  for (size_t size = 0; size < bytes.size(); size++)
    EXPECT_FALSE(Decode(ByteView(bytes).first(size), &text)) << size;
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(Decode(bytes, &text));
}

TEST(Archive, TakesAnEmptyListAtTheEnd) {
  std::vector<std::string> texts{"x"};
  EXPECT_TRUE(Decode(Count(0), &texts));
  EXPECT_TRUE(texts.empty());
}

}  // namespace
}  // namespace mproc::task
