// SPDX-License-Identifier: MIT
// Connections between hosts, processes and tasks, by every start method.
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "connections.h"

// ---- scenarios

static void SentAndClosed(void) {
  Ends ends = NewPipe(1);
  mproc_value_t* value = NULL;
  mproc_message_t* message = NULL;
  const void* encoded = NULL;
  const char* text = NULL;
  void* data = NULL;
  size_t size = 0;
  int64_t number = 0;
  uint64_t at[3];
  int32_t kind = -1;
  NEED_OK(mproc_value_create(&value));
  NEED_OK(mproc_value_begin_list(value));
  NEED_OK(mproc_value_put_int(value, 42));
  NEED_OK(mproc_value_put_nil(value));
  NEED_OK(mproc_value_put_string(value, "hello", 5));
  NEED_OK(mproc_value_end(value));
  NEED_OK(mproc_value_encode(value, &encoded, &size));
  mproc_process_t* process = StartConnected(connection_send, encoded, size, ends.second);
  Gone(ends.second);
  NEED_OK(mproc_connection_receive(ends.first, TestLong(), &message));
  NEED_OK(mproc_message_data(message, &data, &size));
  NEED_OK(mproc_value_decode(value, data, size));
  for (uint64_t i = 0; i < 3; i++) NEED_OK(mproc_value_list_at(value, 0, i, &at[i]));
  CHECK_OK(mproc_value_get_int(value, at[0], &number));
  CHECK_EQ(number, 42);
  CHECK_OK(mproc_value_kind(value, at[1], &kind));
  CHECK_EQ(kind, MPROC_VALUE_NIL);
  CHECK_OK(mproc_value_get_string(value, at[2], &text, &size));
  CHECK(size == 5 && memcmp(text, "hello", 5) == 0);
  CHECK_OK(mproc_message_destroy(message));
  CHECK_STATUS(mproc_connection_receive(ends.first, TestLong(), &message), MPROC_ERROR_END_OF_FILE);
  CHECK_EQ(TakeCode(process), 0);
  CHECK_OK(mproc_value_destroy(value));
  Gone(ends.first);
}

static void PolledAndReceived(void) {
  Ends ends = NewPipe(1);
  int64_t number = 323, got = 0;
  size_t size = 0;
  mproc_process_t* process = StartConnected(connection_send_and_stay, &number, sizeof number, ends.second);
  int times = 0;
  NEED_OK(mproc_connection_poll(ends.first, TestLong()));
  while (mproc_connection_poll(ends.first, 0) == MPROC_OK) {
    CHECK_OK(mproc_connection_receive_into(ends.first, &got, sizeof got, &size, 0));
    times++;
  }
  CHECK(times == 1 && got == 323 && size == sizeof got);
  CHECK_STATUS(mproc_connection_poll(ends.first, 0), MPROC_ERROR_TIMED_OUT);
  Tell(ends.first, "");
  CHECK_EQ(TakeCode(process), 0);
  Gone(ends.first);
  Gone(ends.second);
}

