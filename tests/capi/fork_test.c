// SPDX-License-Identifier: MIT
// Start method fork: workers are copies of the host, its own children, and serve a table in its memory.
#include <pthread.h>

#include "host.h"

static int64_t g_memory = 1;  // of the host: workers have copies of it
static int g_pipe[2];

// ---- what workers run

enum { own_memory = 1, own_stack, own_answer, own_open, own_read, own_printf, own_leave, own_table };

#define OWN(name) static int32_t name(mproc_call_t* call, const void* input, size_t size, void* user_data)
static int32_t Give(mproc_call_t* call, int64_t number) {
  return mproc_call_reply(call, &number, sizeof number);
}

// Adds a number to what the host had in memory, and gives what there was.
OWN(Memory) {
  int64_t add = 0, *memory = user_data;
  if (size == sizeof add) memcpy(&add, input, size);
  int64_t was = *memory;
  *memory += add;
  return Give(call, was);
}
// Uses so many bytes of stack.
OWN(Stack) {
  int64_t bytes = 0;
  (void)user_data;
  if (size == sizeof bytes) memcpy(&bytes, input, size);
  volatile char place[bytes];
  for (int64_t at = 0; at < bytes; at += 4096) place[at] = (char)at;
  return Give(call, place[0]);
}
// Gives the line of /proc/self/status that begins so.
OWN(Answer) {
  char text[8192];
  (void)user_data;
  text[TestRead("/proc/self/status", text, sizeof text - 1)] = '\0';
  for (char* line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
    if (strncmp(line, input, size) == 0) return mproc_call_reply(call, line, strlen(line));
  }
  return -1;
}
// Gives what stands behind every open descriptor, a line each.
OWN(Open) {
  char all[8192] = "", target[256], line[300];
  (void)input, (void)size, (void)user_data;
  for (int fd = 0; fd < 256; fd++) {
    target[0] = '\0';
    TestTarget(fd, target, sizeof target);
    if (!target[0]) continue;
    snprintf(line, sizeof line, "%d %s\n", fd, target);
    strncat(all, line, sizeof all - strlen(all) - 1);
  }
  return mproc_call_reply(call, all, strlen(all));
}
OWN(Read) {
  char byte = 'x';
  (void)input, (void)size, (void)user_data;
  return Give(call, read(0, &byte, 1));
}
OWN(Printf) {
  (void)input, (void)size, (void)user_data;
  printf("of the worker.");
  return Give(call, 0);
}
OWN(Leave) {
  (void)call, (void)input, (void)size, (void)user_data;
  pthread_exit(NULL);
}
// A pool of its own, forked again.
static mproc_pool_options_t* OwnOptions(int32_t workers);
OWN(Nested) {
  int64_t number = 5;
  mproc_future_t* future = NULL;
  mproc_pool_t* pool = NULL;
  mproc_pool_options_t* options = OwnOptions(2);
  (void)input, (void)size, (void)user_data;
  int32_t status = mproc_pool_create(options, &pool);
  if (!status) status = mproc_pool_apply(pool, own_memory, &number, sizeof number, TestLong(), &future);
  if (status) return mproc_call_fail(call, status, "", mproc_last_error_message(), NULL);
  number = NumberOf(future);
  mproc_future_release(future);
  mproc_pool_options_destroy(options);
  mproc_pool_destroy(pool);
  status = mproc_runtime_finish(TestLong());
  return status ? status : Give(call, number);
}

static mproc_pool_options_t* OwnOptions(int32_t workers) {
  mproc_table_t* table = NULL;
  NEED_OK(mproc_table_create(&table));
  NEED_OK(mproc_table_add(table, own_memory, "memory", Memory, &g_memory));
  NEED_OK(mproc_table_add(table, own_stack, "stack", Stack, NULL));
  NEED_OK(mproc_table_add(table, own_answer, "answer", Answer, NULL));
  NEED_OK(mproc_table_add(table, own_open, "open", Open, NULL));
  NEED_OK(mproc_table_add(table, own_read, "read", Read, NULL));
  NEED_OK(mproc_table_add(table, own_printf, "printf", Printf, NULL));
  NEED_OK(mproc_table_add(table, own_leave, "leave", Leave, NULL));
  NEED_OK(mproc_table_add(table, own_table, "nested", Nested, NULL));
  return TableOptions(workers, MPROC_START_FORK, table);
}
static mproc_pool_t* OwnPool(int32_t workers) { return ReadyWith(OwnOptions(workers)); }

