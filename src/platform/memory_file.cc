// SPDX-License-Identifier: MIT
#include "platform/memory_file.hh"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace mproc::platform {

Result<UniqueFd> MakeMemoryFile(const char* name, ByteView bytes) {
  auto fd = TakeFd(memfd_create(name, MFD_CLOEXEC), "making a memory file");
  if (!fd.ok()) {
    if (fd.status().os_code() != ENOSYS && fd.status().os_code() != EPERM) return fd.status();
    return Status(MPROC_ERROR_UNSUPPORTED, "this system has no memory files (memfd_create)",
                  fd.status().os_code());
  }
  while (!bytes.empty()) {
    ssize_t n = write(fd->get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Status::System("writing a memory file", errno);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return fd;
}

Result<std::vector<std::byte>> ReadMemoryFile(int fd, size_t size) {
  std::vector<std::byte> bytes(size);
  for (size_t at = 0; at < size;) {
    ssize_t n = pread(fd, bytes.data() + at, size - at, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Status::System("reading a memory file", errno);
    if (n == 0) return Status(MPROC_ERROR_PROTOCOL, "a memory file is shorter than announced");
    at += static_cast<size_t>(n);
  }
  return bytes;
}

std::string TailOfMemoryFile(int fd, size_t most) {
  struct stat file {};
  if (fstat(fd, &file) != 0 || file.st_size <= 0) return "";
  size_t size = std::min(most, static_cast<size_t>(file.st_size));
  std::string text(size, '\0');
  ssize_t n = pread(fd, text.data(), size, file.st_size - static_cast<off_t>(size));
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return text;
}

}  // namespace mproc::platform
