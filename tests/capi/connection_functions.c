// SPDX-License-Identifier: MIT
// The module of the tests of connections.
#include "connection_functions.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "functions.h"
#include "module.h"

static int32_t Do_send(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  return mproc_connection_send(ObjectAt(call, 0), input, size, MPROC_FOREVER);
}

static int32_t Do_send_and_stay(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)user_data;
  TRY(mproc_connection_send(ObjectAt(call, 0), input, size, MPROC_FOREVER));
  return mproc_connection_receive_into(ObjectAt(call, 0), NULL, 0, NULL, MPROC_FOREVER);
}

static int32_t Do_answer(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_connection_t* connection = ObjectAt(call, 0);
  (void)input, (void)size, (void)user_data;
  for (;;) {
    mproc_message_t* message = NULL;
    void* data = NULL;
    size_t length = 0;
    mproc_status_t status = mproc_connection_receive(connection, MPROC_FOREVER, &message);
    if (status == MPROC_ERROR_END_OF_FILE) return 0;
    TRY(status);
    TRY(mproc_message_data(message, &data, &length));
    TRY(mproc_connection_send(connection, data, length, MPROC_FOREVER));
    TRY(mproc_message_destroy(message));
  }
}

static int32_t Do_flood(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  static const char kBytes[1000];
  mproc_connection_t* connection = ObjectAt(call, 0);
  (void)input, (void)size, (void)user_data;
  for (;;) {
    mproc_status_t status = mproc_connection_send(connection, kBytes, sizeof kBytes, MPROC_FOREVER);
    if (status != MPROC_OK) return status == MPROC_ERROR_BROKEN_PIPE ? 50 : 1;
    atomic_fetch_add(&TheBoard()->begun[0], 1);
  }
}

static int32_t Do_give_back(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_connection_t* connection = ObjectAt(call, 0);
  mproc_message_t* message = NULL;
  void *data = NULL, *lock = NULL, *event = NULL, *inner = NULL, *none = NULL;
  (void)input, (void)user_data;
  TRY(mproc_connection_receive_objects(connection, MPROC_FOREVER, &message));
  TRY(mproc_message_data(message, &data, &size));
  if (size != 5 || memcmp(data, "three", 5) != 0) return 1;
  TRY(mproc_message_object(message, 0, &lock));
  TRY(mproc_message_object(message, 1, &event));
  TRY(mproc_message_object(message, 2, &inner));
  if (mproc_message_object(message, 2, &none) != MPROC_ERROR_NOT_FOUND) return 2;
  if (mproc_message_object(message, 3, &none) != MPROC_ERROR_END) return 3;
  TRY(mproc_message_destroy(message));
  TRY(mproc_lock_acquire(lock, 0));
  TRY(mproc_event_set(event));
  TRY(mproc_connection_send(inner, "by the inner one", 16, MPROC_FOREVER));
  TRY(mproc_connection_send_objects(connection, NULL, 0, &lock, 1, MPROC_FOREVER));
  TRY(mproc_object_destroy(lock));
  TRY(mproc_object_destroy(event));
  return mproc_object_destroy(inner);
}

static int32_t Do_forked_ends(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  ino_t inode = 0;
  int status = 0;
  struct stat file;
  (void)call, (void)user_data;
  if (size != sizeof inode) return -1;
  memcpy(&inode, input, size);
  pid_t child = fork();
  if (child == 0) {
    int found = 0;
    for (int fd = 0; fd < 256; fd++) found += fstat(fd, &file) == 0 && file.st_ino == inode;
    _exit(found);
  }
  if (child < 0 || waitpid(child, &status, 0) != child) return -2;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -3;
}

MODULE_OF(CONNECTION_FUNCTIONS)
