// SPDX-License-Identifier: MIT
#include "platform/pages.hh"

#include <sys/mman.h>

namespace mproc::platform {

std::byte* TakePages(size_t size) {
  void* at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return at == MAP_FAILED ? nullptr : static_cast<std::byte*>(at);
}

void GivePagesBack(std::byte* pages, size_t size) { munmap(pages, size); }

}  // namespace mproc::platform
