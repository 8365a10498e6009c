// SPDX-License-Identifier: MIT
// Processes: their start, what they are told and told of, how they end, by every start method.
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "processes.h"

static void ExitCodesTellTheEnd(void) {
  static const struct {
    int64_t returned;
    int32_t code;
  } returns[] = {{0, 0}, {3, 3}, {255, 255}, {256, 1}, {300, 44}, {-5, 1}};
  for (size_t i = 0; i < sizeof returns / sizeof returns[0]; i++) {
    CHECK_EQ(TakeCode(StartNumber(process_give, returns[i].returned)), returns[i].code);
  }
  if (Threads()) return;  // what follows would be the host's own end
  CHECK_EQ(TakeCode(StartNumber(process_leave, 0)), 0);
  CHECK_EQ(TakeCode(StartNumber(process_leave, 9)), 9);
  CHECK_EQ(TakeCode(StartNumber(process_crash, 0)), -SIGABRT);
}

// Joins one that came to nothing before its function, and destroys it.
static void CheckCouldNotRun(mproc_process_t* process, int32_t why, const char* said) {
  const char* message = NULL;
  int32_t code = 0;
  CHECK_OK(mproc_process_join(process, TestLong()));
  CHECK_EQ(ExitCode(process), 1);
  CHECK_OK(mproc_process_failure(process, &code, NULL, &message, NULL));
  CHECK_EQ(code, why);
  CHECK_HAS(message, said);
  CHECK_OK(mproc_process_destroy(process));
}

static void FailuresAreTold(void) {
  mproc_process_t* process = StartNumber(process_fail, 0);
  const char *type = NULL, *message = NULL, *trace = NULL;
  int32_t code = 0;
  CHECK_OK(mproc_process_join(process, TestLong()));
  CHECK_EQ(ExitCode(process), 7);
  CHECK_OK(mproc_process_failure(process, &code, &type, &message, &trace));
  CHECK_EQ(code, 7);
  CHECK_HAS(type, "Trouble");
  CHECK_HAS(message, "it went wrong");
  CHECK_HAS(trace, "here, then there");
  CHECK_OK(mproc_process_destroy(process));

  process = StartNumber(process_give, 0);
  CHECK_OK(mproc_process_join(process, TestLong()));
  CHECK_STATUS(mproc_process_failure(process, &code, NULL, NULL, NULL), MPROC_ERROR_NO_ERROR);
  CHECK_OK(mproc_process_destroy(process));

  process = StartNumber(999, 0);
  CheckCouldNotRun(process, MPROC_ERROR_UNKNOWN_FUNCTION, "999");

  mproc_process_options_t* options = ProcessOptions(process_give, NULL, 0);
  NEED_OK(mproc_process_options_set_module(options, "/nowhere/module.so"));
  process = StartWith(options);
  CheckCouldNotRun(process, MPROC_ERROR_BAD_MODULE, "/nowhere/module.so");
}

