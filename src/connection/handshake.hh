// SPDX-License-Identifier: MIT
// How both sides of a connection prove that they know a key, as Python's multiprocessing.connection does it:
// each sends the other one random bytes and gets their digest, keyed with the key.
#pragma once

#include <memory>
#include <vector>

#include "connection/connection.hh"

namespace mproc::connection {

// Never empty. Immutable, so any thread.
class Key {
 public:
  explicit Key(ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key();
  ByteView view() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

struct Terms {
  std::shared_ptr<const Key> key;  // null: no handshake
  bool refuse_md5 = false;         // with which Python before 3.12 cannot do
};

// One thread at a time.
class Handshake {
 public:
  enum class Role { kListener, kClient };
  Handshake(std::shared_ptr<Connection> connection, Terms terms, Role role);

  // Goes on where the last call ended. OK: both have proven it; TIMED_OUT and INTERRUPTED: not yet;
  // AUTHENTICATION and others: it is over.
  Status Go(const Deadline& deadline);
  const std::shared_ptr<Connection>& connection() const { return connection_; }
  // Whether the peer has said nothing that is right yet.
  bool AtItsBeginning() const { return step_ <= 1; }

 private:
  Status Challenge();
  Status Verify(const Deadline& deadline);
  Status Answer(const Deadline& deadline);
  Status Welcomed(const Deadline& deadline);
  Status Send(ByteView bytes);
  Result<std::vector<std::byte>> Receive(const Deadline& deadline);

  const std::shared_ptr<Connection> connection_;
  const Terms terms_;
  const Role role_;
  int step_ = 0;
  std::vector<std::byte> sent_;  // what the peer is to give the digest of
};

}  // namespace mproc::connection