// Processor time of a process, in ticks.
static long TicksOf(pid_t pid) {
  char path[64], text[512];
  unsigned long user = 0, system = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  text[TestRead(path, text, sizeof text - 1)] = '\0';
  char* end = strrchr(text, ')');
  if (!end || sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
    return -1;
  return (long)(user + system);
}
static bool Rests(pid_t pid) {
  uint32_t begun = Begun(0);
  long ticks = TicksOf(pid);
  TestRest(100 * MPROC_MILLISECOND);
  return Begun(0) == begun && TicksOf(pid) == ticks;
}
static void NobodyReads(void) {
  Ends ends = NewPipe(0);
  mproc_process_t* process = StartConnected(connection_flood, NULL, 0, ends.second);
  pid_t pid = (pid_t)PidOf(process);
  Gone(ends.second);
  CHECK_SOON(Begun(0) > 10 && (Threads() || Rests(pid)));  // full, and asleep
  NEED_SOON(Begun(0) > 10);
  if (!Threads()) CHECK(Begun(0) <= 1000);
  char bytes[1000];
  size_t size = 0;
  uint32_t before = Begun(0);
  for (uint32_t i = 0; i < 2 * before; i++) {
    NEED_OK(mproc_connection_receive_into(ends.first, bytes, sizeof bytes, &size, TestLong()));
    CHECK_EQ(size, 1000);
  }
  CHECK_SOON(Begun(0) > before);  // goes on
  CHECK_EQ(Alive(process), 1);
  Gone(ends.first);
  CHECK_EQ(TakeCode(process), 50);
}

// ---- with processes and tasks

static void MessagesOfEverySize(void) {
  static const size_t kSizes[] = {0, 1, 16384, 16385, 1000000};
  Ends ends = NewPipe(1);
  mproc_process_t* process = StartConnected(connection_answer, NULL, 0, ends.second);
  Gone(ends.second);
  for (size_t i = 0; i < sizeof kSizes / sizeof kSizes[0]; i++) {
    size_t size = 0;
    void* data = NULL;
    mproc_message_t* message = NULL;
    char* bytes = malloc(kSizes[i] + 1);
    for (size_t k = 0; k < kSizes[i]; k++) bytes[k] = (char)(k * 31 + k / 256);
    NEED_OK(mproc_connection_send(ends.first, bytes, kSizes[i], TestLong()));
    NEED_OK(mproc_connection_receive(ends.first, TestLong(), &message));
    CHECK_OK(mproc_message_data(message, &data, &size));
    CHECK(size == kSizes[i] && data && memcmp(data, bytes, size) == 0);
    CHECK_OK(mproc_message_destroy(message));
    free(bytes);
  }
  Gone(ends.first);
  CHECK_EQ(TakeCode(process), 0);
}

static void TasksTalkToTheHost(void) {
  mproc_pool_options_t* options = Options(2);
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_CONNECTION));
  mproc_pool_t* pool = ReadyWith(options);
  Ends ends[2] = {NewPipe(1), NewPipe(1)};
  mproc_future_t* futures[2];
  uint32_t ids[2];
  for (int i = 0; i < 2; i++) {
    void* object = ends[i].second;
    NEED_OK(mproc_pool_bind_objects(pool, connection_answer, NULL, 0, &object, 1, &ids[i]));
    Gone(ends[i].second);
    futures[i] = Submit(pool, ids[i], NULL, 0);
  }
  for (int i = 0; i < 200; i++) {
    char text[32];
    snprintf(text, sizeof text, "message %d", i);
    Tell(ends[i % 2].first, text);
    CHECK_HAS(Hear(ends[i % 2].first), text);
  }
  for (int i = 0; i < 2; i++) {
    CHECK_OK(mproc_pool_unbind(pool, ids[i]));
    Gone(ends[i].first);
    WaitEnd(futures[i]);
    CHECK_OK(mproc_future_error(futures[i]));
    Release(futures[i]);
  }
  CloseJoinDestroy(pool);
}

static void ObjectsGoThrough(void) {
  Ends ends = NewPipe(1), inner = NewPipe(0);
  mproc_lock_t* lock = NULL;
  mproc_event_t* event = NewEvent();
  mproc_message_t* message = NULL;
  void* back = NULL;
  int64_t pid = 0;
  int32_t kind = 0;
  NEED_OK(mproc_lock_create(MPROC_LOCK_PLAIN, &lock));
  mproc_process_t* process = StartConnected(connection_give_back, NULL, 0, ends.second);
  void* objects[] = {lock, event, inner.second};
  NEED_OK(mproc_connection_send_objects(ends.first, "three", 5, objects, 3, TestLong()));
  Gone(inner.second);
  CHECK_OK(mproc_event_wait(event, TestLong()));
  CHECK_HAS(Hear(inner.first), "by the inner one");
  NEED_OK(mproc_connection_receive_objects(ends.first, TestLong(), &message));
  NEED_OK(mproc_message_object(message, 0, &back));
  CHECK_OK(mproc_object_kind(back, &kind));
  CHECK_EQ(kind, MPROC_OBJECT_LOCK);
  CHECK_STATUS(mproc_lock_acquire(lock, 0), MPROC_ERROR_TIMED_OUT);  // it was acquired there
  CHECK_OK(mproc_lock_release(back));                                // and is the same one
  CHECK_OK(mproc_lock_acquire(lock, 0));
  CHECK_OK(mproc_lock_holder(back, &pid, NULL, NULL));
  CHECK_EQ(pid, getpid());
  CHECK_EQ(TakeCode(process), 0);
  CHECK_STATUS(mproc_connection_receive(inner.first, TestLong(), &message), MPROC_ERROR_END_OF_FILE);
  CHECK_OK(mproc_message_destroy(message));
  CHECK_OK(mproc_object_destroy(back));
  CHECK_OK(mproc_lock_destroy(lock));
  CHECK_OK(mproc_event_destroy(event));
  Gone(inner.first);
  Gone(ends.first);
  Gone(ends.second);
}