static void StartsOnce(void) {
  mproc_event_t* event = NewEvent();
  mproc_process_t* process = MakeWith(Waiting(event));
  int32_t number = 77;
  int64_t pid = 77;
  CHECK_EQ(Alive(process), 0);
  CHECK_STATUS(mproc_process_join(process, 0), MPROC_ERROR_NOT_STARTED);
  CHECK_STATUS(mproc_process_exit_code(process, &number), MPROC_ERROR_NOT_STARTED);
  CHECK_STATUS(mproc_process_sentinel(process, &number), MPROC_ERROR_NOT_STARTED);
  CHECK_STATUS(mproc_process_pid(process, &pid), MPROC_ERROR_NOT_STARTED);
  CHECK_STATUS(mproc_process_terminate(process), MPROC_ERROR_NOT_STARTED);
  CHECK_STATUS(mproc_process_kill(process), MPROC_ERROR_NOT_STARTED);
  CHECK_STATUS(mproc_process_failure(process, NULL, NULL, NULL, NULL), MPROC_ERROR_NOT_STARTED);
  CHECK(number == 77 && pid == 77);

  CHECK_OK(mproc_process_start(process));
  CHECK_STATUS(mproc_process_start(process), MPROC_ERROR_ALREADY_STARTED);
  CHECK_EQ(Alive(process), 1);
  CHECK(Threads() ? PidOf(process) == getpid() : PidOf(process) > 1 && PidOf(process) != getpid());
  CHECK_STATUS(mproc_process_exit_code(process, &number), MPROC_ERROR_STILL_ALIVE);
  CHECK_STATUS(mproc_process_failure(process, NULL, NULL, NULL, NULL), MPROC_ERROR_STILL_ALIVE);
  CHECK_STATUS(mproc_process_destroy(process), MPROC_ERROR_STILL_ALIVE);
  CHECK_STATUS(mproc_process_join(process, 0), MPROC_ERROR_TIMED_OUT);
  CHECK_STATUS(mproc_process_join(process, -1), MPROC_ERROR_TIMED_OUT);
  CHECK_STATUS(mproc_process_join(process, 5 * MPROC_MILLISECOND), MPROC_ERROR_TIMED_OUT);
  CHECK_OK(mproc_event_set(event));
  CHECK_OK(mproc_process_join(process, TestLong()));
  CHECK_OK(mproc_process_join(process, 0));
  CHECK_STATUS(mproc_process_start(process), MPROC_ERROR_ALREADY_STARTED);
  CHECK_OK(mproc_process_terminate(process));  // nothing to send to
  CHECK_OK(mproc_process_kill(process));
  CHECK_EQ(TakeCode(process), 0);
  CHECK_OK(mproc_event_destroy(event));

  process = MakeWith(ProcessOptions(process_give, NULL, 0));
  CHECK_OK(mproc_process_destroy(process));  // never started
}

