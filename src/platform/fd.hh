// SPDX-License-Identifier: MIT
// Descriptors: owned, close-on-exec, and never 0, 1 or 2 (a host may have closed those).
#pragma once

#include <utility>

#include "base/status.hh"

namespace mproc::platform {

// Owns one descriptor. Movable, not thread-safe.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) Reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  explicit operator bool() const { return valid(); }
  int Release() { return std::exchange(fd_, -1); }
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

// Moves a fresh descriptor out of the range of the standard ones. Errno style in: -1 gives the error `what`.
Result<UniqueFd> TakeFd(int fd, const char* what);

// A close-on-exec duplicate, 3 or above.
Result<UniqueFd> DuplicateFd(int fd);

// An eventfd: a counter that wakes. Non-blocking.
Result<UniqueFd> MakeEventFd();
void RingEventFd(int fd);   // adds one; never blocks; async-signal-safe
void ClearEventFd(int fd);  // takes what is there

// Opens a file close-on-exec, besides these flags; `what` begins the message of an error. No cancellation
// point.
Result<UniqueFd> OpenFile(const char* path, int flags, const char* what);

// A pipe, the end to read from non-blocking, then the one to write to.
enum class Writes { kBlocking, kNonBlocking };
Result<std::pair<UniqueFd, UniqueFd>> MakePipe(Writes writes);
// What is there, at most `size` bytes; 0 at the end, -1 if there is nothing yet. No cancellation point.
ssize_t ReadPipe(int read_end, void* buffer, size_t size);
// The end to read from once more, with flags of its own; where the system does not allow that, a duplicate.
Result<UniqueFd> ReopenPipe(int read_end);
void FillPipe(int write_end);  // puts a byte in if there is room
void EmptyPipe(int read_end);  // takes what is there

// A descriptor for reading and writing the null device.
Result<UniqueFd> OpenNull();

}  // namespace mproc::platform
