// SPDX-License-Identifier: MIT
// A connection, and the bare socket at its other end.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "connection/connection.hh"
#include "platform/socket.hh"
#include "unit/sync/peer.hh"

namespace mproc::test {

using connection::Connection;
using namespace std::string_literals;

inline const Deadline kNow = Deadline::After(0);
inline const Deadline kEver = Deadline::After(INT64_MAX);
inline Deadline In(int64_t ns) { return Deadline::After(ns); }

// Sees that no descriptor is left.
class WireTest : public ::testing::Test {
 protected:
  void SetUp() override { before_ = OpenDescriptors(); }
  void TearDown() override { EXPECT_EQ(OpenDescriptors(), before_); }

 private:
  std::vector<std::string> before_;
};

struct Wire {
  std::shared_ptr<Connection> connection;
  platform::UniqueFd peer;

  Wire() {
    auto ends = std::move(*platform::MakeSocketPair(platform::PairOf::kStreams));
    connection = std::move(*Connection::Adopt(std::move(ends.first)));
    peer = std::move(ends.second);
  }
  void Put(const std::string& bytes) {
    ASSERT_EQ(send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  // What is there, at most so many bytes.
  std::string Get(size_t most = 1 << 20) {
    std::string bytes(most, '\0');
    ssize_t n = recv(peer.get(), bytes.data(), most, MSG_DONTWAIT);
    bytes.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return bytes;
  }
};

// An end on its way to a forked child, which inherits no connection.
struct Passing {
  platform::UniqueFd fd;
  explicit Passing(std::shared_ptr<Connection> end) : fd(std::move(*platform::DuplicateFd(end->fd()))) {}
  std::shared_ptr<Connection> Take() { return std::move(*Connection::Adopt(std::move(fd))); }
};

inline std::string Number(uint64_t number, int size) {
  std::string bytes;
  for (int i = size - 1; i >= 0; i--) bytes.push_back(static_cast<char>(number >> 8 * i));
  return bytes;
}
inline std::string Short(const std::string& body) { return Number(body.size(), 4) + body; }
inline std::string Long(const std::string& body) {
  return Number(0xffffffff, 4) + Number(body.size(), 8) + body;
}

// The message as text, or the name of the status.
inline std::string Text(const Result<object::Message>& message) {
  if (!message.ok()) return StatusName(message.status().code());
  return std::string(AsText(message->bytes.view()));
}
inline std::string Text(const std::shared_ptr<Connection>& c, const Deadline& deadline = kNow) {
  return Text(c->Receive(deadline));
}

}  // namespace mproc::test
