// SPDX-License-Identifier: MIT
#include "worker/process_key.hh"

#include <mutex>

#include "platform/digest.hh"
#include "platform/fork_lock.hh"

namespace mproc::worker {
namespace {

constexpr size_t kSize = 32;

using Bytes = std::vector<std::byte>;

platform::ForkMutex g_mutex;
constinit Bytes* g_key = nullptr;  // guarded by g_mutex; never freed: other threads may ask at the end

}  // namespace

Result<Bytes> ProcessKey() {
  std::lock_guard lock(g_mutex);
  if (!g_key) {
    Bytes key(kSize);
    if (!platform::FillRandom(key.data(), key.size()))
      return Status(MPROC_ERROR_UNSUPPORTED, "the system gives no random bytes");
    g_key = new Bytes(std::move(key));
  }
  return *g_key;
}

void SetProcessKey(ByteView key) {
  Bytes fresh(key.begin(), key.end());
  std::lock_guard lock(g_mutex);
  if (!g_key) g_key = new Bytes();
  g_key->swap(fresh);
  platform::Wipe(fresh.data(), fresh.size());
}

}  // namespace mproc::worker
