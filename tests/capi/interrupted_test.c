// SPDX-License-Identifier: MIT
// A signal that the host handles ends each call that waits for another process, but for barriers, which it
// would break; and the next call goes on.
#include <pthread.h>
#include <signal.h>

#include "connections.h"
#include "shares.h"

static atomic_int g_through;
static pthread_t g_waiting;

static void OnSignal(int signo) { (void)signo; }

// One signal may come before the wait has begun: so one after another, until the call has returned.
static void* SendSignals(void* argument) {
  (void)argument;
  while (!atomic_load(&g_through)) {
    pthread_kill(g_waiting, SIGUSR1);
    TestRest(MPROC_MILLISECOND);
  }
  return NULL;
}
static void BeginSignals(pthread_t* sender) {
  struct sigaction action = {.sa_handler = OnSignal};
  sigaction(SIGUSR1, &action, NULL);
  atomic_store(&g_through, 0);
  g_waiting = pthread_self();
  NEED(pthread_create(sender, NULL, SendSignals, NULL) == 0);
}
static void EndSignals(pthread_t sender) {
  atomic_store(&g_through, 1);
  pthread_join(sender, NULL);
}
#define CHECK_ENDS(call)                          \
  do {                                            \
    pthread_t sender;                             \
    BeginSignals(&sender);                        \
    mproc_status_t ended = (call);                \
    EndSignals(sender);                           \
    CHECK_STATUS(ended, MPROC_ERROR_INTERRUPTED); \
  } while (0)

static void WaitsForLocks(void) {
  mproc_lock_t* lock = NULL;
  mproc_semaphore_t* semaphore = NULL;
  mproc_condition_t* condition = NULL;
  mproc_event_t* event = NewEvent();
  int64_t value = -1;
  NEED_OK(mproc_lock_create(MPROC_LOCK_PLAIN, &lock));
  NEED_OK(mproc_lock_acquire(lock, 0));
  CHECK_ENDS(mproc_lock_acquire(lock, TestLong()));
  CHECK_OK(mproc_lock_release(lock));
  CHECK_OK(mproc_lock_acquire(lock, 0));
  NEED_OK(mproc_semaphore_create(0, 0, &semaphore));
  CHECK_ENDS(mproc_semaphore_acquire(semaphore, TestLong()));
  CHECK_OK(mproc_semaphore_release(semaphore, 1));
  CHECK_OK(mproc_semaphore_value(semaphore, &value));
  CHECK_EQ(value, 1);
  CHECK_ENDS(mproc_event_wait(event, TestLong()));
  NEED_OK(mproc_condition_create(NULL, &condition));
  CHECK_OK(mproc_condition_acquire(condition, 0));
  CHECK_ENDS(mproc_condition_wait(condition, TestLong()));
  CHECK_OK(mproc_condition_release(condition));  // the lock was taken again
  CHECK_OK(mproc_lock_destroy(lock));
  CHECK_OK(mproc_semaphore_destroy(semaphore));
  CHECK_OK(mproc_event_destroy(event));
  CHECK_OK(mproc_condition_destroy(condition));
}

static void WaitsForQueues(void) {
  mproc_queue_t* queue = NewQueue(1, 0);
  mproc_message_t* message = NULL;
  int64_t number = 0;
  size_t size = 0;
  CHECK_ENDS(mproc_queue_get(queue, TestLong(), &message));
  CHECK_ENDS(mproc_queue_get_into(queue, &number, sizeof number, &size, TestLong()));
  PutNumber(queue, 5);
  CHECK_ENDS(mproc_queue_put(queue, &number, sizeof number, TestLong()));
  CHECK_ENDS(mproc_queue_join(queue, TestLong()));
  CHECK_EQ(GetNumber(queue), 5);
  CHECK_EQ(ItemsIn(queue), 0);
  CHECK_OK(mproc_queue_destroy(queue));
}

static void WaitsForProcesses(void) {
  mproc_event_t* event = NewEvent();
  mproc_process_t* process = StartWith(Waiting(event));
  CHECK_ENDS(mproc_process_join(process, TestLong()));
  CHECK_OK(mproc_event_set(event));
  CHECK_EQ(TakeCode(process), 0);
  CHECK_OK(mproc_event_destroy(event));
}

static void WaitsForConnections(void) {
  Ends ends = NewPipe(1);
  mproc_listener_t* listener = NULL;
  mproc_connection_t* connection = NULL;
  mproc_message_t* message = NULL;
  uint8_t ready = 0;
  char text[600];
  CHECK_ENDS(mproc_connection_receive(ends.first, TestLong(), &message));
  CHECK_ENDS(mproc_connection_receive_into(ends.first, text, sizeof text, NULL, TestLong()));
  CHECK_ENDS(mproc_connection_poll(ends.first, TestLong()));
  CHECK_ENDS(mproc_wait(&ends.first, 1, NULL, 0, TestLong(), &ready, NULL));
  CHECK_OK(mproc_connection_send(ends.second, "whole", 5, 0));
  CHECK(strcmp(Hear(ends.first), "whole") == 0);
  memset(text, 'x', sizeof text);
  while (mproc_connection_send(ends.second, text, sizeof text, 0) == MPROC_OK) {
  }
  CHECK_ENDS(mproc_connection_send(ends.second, text, sizeof text, TestLong()));
  Gone(ends.first);
  Gone(ends.second);
  snprintf(text, sizeof text, "abstract:%s", TestFile());
  NEED_OK(mproc_listener_create(text, 1, NULL, 0, 0, &listener));
  CHECK_ENDS(mproc_listener_accept(listener, TestLong(), &connection));
  CHECK_OK(mproc_listener_destroy(listener));
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"waits for locks", WaitsForLocks, 0},
      {"waits for queues", WaitsForQueues, 0},
      {"waits for processes", WaitsForProcesses, 0},
      {"waits for connections", WaitsForConnections, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