// An end that has come and that nobody has taken yet is one, too: forked children get none of it.
static void UntakenEndsStayHere(void) {
  for (int kept = 0; kept < 2; kept++) {
    Ends ends = NewPipe(1), inner = NewPipe(1);
    mproc_message_t* message = NULL;
    mproc_pool_options_t* options = Options(2);
    void* object = inner.second;
    size_t size = 0;
    NEED_OK(mproc_connection_send_objects(ends.first, "x", 1, &object, 1, TestLong()));
    Gone(inner.second);
    if (kept) {
      CHECK_STATUS(mproc_connection_receive_into(ends.second, NULL, 0, &size, 0),
                   MPROC_ERROR_BUFFER_TOO_SMALL);
    } else {
      NEED_OK(mproc_connection_receive_objects(ends.second, 0, &message));
    }
    NEED_OK(mproc_pool_options_set_start_method(options, MPROC_START_FORK));
    NEED_OK(mproc_pool_options_set_fork_with_threads(options, 1));
    mproc_pool_t* pool = ReadyWith(options);
    if (kept) NEED_OK(mproc_connection_receive_objects(ends.second, 0, &message));
    NEED_OK(mproc_message_object(message, 0, &object));
    CHECK_OK(mproc_message_destroy(message));
    Tell(object, "it works");
    CHECK_HAS(Hear(inner.first), "it works");
    Gone(object);
    CHECK_STATUS(mproc_connection_receive(inner.first, 0, &message), MPROC_ERROR_END_OF_FILE);
    CloseJoinDestroy(pool);
    Gone(inner.first);
    Gone(ends.first);
    Gone(ends.second);
  }
}

static void UntakenEndsStayInWorkers(void) {
  Ends ends = NewPipe(1);
  struct stat file;
  int32_t fd = -1;
  NEED_OK(mproc_connection_fd(ends.second, &fd));
  NEED(fstat(fd, &file) == 0);
  mproc_process_t* process =
      StartConnected(connection_forked_ends, &file.st_ino, sizeof file.st_ino, ends.second);
  CHECK_EQ(TakeCode(process), 0);
  Gone(ends.first);
  Gone(ends.second);
}

// Objects that nobody has received are gone with the connection: the harness counts descriptors.
static void ObjectsThatNobodyTakes(void) {
  for (int i = 0; i < 3; i++) {
    Ends ends = NewPipe(1);
    void* objects[] = {NewEvent(), NewEvent()};
    mproc_message_t* message = NULL;
    size_t size = 0;
    for (int k = 0; k < 2; k++)
      NEED_OK(mproc_connection_send_objects(ends.first, "x", 1, objects, 2, TestLong()));
    if (i > 0) {
      CHECK_STATUS(mproc_connection_receive_into(ends.second, NULL, 0, &size, 0),
                   MPROC_ERROR_BUFFER_TOO_SMALL);
    }
    if (i > 1) {
      CHECK_OK(mproc_connection_receive(ends.second, 0, &message));
      CHECK_STATUS(mproc_message_object(message, 0, &objects[0]), MPROC_ERROR_END);
      CHECK_OK(mproc_message_destroy(message));
      CHECK_OK(mproc_connection_receive_objects(ends.second, 0, &message));
      CHECK_OK(mproc_message_destroy(message));
    }
    for (int k = 0; k < 2; k++) CHECK_OK(mproc_object_destroy(objects[k]));
    Gone(ends.first);
    Gone(ends.second);
  }
}