static void SignalsEndIt(void) {
  mproc_event_t* event = NewEvent();
  mproc_process_t* process = StartWith(Waiting(event));
  NEED_SOON(Begun(0) == 1);
  CHECK_OK(mproc_process_terminate(process));
  CHECK_EQ(TakeCode(process), Threads() ? 3 : -SIGTERM);  // a thread hears that it is cancelled
  process = StartWith(Waiting(event));
  NEED_SOON(Begun(0) == 2);
  CHECK_STATUS(mproc_process_signal(process, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_signal(process, 65), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_process_kill(process));
  CHECK_EQ(TakeCode(process), -SIGKILL);
  CHECK_OK(mproc_event_set(event));  // for the thread that was let go
  if (!Threads()) {
    CHECK_OK(mproc_event_clear(event));
    process = StartWith(Waiting(event));
    CHECK_OK(mproc_process_signal(process, SIGUSR1));
    CHECK_EQ(TakeCode(process), -SIGUSR1);
  }
  CHECK_OK(mproc_event_destroy(event));
}

static void TerminatedRightAway(void) {
  enum { kMany = 40 };
  mproc_process_t* processes[kMany];
  mproc_event_t* event = NewEvent();
  for (int i = 0; i < kMany; i++) processes[i] = MakeWith(Waiting(event));
  for (int i = 0; i < kMany; i++) NEED_OK(mproc_process_start(processes[i]));
  for (int i = 0; i < kMany; i++) CHECK_OK(mproc_process_terminate(processes[i]));
  for (int i = 0; i < kMany; i++) CHECK_EQ(TakeCode(processes[i]), Threads() ? 3 : -SIGTERM);
  CHECK_OK(mproc_event_destroy(event));
}

static int IsReadable(int fd) {
  struct pollfd poller = {.fd = fd, .events = POLLIN};
  return poll(&poller, 1, 0) == 1 && (poller.revents & POLLIN);
}
static void SentinelTellsForEver(void) {
  mproc_event_t* event = NewEvent();
  mproc_process_t* process = StartWith(Waiting(event));
  int32_t fd = -1;
  NEED_OK(mproc_process_sentinel(process, &fd));
  CHECK(fd > 2 && !IsReadable(fd));
  CHECK_OK(mproc_event_set(event));
  struct pollfd poller = {.fd = fd, .events = POLLIN};
  CHECK_EQ(poll(&poller, 1, (int)(TestLong() / MPROC_MILLISECOND)), 1);
  CHECK_EQ(ExitCode(process), 0);  // it is known by then
  CHECK(IsReadable(fd) && IsReadable(fd));
  CHECK_OK(mproc_process_destroy(process));
  CHECK_OK(mproc_event_destroy(event));
}

static void* JoinIt(void* process) {
  CHECK_OK(mproc_process_join(process, TestLong()));
  return NULL;
}
static void ManyThreadsJoin(void) {
  pthread_t threads[5];
  mproc_event_t* event = NewEvent();
  mproc_process_t* process = StartWith(Waiting(event));
  for (int i = 0; i < 5; i++) NEED(pthread_create(&threads[i], NULL, JoinIt, process) == 0);
  NEED_SOON(Begun(0) == 1);
  CHECK_OK(mproc_event_set(event));
  for (int i = 0; i < 5; i++) pthread_join(threads[i], NULL);
  CHECK_EQ(TakeCode(process), 0);
  CHECK_OK(mproc_event_destroy(event));
}

static void ObjectsAndBytesGoWithIt(void) {
  enum { kProcesses = 4 };
  mproc_process_t* processes[kProcesses];
  mproc_lock_t* lock = NULL;
  NEED_OK(mproc_lock_create(MPROC_LOCK_PLAIN, &lock));
  void* object = lock;
  int64_t times = 500;
  mproc_process_options_t* options = ProcessOptions(process_count, &times, sizeof times);
  NEED_OK(mproc_process_options_set_objects(options, &object, 1));
  for (int i = 0; i < kProcesses; i++) {
    NEED_OK(mproc_process_create(options, &processes[i]));
    NEED_OK(mproc_process_start(processes[i]));
  }
  CHECK_OK(mproc_lock_destroy(lock));  // the options have it
  CHECK_OK(mproc_process_options_destroy(options));
  for (int i = 0; i < kProcesses; i++) CHECK_EQ(TakeCode(processes[i]), 0);
  CHECK_EQ(Ended(1), kProcesses * times);

  CHECK_HAS(TakeMessage(StartWith(ProcessOptions(process_echo, "a unicorn", 10))), "10:a unicorn");
  enum { kLarge = 3 << 20 };
  char* large = malloc(kLarge);
  memset(large, 'x', kLarge);
  CHECK_HAS(TakeMessage(StartWith(ProcessOptions(process_echo, large, kLarge))), "3145728:xxxx");
  mproc_event_t* event = NewEvent();  // an object beside so many bytes
  options = Waiting(event);
  NEED_OK(mproc_process_options_set_function(options, process_await, large, kLarge));
  CHECK_OK(mproc_event_set(event));
  CHECK_EQ(TakeCode(StartWith(options)), 0);
  CHECK_OK(mproc_event_destroy(event));
  free(large);
}

static mproc_process_options_t* Where(const char* variable) {
  return ProcessOptions(process_where, variable, strlen(variable) + 1);
}
static void Surroundings(void) {
  setenv("TEST_HERE", "host", 1);
  char here[256], expected[300];
  NEED(getcwd(here, sizeof here) != NULL);
  snprintf(expected, sizeof expected, "host,%s", here);
  CHECK(strcmp(TakeMessage(StartWith(Where("TEST_HERE"))), expected) == 0);
  mproc_process_options_t* options = Where("TEST_HERE");
  NEED_OK(mproc_process_options_set_environment(options, "TEST_HERE", "its own"));
  NEED_OK(mproc_process_options_set_directory(options, "/"));
  if (Threads()) {
    mproc_process_t* process = MakeWith(options);
    CHECK_STATUS(mproc_process_start(process), MPROC_ERROR_UNSUPPORTED);
    CHECK_OK(mproc_process_destroy(process));
    return;
  }
  CHECK(strcmp(TakeMessage(StartWith(options)), "its own,/") == 0);
  options = Where("TEST_HERE");
  NEED_OK(mproc_process_options_set_environment(options, "TEST_HERE", NULL));
  snprintf(expected, sizeof expected, "none,%s", here);
  CHECK(strcmp(TakeMessage(StartWith(options)), expected) == 0);
}

// What could not be started was not started, and can be tried again.
static void StartsThatFail(void) {
  mproc_process_options_t* options = Where("TEST_HERE");
  char path[600];
  snprintf(path, sizeof path, "%s.directory", TestFile());
  NEED_OK(mproc_process_options_set_directory(options, path));
  mproc_process_t* process = MakeWith(options);
  int32_t first = mproc_process_start(process);
  CHECK(first != MPROC_OK && first != MPROC_ERROR_ALREADY_STARTED);
  CHECK_STATUS(mproc_process_start(process), first);
  CHECK_EQ(Alive(process), 0);
  CHECK_STATUS(mproc_process_join(process, 0), MPROC_ERROR_NOT_STARTED);
  if (!Threads()) {
    NEED(mkdir(path, 0700) == 0);
    CHECK_OK(mproc_process_start(process));
    CHECK_HAS(TakeMessage(process), path);
    rmdir(path);
  } else {
    CHECK_OK(mproc_process_destroy(process));
  }
}

static int32_t OfThisProgram(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)call, (void)input, (void)size;
  return *(int32_t*)user_data;
}
static void TableInMemory(void) {
  if (TestHasLauncher()) TestSkip("another program has not this memory");
  static int32_t code = 1;
  mproc_table_t* table = NULL;
  mproc_process_options_t* options = NULL;
  NEED_OK(mproc_table_create(&table));
  NEED_OK(mproc_table_add(table, 7, "of this program", OfThisProgram, &code));
  NEED_OK(mproc_process_options_create(&options));
  NEED_OK(mproc_process_options_set_start_method(options, TestStart()));
  NEED_OK(mproc_process_options_set_fork_with_threads(options, 1));
  NEED_OK(mproc_process_options_set_table(options, table));
  NEED_OK(mproc_process_options_set_function(options, 7, NULL, 0));
  NEED_OK(mproc_table_destroy(table));
  code = 42;
  CHECK_EQ(TakeCode(StartWith(options)), 42);
}