// The same with the test module, which the forks load.
static mproc_pool_options_t* ModuleOptions(int32_t workers) {
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_start_method(options, MPROC_START_FORK));
  return options;
}

static mproc_pool_t* SpawnedPool(int32_t workers) {
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_start_method(options, MPROC_START_SPAWN));
  return ReadyWith(options);
}

static const char* Line(mproc_pool_t* pool, const char* begin) {
  return TakeText(Submit(pool, own_answer, begin, strlen(begin)));
}

// ---- what a worker is

static void WorkersHaveTheHostsMemory(void) {
  g_memory = 40;
  mproc_pool_t* pool = ReadyWith(OwnOptions(1));
  g_memory = 7;  // after the fork
  CHECK_EQ(TakeNumber(SubmitNumber(pool, own_memory, 2)), 40);
  CHECK_EQ(TakeNumber(SubmitNumber(pool, own_memory, 0)), 42);
  CHECK_EQ(g_memory, 7);
  CHECK_EQ(TestKill(WorkerPid(pool, 0), SIGKILL), 0);
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_STARTS) == 2);
  CHECK_EQ(TakeNumber(SubmitNumber(pool, own_memory, 2)), 7);  // what there is when it is replaced
  CloseJoinDestroy(pool);
}

static void MemoryIsThatOfTheCall(void) {
  for (int i = 0; i < 50; i++) {
    mproc_pool_t* pool = NULL;
    mproc_pool_options_t* options = OwnOptions(3);
    g_memory = i;
    NEED_OK(mproc_pool_create(options, &pool));
    g_memory = -1;
    for (int k = 0; k < 6; k++) CHECK_EQ(TakeNumber(SubmitNumber(pool, own_memory, 0)), i);
    CHECK_OK(mproc_pool_options_destroy(options));
    CHECK_OK(mproc_pool_destroy(pool));
  }
}

static void WorkersAreChildren(void) {
  char wanted[64];
  int64_t launcher = -1;
  mproc_pool_t* pool = OwnPool(3);
  CHECK_OK(mproc_runtime_launcher_pid(&launcher));
  CHECK_EQ(launcher, 0);  // nobody needs one
  snprintf(wanted, sizeof wanted, "PPid:\t%d", (int)getpid());
  CHECK_HAS(Line(pool, "PPid:"), wanted);
  CHECK_HAS(Line(pool, "Threads:"), "\t1");
  CHECK_HAS(Line(pool, "Name:"), "mproc-worker");
  for (int i = 0; i < 3; i++) {
    pid_t pid = WorkerPid(pool, i);
    CHECK(pid != getpid());
    CHECK_EQ(getsid(pid), pid);  // no terminal's signals
    CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
    for (int k = 0; k < i; k++) CHECK(WorkerPid(pool, k) != pid);
  }
  CHECK_EQ(TakeNumber(SubmitNumber(pool, own_stack, 7 << 20)), 0);
  CloseJoinDestroy(pool);
  CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);  // no zombie either
  CHECK_EQ(errno, ECHILD);
}

static void NamesTellTheMethod(void) {
  mproc_pool_t* pool = ReadyWith(ModuleOptions(1));
  CHECK(strcmp(TakeText(Submit(pool, fn_name, NULL, 0)), "ForkPoolWorker-1") == 0);
  for (int64_t i = 0; i < 100; i++) CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, i)), i * i);
  CloseJoinDestroy(pool);
}

// Workers have the host's descriptors, but none of the library's, however many workers there are.
static void OnlyTheHostsDescriptors(void) {
  NEED(pipe(g_pipe) == 0);
  char own[300];
  TestTarget(g_pipe[0], own, sizeof own);
  mproc_pool_t* pools[2] = {OwnPool(1), OwnPool(4)};
  for (int i = 0; i < 2; i++) {
    for (int k = 0; k < 12; k++) {
      const char* open = TakeText(Submit(pools[i], own_open, NULL, 0));
      CHECK_HAS(open, own);
      CHECK_HAS(open, "0 /dev/null");
      int bells = 0, sockets = 0, others = 0;
      for (const char* at = open; (at = strstr(at, "anon_inode:")); at++) {
        bells += strncmp(at, "anon_inode:[eventfd]", 20) == 0;
        others += strncmp(at, "anon_inode:[eventfd]", 20) != 0;
      }
      for (const char* at = open; (at = strstr(at, "socket:")); at++) sockets++;
      CHECK_EQ(bells, 2);
      CHECK_EQ(sockets, 1);
      CHECK_EQ(others, TestUnderValgrind() ? 0 : 1);  // the pidfd by which it looks after the host
      CHECK(strstr(open, "memfd:") == NULL);
    }
  }
  for (int i = 0; i < 2; i++) CloseJoinDestroy(pools[i]);
  close(g_pipe[0]);
  close(g_pipe[1]);
}

