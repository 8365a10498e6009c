// SPDX-License-Identifier: MIT
// A connection, a message that came over it, and a listener.
#pragma once

#include <string.h>

#include "calls.hh"
#include "check.hh"

namespace hostile {

struct ConnectionObjects {
  mproc_connection_t *connection = nullptr, *other = nullptr;
  mproc_message_t* message = nullptr;
  mproc_listener_t* listener = nullptr;

  void Make() {
    CHECK_OK(mproc_pipe_create(1, &connection, &other));
    CHECK_OK(mproc_listener_create("tcp:127.0.0.1:0", 1, nullptr, 0, 0, &listener));
    CHECK_OK(mproc_connection_send(other, "hello", 5, 0));
    CHECK_OK(mproc_connection_receive(connection, 0, &message));
  }
  // Null for kinds of other handles.
  void* Of(Kind kind) const {
    if (kind == Kind::kConnection) return connection;
    if (kind == Kind::kListener) return listener;
    return kind == Kind::kMessage ? message : nullptr;
  }
  void StillWell() const {
    void* data = nullptr;
    size_t size = 0;
    int32_t kind = 0;
    CHECK_OK(mproc_message_data(message, &data, &size));
    CHECK(size == 5 && memcmp(data, "hello", 5) == 0);
    CHECK_OK(mproc_object_kind(connection, &kind));
    CHECK_EQ(kind, MPROC_OBJECT_CONNECTION);
    CHECK_STATUS(mproc_object_kind(message, &kind), MPROC_ERROR_INVALID_HANDLE);
    CHECK_STATUS(mproc_object_kind(connection, nullptr), MPROC_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(mproc_object_destroy(message), MPROC_ERROR_INVALID_HANDLE);
    CHECK_STATUS(mproc_connection_poll(connection, 0), MPROC_ERROR_TIMED_OUT);
    CHECK_STATUS(mproc_connection_poll(other, 0), MPROC_ERROR_TIMED_OUT);
    mproc_connection_t* nobody = nullptr;
    CHECK_STATUS(mproc_listener_accept(listener, 0, &nobody), MPROC_ERROR_TIMED_OUT);
  }
  void Drop() {
    CHECK_OK(mproc_connection_destroy(connection));
    CHECK_OK(mproc_object_destroy(other));
    CHECK_STATUS(mproc_object_destroy(other), MPROC_ERROR_STALE_HANDLE);
    CHECK_OK(mproc_message_destroy(message));
    CHECK_OK(mproc_listener_destroy(listener));
  }
};

}  // namespace hostile
