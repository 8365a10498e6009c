// SPDX-License-Identifier: MIT
// Memory that processes share, without a name: bytes, all zero at first, that belong to nobody in particular.
#pragma once

#include "object/shared_object.hh"

namespace mproc::shm {

inline constexpr size_t kLargest = size_t{1} << 46;

// The mapping and its size never change, so any thread; what is in it is the users' to keep apart.
class Memory final : public object::SharedObject {
 public:
  static constexpr object::Kind kKind = object::Kind::kMemory;

  // kLater: pages are taken when they are first touched, and a lack of them ends the process that touches.
  static Result<std::shared_ptr<Memory>> Create(size_t size, platform::Pages pages);
  static Result<std::shared_ptr<Memory>> Adopt(platform::UniqueFd fd);

  // Aligned to 64 bytes.
  std::byte* data() const { return body<std::byte>(); }
  size_t bytes() const { return body_size(); }

 private:
  explicit Memory(platform::SharedMemory memory) : SharedObject(kKind, std::move(memory)) {}
};

}  // namespace mproc::shm
