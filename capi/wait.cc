// SPDX-License-Identifier: MIT
#include <mproc/wait.h>

#include <string>
#include <vector>

#include "base/clock.hh"
#include "capi/object_handles.hh"
#include "connection/wait_many.hh"

using namespace mproc;
using namespace mproc::capi;
using connection::Connection;

mproc_status_t mproc_wait(mproc_connection_t* const* connections, size_t connection_count, const int32_t* fds,
                          size_t fd_count, int64_t limit, uint8_t* ready, size_t* ready_count) {
  return Guard([&]() -> Status {
    constexpr size_t kMost = size_t{1} << 20;  // the system's own limit on open descriptors by default
    if (connection_count > kMost || fd_count > kMost) return BadArgument("too many to wait for at once");
    if ((!connections && connection_count) || (!fds && fd_count))
      return BadArgument("a list is null, its count is not 0");
    if (!ready && connection_count + fd_count) return BadArgument("ready is null");
    std::vector<ObjectHandles::Pinned> pinned(connection_count);
    std::vector<Connection*> found;
    for (size_t i = 0; i < connection_count; i++) {
      Status known = ObjectHandles::Get().Find(connections[i], &pinned[i]);
      if (known.ok() && pinned[i]->kind() != Connection::kKind) {
        known = Status(MPROC_ERROR_INVALID_HANDLE,
                       std::string("this is a ") + object::NameOf(pinned[i]->kind()) + ", no connection");
      }
      if (!known.ok()) return Status(known.code(), "at index " + std::to_string(i) + ": " + known.message());
      found.push_back(static_cast<Connection*>(&*pinned[i]));
    }
    size_t count = 0;
    Status waited = connection::WaitMany(found, {fds, fd_count}, Deadline::After(limit), ready, &count);
    if (waited.ok() && ready_count) *ready_count = count;
    return waited;
  });
}
