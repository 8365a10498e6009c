// SPDX-License-Identifier: MIT
// The trace a worker leaves behind when it crashes. The worker writes numbers only (program counters and
// where files are mapped) into memory shared with the host; the host gives them names afterwards.
//
// Thread: InstallCrashTrace on the worker's main thread; the other functions anywhere.
// Ownership: the area stays the caller's. It must hold zeros at first, as new shared memory does, and stay
// mapped in the worker until the worker ends or InstallCrashTrace(nullptr, 0) is called.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mproc::platform {

// A good size for the area. Smaller ones, down to kMinCrashAreaSize, hold fewer frames and file names.
inline constexpr size_t kCrashAreaSize = 8192;
inline constexpr size_t kMinCrashAreaSize = 1024;

// False under AddressSanitizer and ThreadSanitizer, whose own reports say more; InstallCrashTrace then does
// nothing.
bool HasCrashTrace();

// Worker: from now on SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT and SIGTRAP are recorded in the area, on a
// stack of their own, each of them only if nobody handles it yet. The process then dies of the same signal
// with the same siginfo as without the trace. Processes forked from the worker record nothing.
void InstallCrashTrace(void* area, size_t size);

// Makes an area ready for its next worker.
void ClearCrashTrace(void* area, size_t size);

struct CrashMapping {
  uint64_t start = 0;
  uint64_t end = 0;
  uint64_t file_offset = 0;
  std::string path;  // Empty if nameless or too long.
};

struct CrashReport {
  int signal = 0;
  int code = 0;                  // si_code; 0 and below mean that a process sent the signal.
  uint64_t address = 0;          // The faulting address, if it was a fault.
  int64_t sender = 0;            // The sender's pid, if it was sent.
  bool complete = false;         // False if a second fault or SIGKILL cut it off.
  std::vector<uint64_t> frames;  // The first is the crashing instruction, the others are return addresses.
  std::vector<CrashMapping> mappings;
};

// Host: both copy the area once and trust nothing in it. No report gives nullopt and "".
std::optional<CrashReport> ParseCrashTrace(const void* area, size_t size);

// One line for the signal, then one for each frame: "#0 0x55d0c0de function+0x12 (/path/to/object)", or
// "#0 0x55d0c0de (/path/to/object+0x1234)" with the offset in the file if the function has no name. Control
// characters become '?'; other bytes of names are as the files have them.
std::string FormatCrashTrace(const void* area, size_t size);

}  // namespace mproc::platform