static void WaitsForAllSorts(void) {
  Ends ends = NewPipe(1), other = NewPipe(1);
  uint8_t ready[3] = {9, 9, 9};
  size_t count = 9;
  int32_t fds[1];
  mproc_process_t* process = StartConnected(connection_send_and_stay, "x", 1, ends.second);
  NEED_OK(mproc_process_sentinel(process, &fds[0]));
  mproc_connection_t* connections[] = {other.first, ends.first};
  NEED_OK(mproc_wait(connections, 2, fds, 1, TestLong(), ready, &count));
  CHECK(count == 1 && ready[0] == 0 && ready[1] == 1 && ready[2] == 0);
  CHECK_HAS(Hear(ends.first), "x");
  Tell(ends.first, "");
  NEED_OK(mproc_wait(connections, 2, fds, 1, TestLong(), ready, &count));
  CHECK(count == 1 && ready[0] == 0 && ready[1] == 0 && ready[2] == 1);  // it ended
  CHECK_STATUS(mproc_wait(connections, 2, NULL, 0, 0, ready, &count), MPROC_ERROR_TIMED_OUT);
  CHECK_STATUS(mproc_wait(NULL, 0, NULL, 0, -1, NULL, NULL), MPROC_ERROR_TIMED_OUT);
  CHECK_STATUS(mproc_wait(connections, 2, NULL, 1, 0, ready, &count), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_wait(connections, 2, NULL, 0, 0, NULL, &count), MPROC_ERROR_INVALID_ARGUMENT);
  connections[1] = NULL;
  CHECK_STATUS(mproc_wait(connections, 2, NULL, 0, 0, ready, &count), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_HAS(mproc_last_error_message(), "index 1");
  mproc_event_t* event = NewEvent();
  connections[1] = (mproc_connection_t*)event;
  CHECK_STATUS(mproc_wait(connections, 2, NULL, 0, 0, ready, &count), MPROC_ERROR_INVALID_HANDLE);
  CHECK_OK(mproc_event_destroy(event));
  CHECK_STATUS(mproc_wait(connections, 2, NULL, 0, 0, ready, &count), MPROC_ERROR_STALE_HANDLE);
  CHECK_EQ(TakeCode(process), 0);
  Gone(ends.first);
  Gone(ends.second);
  Gone(other.first);
  Gone(other.second);
}

// ---- in one process

static void Statuses(void) {
  Ends ends = NewPipe(0);
  mproc_connection_t* made = NULL;
  mproc_message_t* message = NULL;
  size_t size = 0;
  char buffer[8];
  int32_t fd = -1;
  CHECK_STATUS(mproc_pipe_create(1, NULL, &made), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pipe_create(1, &made, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_connection_adopt(-1, &made), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_connection_adopt(0, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK(made == NULL);
  CHECK_STATUS(mproc_connection_send(ends.first, "x", 1, 0), MPROC_ERROR_CLOSED);
  CHECK_STATUS(mproc_connection_receive(ends.second, 0, &message), MPROC_ERROR_CLOSED);
  CHECK_STATUS(mproc_connection_receive_into(ends.second, buffer, 8, &size, 0), MPROC_ERROR_CLOSED);
  CHECK_STATUS(mproc_connection_poll(ends.second, MPROC_FOREVER), MPROC_ERROR_CLOSED);
  CHECK_STATUS(mproc_connection_send(ends.second, NULL, 1, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_connection_receive(ends.first, 0, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_connection_receive_into(ends.first, NULL, 1, &size, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_connection_send_objects(ends.second, "x", 1, NULL, 0, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_connection_send_objects(ends.second, "x", 1, NULL, 1, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_connection_receive(ends.first, 0, &message), MPROC_ERROR_TIMED_OUT);
  CHECK_STATUS(mproc_connection_receive(ends.first, -1, &message), MPROC_ERROR_TIMED_OUT);
  CHECK_STATUS(mproc_connection_receive(ends.first, MPROC_MILLISECOND, &message), MPROC_ERROR_TIMED_OUT);
  CHECK_OK(mproc_connection_send(ends.second, NULL, 0, 0));
  CHECK_OK(mproc_connection_receive_into(ends.first, NULL, 0, NULL, 0));
  CHECK_OK(mproc_connection_set_limit(ends.first, 3));
  Tell(ends.second, "1234");
  CHECK_STATUS(mproc_connection_receive(ends.first, 0, &message), MPROC_ERROR_BAD_LENGTH);
  CHECK_STATUS(mproc_connection_poll(ends.first, 0), MPROC_ERROR_BAD_LENGTH);
  CHECK(message == NULL);
  CHECK_OK(mproc_connection_fd(ends.second, &fd));
  NEED_OK(mproc_connection_adopt(fd, &made));  // a second handle on the same end
  CHECK_STATUS(mproc_connection_poll(made, 0), MPROC_ERROR_CLOSED);
  Gone(ends.second);
  CHECK_STATUS(mproc_connection_destroy(ends.second), MPROC_ERROR_STALE_HANDLE);
  CHECK_STATUS(mproc_connection_send(ends.second, "x", 1, 0), MPROC_ERROR_STALE_HANDLE);
  CHECK_OK(mproc_connection_send(made, "x", 1, 0));
  Gone(ends.first);
  CHECK_STATUS(mproc_connection_send(made, "x", 1, 0), MPROC_ERROR_BROKEN_PIPE);
  Gone(made);
  Gone(NULL);
}

static void Handled(int signo) { (void)signo; }
static atomic_int g_waits, g_interrupted;
static void* WaitForAMessage(void* connection) {
  atomic_store(&g_waits, 1);
  while (mproc_connection_poll(connection, MPROC_FOREVER) == MPROC_ERROR_INTERRUPTED)
    atomic_fetch_add(&g_interrupted, 1);
  return NULL;
}
static void SignalsGiveControl(void) {
  struct sigaction action = {.sa_handler = Handled};
  pthread_t thread;
  Ends ends = NewPipe(1);
  sigaction(SIGUSR1, &action, NULL);
  NEED(pthread_create(&thread, NULL, WaitForAMessage, ends.first) == 0);
  NEED_SOON(atomic_load(&g_waits) == 1);
  CHECK_SOON(pthread_kill(thread, SIGUSR1) == 0 && atomic_load(&g_interrupted) >= 3);
  Tell(ends.second, "x");
  pthread_join(thread, NULL);
  CHECK_HAS(Hear(ends.first), "x");
  Gone(ends.first);
  Gone(ends.second);
}

static void ManyComeAndGo(void) {
  const int many = TestSanitized() ? 500 : 10000;
  for (int i = 0; i < many; i++) {
    Ends ends = NewPipe(i % 2);
    Tell(ends.second, "x");
    if (i % 3) CHECK_HAS(Hear(ends.first), "x");
    Gone(i % 5 ? ends.first : ends.second);
    Gone(i % 5 ? ends.second : ends.first);
  }
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"S7 sent and closed", SentAndClosed, 0},
      {"S28 polled and received", PolledAndReceived, 0},
      {"S29 nobody reads", NobodyReads, 0},
      {"messages of every size", MessagesOfEverySize, 0},
      {"tasks talk to the host", TasksTalkToTheHost, 0},
      {"objects go through", ObjectsGoThrough, 0},
      {"untaken ends stay here", UntakenEndsStayHere, 0},
      {"untaken ends stay in workers", UntakenEndsStayInWorkers, 0},
      {"objects that nobody takes", ObjectsThatNobodyTakes, 0},
      {"waits for all sorts", WaitsForAllSorts, 0},
      {"statuses", Statuses, 0},
      {"signals give control", SignalsGiveControl, 0},
      {"many come and go", ManyComeAndGo, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
