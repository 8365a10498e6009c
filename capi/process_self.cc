// SPDX-License-Identifier: MIT
// What a process asks about itself. In mproc-worker, too: modules ask it there.
#include <mproc/process.h>

#include <cstring>
#include <string>

#include "capi/guard.hh"
#include "capi/key.hh"
#include "worker/exit_hooks.hh"
#include "worker/parent.hh"
#include "worker/process_key.hh"
#include "worker/process_self.hh"

using namespace mproc;
using namespace mproc::capi;

namespace {

// Kept for the caller.
const char* Keep(std::string* place, std::string text) {
  *place = std::move(text);
  return place->c_str();
}
thread_local std::string t_name, t_parent_name;

}  // namespace

const char* mproc_process_current_name(void) {
  const char* name = "";
  Guard([&] {
    name = Keep(&t_name, worker::Self().name);
    return Status();
  });
  return name;
}

int32_t mproc_process_current_is_daemon(void) {
  int32_t daemon = 0;
  Guard([&] {
    daemon = worker::Self().daemon ? 1 : 0;
    return Status();
  });
  return daemon;
}

mproc_status_t mproc_process_add_exit_hook(mproc_exit_hook_cb hook, void* user_data, int32_t priority) {
  return Guard([&] {
    if (!hook) return BadArgument("hook is null");
    worker::AddExitHook(hook, user_data, priority);
    return Status();
  });
}

mproc_status_t mproc_process_parent(int64_t* pid, const char** name) {
  return Guard([&] {
    worker::ProcessSelf self = worker::Self();
    if (self.parent == 0) return Status(MPROC_ERROR_END, "no process of this library started this one");
    if (pid) *pid = self.parent;
    if (name) *name = Keep(&t_parent_name, std::move(self.parent_name));
    return Status();
  });
}

mproc_status_t mproc_process_parent_join(int64_t limit) {
  return Guard([&] { return worker::JoinParent(Deadline::After(limit)); });
}

mproc_status_t mproc_process_parent_sentinel(int32_t* fd) {
  return Guard([&]() -> Status {
    if (!fd) return BadArgument("fd is null");
    auto sentinel = worker::ParentSentinel();
    if (sentinel.ok()) *fd = *sentinel;
    return sentinel.status();
  });
}

mproc_status_t mproc_process_set_authkey(const void* key, size_t size) {
  return Guard([&]() -> Status {
    if (!IsKey(key, size)) return BadArgument("a key has 1 byte to 1 MiB");
    worker::SetProcessKey(AsBytes(key, size));
    return Status();
  });
}

mproc_status_t mproc_process_authkey(void* key, size_t capacity, size_t* size) {
  return Guard([&]() -> Status {
    if (!size || (!key && capacity)) return BadArgument("size is null, or key is null and has room");
    auto own = worker::ProcessKey();
    if (!own.ok()) return own.status();
    *size = own->size();
    if (own->size() > capacity) return Status(MPROC_ERROR_BUFFER_TOO_SMALL);
    std::memcpy(key, own->data(), own->size());
    return Status();
  });
}
