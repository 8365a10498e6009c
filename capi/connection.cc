// SPDX-License-Identifier: MIT
#include "connection/connection.hh"

#include <mproc/connection.h>

#include "base/clock.hh"
#include "capi/message.hh"
#include "capi/object_handles.hh"
#include "capi/passing.hh"

using namespace mproc;
using namespace mproc::capi;
using connection::Connection;

namespace {

Status CheckBytes(const void* data, size_t size) {
  return data || size == 0 ? Status() : BadArgument("data is null, size is not 0");
}

// Receives a message in one of the ways that a connection has.
using Receive = Result<object::Message> (Connection::*)(const Deadline& deadline);
Status GiveOutReceived(Connection& c, Receive receive, int64_t limit, mproc_message_t** message) {
  if (!message) return BadArgument("message is null");
  return GiveOutMessage(message, [&](object::Message* taken) -> Status {
    auto received = (c.*receive)(Deadline::After(limit));
    if (received.ok()) *taken = std::move(*received);
    return received.status();
  });
}

}  // namespace

mproc_status_t mproc_pipe_create(int32_t duplex, mproc_connection_t** first, mproc_connection_t** second) {
  return Guard([&]() -> Status {
    if (!first || !second) return BadArgument("where to write a handle is null");
    auto ends = Connection::MakePipe(duplex != 0);
    if (!ends.ok()) return ends.status();
    mproc_connection_t *one = nullptr, *other = nullptr;
    if (Status given = GiveOutObject(std::shared_ptr<object::Object>(std::move(ends->first)), &one);
        !given.ok())
      return given;
    if (Status given = GiveOutObject(std::shared_ptr<object::Object>(std::move(ends->second)), &other);
        !given.ok()) {
      std::shared_ptr<object::Object> last;
      (void)ObjectHandles::Get().Take(one, &last);
      return given;
    }
    *first = one;
    *second = other;
    return Status();
  });
}

mproc_status_t mproc_connection_adopt(int32_t fd, mproc_connection_t** connection) {
  return Guard([&]() -> Status {
    if (!connection) return BadArgument("connection is null");
    return GiveOutObject(Connection::AdoptDuplicate(fd), connection);
  });
}

mproc_status_t mproc_connection_send(mproc_connection_t* connection, const void* data, size_t size,
                                     int64_t limit) {
  return GuardObject<Connection>(connection, [&](Connection& c) -> Status {
    if (Status good = CheckBytes(data, size); !good.ok()) return good;
    return c.Send(AsBytes(data, size), Deadline::After(limit));
  });
}

mproc_status_t mproc_connection_send_objects(mproc_connection_t* connection, const void* data, size_t size,
                                             void* const* objects, size_t count, int64_t limit) {
  return GuardObject<Connection>(connection, [&](Connection& c) -> Status {
    if (Status good = CheckBytes(data, size); !good.ok()) return good;
    if (count == 0) return BadArgument("there are 1 to 64 objects");
    auto passed = PassAll(objects, count);
    if (!passed.ok()) return passed.status();
    return c.SendObjects(AsBytes(data, size), *passed, Deadline::After(limit));
  });
}

mproc_status_t mproc_connection_receive(mproc_connection_t* connection, int64_t limit,
                                        mproc_message_t** message) {
  return GuardObject<Connection>(connection, [&](Connection& c) -> Status {
    return GiveOutReceived(c, &Connection::Receive, limit, message);
  });
}

mproc_status_t mproc_connection_receive_objects(mproc_connection_t* connection, int64_t limit,
                                                mproc_message_t** message) {
  return GuardObject<Connection>(connection, [&](Connection& c) -> Status {
    return GiveOutReceived(c, &Connection::ReceiveObjects, limit, message);
  });
}

mproc_status_t mproc_connection_receive_into(mproc_connection_t* connection, void* buffer, size_t capacity,
                                             size_t* size, int64_t limit) {
  return GuardObject<Connection>(connection, [&](Connection& c) -> Status {
    if (!buffer && capacity) return BadArgument("buffer is null, capacity is not 0");
    size_t got = 0;
    Status received = c.ReceiveInto(buffer, capacity, &got, Deadline::After(limit));
    if (size && (received.ok() || received.code() == MPROC_ERROR_BUFFER_TOO_SMALL)) *size = got;
    return received;
  });
}

mproc_status_t mproc_connection_poll(mproc_connection_t* connection, int64_t limit) {
  return GuardObject<Connection>(connection, [&](Connection& c) { return c.Poll(Deadline::After(limit)); });
}

mproc_status_t mproc_connection_set_limit(mproc_connection_t* connection, uint64_t most) {
  return GuardObject<Connection>(connection, [&](Connection& c) {
    c.SetMost(most);
    return Status();
  });
}

mproc_status_t mproc_connection_fd(mproc_connection_t* connection, int32_t* fd) {
  return GuardObject<Connection>(connection, [&](Connection& c) {
    if (!fd) return BadArgument("fd is null");
    *fd = c.fd();
    return Status();
  });
}

mproc_status_t mproc_connection_destroy(mproc_connection_t* connection) {
  return GuardDestroyObject<Connection>(connection);
}