// ---- what must not get from the host into a worker, or back

static void OnSignal(int signo) {
  int saved = errno;
  if (write(g_pipe[1], &signo, sizeof signo) < 0) abort();
  errno = saved;
}
static void HandlersStayInTheHost(void) {
  NEED(pipe2(g_pipe, O_NONBLOCK) == 0);
  signal(SIGTERM, OnSignal);
  signal(SIGUSR1, OnSignal);
  signal(SIGUSR2, SIG_IGN);
  mproc_pool_t* pool = OwnPool(1);
  CHECK_HAS(Line(pool, "SigBlk:"), "\t0000000000000000");
  CHECK_HAS(Line(pool, "SigIgn:"), "\t0000000000000000");
  pid_t pid = WorkerPid(pool, 0);
  CHECK_EQ(TestKill(pid, SIGUSR1), 0);
  CHECK_SOON(TestState(pid) == '\0');
  int signo = 0;
  CHECK_EQ(read(g_pipe[0], &signo, sizeof signo), -1);  // no handler of the host's ran there
  CHECK_EQ(TakeNumber(SubmitNumber(pool, own_memory, 0)), g_memory);
  CloseJoinDestroy(pool);
  signal(SIGTERM, SIG_DFL);
  signal(SIGUSR1, SIG_DFL);
  signal(SIGUSR2, SIG_DFL);
  close(g_pipe[0]);
  close(g_pipe[1]);
}

static void StandardInputIsEmpty(void) {
  mproc_pool_t* pool = OwnPool(1);
  CHECK_EQ(TakeNumber(Submit(pool, own_read, NULL, 0)), 0);
  CloseJoinDestroy(pool);
}

