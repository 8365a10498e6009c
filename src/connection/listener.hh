// SPDX-License-Identifier: MIT
// Listeners, to which others connect, and how one connects to them.
#pragma once

#include <atomic>
#include <list>
#include <string>

#include "connection/handshake.hh"
#include "platform/stream_address.hh"

namespace mproc::connection {

// Any thread: one accepts at a time, the others wait for their turn up to their limit.
class Listener {
 public:
  static Result<std::shared_ptr<Listener>> Create(std::string_view address, int backlog, Terms terms);
  ~Listener();

  // The next one who has connected and, if there is a key, has proven to know it. Whoever has not is let go
  // and counted; that is no error of the call. OK, TIMED_OUT, INTERRUPTED, DESCRIPTOR_LIMIT, SYSTEM,
  // UNSUPPORTED (no libcrypto).
  Result<std::shared_ptr<Connection>> Accept(const Deadline& deadline);
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }
  const std::string& address() const { return address_; }
  int fd() const { return socket_.get(); }
  void SetHandshakeLimit(int64_t limit) { limit_.store(limit, std::memory_order_relaxed); }

 private:
  struct Pending {
    Handshake handshake;
    int64_t since;
    Deadline deadline;
  };

  Listener(platform::GuardedFd socket, std::string address, std::string path, Terms terms);
  Result<std::shared_ptr<Connection>> TakeNew(bool* full);
  Result<std::shared_ptr<Connection>> GoOn();
  Result<std::shared_ptr<Connection>> GoOnWith(std::list<Pending>::iterator pending);
  bool MakeRoom();
  Status Wait(bool full, const Deadline& deadline);

  const platform::GuardedFd socket_;
  const std::string address_;
  const std::string path_;  // of the file to remove; empty: none
  const platform::FileMark file_;
  const Terms terms_;
  std::atomic<int64_t> limit_{10'000'000'000};
  std::atomic<uint64_t> refused_{0};
  Turn turn_;
  std::list<Pending> pending_;  // turn_; the oldest one first
};

// Connects and, with a key, proves it. OK, TIMED_OUT, INTERRUPTED, NOT_FOUND, AUTHENTICATION, SYSTEM,
// INVALID_ARGUMENT, UNSUPPORTED.
Result<std::shared_ptr<Connection>> Connect(std::string_view address, Terms terms, const Deadline& deadline);

}  // namespace mproc::connection
