// SPDX-License-Identifier: MIT
#include "connection/listener.hh"

#include <mproc/listener.h>

#include "base/clock.hh"
#include "capi/key.hh"
#include "capi/object_handles.hh"
#include "worker/process_key.hh"

using namespace mproc;
using namespace mproc::capi;
using connection::Listener;

namespace {

using ListenerHandles = Handles<Listener, 12>;

Result<connection::Terms> TermsOf(const void* key, size_t size, int32_t options) {
  if (options < 0 || options > (MPROC_KEY_NO_MD5 | MPROC_KEY_OF_PROCESS))
    return BadArgument("no such options of a key");
  connection::Terms terms;
  terms.refuse_md5 = (options & MPROC_KEY_NO_MD5) != 0;
  if (options & MPROC_KEY_OF_PROCESS) {
    if (key || size) return BadArgument("a key is given besides that of the process");
    auto own = worker::ProcessKey();
    if (!own.ok()) return own.status();
    terms.key = std::make_shared<const connection::Key>(*own);
    return terms;
  }
  if (!key && size == 0) return terms;
  if (!IsKey(key, size)) return BadArgument("a key has 1 byte to 1 MiB; for none, give null and 0");
  terms.key = std::make_shared<const connection::Key>(AsBytes(key, size));
  return terms;
}

}  // namespace

mproc_status_t mproc_listener_create(const char* address, int32_t backlog, const void* key, size_t key_size,
                                     int32_t options, mproc_listener_t** listener) {
  return Guard([&]() -> Status {
    if (!address || !listener) return BadArgument("address or listener is null");
    if (backlog < 1) return BadArgument("the backlog is 1 at least");
    auto terms = TermsOf(key, key_size, options);
    if (!terms.ok()) return terms.status();
    auto made = Listener::Create(address, backlog, std::move(*terms));
    if (!made.ok()) return made.status();
    return GiveOut<ListenerHandles>(std::move(*made), "listeners", listener);
  });
}

mproc_status_t mproc_listener_accept(mproc_listener_t* listener, int64_t limit,
                                     mproc_connection_t** connection) {
  return GuardOn<ListenerHandles>(listener, [&](Listener& l) -> Status {
    if (!connection) return BadArgument("connection is null");
    return GiveOutObject(l.Accept(Deadline::After(limit)), connection);
  });
}

mproc_status_t mproc_listener_address(mproc_listener_t* listener, const char** address) {
  return GuardOn<ListenerHandles>(listener, [&](Listener& l) {
    if (!address) return BadArgument("address is null");
    *address = l.address().c_str();
    return Status();
  });
}

mproc_status_t mproc_listener_fd(mproc_listener_t* listener, int32_t* fd) {
  return GuardOn<ListenerHandles>(listener, [&](Listener& l) {
    if (!fd) return BadArgument("fd is null");
    *fd = l.fd();
    return Status();
  });
}

mproc_status_t mproc_listener_refused(mproc_listener_t* listener, uint64_t* count) {
  return GuardOn<ListenerHandles>(listener, [&](Listener& l) {
    if (!count) return BadArgument("count is null");
    *count = l.refused();
    return Status();
  });
}

mproc_status_t mproc_listener_set_proof_limit(mproc_listener_t* listener, int64_t limit) {
  return GuardOn<ListenerHandles>(listener, [&](Listener& l) {
    if (limit <= 0) return BadArgument("nobody proves anything in no time");
    l.SetHandshakeLimit(limit);
    return Status();
  });
}

mproc_status_t mproc_listener_destroy(mproc_listener_t* listener) {
  return GuardDestroy<ListenerHandles, Listener>(listener);
}

mproc_status_t mproc_client_connect(const char* address, const void* key, size_t key_size, int32_t options,
                                    int64_t limit, mproc_connection_t** connection) {
  return Guard([&]() -> Status {
    if (!address || !connection) return BadArgument("address or connection is null");
    auto terms = TermsOf(key, key_size, options);
    if (!terms.ok()) return terms.status();
    return GiveOutObject(connection::Connect(address, std::move(*terms), Deadline::After(limit)), connection);
  });
}
