// SPDX-License-Identifier: MIT
#include "platform/memory_left.hh"

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "platform/cgroup.hh"

namespace mproc::platform {
namespace {

// The number of bytes in a file of one number; `otherwise` if it holds none ("max").
uint64_t NumberIn(const std::string& path, uint64_t otherwise) {
  std::string text = ReadLine(path);
  if (text.empty() || text[0] < '0' || text[0] > '9') return otherwise;
  return std::strtoull(text.c_str(), nullptr, 10);
}

// The number behind a word, in a file of words and numbers; 0 if it is not there.
uint64_t NumberAfter(const std::string& path, const std::string& word) {
  for (const std::string& line : ReadLines(path)) {
    if (line.starts_with(word)) return std::strtoull(line.c_str() + word.size(), nullptr, 10);
  }
  return 0;
}

// Always asked when much is wanted or little is left, else after every so many bytes.
constexpr uint64_t kUnasked = 16 << 20;
constexpr uint64_t kSpared = 2 << 20;  // for everything else, page tables among it
std::atomic<uint64_t> g_unasked{kUnasked};

uint64_t Above(uint64_t limit, uint64_t used) { return limit > used ? limit - used : 0; }

}  // namespace

uint64_t MemoryLeft() {
  uint64_t left = NumberAfter("/proc/meminfo", "MemAvailable:") + NumberAfter("/proc/meminfo", "SwapFree:");
  left = left ? left * 1024 : UINT64_MAX;
  ForEachGroup("memory", [&](const std::string& folder, bool unified) {
    uint64_t limit = NumberIn(folder + (unified ? "/memory.max" : "/memory.limit_in_bytes"), UINT64_MAX);
    if (limit == UINT64_MAX) return;
    uint64_t used = NumberIn(folder + (unified ? "/memory.current" : "/memory.usage_in_bytes"), 0);
    uint64_t cache =
        NumberAfter(folder + "/memory.stat", unified ? "inactive_file " : "total_inactive_file ");
    left = std::min(left, Above(limit, Above(used, cache)));
  });
  return left;
}

bool CanBeHad(uint64_t size) {
  uint64_t known = g_unasked.load(std::memory_order_relaxed);
  if (size <= known) {
    g_unasked.store(known - size, std::memory_order_relaxed);  // a guess: others may be faster
    return true;
  }
  uint64_t left = MemoryLeft(), wanted = size + size / 64 + kSpared;
  if (left == UINT64_MAX) return true;
  g_unasked.store(left > wanted ? std::min(kUnasked, (left - wanted) / 4) : 0, std::memory_order_relaxed);
  return wanted <= left;
}

}  // namespace mproc::platform
