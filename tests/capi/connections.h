// SPDX-License-Identifier: MIT
// What the programs that use connections share: making them, sending and receiving.
#ifndef MPROC_TESTS_CONNECTIONS_H
#define MPROC_TESTS_CONNECTIONS_H

#include "connection_functions.h"
#include "processes.h"

typedef struct {
  mproc_connection_t *first, *second;
} Ends;

static inline Ends NewPipe(int32_t duplex) {
  Ends ends = {NULL, NULL};
  NEED_OK(mproc_pipe_create(duplex, &ends.first, &ends.second));
  return ends;
}
static inline void Gone(mproc_connection_t* connection) { CHECK_OK(mproc_connection_destroy(connection)); }
static inline void Tell(mproc_connection_t* connection, const char* text) {
  NEED_OK(mproc_connection_send(connection, text, strlen(text), TestLong()));
}
// Of the next message, until the one after it.
static inline const char* Hear(mproc_connection_t* connection) {
  static char text[512];
  size_t size = 0;
  mproc_status_t status = mproc_connection_receive_into(connection, text, sizeof text - 1, &size, TestLong());
  if (status != MPROC_OK) return mproc_status_name(status);
  text[size] = '\0';
  return text;
}
static inline mproc_process_t* StartConnected(uint32_t function, const void* data, size_t size,
                                              void* object) {
  mproc_process_options_t* options = ProcessOptions(function, data, size);
  NEED_OK(mproc_process_options_set_module(options, TEST_MODULE_CONNECTION));
  NEED_OK(mproc_process_options_set_objects(options, &object, 1));
  return StartWith(options);
}

#endif
