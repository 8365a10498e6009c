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
  void Add(const Entry& entry) {
    auto behind = std::ranges::upper_bound(entries, entry.priority, {}, &Entry::priority);
    entries.insert(behind, entry);
  }
  std::optional<Entry> Take(int32_t least) {
    if (entries.empty() || entries.back().priority < least) return std::nullopt;
    Entry taken = entries.back();
    entries.pop_back();
    return taken;
  }

  uint32_t epoch = 0;          // of the process that added them
  std::vector<Entry> entries;  // the next one to be called last
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
  WithList([&](List& list) { list.Add({hook, user_data, priority}); });
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
