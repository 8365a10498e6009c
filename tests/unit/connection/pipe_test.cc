// SPDX-License-Identifier: MIT
#include "connection/object_frame.hh"
#include "connection/wait_many.hh"
#include "wire.hh"

namespace mproc::connection {
namespace {

using namespace test;
using PipeTest = WireTest;

std::shared_ptr<Connection> Again(const std::shared_ptr<Connection>& one) {
  return std::move(*Connection::AdoptDuplicate(one->fd()));
}

TEST_F(PipeTest, GoesBothWays) {
  auto ends = std::move(*Connection::MakePipe(true));
  EXPECT_TRUE(ends.first->Send(AsBytes("there"), kNow).ok());
  EXPECT_TRUE(ends.second->Send(AsBytes("back"), kNow).ok());
  EXPECT_EQ(Text(ends.second), "there");
  EXPECT_EQ(Text(ends.first), "back");
}

// Wherever an end is adopted, and whoever is gone, it knows what it is for.
TEST_F(PipeTest, OneWayEndsKnowTheirDirection) {
  auto ends = std::move(*Connection::MakePipe(false));
  for (int round = 0; round < 2; round++) {
    auto reads = Again(Again(ends.first)), writes = Again(ends.second);
    EXPECT_TRUE(writes->Send(AsBytes("message"), kNow).ok());
    EXPECT_EQ(reads->Send(AsBytes("x"), kNow).code(), MPROC_ERROR_CLOSED);
    EXPECT_EQ(Text(writes), "MPROC_ERROR_CLOSED");
    EXPECT_EQ(writes->Poll(kNow).code(), MPROC_ERROR_CLOSED);
    EXPECT_EQ(Text(reads), "message");
  }
  auto alone = Again(ends.second);
  ends.first.reset();
  ends.second.reset();
  auto again = Again(alone);
  EXPECT_EQ(again->Poll(kNow).code(), MPROC_ERROR_CLOSED);
  EXPECT_EQ(Text(again), "MPROC_ERROR_CLOSED");
  EXPECT_EQ(again->Send(AsBytes("x"), kNow).code(), MPROC_ERROR_BROKEN_PIPE);
}

// Else its end would not be seen as long as they live.
TEST_F(PipeTest, ForkedChildrenHaveNoEnds) {
  auto ends = std::move(*Connection::MakePipe(true));
  Peer child([] {
    for (;;) pause();
  });
  ends.second.reset();
  EXPECT_EQ(Text(ends.first, In(20 * kSecond)), "MPROC_ERROR_END_OF_FILE");
}

TEST_F(PipeTest, AdoptsOnlyConnectedStreams) {
  auto status = [](int fd) {
    platform::UniqueFd owned(fd);
    return Connection::AdoptDuplicate(fd).status().code();
  };
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
  EXPECT_EQ(status(pair[0]), MPROC_ERROR_PROTOCOL);
  EXPECT_EQ(status(pair[1]), MPROC_ERROR_PROTOCOL);
  EXPECT_EQ(status(open("/dev/null", O_RDWR | O_CLOEXEC)), MPROC_ERROR_PROTOCOL);
  EXPECT_EQ(status(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), MPROC_ERROR_PROTOCOL);
  int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr local{AF_UNIX, {}};
  ASSERT_EQ(bind(listening, &local, sizeof(sa_family_t)), 0);
  ASSERT_EQ(listen(listening, 1), 0);
  EXPECT_EQ(status(listening), MPROC_ERROR_PROTOCOL);
  EXPECT_EQ(status(-1), MPROC_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(status(999999), MPROC_ERROR_INVALID_ARGUMENT);
}

// ---- objects

object::PassedObject Passed(object::Kind kind, std::vector<int> fds) {
  return {static_cast<uint32_t>(kind), std::move(fds), nullptr};
}

TEST_F(PipeTest, ObjectsGoWithAMessage) {
  auto ends = std::move(*Connection::MakePipe(true)), inner = std::move(*Connection::MakePipe(true));
  std::vector<object::PassedObject> objects(64, object::Pass(inner.first));
  for (const std::string& data : {""s, "bytes"s, std::string(100000, 'b')}) {
    ASSERT_TRUE(ends.first->SendObjects(AsBytes(data), objects, kNow).ok());
    ASSERT_TRUE(ends.first->Send(AsBytes("next"), kNow).ok());
    auto message = ends.second->ReceiveObjects(kNow);
    EXPECT_EQ(Text(message), data);
    ASSERT_EQ(message->objects.size(), 64u);
    EXPECT_EQ(message->objects[63].kind, static_cast<uint32_t>(object::Kind::kConnection));
    auto came = Connection::Adopt(std::move(message->objects[63].fds[0]));
    EXPECT_TRUE((*came)->Send(AsBytes("hello"), kNow).ok());
    EXPECT_EQ(Text(inner.second), "hello");
    EXPECT_EQ(Text(ends.second), "next");
  }
}

TEST_F(PipeTest, OrdinaryMessagesHaveNoObjects) {
  auto ends = std::move(*Connection::MakePipe(true)), inner = std::move(*Connection::MakePipe(true));
  std::vector<object::PassedObject> objects{object::Pass(inner.first)};
  ASSERT_TRUE(ends.first->Send(AsBytes("plain"), kNow).ok());
  EXPECT_EQ(Text(ends.second->ReceiveObjects(kNow)), "MPROC_ERROR_WRONG_KIND");
  EXPECT_EQ(Text(ends.second), "plain");
  // One whose bytes say that they are one with objects is none.
  std::string forged(AsText(MakeObjectPreface(objects).bytes));
  ASSERT_TRUE(ends.first->Send(AsBytes(forged), kNow).ok());
  EXPECT_EQ(Text(ends.second->ReceiveObjects(kNow)), "MPROC_ERROR_PROTOCOL");
  EXPECT_EQ(Text(ends.second), forged);
  // Its bytes can be had without the objects, and the objects after a look at its size.
  ASSERT_TRUE(ends.first->SendObjects(AsBytes("!"), objects, kNow).ok());
  EXPECT_EQ(Text(ends.second), forged + "!");
  ASSERT_TRUE(ends.first->SendObjects(AsBytes("!"), objects, kNow).ok());
  size_t size = 0;
  EXPECT_EQ(ends.second->ReceiveInto(nullptr, 0, &size, kNow).code(), MPROC_ERROR_BUFFER_TOO_SMALL);
  auto message = ends.second->ReceiveObjects(kNow);
  EXPECT_EQ(Text(message), "!");
  EXPECT_EQ(message->objects.size(), 1u);
}

TEST_F(PipeTest, LyingCountsAreRefused) {
  auto null = std::move(*platform::OpenNull());
  int fd = null.get();
  auto number = [](uint32_t n) { return std::string(reinterpret_cast<const char*>(&n), sizeof n); };
  struct Lie {
    size_t at;
    std::string change;
    size_t fds;
  };
  const Lie lies[] = {{8, number(0), 1},          {8, number(2), 1},   {8, number(65), 1},
                      {8, number(UINT32_MAX), 1}, {16, number(0), 1},  {16, number(2), 1},
                      {16, number(0), 0},         {16, number(1), 0},  {16, number(UINT32_MAX), 1},
                      {16, number(1), 2},         {16, number(1), 253}};
  for (const Lie& lie : lies) {
    Wire wire;
    std::string body(AsText(MakeObjectPreface(std::vector{Passed(object::Kind::kLock, {fd})}).bytes));
    body.replace(lie.at, lie.change.size(), lie.change);
    std::string frame = Short(body);
    ByteView part = AsBytes(frame);
    ASSERT_EQ(platform::SendSome(wire.peer.get(), {&part, 1}, std::vector<int>(lie.fds, fd)).size,
              frame.size());
    EXPECT_EQ(Text(wire.connection->ReceiveObjects(kNow)), "MPROC_ERROR_PROTOCOL")
        << lie.at << " " << lie.fds;
    EXPECT_EQ(Text(wire.connection), body);  // it was kept
  }
}

// Descriptors with each byte: only those of the first one are looked at.
TEST_F(PipeTest, DescriptorsInTheMiddleAreDropped) {
  auto null = std::move(*platform::OpenNull());
  std::vector<int> fds(253, null.get());
  Wire wire;
  auto before = OpenDescriptors().size();
  for (char c : Short("text")) {
    ByteView part = AsBytes(&c, 1);
    ASSERT_EQ(platform::SendSome(wire.peer.get(), {&part, 1}, fds).size, 1u);
    EXPECT_EQ(wire.connection->ReceiveObjects(kNow).ok(), false);
    EXPECT_LE(OpenDescriptors().size(), before + 253);
  }
  EXPECT_EQ(Text(wire.connection), "text");
}

// ---- many

TEST_F(PipeTest, WaitTellsAllThatAreReady) {
  auto a = std::move(*Connection::MakePipe(true)), b = std::move(*Connection::MakePipe(false));
  auto bell = std::move(*platform::MakeEventFd());
  Connection* list[] = {a.first.get(), b.first.get(), a.first.get()};
  const int32_t fds[] = {bell.get(), bell.get()};
  uint8_t ready[5] = {};
  size_t count = 77;
  auto wait = [&](const Deadline& deadline) { return WaitMany(list, fds, deadline, ready, &count).code(); };
  auto marks = [&] {
    std::string text;
    for (uint8_t r : ready) text += r ? '1' : '0';
    return text + " " + std::to_string(count);
  };
  EXPECT_EQ(wait(kNow), MPROC_ERROR_TIMED_OUT);
  EXPECT_EQ(wait(In(kMs)), MPROC_ERROR_TIMED_OUT);
  EXPECT_EQ(count, 77u);
  platform::RingEventFd(bell.get());
  EXPECT_EQ(wait(kEver), MPROC_OK);
  EXPECT_EQ(marks(), "00011 2");
  EXPECT_TRUE(a.second->Send(AsBytes("message"), kNow).ok());
  EXPECT_EQ(wait(kNow), MPROC_OK);
  EXPECT_EQ(marks(), "10111 4");
  b.second.reset();  // an end is something, too
  EXPECT_EQ(wait(kNow), MPROC_OK);
  EXPECT_EQ(marks(), "11111 5");
  size_t size = 0;  // a message that is kept counts
  EXPECT_EQ(a.first->ReceiveInto(nullptr, 0, &size, kNow).code(), MPROC_ERROR_BUFFER_TOO_SMALL);
  platform::ClearEventFd(bell.get());
  EXPECT_EQ(wait(kEver), MPROC_OK);
  EXPECT_EQ(marks(), "11100 3");
  EXPECT_EQ(Text(a.first), "message");
  EXPECT_EQ(WaitMany({}, {}, kNow, nullptr, &count).code(), MPROC_ERROR_TIMED_OUT);
}

TEST_F(PipeTest, WaitNamesWhatIsWrong) {
  auto pipe = std::move(*Connection::MakePipe(false));
  Connection* wrong[] = {pipe.first.get(), pipe.second.get()};
  Connection* right[] = {pipe.first.get()};
  uint8_t ready[3];
  size_t count;
  Status status = WaitMany(wrong, {}, kNow, ready, &count);
  EXPECT_EQ(status.code(), MPROC_ERROR_CLOSED);
  EXPECT_NE(status.message().find("index 1"), std::string::npos);
  for (int32_t bad : {-1, 999999}) {
    const int32_t fds[] = {pipe.first->fd(), bad};
    status = WaitMany(right, fds, kEver, ready, &count);
    EXPECT_EQ(status.code(), MPROC_ERROR_INVALID_ARGUMENT);
    EXPECT_NE(status.message().find("index 2"), std::string::npos);
  }
}

}  // namespace
}  // namespace mproc::connection