static void NamesAndParents(void) {
  char expected[200];
  mproc_process_t* first = StartNumber(process_who, 0);
  mproc_process_options_t* options = ProcessOptions(process_who, NULL, 0);
  NEED_OK(mproc_process_options_set_name(options, "a name of its own"));
  NEED_OK(mproc_process_options_set_daemon(options, 1));
  mproc_process_t* second = StartWith(options);
  mproc_process_t* third = StartNumber(process_who, 0);
  mproc_process_t* all[] = {first, second, third};
  const char* names[] = {"Process-1", "a name of its own", "Process-3"};
  for (int i = 0; i < 3; i++) {
    int32_t daemon = -1;
    CHECK(strcmp(NameOf(all[i]), names[i]) == 0);
    CHECK_OK(mproc_process_is_daemon(all[i], &daemon));
    CHECK_EQ(daemon, i == 1);
    snprintf(expected, sizeof expected, "%s,%d,%lld,%d,MainProcess,%s", names[i], i == 1,
             (long long)PidOf(all[i]), (int)getpid(), mproc_start_method_name(TestStart()));
    const char* message = TakeMessage(all[i]);
    CHECK(strcmp(message, expected) == 0);
    if (strcmp(message, expected) != 0) printf("  '%s', not '%s'\n", message, expected);
  }
  int64_t pid = 0;
  CHECK(strcmp(mproc_process_current_name(), "MainProcess") == 0);
  CHECK_EQ(mproc_process_current_is_daemon(), 0);
  CHECK_STATUS(mproc_process_parent(&pid, NULL), MPROC_ERROR_END);
}

static void ParentsAreThere(void) {
  int32_t fd = -1;
  CHECK_EQ(TakeCode(StartNumber(process_parent, 0)), 0);
  CHECK_STATUS(mproc_process_parent_join(0), MPROC_ERROR_END);  // nobody of ours started this one
  CHECK_STATUS(mproc_process_parent_sentinel(&fd), MPROC_ERROR_END);
  CHECK_EQ(fd, -1);
}

