// SPDX-License-Identifier: MIT
#include "worker/process_self.hh"

#include <atomic>
#include <cstdlib>
#include <vector>

#include "platform/fork_mark.hh"
#include "platform/identity.hh"

namespace mproc::worker {
namespace {

constexpr char kMark[] = "MPROC_PROCESS";
constexpr char kBetween = '\n';  // no name has one

// Never freed: other threads may read it at the end of the process.
constinit ProcessSelf* g_process = nullptr;  // set before the first function of a child is called
constinit thread_local ProcessSelf* t_thread = nullptr;
constinit thread_local uint32_t t_children = 0;  // of this one

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == kBetween) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

ProcessSelf FromEnvironment() {
  const char* mark = std::getenv(kMark);
  if (!mark) return {};
  auto parts = Split(mark);
  if (parts.size() != 6 || parts[0] != std::to_string(platform::CurrentPid())) return {};
  return {parts[1], parts[2], std::atoll(parts[3].c_str()), parts[4], parts[5] == "1"};
}

}  // namespace

ProcessSelf Self() {
  if (t_thread) return *t_thread;
  return g_process ? *g_process : FromEnvironment();
}

uint32_t NextChild() {
  if (t_thread) return ++t_children;
  static constinit std::atomic<uint64_t> g_children{0};  // the epoch of the process, and how many
  const uint64_t epoch = platform::ForkEpoch();
  uint64_t seen = g_children.load(), next = 0;
  do {
    next = (seen >> 32 == epoch ? seen : epoch << 32) + 1;
  } while (!g_children.compare_exchange_weak(seen, next));
  return static_cast<uint32_t>(next);
}

SelfMark::SelfMark(ProcessSelf self, bool owns_process) : owns_process_(owns_process) {
  if (owns_process && !self.place.empty()) {
    std::string mark = std::to_string(platform::CurrentPid());
    for (const std::string& part : {self.name, self.place, std::to_string(self.parent), self.parent_name,
                                    std::string(self.daemon ? "1" : "0")}) {
      mark += kBetween + part;
    }
    setenv(kMark, mark.c_str(), 1);
  }
  (owns_process ? g_process : t_thread) = new ProcessSelf(std::move(self));
}

SelfMark::~SelfMark() {
  if (owns_process_) return;
  delete t_thread;
  t_thread = nullptr;
  t_children = 0;
}

}  // namespace mproc::worker
