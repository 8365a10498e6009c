// SPDX-License-Identifier: MIT
#include "task/table.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace mproc::task {
namespace {

int32_t Nothing(mproc_call_t*, const void*, size_t, void*) { return 0; }

Table Sample() {
  Table table;
  EXPECT_TRUE(table.Add(1, "one", Nothing, nullptr).ok());
  EXPECT_TRUE(table.Add(0, "zero", Nothing, &table).ok());
  EXPECT_TRUE(table.Add(INT32_MAX, "last", nullptr, nullptr).ok());
  EXPECT_TRUE(table.Add(1023, "dense", nullptr, nullptr).ok());
  EXPECT_TRUE(table.Add(1024, "sparse", nullptr, nullptr).ok());
  return table;
}

TEST(Table, FindsByIdAndByName) {
  Table table = Sample();
  EXPECT_EQ(table.size(), 5U);
  for (const Function& function : table.functions()) {
    ASSERT_TRUE(table.Find(function.id));
    EXPECT_EQ(table.Find(function.id)->name, function.name);
    ASSERT_TRUE(table.FindByName(function.name));
    EXPECT_EQ(table.FindByName(function.name)->id, function.id);
  }
  EXPECT_EQ(table.Find(1)->entry, Nothing);
  for (uint32_t id : {2U, 1022U, 1025U, uint32_t{INT32_MAX} - 1, UINT32_MAX})
    EXPECT_FALSE(table.Find(id)) << id;
  EXPECT_FALSE(table.FindByName(""));
  EXPECT_FALSE(table.FindByName("On"));
}

TEST(Table, RefusesWhatItHasAndNamesThatAreNone) {
  Table table = Sample();
  for (uint32_t id : {0U, 1U, 1023U, 1024U, uint32_t{INT32_MAX}}) {
    EXPECT_EQ(table.Add(id, "new", nullptr, nullptr).code(), MPROC_ERROR_DUPLICATE) << id;
  }
  Status twice = table.Add(1, "new", nullptr, nullptr);
  EXPECT_NE(twice.message().find("one"), std::string::npos);
  EXPECT_EQ(table.Add(7, "zero", nullptr, nullptr).code(), MPROC_ERROR_DUPLICATE);
  EXPECT_EQ(table.Add(7, "", nullptr, nullptr).code(), MPROC_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(table.Add(7, std::string(256, 'n'), nullptr, nullptr).code(), MPROC_ERROR_INVALID_ARGUMENT);
  EXPECT_TRUE(table.Add(7, std::string(255, 'n'), nullptr, nullptr).ok());
  // What was refused is not half there.
  EXPECT_EQ(table.size(), 6U);
  EXPECT_FALSE(table.FindByName("new"));
}

TEST(Table, HasABound) {
  Table table;
  for (uint32_t id = 0; id < 65536; id++)
    ASSERT_TRUE(table.Add(id * 7, std::to_string(id), nullptr, nullptr).ok());
  EXPECT_EQ(table.Add(1, "more", nullptr, nullptr).code(), MPROC_ERROR_TOO_LARGE);
  auto back = Table::Decode(table.Encode());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->Fingerprint(), table.Fingerprint());
}

TEST(Table, FingerprintKnowsIdsAndNamesNotOrderNorAddresses) {
  std::vector<std::pair<uint32_t, std::string>> entries{{5, "five"}, {1, "one"}, {70000, "many"}, {2, "two"}};
  std::mt19937 random(3);
  uint64_t first = 0;
  for (int round = 0; round < 20; round++) {
    Table table;
    for (auto& [id, name] : entries) {
      EXPECT_TRUE(table.Add(id, name, round % 2 ? Nothing : nullptr, round % 3 ? &first : nullptr).ok());
    }
    if (round == 0) first = table.Fingerprint();
    EXPECT_EQ(table.Fingerprint(), first);
    std::shuffle(entries.begin(), entries.end(), random);
  }
  auto changed = [&](uint32_t id, const char* name) {
    Table table;
    for (auto& [other_id, other] : entries) {
      EXPECT_TRUE(other_id == 5 ? table.Add(id, name, nullptr, nullptr).ok()
                                : table.Add(other_id, other, nullptr, nullptr).ok());
    }
    return table.Fingerprint();
  };
  EXPECT_EQ(changed(5, "five"), first);
  EXPECT_NE(changed(5, "fivE"), first);
  EXPECT_NE(changed(6, "five"), first);
  EXPECT_NE(Table().Fingerprint(), first);
  // The border between names counts.
  Table a, b;
  EXPECT_TRUE(a.Add(1, "ab", nullptr, nullptr).ok());
  EXPECT_TRUE(b.Add(1, "a", nullptr, nullptr).ok());
  EXPECT_NE(a.Fingerprint(), b.Fingerprint());
}

TEST(Table, ComesBackFromItsBytes) {
  Table table = Sample();
  auto back = Table::Decode(table.Encode());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->size(), table.size());
  EXPECT_EQ(back->Fingerprint(), table.Fingerprint());
  EXPECT_EQ(back->Find(1)->entry, nullptr);
  auto empty = Table::Decode(Table().Encode());
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(empty->size(), 0U);
}

TEST(Table, RefusesEveryTruncationOfItsBytes) {
  auto bytes = Sample().Encode();
  for (size_t size = 0; size < bytes.size(); size++) {
    auto table = Table::Decode(ByteView(bytes).first(size));
    EXPECT_FALSE(table.ok()) << size;
    EXPECT_EQ(table.status().code(), MPROC_ERROR_PROTOCOL);
  }
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(Table::Decode(bytes).ok());
}

TEST(Table, SurvivesCorruptedBytes) {
  auto good = Sample().Encode();
  std::mt19937 random(17);
  for (int round = 0; round < 20000; round++) {
    auto bytes = good;
    for (size_t n = 1 + random() % 3; n > 0; n--)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    auto table = Table::Decode(bytes);
    if (!table.ok()) continue;
    // What is accepted is a table: its own bytes describe it.
    auto again = Table::Decode(table->Encode());
    ASSERT_TRUE(again.ok());
    ASSERT_EQ(again->Fingerprint(), table->Fingerprint());
  }
  for (int round = 0; round < 5000; round++) {
    std::vector<std::byte> noise(random() % 100);
    for (auto& byte : noise) byte = static_cast<std::byte>(random());
    Table::Decode(noise).ok();
  }
}

TEST(Table, RefusesCountsThatCannotBe) {
  for (uint64_t count : {uint64_t{65537}, uint64_t{1} << 32, uint64_t{1} << 63, UINT64_MAX}) {
    std::vector<std::byte> bytes(1 << 20);
    std::memcpy(bytes.data(), &count, sizeof count);
    EXPECT_FALSE(Table::Decode(bytes).ok());
  }
}

}  // namespace
}  // namespace mproc::task