static void AtExit(void) { atomic_fetch_add(&g_board->initialized, 1); }
static void PrintAndEnd(void) {
  int out = open(TestFile(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (out < 0 || dup2(out, 1) < 0) _exit(9);
  setvbuf(stdout, NULL, _IOFBF, BUFSIZ);
  atexit(AtExit);
  printf("of the host;");
  mproc_pool_t* pool = OwnPool(3);
  char text[64];
  TakeNumber(Submit(pool, own_printf, NULL, 0));
  CHECK_SOON(TestRead(TestFile(), text, sizeof text) > 0);  // flushed when it has nothing to do
  CHECK_EQ(TestKill(WorkerPid(pool, 1), SIGKILL), 0);
  mproc_future_t* lost = Submit(pool, own_leave, NULL, 0);
  TakeEnd(lost, MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_EXIT);
  CloseJoinDestroy(pool);
  if (mproc_runtime_finish(TestLong()) != MPROC_OK) _exit(8);
  exit(atomic_load(&g_test_failures) ? 7 : 0);
}
// Workers neither print what the host has printed nor call what it has registered for its exit.
static void NothingHappensTwice(void) {
  char path[300], text[256];
  int status = -1;
  OpenBoard();
  fflush(NULL);
  pid_t host = fork();
  if (host == 0) PrintAndEnd();
  CHECK_EQ(waitpid(host, &status, 0), host);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  snprintf(path, sizeof path, "%.*s-%d", (int)(strrchr(TestFile(), '-') - TestFile()), TestFile(), (int)host);
  text[TestRead(path, text, sizeof text - 1)] = '\0';
  unlink(path);
  CHECK(strcmp(text, "of the worker.of the host;") == 0);
  CHECK_EQ(atomic_load(&g_board->initialized), 1);
}

static void SurroundingsCanBeGiven(void) {
  setenv("MPROC_TEST_VALUE", "host", 1);
  setenv("MPROC_TEST_OTHER", "host", 1);
  mproc_pool_options_t* options = ModuleOptions(1);
  NEED_OK(mproc_pool_options_set_environment(options, "MPROC_TEST_VALUE", "worker"));
  NEED_OK(mproc_pool_options_set_environment(options, "MPROC_TEST_OTHER", NULL));
  NEED_OK(mproc_pool_options_set_directory(options, "/proc"));
  mproc_pool_t* pool = ReadyWith(options);
  CHECK_HAS(TakeText(Submit(pool, fn_environment, "MPROC_TEST_VALUE", 16)), "worker");
  TakeEnd(Submit(pool, fn_environment, "MPROC_TEST_OTHER", 16), MPROC_OUTCOME_ERROR, MPROC_CAUSE_NONE);
  char path[64], target[64] = "";
  snprintf(path, sizeof path, "/proc/%d/cwd", (int)WorkerPid(pool, 0));
  CHECK(readlink(path, target, sizeof target - 1) > 0);
  CHECK_HAS(target, "/proc");
  CHECK(strcmp(getenv("MPROC_TEST_VALUE"), "host") == 0);
  CloseJoinDestroy(pool);
  options = OwnOptions(1);
  NEED_OK(mproc_pool_options_set_directory(options, "/nowhere at all"));
  CHECK_STATUS(mproc_pool_create(options, &pool), MPROC_ERROR_SYSTEM);
  CHECK_HAS(mproc_last_error_message(), "/nowhere at all");
  CHECK_OK(mproc_pool_options_destroy(options));
}

// ---- what is refused

static void* Rest(void* stop) {
  while (!atomic_load((atomic_int*)stop)) TestRest(MPROC_MILLISECOND);
  return NULL;
}
static void HostsThreadsAreInTheWay(void) {
  pthread_t threads[2];
  atomic_int stop = 0;
  mproc_pool_t *early = OwnPool(1), *pool = NULL;
  mproc_pool_options_t* options = OwnOptions(2);
  for (int i = 0; i < 2; i++) NEED(pthread_create(&threads[i], NULL, Rest, &stop) == 0);
  CHECK_STATUS(mproc_pool_create(options, &pool), MPROC_ERROR_UNSUPPORTED);
  CHECK_HAS(mproc_last_error_message(), "2 threads");
  CHECK_HAS(mproc_last_error_message(), "mproc_pool_options_set_fork_with_threads");
  CHECK_OK(mproc_pool_options_set_fork_with_threads(options, 1));
  pool = ReadyWith(options);
  CHECK_EQ(TakeNumber(SubmitNumber(pool, own_memory, 0)), g_memory);
  CHECK_EQ(TestKill(WorkerPid(pool, 0), SIGKILL), 0);
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_STARTS) == 3);
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CloseJoinDestroy(pool);
  // A worker that cannot be replaced now.
  CHECK_EQ(TakeNumber(SubmitNumber(early, own_memory, 0)), g_memory);
  CHECK_EQ(TestKill(WorkerPid(early, 0), SIGKILL), 0);
  mproc_future_t* future = NULL;
  CHECK_SOON(mproc_pool_submit(early, own_memory, NULL, 0, 0, &future) == MPROC_ERROR_BROKEN ||
             (mproc_future_release(future), 0));
  CHECK_HAS(mproc_last_error_message(), "2 threads");
  CHECK_OK(mproc_pool_destroy(early));
  atomic_store(&stop, 1);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  CloseJoinDestroy(OwnPool(1));  // at once: the system may still show them
}

static void OnEnd(mproc_future_t* future, void* calls) {
  (void)future;
  atomic_fetch_add((atomic_int*)calls, 1);
}
static void OurThreadsAreNot(void) {
  atomic_int calls = 0;
  mproc_pool_t* spawned = SpawnedPool(1);
  NEED_OK(mproc_pool_submit_callback(spawned, fn_noop, NULL, 0, TestLong(), OnEnd, OnEnd, &calls, NULL));
  CHECK_SOON(calls == 1);
  mproc_pool_t* pool = OwnPool(2);
  NEED_OK(mproc_pool_submit_callback(pool, own_memory, NULL, 0, TestLong(), OnEnd, OnEnd, &calls, NULL));
  CHECK_SOON(calls == 2);
  CHECK_EQ(TestKill(WorkerPid(pool, 0), SIGKILL), 0);
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_STARTS) == 3);
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CloseJoinDestroy(pool);
  CloseJoinDestroy(spawned);
}

