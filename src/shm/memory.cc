// SPDX-License-Identifier: MIT
#include "shm/memory.hh"

namespace mproc::shm {

Result<std::shared_ptr<Memory>> Memory::Create(size_t size, platform::Pages pages) {
  if (size > kLargest) return Status(MPROC_ERROR_TOO_LARGE, "memory has at most 2^46 bytes");
  auto memory = Allocate(kKind, size, 0, pages);
  if (!memory.ok()) return memory.status();
  return std::shared_ptr<Memory>(new Memory(std::move(*memory)));
}

Result<std::shared_ptr<Memory>> Memory::Adopt(platform::UniqueFd fd) {
  auto memory = ReceiveAny(kKind, 0, std::move(fd));
  if (!memory.ok()) return memory.status();
  return std::shared_ptr<Memory>(new Memory(std::move(*memory)));
}

}  // namespace mproc::shm
