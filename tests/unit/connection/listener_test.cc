// SPDX-License-Identifier: MIT
#include "connection/listener.hh"

#include <algorithm>
#include <thread>

#include "connection/address.hh"
#include "platform/digest.hh"
#include "support/seccomp.hh"
#include "wire.hh"

namespace mproc::connection {
namespace {

using namespace test;

constexpr int kCrowd = 100;

class ListenerTest : public WireTest {
 protected:
  static std::shared_ptr<Listener> Listen(const Terms& terms, int backlog = 128) {
    return std::move(*Listener::Create("abstract:mproc-unit-" + std::to_string(getpid()), backlog, terms));
  }
  void ListenWithKey() {
    if (!platform::Hmac("SHA256", AsBytes("k"), AsBytes("m")).ok()) GTEST_SKIP() << "there is no libcrypto";
    terms_ = {std::make_shared<const Key>(AsBytes("our key")), false};
    listener_ = Listen(terms_);
  }
  static std::shared_ptr<Connection> Knock(const Listener& at) {
    auto socket = platform::ConnectTo(*ParseAddress(at.address()), kSecond);
    EXPECT_TRUE(socket.ok()) << socket.status().message();
    return std::move(*Connection::Adopt(std::move(*socket)));
  }
  // A crowd of those who are gone before anybody looks.
  void KnockAndGo() {
    for (int i = 0; i < kCrowd; i++) Knock(*listener_);
  }
  void TearDown() override {
    listener_.reset();
    WireTest::TearDown();
  }

  Terms terms_;
  std::shared_ptr<Listener> listener_;
};

// Who is in before a crowd goes on while the crowd is still at the door.
TEST_F(ListenerTest, ACrowdKeepsNobodyWaiting) {
  ASSERT_NO_FATAL_FAILURE(ListenWithKey());
  if (IsSkipped()) return;
  Handshake client(Knock(*listener_), terms_, Handshake::Role::kClient);
  KnockAndGo();
  std::shared_ptr<Connection> accepted;
  for (int i = 0; i < 4 && !accepted; i++) {
    auto found = listener_->Accept(kNow);
    if (found.ok()) accepted = *found;
    (void)client.Go(kNow);
  }
  ASSERT_TRUE(accepted);
  EXPECT_LT(listener_->refused(), uint64_t{kCrowd});
  EXPECT_TRUE(client.Go(kNow).ok());
  EXPECT_TRUE(accepted->Send(AsBytes("welcome"), kNow).ok());
  EXPECT_EQ(Text(client.connection()), "welcome");
}

// A limit that has passed ends the call, whoever is at the door; nobody is lost.
TEST_F(ListenerTest, LimitsHoldInACrowd) {
  ASSERT_NO_FATAL_FAILURE(ListenWithKey());
  if (IsSkipped()) return;
  KnockAndGo();
  uint64_t refused = 0;
  for (int64_t limit : {0, 1}) {
    EXPECT_EQ(listener_->Accept(In(limit)).status().code(), MPROC_ERROR_TIMED_OUT);
    EXPECT_GT(listener_->refused(), refused);
    refused = listener_->refused();
    EXPECT_LT(refused, uint64_t{kCrowd});
  }
  for (int i = 0; i < kCrowd; i++) (void)listener_->Accept(kNow);
  EXPECT_EQ(listener_->refused(), uint64_t{kCrowd});
}

// A connection on its way is an end already.
TEST_F(ListenerTest, ForkedChildrenGetNoneWhoConnects) {
  auto listener = Listen({}, 1);
  std::vector<platform::GuardedFd> waiting;
  for (;;) {
    auto socket = platform::ConnectTo(*ParseAddress(listener->address()), kMs);
    if (!socket.ok()) break;
    waiting.push_back(std::move(*socket));
  }
  auto before = OpenDescriptors(), now = before;
  std::thread client([&] { EXPECT_TRUE(Connect(listener->address(), {}, kEver).ok()); });
  EXPECT_TRUE(Soon([&] { return (now = OpenDescriptors()).size() > before.size(); }));
  InChild([&] {
    g_look_for_leaks = false;  // what the other thread held is nobody's here
    for (const std::string& open : OpenDescriptors())
      EXPECT_TRUE(std::find(now.begin(), now.end(), open) == now.end() ||
                  std::find(before.begin(), before.end(), open) != before.end())
          << open;
  });
  for (size_t i = 0; i <= waiting.size(); i++) EXPECT_TRUE(listener->Accept(In(20 * kSecond)).ok());
  client.join();
}

// What is no fault of the one who connects would come again for ever.
TEST_F(ListenerTest, ErrorsThatStayAreTold) {
  for (int error : {EPERM, EACCES}) {
    InChild(
        [error] {
          auto listener = Listen({});
          auto client = Knock(*listener);
          if (!Deny({{SYS_accept4, error}})) GTEST_SKIP() << "no seccomp filters";
          Status status = listener->Accept(kEver).status();
          EXPECT_EQ(status.code(), MPROC_ERROR_SYSTEM);
          EXPECT_EQ(status.os_code(), error);
        },
        20);
  }
}

TEST_F(ListenerTest, FaultsOfTheNetworkAreNot) {
  for (int error : {ECONNABORTED, EPROTO, ENETUNREACH}) {
    InChild(
        [error] {
          auto listener = Listen({});
          auto client = Knock(*listener);
          if (!Deny({{SYS_accept4, error}})) GTEST_SKIP() << "no seccomp filters";
          EXPECT_EQ(listener->Accept(kNow).status().code(), MPROC_ERROR_TIMED_OUT);
          EXPECT_EQ(listener->Accept(In(1)).status().code(), MPROC_ERROR_TIMED_OUT);
        },
        20);
  }
}

}  // namespace
}  // namespace mproc::connection