static void WhatCannotBeIsRefused(void) {
  mproc_pool_t* pool = NULL;
  mproc_table_t* table = NULL;
  mproc_pool_options_t* options = OwnOptions(1);
  const char* command[] = {"true"};
  NEED_OK(mproc_pool_options_set_command(options, command, 1));
  CHECK_STATUS(mproc_pool_create(options, &pool), MPROC_ERROR_UNSUPPORTED);
  CHECK_HAS(mproc_last_error_message(), "command");
  NEED_OK(mproc_pool_options_set_self(options));
  NEED_OK(mproc_table_create(&table));
  NEED_OK(mproc_table_add(table, 1, "hollow", NULL, NULL));
  NEED_OK(mproc_pool_options_set_table(options, table));
  CHECK_STATUS(mproc_pool_create(options, &pool), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_HAS(mproc_last_error_message(), "'hollow'");
  CHECK_OK(mproc_pool_options_destroy(options));
  NEED_OK(mproc_pool_options_create(&options));
  NEED_OK(mproc_pool_options_set_start_method(options, MPROC_START_FORK));
  CHECK_STATUS(mproc_pool_create(options, &pool), MPROC_ERROR_NOT_SERVED);
  // What the program would serve as its own worker is in memory, too.
  mproc_table_t* own = NULL;
  NEED_OK(mproc_table_create(&own));
  NEED_OK(mproc_table_add(own, 3, "memory", Memory, &g_memory));
  CHECK_OK(mproc_worker_main(own));
  CHECK_OK(mproc_table_destroy(own));
  NEED_OK(mproc_pool_options_set_worker_program(options, "/nowhere/mproc-worker"));  // nobody needs it
  pool = ReadyWith(options);
  CHECK_EQ(TakeNumber(Submit(pool, 3, NULL, 0)), g_memory);
  CloseJoinDestroy(pool);
  CHECK_OK(mproc_table_destroy(table));
}

// ---- ends

static void HostTakesTheStatus(void) {
  signal(SIGCHLD, SIG_IGN);  // the system keeps no status
  mproc_pool_t* pool = ReadyWith(ModuleOptions(2));
  for (int i = 0; i < 5; i++) {
    mproc_future_t* future = SubmitNumber(pool, fn_exit, 3);
    WaitEnd(future);
    CHECK_EQ(Outcome(future), MPROC_OUTCOME_WORKER_LOST);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_EXIT);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_EXIT_CODE), 255);
    CHECK_HAS(Message(future), "exit status unknown");
    Release(future);
  }
  if (!TestSanitized()) {  // a crash leaves word
    mproc_future_t* future = Submit(pool, fn_segv, NULL, 0);
    WaitEnd(future);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_SIGNAL);
    CHECK_EQ(Info(future, MPROC_FUTURE_INFO_SIGNAL), SIGSEGV);
    Release(future);
  }
  CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, 9)), 81);
  CloseJoinDestroy(pool);
  signal(SIGCHLD, SIG_DFL);
}

// A host that waits for all its children, as many do, and takes what it finds.
static void* WaitForAll(void* stop) {
  while (!atomic_load((atomic_int*)stop)) {
    if (waitpid(-1, NULL, 0) < 0) TestRest(100000);
  }
  return NULL;
}
static void HostWaitsForAll(void) {
  pthread_t thread;
  atomic_int stop = 0;
  mproc_pool_options_t* options = ModuleOptions(3);
  NEED_OK(mproc_pool_options_set_fork_with_threads(options, 1));
  NEED(pthread_create(&thread, NULL, WaitForAll, &stop) == 0);
  mproc_pool_t* pool = ReadyWith(options);
  for (int i = 0; i < 50; i++) {
    TakeEnd(SubmitNumber(pool, fn_exit, 3), MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_EXIT);
    CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, i)), i * i);
  }
  CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
  CloseJoinDestroy(pool);
  atomic_store(&stop, 1);
  pthread_join(thread, NULL);
}

