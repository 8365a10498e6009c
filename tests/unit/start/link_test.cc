// SPDX-License-Identifier: MIT
#include "start/link.hh"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "ipc/message.hh"
#include "platform/socket.hh"

namespace mproc::start {
namespace {

// What a link without a runtime tells when a worker, which sent `last`, has ended before Open did its work.
std::vector<ChildEvent> EventsOfAnEarlyEnd(int32_t status, const std::string& last, bool says = true) {
  auto ends = platform::MakeGuardedSocketPair();
  EXPECT_TRUE(ends.ok());
  std::vector<ChildEvent> events;
  auto link = std::make_shared<ChildLink>(nullptr, std::move(ends->first),
                                          [&](ChildEvent event) { events.push_back(std::move(event)); });
  if (says) {
    ipc::MessageHead head{static_cast<uint32_t>(ipc::MessageType::kRefused), static_cast<uint32_t>(status),
                          0};
    EXPECT_TRUE(ipc::SendFrame(ends->second.get(), head, AsBytes(last), {}, true).ok());
  }
  ends->second.Reset();
  link->OnExited(1, runtime::ChildExit{true, 1, 0});
  return events;
}

TEST(Link, TellsTheLastWordsBeforeTheEnd) {
  auto events = EventsOfAnEarlyEnd(MPROC_ERROR_NOT_SERVED, "why it will not");
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, ChildEvent::Kind::kRefused);
  EXPECT_EQ(events[0].why.code(), MPROC_ERROR_NOT_SERVED);
  EXPECT_EQ(events[0].why.message(), "why it will not");
  EXPECT_EQ(events[1].kind, ChildEvent::Kind::kExited);
  EXPECT_EQ(events[1].exit.code, 1);
}

TEST(Link, TellsTheEndOfOneThatSaidNothing) {
  auto events = EventsOfAnEarlyEnd(0, "", false);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, ChildEvent::Kind::kExited);
}

TEST(Link, BelievesOnlyNumbersOfRefusals) {
  for (int32_t status : {0, 12345, -12345, int32_t{MPROC_ERROR_WORKER_LOST}}) {
    auto events = EventsOfAnEarlyEnd(status, "x");
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].why.code(), MPROC_ERROR_PROTOCOL);
  }
}

}  // namespace
}  // namespace mproc::start
