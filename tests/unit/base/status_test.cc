// SPDX-License-Identifier: MIT
#include "base/status.hh"

#include <errno.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mproc {
namespace {

TEST(Status, IsGoodUnlessToldOtherwise) {
  Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.code(), MPROC_OK);
  EXPECT_EQ(status.os_code(), 0);
  EXPECT_EQ(status.message(), StatusText(MPROC_OK));
}

TEST(Status, KeepsItsMessageInCopies) {
  Status copy;
  {
    Status status(MPROC_ERROR_BROKEN, std::string("why"), 5);
    copy = status;
  }
  EXPECT_FALSE(copy.ok());
  EXPECT_EQ(copy.code(), MPROC_ERROR_BROKEN);
  EXPECT_EQ(copy.message(), "why");
  EXPECT_EQ(copy.os_code(), 5);
}

TEST(Status, TurnsSystemErrorsIntoNumbersOfThePublicList) {
  const std::pair<int, int32_t> cases[] = {
      {ENOMEM, MPROC_ERROR_OUT_OF_MEMORY},    {ENOSPC, MPROC_ERROR_OUT_OF_MEMORY},
      {EMFILE, MPROC_ERROR_DESCRIPTOR_LIMIT}, {ENFILE, MPROC_ERROR_DESCRIPTOR_LIMIT},
      {ENOSYS, MPROC_ERROR_UNSUPPORTED},      {EPIPE, MPROC_ERROR_SYSTEM}};
  for (auto [error, code] : cases) {
    Status status = Status::System("doing it", error);
    EXPECT_EQ(status.code(), code);
    EXPECT_EQ(status.os_code(), error);
    EXPECT_EQ(status.message().find("doing it: "), 0U);
    EXPECT_GT(status.message().size(), 10U);
  }
}

TEST(Status, EveryNumberHasANameAndAText) {
  std::set<std::string> names, texts;
  for (int32_t code = 0; code >= MPROC_ERROR_NOT_FOUND; code--) {
    EXPECT_EQ(std::string(StatusName(code)).find("MPROC_"), 0U) << code;
    EXPECT_TRUE(names.insert(StatusName(code)).second) << code;
    EXPECT_TRUE(texts.insert(StatusText(code)).second) << code;
  }
  for (int32_t code : {1, 1000, MPROC_ERROR_NOT_FOUND - 1, INT32_MIN, INT32_MAX}) {
    EXPECT_STREQ(StatusName(code), "unknown");
    EXPECT_FALSE(std::string(StatusText(code)).empty());
  }
}

TEST(Result, HoldsAValueOrAnError) {
  Result<std::string> good(std::string("value"));
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(*good, "value");
  EXPECT_EQ(good->size(), 5U);
  EXPECT_TRUE(good.status().ok());
  Result<std::string> bad{Status(MPROC_ERROR_TOO_LARGE)};
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.status().code(), MPROC_ERROR_TOO_LARGE);
}

}  // namespace
}  // namespace mproc
