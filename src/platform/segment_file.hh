// SPDX-License-Identifier: MIT
// Named memory files: in /dev/shm, where shm_open and other languages look for them, and removed with their
// last user, however it ended.
#pragma once

#include <string>

#include "platform/fork_guard.hh"
#include "platform/shared_memory.hh"

namespace mproc::platform {

// One that this process uses. It stays in use until the descriptor and its copies are closed, or it is let
// go.
struct SegmentFile {
  GuardedFd fd;
  std::string name;
  size_t size;
  std::string entry;  // its other name; empty if another process made it
};

// All: DESCRIPTOR_LIMIT, SYSTEM. A name has 1 to 200 bytes and no slash.
// An empty name: any that is free. EXISTS; OUT_OF_MEMORY, also if the pages cannot be had.
Result<SegmentFile> CreateSegmentFile(const std::string& name, size_t size, Pages pages);
// NOT_FOUND; PROTOCOL: it is no memory file.
Result<SegmentFile> AttachSegmentFile(const std::string& name);
// One whose descriptor came from another process.
Result<SegmentFile> AdoptSegmentFile(UniqueFd fd);

// Takes the name away if it still is this file's, else NOT_FOUND. BUSY: another process has been stopped in
// the middle of such a call.
Status UnlinkSegmentFile(const SegmentFile& file);
// Closes it; if nobody uses it any more, its name goes.
void CloseSegmentFile(SegmentFile file);
// For the maker: true once somebody has taken its name away.
bool HasLostItsName(const SegmentFile& file);
// As CloseSegmentFile, but the descriptor stays, and counts for nothing, nor do copies of it.
void LetSegmentFileGo(const SegmentFile& file);

// Removes the names of all files that nobody uses: looks at each of this user's.
void SweepSegmentFiles();

}  // namespace mproc::platform
