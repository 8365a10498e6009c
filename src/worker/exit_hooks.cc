// SPDX-License-Identifier: MIT
#include "worker/exit_hooks.hh"

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <optional>
#include <vector>

#include "base/forced_unwind.hh"
#include "platform/fork_lock.hh"
#include "platform/fork_mark.hh"

namespace mproc::worker {
namespace {

struct Entry {
  ExitHook hook;
  void* user_data;
  int32_t priority;
};

struct List {
  // The next one to be called, taken out.
  std::optional<Entry> Take(int32_t least) {
    auto best = std::max_element(entries.rbegin(), entries.rend(), [](const Entry& one, const Entry& other) {
      return one.priority < other.priority;
    });
    if (best == entries.rend() || best->priority < least) return std::nullopt;
    Entry taken = *best;
    entries.erase(std::prev(best.base()));
    return taken;
  }

  uint32_t epoch = 0;  // of the process that added them
  std::vector<Entry> entries;
};

platform::ForkMutex g_mutex;
constinit List* g_list = nullptr;  // guarded by g_mutex; never freed: other threads may add to it at the end
constinit thread_local List* t_list = nullptr;

// Runs `body` on the list of this process or thread.
template <typename Body>
auto WithList(Body&& body) {
  if (t_list) return body(*t_list);
  std::lock_guard lock(g_mutex);
  if (!g_list) g_list = new List();
  if (g_list->epoch != platform::ForkEpoch()) {
    g_list->epoch = platform::ForkEpoch();
    g_list->entries.clear();
  }
  return body(*g_list);
}

// Nothing that is thrown may go on from here.
MPROC_HANDLES_FORCED_UNWIND void Call(const Entry& entry) {
  try {
    entry.hook(entry.user_data);
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (...) {
    std::fputs("libmproc: an exit hook threw an exception\n", stderr);
  }
}

}  // namespace

void AddExitHook(ExitHook hook, void* user_data, int32_t priority) {
  WithList([&](List& list) { list.entries.push_back({hook, user_data, priority}); });
}

void RunExitHooks(int32_t least) {
  while (auto entry = WithList([&](List& list) { return list.Take(least); })) Call(*entry);
}

OwnExitHooks::OwnExitHooks() { t_list = new List(); }

OwnExitHooks::~OwnExitHooks() {
  delete t_list;
  t_list = nullptr;
}

}  // namespace mproc::worker