// A launcher that is stopped cannot end the children of a host that is killed: they can see for themselves.
static void ParentsEndIsSeen(void) {
  if (!TestHasLauncher()) TestSkip("only what a launcher starts can be left alone");
  int ends[2];
  int64_t launcher = 0;
  OpenBoard();
  NEED(pipe(ends) == 0);
  fflush(NULL);
  pid_t host = fork();
  if (host == 0) {
    (void)StartNumber(process_outlive, 0);
    NEED_SOON(Begun(0) == 1);
    NEED_OK(mproc_runtime_launcher_pid(&launcher));
    if (write(ends[1], &launcher, sizeof launcher) < 0) _exit(1);
    for (;;) pause();
  }
  close(ends[1]);
  NEED(read(ends[0], &launcher, sizeof launcher) == sizeof launcher);
  close(ends[0]);
  CHECK_EQ(TestKill((pid_t)launcher, SIGSTOP), 0);
  CHECK_EQ(Begun(1), 0);
  CHECK_EQ(TestKill(host, SIGKILL), 0);
  CHECK_EQ(waitpid(host, NULL, 0), host);
  CHECK_SOON(Begun(1) == 1);
  CHECK_EQ(TestKill((pid_t)launcher, SIGCONT), 0);
  CHECK_SOON(TestMarked(NULL, 0) == 0);
}

static void ChildrenOfChildren(void) {
  if (TestUnderValgrind() && TestStart() == MPROC_START_FORK)
    TestSkip("what hangs on stacks that a fork has not got is lost for valgrind");
  CHECK(strcmp(TakeMessage(StartNumber(process_nest, 0)), "Process-1:1=0,Process-1:2=6") == 0);
  mproc_process_options_t* options = ProcessOptions(process_nest, NULL, 0);
  NEED_OK(mproc_process_options_set_daemon(options, 1));
  CHECK(strcmp(TakeMessage(StartWith(options)), "Process-2:1=0d,Process-2:2=6d") == 0);  // as their parent
}

static mproc_process_options_t* Running(const char* const* argv, size_t argc) {
  mproc_process_options_t* options = NULL;
  NEED_OK(mproc_process_options_create(&options));
  NEED_OK(mproc_process_options_set_command(options, argv, argc));
  return options;
}

