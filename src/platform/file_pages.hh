// SPDX-License-Identifier: MIT
// How memory files get their size and their pages: with an error where there is no room, whatever limits and
// signals the host has. Any thread, with cancellation off.
#pragma once

#include <cstddef>

#include "base/status.hh"

namespace mproc::platform {

// The most of `size` that a file may have here: the system ends a process that makes one larger (SIGXFSZ).
size_t AtMostAllowed(size_t size);

// SYSTEM, EFBIG if it may not be so large.
Status GiveFileSize(int fd, size_t size);

// Takes the pages of a part, so that touching them needs no luck later; where files cannot do that, they come
// when they are touched. If it fails, it may have taken some.
Status TakeFilePages(int fd, size_t offset, size_t size);

}  // namespace mproc::platform
