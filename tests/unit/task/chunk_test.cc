// SPDX-License-Identifier: MIT
#include "task/chunk.hh"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "task/item_results.hh"

namespace mproc::task {
namespace {

using Bytes = std::vector<std::byte>;

template <typename T>
void Put(Bytes* bytes, const T& value) {
  size_t at = bytes->size();
  bytes->resize(at + sizeof value);
  std::memcpy(bytes->data() + at, &value, sizeof value);
}

void PutText(Bytes* bytes, const std::string& text) {
  auto view = AsBytes(text);
  bytes->insert(bytes->end(), view.begin(), view.end());
}

// A copy of its own for each reader, so that a sanitizer sees every byte too far.
struct Exact {
  explicit Exact(ByteView bytes) : size(bytes.size()), data(new std::byte[bytes.size()]) {
    if (size) std::memcpy(data.get(), bytes.data(), size);
  }
  ByteView view() const { return {data.get(), size}; }
  size_t size;
  std::unique_ptr<std::byte[]> data;
};

const std::vector<std::string> kItems{"first", "", "the third one", "x"};

// Offsets count from any origin.
Bytes Chunk(uint64_t origin = 1000) {
  Bytes bytes;
  Put(&bytes, ChunkHead{3, kItems.size(), kVaried, 0, 1, 0});
  uint64_t offset = origin;
  for (const auto& item : kItems) {
    Put(&bytes, offset);
    offset += item.size();
  }
  Put(&bytes, offset);
  for (const auto& item : kItems) PutText(&bytes, item);
  return bytes;
}

Bytes Written(const ItemResultsWriter& writer) {
  Bytes bytes(writer.size());
  writer.Write(bytes.data());
  return bytes;
}

// The third one failed.
Bytes Results() {
  ItemResultsWriter writer;
  for (size_t i = 0; i < kItems.size(); i++) {
    const auto& item = kItems[i];
    if (i == 2) {
      writer.AddFailed(AsBytes(item));
    } else {
      std::memcpy(writer.Room(item.size()), item.data(), item.size());
      writer.Add(item.size());
    }
  }
  return Written(writer);
}

// Reads to the end; how many were read.
size_t ReadItems(ByteView bytes) {
  ItemReader reader;
  if (!reader.Open(bytes)) return 0;
  size_t count = 0;
  uint64_t sum = 0;
  ByteView item;
  while (reader.Next(&item)) {
    count++;
    for (std::byte byte : item) sum += static_cast<unsigned>(byte);
  }
  EXPECT_LT(sum, UINT64_MAX);
  return count;
}

size_t ReadResults(ByteView bytes) {
  ItemResults results;
  if (!results.Open(bytes, kItems.size())) return 0;
  EXPECT_LE(results.done(), kItems.size());
  uint64_t sum = 0, failed = 0;
  for (uint64_t i = 0; i < results.done(); i++) {
    for (std::byte byte : results.at(i)) sum += static_cast<unsigned>(byte);
    failed += results.failed_at(i);
  }
  EXPECT_LT(sum, UINT64_MAX);
  EXPECT_EQ(failed, results.failed());
  return results.done();
}

TEST(ItemReader, GivesTheItemsInOrder) {
  for (uint64_t origin : {uint64_t{0}, uint64_t{1000}, uint64_t{1} << 60}) {
    Bytes bytes = Chunk(origin);
    ItemReader reader;
    ASSERT_TRUE(reader.Open(bytes));
    EXPECT_EQ(reader.head().first, 3U);
    EXPECT_EQ(reader.head().keep_going, 1U);
    ByteView item;
    for (const auto& wanted : kItems) {
      ASSERT_TRUE(reader.Next(&item));
      EXPECT_EQ(AsText(item), wanted);
    }
    EXPECT_FALSE(reader.Next(&item));
  }
}

TEST(ItemReader, ReadsNothingBeyondATruncation) {
  Bytes bytes = Chunk();
  for (size_t size = 0; size < bytes.size(); size++) {
    Exact part(ByteView(bytes).first(size));
    EXPECT_LT(ReadItems(part.view()), kItems.size()) << size;
  }
}

TEST(ItemReader, BelievesNoCountNorOffset) {
  for (uint64_t count :
       {uint64_t{5}, uint64_t{1} << 61, (uint64_t{1} << 61) - 1, uint64_t{1} << 63, UINT64_MAX}) {
    Bytes bytes = Chunk();
    std::memcpy(bytes.data() + 8, &count, sizeof count);
    Exact exact(bytes);
    EXPECT_LE(ReadItems(exact.view()), kItems.size() + 1);
  }
  for (uint64_t offset : {uint64_t{0}, uint64_t{999}, uint64_t{1} << 40, uint64_t{1} << 63, UINT64_MAX}) {
    for (size_t place = 0; place <= kItems.size(); place++) {
      Bytes bytes = Chunk();
      std::memcpy(bytes.data() + sizeof(ChunkHead) + place * 8, &offset, sizeof offset);
      Exact exact(bytes);
      EXPECT_LT(ReadItems(exact.view()), kItems.size());
    }
  }
}

TEST(ItemReader, SurvivesNoise) {
  std::mt19937_64 random(8);
  Bytes good = Chunk();
  for (int round = 0; round < 20000; round++) {
    Bytes bytes = good;
    for (size_t n = 1 + random() % 4; n > 0; n--)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    Exact exact(ByteView(bytes).first(random() % 2 ? bytes.size() : random() % bytes.size()));
    ReadItems(exact.view());
  }
}

TEST(ItemReader, NeedsNoTableForItemsOfOneSize) {
  for (size_t size : {size_t{0}, size_t{1}, size_t{8}, size_t{13}}) {
    Bytes bytes;
    Put(&bytes, ChunkHead{7, 5, size, 0, 0, 0});
    for (int i = 0; i < 5; i++) PutText(&bytes, std::string(size, static_cast<char>('a' + i)));
    Exact exact(bytes);
    ItemReader reader;
    ASSERT_TRUE(reader.Open(exact.view()));
    ByteView item;
    for (int i = 0; i < 5; i++) {
      ASSERT_TRUE(reader.Next(&item));
      EXPECT_EQ(AsText(item), std::string(size, static_cast<char>('a' + i)));
    }
    EXPECT_FALSE(reader.Next(&item));
    if (size == 0) continue;
    Exact part(exact.view().first(bytes.size() - 1));
    EXPECT_FALSE(reader.Open(part.view()));
    for (uint64_t count : {uint64_t{6}, uint64_t{1} << 61, uint64_t{1} << 63, UINT64_MAX}) {
      std::memcpy(exact.data.get() + 8, &count, sizeof count);
      EXPECT_FALSE(reader.Open(exact.view()));
    }
  }
}

TEST(ItemResults, GiveValuesAndErrors) {
  Bytes bytes = Results();
  ItemResults results;
  ASSERT_TRUE(results.Open(bytes, kItems.size()));
  ASSERT_EQ(results.done(), kItems.size());
  EXPECT_EQ(results.failed(), 1U);
  for (size_t i = kItems.size(); i-- > 0;) {
    EXPECT_EQ(AsText(results.at(i)), kItems[i]);
    EXPECT_EQ(results.failed_at(i), i == 2);
  }
  EXPECT_FALSE(results.Open(bytes, kItems.size() - 1));
}

TEST(ItemResults, OfAnySizesComeBack) {
  std::mt19937_64 random(11);
  ItemResultsWriter writer;  // one for all
  for (int round = 0; round < 500; round++) {
    writer.Clear();
    std::vector<std::pair<std::string, bool>> wanted;
    size_t size = random() % 20;
    for (size_t i = random() % 50; i > 0; i--) {
      if (round % 3 == 0) size = random() % 300;
      wanted.emplace_back(std::string(size, static_cast<char>(random())), random() % 8 == 0);
      auto bytes = AsBytes(wanted.back().first);
      if (wanted.back().second) {
        writer.AddFailed(bytes);
        continue;
      }
      std::byte* at = writer.Room(size + random() % 3000);
      if (size) std::memcpy(at, bytes.data(), size);
      writer.Add(size);
    }
    if (round % 50 == 0) {
      writer.Shrink();
      wanted.clear();
    }
    Exact exact(Written(writer));
    ItemResults results;
    ASSERT_TRUE(results.Open(exact.view(), wanted.size()));
    ASSERT_EQ(results.done(), wanted.size());
    for (size_t i = 0; i < wanted.size(); i++) {
      EXPECT_EQ(AsText(results.at(i)), wanted[i].first);
      EXPECT_EQ(results.failed_at(i), wanted[i].second);
    }
  }
}

TEST(ItemResults, OfOneSizeHaveNoTable) {
  ItemResultsWriter writer;
  for (int i = 0; i < 100; i++) {
    std::memset(writer.Room(8), i, 8);
    writer.Add(8);
  }
  EXPECT_EQ(writer.size(), sizeof(ItemResultsHead) + 800);
}

TEST(ItemResults, NothingIsReadOfATruncation) {
  Bytes bytes = Results();
  for (size_t size = 0; size < bytes.size(); size++) {
    Exact part(ByteView(bytes).first(size));
    EXPECT_EQ(ReadResults(part.view()), 0U) << size;
  }
}

TEST(ItemResults, BelieveNoCountSizeOrPlace) {
  const size_t words = Results().size() / sizeof(uint64_t);
  for (uint64_t number : {uint64_t{5}, uint64_t{100}, uint64_t{1} << 61, uint64_t{1} << 62, uint64_t{1} << 63,
                          UINT64_MAX - 1}) {
    for (size_t word = 0; word < words; word++) {
      if (word == 3) continue;  // reserved
      Bytes bytes = Results();
      std::memcpy(bytes.data() + word * sizeof number, &number, sizeof number);
      Exact exact(bytes);
      size_t read = ReadResults(exact.view());
      if (word < 2) {
        EXPECT_EQ(read, 0U) << word;
      }
    }
  }
}

TEST(ItemResults, SurvivesNoise) {
  std::mt19937_64 random(9);
  Bytes good = Results();
  for (int round = 0; round < 20000; round++) {
    Bytes bytes = good;
    for (size_t n = 1 + random() % 4; n > 0; n--)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    Exact exact(ByteView(bytes).first(random() % 2 ? bytes.size() : random() % bytes.size()));
    ReadResults(exact.view());
  }
}

Bytes ArrayBytes(uint64_t done, uint64_t failed, size_t outputs, const std::string& error = "") {
  ChunkResultHead head{done, failed};
  std::string text(reinterpret_cast<const char*>(&head), sizeof head);
  text += std::string(outputs, '\7') + error;
  ByteView view = AsBytes(text);
  return Bytes(view.begin(), view.end());
}

TEST(ArrayResult, TakesWholeAndFailedOnes) {
  ArrayResult result;
  ASSERT_TRUE(ReadArrayResult(ArrayBytes(10, 0, 80), 10, 8, &result));
  EXPECT_EQ(result.done, 10U);
  EXPECT_FALSE(result.failed);
  EXPECT_EQ(result.outputs.size(), 80U);
  Bytes failed = ArrayBytes(4, 1, 32, "error");
  ASSERT_TRUE(ReadArrayResult(failed, 10, 8, &result));
  EXPECT_EQ(result.done, 4U);
  EXPECT_TRUE(result.failed);
  EXPECT_EQ(result.outputs.size(), 32U);
  EXPECT_EQ(AsText(result.error), "error");
  Bytes none = ArrayBytes(3, 0, 0);
  ASSERT_TRUE(ReadArrayResult(none, 3, 0, &result));
  EXPECT_TRUE(result.outputs.empty());
}

TEST(ArrayResult, RefusesCountsThatCannotBe) {
  ArrayResult result;
  const uint64_t top = uint64_t{1} << 63;
  EXPECT_FALSE(ReadArrayResult(ArrayBytes(9, 0, 72), 10, 8, &result));    // too few, and no error
  EXPECT_FALSE(ReadArrayResult(ArrayBytes(11, 0, 88), 10, 8, &result));   // too many
  EXPECT_FALSE(ReadArrayResult(ArrayBytes(10, 1, 80), 10, 8, &result));   // all of them and an error
  EXPECT_FALSE(ReadArrayResult(ArrayBytes(10, 0, 79), 10, 8, &result));   // a byte short
  EXPECT_FALSE(ReadArrayResult(ArrayBytes(top, 0, 8), top, 2, &result));  // the product wraps
  EXPECT_FALSE(ReadArrayResult(ArrayBytes(top / 4, 0, 8), top / 4, 8, &result));
  EXPECT_FALSE(ReadArrayResult(ArrayBytes(UINT64_MAX, 1, 80), 10, 8, &result));
}

TEST(ArrayResult, RefusesEveryTruncation) {
  Bytes bytes = ArrayBytes(10, 0, 80);
  ArrayResult result;
  for (size_t size = 0; size < bytes.size(); size++) {
    Exact part(ByteView(bytes).first(size));
    EXPECT_FALSE(ReadArrayResult(part.view(), 10, 8, &result)) << size;
  }
}

TEST(ArrayResult, SurvivesNoise) {
  std::mt19937_64 random(10);
  for (int round = 0; round < 20000; round++) {
    Bytes bytes(random() % 120);
    for (auto& byte : bytes) byte = random() % 2 ? std::byte{0} : static_cast<std::byte>(random());
    Exact exact(bytes);
    ArrayResult result;
    uint64_t count = random() % 20, stride = random() % 10;
    if (!ReadArrayResult(exact.view(), count, stride, &result)) continue;
    EXPECT_LE(result.done, count);
    EXPECT_EQ(result.outputs.size(), result.done * stride);
    EXPECT_LE(result.outputs.size() + result.error.size(), bytes.size());
  }
}

}  // namespace
}  // namespace mproc::task