// Runs `host` in a process that is then gone, and sees that what it has left behind is, too: all of that
// holds the other end of a pipe.
static void CheckNothingOutlives(void (*host)(int round), int round) {
  int ends[2];
  char byte;
  NEED(pipe(ends) == 0);
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    host(round);
    _exit(0);
  }
  close(ends[1]);
  CHECK_EQ(waitpid(pid, NULL, 0), pid);
  CHECK_EQ(read(ends[0], &byte, 1), 0);
  close(ends[0]);
}
static void DieAnyTime(int round) {
  mproc_pool_t* pool = CreateWith(ModuleOptions(4));
  for (int64_t i = 0; i < 8; i++) SubmitWork(pool, i % 2 ? fn_stubborn : fn_spin, 0, i);
  if (round % 3) mproc_pool_wait_ready(pool, TestLong());
  TestRest(round % 10 * 300000);
  kill(getpid(), SIGKILL);
}
static void BecomeAnother(int round) {
  (void)round;
  mproc_pool_t* pool = ReadyWith(ModuleOptions(2));
  SubmitWork(pool, fn_stubborn, 0, 0);
  execl("/bin/sh", "sh", "-c", "exit 0", NULL);
}
static void ForgetThePool(int round) {
  TestForgetLeaks();
  mproc_pool_t* pool = ReadyWith(ModuleOptions(2));
  SubmitWork(pool, fn_stubborn, 0, 0);
  if (round) mproc_runtime_finish(TestLong());
  exit(0);
}
static void NothingOutlivesTheHost(void) {
  OpenBoard();
  for (int round = 0; round < 20; round++) CheckNothingOutlives(DieAnyTime, round);
  CheckNothingOutlives(BecomeAnother, 0);
  for (int round = 0; round < 2; round++) CheckNothingOutlives(ForgetThePool, round);
}

static void WorkersMayHavePools(void) {
  g_memory = 66;
  mproc_pool_t* pool = OwnPool(2);
  for (int i = 0; i < 4; i++) {
    mproc_future_t* future = Submit(pool, own_table, NULL, 0);
    WaitEnd(future);
    if (!CHECK_STATUS(mproc_future_error(future), MPROC_OK)) printf("  %s\n", Message(future));
    CHECK_EQ(TakeNumber(future), 66);
  }
  CloseJoinDestroy(pool);
}

static void MethodsLiveTogether(void) {
  int64_t launcher = 0;
  mproc_pool_t* forked = OwnPool(2);
  mproc_pool_t* spawned = SpawnedPool(2);
  CHECK_OK(mproc_runtime_launcher_pid(&launcher));
  NEED(launcher > 1);
  mproc_pool_t* later = OwnPool(2);
  CHECK_EQ(TakeNumber(SubmitNumber(spawned, fn_square, 6)), 36);
  CHECK_EQ(TakeNumber(SubmitNumber(forked, own_memory, 0)), g_memory);
  CHECK_EQ(TakeNumber(SubmitNumber(later, own_memory, 0)), g_memory);
  CHECK_EQ(TestKill((pid_t)launcher, SIGKILL), 0);
  CHECK_EQ(TakeNumber(SubmitNumber(later, own_memory, 0)), g_memory);
  CHECK_EQ(TakeNumber(SubmitNumber(spawned, fn_square, 7)), 49);
  CHECK_OK(mproc_runtime_finish(TestLong()));
  CHECK_OK(mproc_pool_destroy(forked));
  CHECK_OK(mproc_pool_destroy(spawned));
  CHECK_OK(mproc_pool_destroy(later));
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"workers have the host's memory", WorkersHaveTheHostsMemory, 0},
      {"memory is that of the call", MemoryIsThatOfTheCall, 0},
      {"workers are children", WorkersAreChildren, 0},
      {"names tell the method", NamesTellTheMethod, 0},
      {"only the host's descriptors", OnlyTheHostsDescriptors, 0},
      {"handlers stay in the host", HandlersStayInTheHost, 0},
      {"standard input is empty", StandardInputIsEmpty, 0},
      {"nothing happens twice", NothingHappensTwice, 0},
      {"surroundings can be given", SurroundingsCanBeGiven, 0},
      {"host's threads are in the way", HostsThreadsAreInTheWay, 0},
      {"our threads are not", OurThreadsAreNot, 0},
      {"what cannot be is refused", WhatCannotBeIsRefused, 0},
      {"host takes the status", HostTakesTheStatus, 0},
      {"host waits for all", HostWaitsForAll, 0},
      {"nothing outlives the host", NothingOutlivesTheHost, 0},
      {"workers may have pools", WorkersMayHavePools, 0},
      {"methods live together", MethodsLiveTogether, 0},
  };
  if (TEST_UNDER_TSAN) return printf("the thread sanitizer does not follow a fork\n"), kTestSkipped;
  return TEST_MAIN(argc, argv, cases);
}
