// SPDX-License-Identifier: MIT
// Arrays that processes share: items of one size, with a lock of their own, a lock that was there already, or
// none. A shared value is an array of one.
#pragma once

#include "sync/lock.hh"

namespace mproc::shm {

struct ArrayShape {
  int32_t type = 0;  // a letter as C and Python know it; 0: bytes
  size_t item_size = 0;
  size_t count = 0;
};

enum class ArrayLock : uint32_t { kNone = 0, kOwn = 1, kGiven = 2 };

// The size of an item of this type; 0: there is no such type, or it is bytes.
size_t SizeOfType(int32_t type);

// Any thread of any process that has it.
class Array final : public object::SharedObject {
 public:
  static constexpr object::Kind kKind = object::Kind::kArray;

  // Items are zero. `given`: the lock, if it is kGiven.
  static Result<std::shared_ptr<Array>> Create(const ArrayShape& shape, ArrayLock lock,
                                               std::shared_ptr<sync::Lock> given);
  static Result<std::shared_ptr<Array>> Adopt(object::ReceivedFds fds);

  std::vector<int> Descriptors() const override;
  const ArrayShape& shape() const { return shape_; }
  std::byte* data() const;
  ArrayLock lock_kind() const { return lock_; }
  const std::shared_ptr<sync::Lock>& given_lock() const { return given_; }
  // Of kOwn and kGiven.
  sync::LockMemory& lock() const;
  sync::LockOptions lock_options() const;

  // Copies items [first, first + count), which there are. Single items of 1, 2, 4 and 8 bytes are never torn.
  // No lock is taken.
  void Read(size_t first, size_t count, void* items) const;
  void Write(size_t first, size_t count, const void* items);

 private:
  struct Head {
    int32_t type;
    uint32_t lock;
    uint64_t item_size;
    uint64_t count;
    alignas(64) sync::LockMemory own_lock;
  };
  static constexpr size_t kDataOffset = (sizeof(Head) + 63) & ~size_t{63};

  Array(platform::SharedMemory memory, const ArrayShape& shape, ArrayLock lock,
        std::shared_ptr<sync::Lock> given);

  const ArrayShape shape_;  // copies: no peer can change them here
  const ArrayLock lock_;
  const std::shared_ptr<sync::Lock> given_;
};

}  // namespace mproc::shm
