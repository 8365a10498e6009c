// SPDX-License-Identifier: MIT
//
// Nothing is read beyond the message: the socket may be passed on between any two. Nothing that a header says
// is believed before the bytes come: room is made for 64 KiB at first, and for twice of what is there then.
#include "connection/receiver.hh"

#include <algorithm>

#include "connection/await.hh"

namespace mproc::connection {
namespace {

constexpr uint64_t kFirstRoom = 64 * 1024;

const char* WhyBroken(int32_t code) {
  return code == MPROC_ERROR_BAD_LENGTH
             ? "a message came whose length is negative or above the limit; nothing more can be received"
             : "the connection was cut off in the middle of a message";
}

}  // namespace

Status Receiver::Usable() const {
  int32_t broken = broken_.load(std::memory_order_relaxed);
  return broken == MPROC_OK ? Status() : Status(broken, WhyBroken(broken));
}

Status Receiver::Break(int32_t code) {
  broken_.store(code, std::memory_order_relaxed);
  bytes_ = Buffer();
  passed_ = {};
  return Usable();
}

Status Receiver::Fill(const Deadline& deadline) {
  if (HasMessage()) return Status();
  if (Status usable = Usable(); !usable.ok()) return usable;
  if (!has_length_) {
    if (Status filled = FillHeader(deadline); !filled.ok()) return filled;
  }
  if (Status filled = FillBody(deadline); !filled.ok()) return filled;
  complete_.store(true, std::memory_order_release);
  return Status();
}

Status Receiver::FillHeader(const Deadline& deadline) {
  size_t size = header_ < kShortHeader ? kShortHeader : kLongHeader;
  for (;;) {
    while (header_ < size) {
      size_t got = 0;
      if (Status received = Receive(head_ + header_, size - header_, deadline, &got); !received.ok())
        return received;
      header_ += got;
    }
    ReadHeader read = ParseHeader(head_, size);
    if (read.what == ReadHeader::kMore) {
      size = kLongHeader;
      continue;
    }
    if (read.what == ReadHeader::kBad || read.length > most_.load(std::memory_order_relaxed))
      return Break(MPROC_ERROR_BAD_LENGTH);
    length_ = read.length;
    has_length_ = true;
    return Status();
  }
}

Status Receiver::FillBody(const Deadline& deadline) {
  while (bytes_.size() < length_) {
    size_t have = bytes_.size();
    if (bytes_.capacity() == have) {
      uint64_t room = std::min(length_, std::max<uint64_t>(kFirstRoom, 2 * uint64_t{have}));
      if (!bytes_.Reserve(room)) return Status(MPROC_ERROR_OUT_OF_MEMORY);
    }
    size_t wanted = std::min<uint64_t>(length_, bytes_.capacity()) - have, got = 0;
    if (Status received = Receive(bytes_.data() + have, wanted, deadline, &got); !received.ok())
      return received;
    bytes_.SetSize(have + got);
    // One who sends on and on does not keep us beyond the limit.
    if (bytes_.size() < length_ && !deadline.immediate() && deadline.Passed())
      return Status(MPROC_ERROR_TIMED_OUT);
  }
  return Status();
}

// Waits for one byte at least.
Status Receiver::Receive(std::byte* to, size_t wanted, const Deadline& deadline, size_t* got) {
  for (;;) {
    // Descriptors come with the first byte or not at all.
    bool takes = !begun_ && takes_descriptors_.load(std::memory_order_relaxed);
    platform::Moved moved = platform::ReceiveSome(socket_, to, wanted, takes ? &passed_ : nullptr);
    switch (moved.how) {
      case platform::Moved::kSome:
        begun_ = true;
        *got = moved.size;
        return Status();
      case platform::Moved::kEnd:
        return begun_ ? Break(MPROC_ERROR_PROTOCOL) : Status(MPROC_ERROR_END_OF_FILE);
      case platform::Moved::kFailed:
        return Status::System("receiving from a connection", moved.os_code);
      case platform::Moved::kNotYet:
        break;
    }
    if (Status ready = Await(socket_, platform::Ready::kRead, deadline); !ready.ok()) return ready;
  }
}

void Receiver::Done() {
  complete_.store(false, std::memory_order_relaxed);
  begun_ = has_length_ = false;
  header_ = 0;
  length_ = 0;
  bytes_.SetSize(0);
  if (bytes_.capacity() > kFirstRoom) bytes_ = Buffer();
  passed_ = {};
}

}  // namespace mproc::connection