static void Commands(void) {
  const char* shell[] = {"sh", "-c", NULL};
  shell[2] = "exit 7";
  CHECK_EQ(TakeCode(StartWith(Running(shell, 3))), 7);
  shell[2] = "read line && exit 1; [ ! -e /proc/$$/fd/3 ] && [ \"$TEST_IT\" = yes ] && [ \"$PWD\" = / ]";
  mproc_process_options_t* options = Running(shell, 3);
  NEED_OK(mproc_process_options_set_environment(options, "TEST_IT", "yes"));
  NEED_OK(mproc_process_options_set_directory(options, "/"));
  CHECK_EQ(TakeCode(StartWith(options)), 0);
  shell[2] = "kill -9 $$";
  CHECK_EQ(TakeCode(StartWith(Running(shell, 3))), -SIGKILL);
  shell[2] = "exec sleep 100";
  mproc_process_t* process = StartWith(Running(shell, 3));
  CHECK_EQ(Alive(process), 1);
  CHECK_OK(mproc_process_terminate(process));
  CHECK_EQ(TakeCode(process), -SIGTERM);

  shell[0] = "/nowhere/at/all";
  process = StartWith(Running(shell, 1));
  CheckCouldNotRun(process, MPROC_ERROR_SYSTEM, "/nowhere/at/all");

  process = NULL;
  options = Running(shell, 1);
  CHECK_STATUS(mproc_process_options_set_command(options, shell, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_options_set_command(options, NULL, 1), MPROC_ERROR_INVALID_ARGUMENT);
  NEED_OK(mproc_process_options_set_function(options, process_give, NULL, 0));
  CHECK_STATUS(mproc_process_create(options, &process), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK(!process);
  CHECK_OK(mproc_process_options_destroy(options));
}

static void KeysAreInherited(void) {
  char key[32], text[65], other[600];
  size_t size = 0;
  CHECK_STATUS(mproc_process_authkey(key, 31, &size), MPROC_ERROR_BUFFER_TOO_SMALL);
  CHECK_EQ(size, 32);
  CHECK_OK(mproc_process_authkey(key, 32, &size));
  for (size_t i = 0; i < 32; i++) snprintf(text + 2 * i, 3, "%02x", (unsigned char)key[i]);
  CHECK(strcmp(TakeMessage(StartWith(ProcessOptions(process_key, NULL, 0))), text) == 0);
  CHECK_OK(mproc_process_set_authkey("ab", 2));
  CHECK(strcmp(TakeMessage(StartWith(ProcessOptions(process_key, NULL, 0))), "6162") == 0);
  CHECK_STATUS(mproc_process_set_authkey("", 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_set_authkey(NULL, 1), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_authkey(NULL, 1, &size), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_authkey(key, 32, NULL), MPROC_ERROR_INVALID_ARGUMENT);

  mproc_listener_t* listener = NULL;
  mproc_connection_t* connection = NULL;
  const char* address = NULL;
  snprintf(other, sizeof other, "abstract:%s", TestFile());
  CHECK_STATUS(mproc_listener_create(other, 1, "x", 1, MPROC_KEY_OF_PROCESS, &listener),
               MPROC_ERROR_INVALID_ARGUMENT);
  NEED_OK(mproc_listener_create(other, 1, NULL, 0, MPROC_KEY_OF_PROCESS, &listener));
  NEED_OK(mproc_listener_address(listener, &address));
  mproc_process_t* process = StartWith(ProcessOptions(process_key, address, strlen(address) + 1));
  NEED_OK(mproc_listener_accept(listener, TestLong(), &connection));
  CHECK_OK(mproc_connection_receive_into(connection, key, sizeof key, &size, TestLong()));
  CHECK(size == 2 && memcmp(key, "in", 2) == 0);
  CHECK(strcmp(TakeMessage(process), "6162") == 0);
  CHECK_OK(mproc_connection_destroy(connection));
  CHECK_OK(mproc_listener_destroy(listener));
}

static int g_hook_runs;
static void OnFinish(void* process) {
  g_hook_runs++;
  CHECK_EQ(process ? Alive(process) : (int32_t)g_hook_runs, process ? 1 : 2);  // before its end, after it
}

static void ExitHooksInOrder(void) {
  static const int32_t kLines[] = {9, 2, 3, 1, 4, 5};
  enum { kCount = sizeof kLines / sizeof kLines[0] };
  CHECK_EQ(TakeCode(StartNumber(process_hooks, 0)), 0);
  CHECK_EQ(Begun(kList), kCount);
  for (int i = 0; i < kCount; i++) CHECK_EQ(g_board->pid[kList + 1 + i], kLines[i]);

  mproc_event_t* event = NewEvent();
  mproc_process_options_t* options = Waiting(event);
  NEED_OK(mproc_process_options_set_daemon(options, 1));
  mproc_process_t* process = StartWith(options);
  NEED_SOON(Begun(0) > 0);
  CHECK_OK(mproc_process_add_exit_hook(OnFinish, process, 0));
  CHECK_OK(mproc_process_add_exit_hook(OnFinish, NULL, -1));
  CHECK_EQ(g_hook_runs, 0);
  CHECK_OK(mproc_runtime_finish(TestLong()));
  CHECK_EQ(g_hook_runs, 2);
  CHECK_EQ(Begun(kList), kCount);  // those of the child were not this one's
  CHECK_OK(mproc_process_destroy(process));
  CHECK_OK(mproc_event_destroy(event));
}

static void ActiveOnes(void) {
  mproc_process_t *found[3] = {NULL}, *processes[3];
  size_t count = 77;
  mproc_event_t* event = NewEvent();
  CHECK_OK(mproc_process_active(found, 3, &count));
  CHECK_EQ(count, 0);
  for (int i = 0; i < 3; i++) processes[i] = MakeWith(Waiting(event));
  NEED_OK(mproc_process_start(processes[2]));
  NEED_OK(mproc_process_start(processes[0]));
  CHECK_OK(mproc_process_active(found, 3, &count));
  CHECK_EQ(count, 2);
  CHECK(found[0] == processes[0] && found[1] == processes[2] && !found[2]);
  CHECK_OK(mproc_process_active(NULL, 0, &count));
  CHECK_EQ(count, 2);
  CHECK_STATUS(mproc_process_active(NULL, 1, &count), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_active(found, 3, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_event_set(event));
  CHECK_EQ(TakeCode(processes[0]), 0);
  CHECK_EQ(TakeCode(processes[2]), 0);
  CHECK_OK(mproc_process_active(found, 3, &count));
  CHECK_EQ(count, 0);
  CHECK_OK(mproc_process_destroy(processes[1]));
  CHECK_OK(mproc_event_destroy(event));
}

// The end of the runtime waits for those that are no daemons, and ends the others.
static void FinishJoins(void) {
  mproc_event_t* event = NewEvent();
  mproc_process_options_t* options = Waiting(event);
  NEED_OK(mproc_process_options_set_daemon(options, 1));
  mproc_process_t* daemon = StartWith(options);
  mproc_process_t* other = StartWith(Waiting(event));
  NEED_SOON(Begun(0) == 2);
  CHECK_STATUS(mproc_runtime_finish(20 * MPROC_MILLISECOND), MPROC_ERROR_TIMED_OUT);
  CHECK_OK(mproc_process_join(daemon, TestLong()));
  CHECK_EQ(ExitCode(daemon), Threads() ? 3 : -SIGTERM);
  CHECK_EQ(Alive(other), 1);
  CHECK_OK(mproc_event_set(event));
  CHECK_OK(mproc_runtime_finish(TestLong()));
  CHECK_EQ(ExitCode(other), 0);
  CHECK_OK(mproc_process_destroy(daemon));
  CHECK_OK(mproc_process_destroy(other));
  CHECK_EQ(TakeCode(StartNumber(process_give, 4)), 4);  // by a new one
  CHECK_OK(mproc_event_destroy(event));
}

static void OutlivesNoLauncher(void) {
  if (!TestHasLauncher()) TestSkip("only what a launcher starts ends with it");
  int64_t launcher = 0;
  mproc_event_t* event = NewEvent();
  mproc_process_t* process = StartWith(Waiting(event));
  NEED_SOON(Begun(0) == 1);
  NEED_OK(mproc_runtime_launcher_pid(&launcher));
  CHECK_EQ(TestKill((pid_t)launcher, SIGKILL), 0);
  CHECK_EQ(TakeCode(process), 255);  // nobody is left who knows
  CHECK_EQ(TakeCode(StartNumber(process_give, 5)), 5);
  CHECK_OK(mproc_event_destroy(event));
}

static void KilledByOthers(void) {
  if (Threads()) TestSkip("a thread has no number to be killed by");
  mproc_event_t* event = NewEvent();
  mproc_process_t* process = StartWith(Waiting(event));
  CHECK_EQ(TestKill((pid_t)PidOf(process), SIGKILL), 0);
  CHECK_EQ(TakeCode(process), -SIGKILL);
  CHECK_OK(mproc_event_destroy(event));
}

static void ForeignInAForkedChild(void) {
  if (TestUnderValgrind() && (Threads() || TestStart() == MPROC_START_FORK))
    TestSkip("what hangs on stacks that a fork has not got is lost for valgrind");
  mproc_event_t* event = NewEvent();
  mproc_process_t* process = StartWith(Waiting(event));
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    size_t count = 9;
    int good = mproc_process_join(process, 0) == MPROC_ERROR_FORKED &&
               mproc_process_kill(process) == MPROC_ERROR_FORKED &&
               mproc_process_active(NULL, 0, &count) == MPROC_OK && count == 0;
    _exit(good ? 0 : 1);
  }
  int status = -1;
  NEED(child > 0 && waitpid(child, &status, 0) == child);
  CHECK_EQ(status, 0);
  CHECK_EQ(Alive(process), 1);
  CHECK_OK(mproc_event_set(event));
  CHECK_EQ(TakeCode(process), 0);
  CHECK_OK(mproc_event_destroy(event));
}

// The host's own wait finds none of them.
static void InvisibleToTheHost(void) {
  if (!TestHasLauncher()) TestSkip("children by fork are the host's own");
  mproc_event_t* event = NewEvent();
  mproc_process_t* process = StartWith(Waiting(event));
  int status = 0;
  CHECK(waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD);
  CHECK_OK(mproc_event_set(event));
  CHECK_OK(mproc_process_join(process, TestLong()));
  CHECK(waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD);
  CHECK_EQ(TakeCode(process), 0);
  CHECK_OK(mproc_event_destroy(event));
}

static void BadInput(void) {
  mproc_process_options_t* options = NULL;
  mproc_process_t* process = NULL;
  char name[65];
  memset(name, 'n', 64);
  name[64] = '\0';
  NEED_OK(mproc_process_options_create(&options));
  CHECK_STATUS(mproc_process_create(options, &process), MPROC_ERROR_NOT_SERVED);  // of this program
  NEED_OK(mproc_process_options_set_module(options, TEST_MODULE_PROCESS));
  CHECK_STATUS(mproc_process_create(options, &process), MPROC_ERROR_INVALID_ARGUMENT);  // no function
  CHECK_HAS(mproc_last_error_message(), "function");
  CHECK_STATUS(mproc_process_create(NULL, &process), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_create(options, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_options_set_name(options, ""), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_options_set_name(options, name), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_options_set_name(options, "two\nlines"), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_options_set_start_method(options, 4), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_options_set_start_method(options, -1), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_options_set_function(options, 1, NULL, 3), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_options_set_objects(options, NULL, 1), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_options_set_objects(options, (void**)&options, 65),
               MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_options_set_objects(options, (void**)&options, 1), MPROC_ERROR_INVALID_HANDLE);
  CHECK_STATUS(mproc_process_options_set_module(options, ""), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_options_set_environment(options, "A=B", "c"), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_process_options_set_directory(options, ""), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_process_options_destroy(options));
  CHECK_STATUS(mproc_process_create(options, &process), MPROC_ERROR_STALE_HANDLE);
  CHECK(process == NULL);
  process = StartNumber(process_give, 0);
  CHECK_EQ(TakeCode(process), 0);
  CHECK_STATUS(mproc_process_join(process, 0), MPROC_ERROR_STALE_HANDLE);
  CHECK_OK(mproc_process_destroy(NULL));
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"exit codes tell the end", ExitCodesTellTheEnd, 0},
      {"failures are told", FailuresAreTold, 0},
      {"starts once", StartsOnce, 0},
      {"signals end it", SignalsEndIt, 0},
      {"terminated right away", TerminatedRightAway, 0},
      {"sentinel tells for ever", SentinelTellsForEver, 0},
      {"many threads join", ManyThreadsJoin, 0},
      {"objects and bytes go with it", ObjectsAndBytesGoWithIt, 0},
      {"surroundings", Surroundings, 0},
      {"starts that fail", StartsThatFail, 0},
      {"table in memory", TableInMemory, 0},
      {"names and parents", NamesAndParents, 0},
      {"parents are there", ParentsAreThere, 0},
      {"a parent's end is seen", ParentsEndIsSeen, 0},
      {"children of children", ChildrenOfChildren, 0},
      {"commands", Commands, 0},
      {"keys are inherited", KeysAreInherited, 0},
      {"exit hooks in order", ExitHooksInOrder, 0},
      {"active ones", ActiveOnes, 0},
      {"finish joins", FinishJoins, 0},
      {"outlives no launcher", OutlivesNoLauncher, 0},
      {"killed by others", KilledByOthers, 0},
      {"foreign in a forked child", ForeignInAForkedChild, 0},
      {"invisible to the host", InvisibleToTheHost, 0},
      {"bad input", BadInput, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
