// SPDX-License-Identifier: MIT
// The side of a connection that receives: puts messages together from what the socket gives.
#pragma once

#include <atomic>

#include "base/buffer.hh"
#include "base/clock.hh"
#include "connection/frame.hh"
#include "connection/turn.hh"
#include "platform/stream.hh"

namespace mproc::connection {

// The socket is somebody else's. Its owner holds the turn for all but what is marked as for any thread.
class Receiver {
 public:
  explicit Receiver(int socket) : socket_(socket) {}

  Turn* turn() { return &turn_; }  // any thread
  // Messages that are longer are refused. Any thread.
  void SetMost(uint64_t most) { most_.store(most, std::memory_order_relaxed); }
  // Whether descriptors that come are taken; else the system drops them. Any thread.
  void TakeDescriptors(bool take) { takes_descriptors_.store(take, std::memory_order_relaxed); }
  // True if a whole message is here already. Any thread.
  bool HasMessage() const { return complete_.load(std::memory_order_acquire); }
  // Good, or why nothing can be received any more. Any thread.
  Status Usable() const;

  // Waits until a whole message is here; it stays. What came of one when the wait ends is kept.
  Status Fill(const Deadline& deadline);

  // Of the message that is here:
  Buffer& bytes() { return bytes_; }
  platform::PassedFds& passed() { return passed_; }
  // It was taken or copied: makes room for the next one.
  void Done();

 private:
  Status FillHeader(const Deadline& deadline);
  Status FillBody(const Deadline& deadline);
  Status Receive(std::byte* to, size_t wanted, const Deadline& deadline, size_t* got);
  Status Break(int32_t code);

  const int socket_;
  Turn turn_;
  std::atomic<uint64_t> most_{kMostLong};
  std::atomic<bool> takes_descriptors_{true};
  std::atomic<int32_t> broken_{MPROC_OK};  // why no more can be received
  std::atomic<bool> complete_{false};
  // The turn:
  bool begun_ = false;       // something of a message was received
  bool has_length_ = false;  // its header is complete
  size_t header_ = 0;        // so many bytes of it are there
  std::byte head_[kLongHeader];
  uint64_t length_ = 0;
  Buffer bytes_;  // of the body; its size is what is there
  platform::PassedFds passed_;
};

}  // namespace mproc::connection
