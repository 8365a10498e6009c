// SPDX-License-Identifier: MIT
// Start method forkserver: workers are forked by a template process that has loaded the module.
#include <sys/stat.h>

#include "host.h"

static mproc_pool_options_t* ForkOptions(int32_t workers) {
  if (TEST_UNDER_TSAN) TestSkip("the thread sanitizer does not follow a fork from a fork");
  mproc_pool_options_t* options = Options(workers);
  NEED_OK(mproc_pool_options_set_start_method(options, MPROC_START_FORKSERVER));
  return options;
}
static mproc_pool_t* ForkPool(int32_t workers) { return ReadyWith(ForkOptions(workers)); }

// Number of this case's processes of that name, as lists of processes show it; the last one in *pid.
static int CountNamed(const char* name, pid_t* pid) {
  pid_t pids[64];
  int count = 0, all = TestMarked(pids, 64);
  for (int i = 0; i < all && i < 64; i++) {
    char path[64], text[64];
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pids[i]);
    size_t size = TestRead(path, text, sizeof text - 1);
    if (size == strlen(name) + 1 && memcmp(text, name, size - 1) == 0) {
      count++;
      if (pid) *pid = pids[i];
    }
  }
  return count;
}
static pid_t TemplatePid(void) {
  pid_t pid = 0;
  NEED_SOON(CountNamed("mproc-template", &pid) == 1);
  return pid;
}
// A field of /proc/PID/status.
static int64_t StatusNumber(pid_t pid, const char* key) { return TestStatusBytes(pid, key) / 1024; }

static char* Variable(mproc_pool_t* pool, const char* name) {
  return TakeText(Submit(pool, fn_environment, name, strlen(name)));
}

// ---- what a worker is

static void WorkersServe(void) {
  int64_t launcher = 0;
  mproc_pool_t* pool = ForkPool(3);
  CHECK_OK(mproc_runtime_launcher_pid(&launcher));
  for (int i = 0; i < 300; i++) CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, i)), i * i);
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(StatusNumber(WorkerPid(pool, i), "PPid:"), launcher);
    CHECK_EQ(StatusNumber(WorkerPid(pool, i), "Threads:"), 1);
    for (int k = 0; k < i; k++) CHECK(WorkerPid(pool, i) != WorkerPid(pool, k));
  }
  CHECK_EQ(CountNamed("mproc-template", NULL), 1);
  CHECK_EQ(CountNamed("mproc-worker", NULL), 3);
  CHECK_HAS(TakeText(Submit(pool, fn_name, NULL, 0)), "ForkServerPoolWorker-");
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_STARTS), 3);
  CloseJoinDestroy(pool);
  CHECK_SOON(CountNamed("mproc-worker", NULL) == 0);
}

static void OnlyModulesAreForked(void) {
  mproc_pool_t* pool = NULL;
  mproc_pool_options_t* options = ForkOptions(1);
  mproc_table_t* table = NULL;
  NEED_OK(mproc_table_create(&table));
  CHECK_OK(mproc_worker_main(table));
  CHECK_OK(mproc_table_destroy(table));
  CHECK_STATUS(mproc_pool_options_set_start_method(options, 4), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_start_method(options, -1), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_options_set_self(options));
  CHECK_STATUS(mproc_pool_create(options, &pool), MPROC_ERROR_UNSUPPORTED);
  CHECK_HAS(mproc_last_error_message(), "forkserver");
  CHECK_OK(mproc_pool_options_destroy(options));
}

static void SameDescriptorsAsSpawned(void) {
  mproc_pool_t* spawned = ReadyPool(1);
  int64_t count = TakeNumber(Submit(spawned, fn_descriptors, NULL, 0));
  mproc_pool_t* pool = ForkPool(3);
  for (int i = 0; i < 12; i++) CHECK_EQ(TakeNumber(Submit(pool, fn_descriptors, NULL, 0)), count);
  CloseJoinDestroy(pool);
  CloseJoinDestroy(spawned);
}

static void FirstErrorTellsOfThreads(void) {
  mproc_pool_options_t* options = ForkOptions(2);
  NEED_OK(mproc_pool_options_set_module(options, TEST_MODULE_THREADED));
  mproc_pool_t* pool = CreateWith(options);
  CHECK_STATUS(mproc_pool_wait_ready(pool, TestLong()), MPROC_ERROR_UNSUPPORTED);
  CHECK_HAS(mproc_last_error_message(), "made 1 thread while it was loaded");
  CHECK_HAS(mproc_last_error_message(), "threaded.so");
  CHECK_OK(mproc_pool_destroy(pool));
  CHECK_SOON(CountNamed("mproc-template", NULL) == 0);  // it would serve nobody
}

// ---- the template

static void PoolsShareATemplate(void) {
  mproc_pool_t* first = ForkPool(2);
  pid_t template = TemplatePid();
  mproc_pool_t* second = ForkPool(2);
  CHECK_EQ(TemplatePid(), template);
  CloseJoinDestroy(first);
  CloseJoinDestroy(second);
  mproc_pool_t* third = ForkPool(1);
  CHECK_EQ(TemplatePid(), template);
  CHECK_EQ(TakeNumber(SubmitNumber(third, fn_square, 5)), 25);
  CloseJoinDestroy(third);
}

static void SurroundingsAreTheHosts(void) {
  setenv("MPROC_TEST_VALUE", "one", 1);
  mproc_pool_t* first = ForkPool(1);
  CHECK_HAS(Variable(first, "MPROC_TEST_VALUE"), "one");
  setenv("MPROC_TEST_VALUE", "two", 1);  // needs a template of its own
  mproc_pool_t* second = ForkPool(1);
  CHECK_HAS(Variable(second, "MPROC_TEST_VALUE"), "two");
  CHECK_HAS(Variable(first, "MPROC_TEST_VALUE"), "one");
  CHECK_EQ(CountNamed("mproc-template", NULL), 2);
  CloseJoinDestroy(first);
  CloseJoinDestroy(second);
  // Directory, umask and standard output are those of the moment, with the same template.
  char target[256], wanted[256], path[64];
  mode_t mask = umask(027);
  NEED(chdir("/proc") == 0);
  int output = open("/dev/zero", O_WRONLY | O_CLOEXEC), kept = dup(1);
  dup2(output, 1);
  mproc_pool_t* third = ForkPool(1);
  dup2(kept, 1);
  close(kept);
  close(output);
  NEED(chdir("/") == 0);
  umask(mask);
  CHECK_EQ(CountNamed("mproc-template", NULL), 2);
  snprintf(path, sizeof path, "/proc/%d/cwd", (int)WorkerPid(third, 0));
  ssize_t size = readlink(path, target, sizeof target - 1);
  target[size < 0 ? 0 : size] = '\0';
  CHECK_HAS(target, "/proc");
  snprintf(path, sizeof path, "/proc/%d/fd/1", (int)WorkerPid(third, 0));
  size = readlink(path, target, sizeof target - 1);
  target[size < 0 ? 0 : size] = '\0';
  CHECK_HAS(target, "/dev/zero");
  snprintf(path, sizeof path, "/proc/%d/status", (int)WorkerPid(third, 0));
  char text[4096];
  text[TestRead(path, text, sizeof text - 1)] = '\0';
  snprintf(wanted, sizeof wanted, "Umask:\t0027");
  CHECK_HAS(text, wanted);
  CloseJoinDestroy(third);
}

static void CopyFile(const char* from, const char* to) {
  char bytes[65536];
  int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
  NEED(in >= 0 && out >= 0);
  for (ssize_t n; (n = read(in, bytes, sizeof bytes)) > 0;) NEED(write(out, bytes, (size_t)n) == n);
  close(in);
  close(out);
}

// A module that was built anew is not served by the template of the old one.
static void NewModuleNewTemplate(void) {
  char path[600];
  snprintf(path, sizeof path, "%s.so", TestFile());
  CopyFile(TEST_MODULE, path);
  mproc_pool_options_t* options = ForkOptions(1);
  NEED_OK(mproc_pool_options_set_module(options, path));
  mproc_pool_t* pool = ReadyWith(options);
  CloseJoinDestroy(pool);
  unlink(path);
  CopyFile(TEST_MODULE_REFUSING, path);
  options = ForkOptions(1);
  NEED_OK(mproc_pool_options_set_module(options, path));
  pool = CreateWith(options);
  CHECK_STATUS(mproc_pool_wait_ready(pool, TestLong()), MPROC_ERROR_BAD_MODULE);
  CHECK_OK(mproc_pool_destroy(pool));
  unlink(path);
}

static void OnlyEightTemplatesAreKept(void) {
  mproc_pool_t* pools[10];
  for (int i = 0; i < 10; i++) {
    char value[16];
    snprintf(value, sizeof value, "%d", i);
    setenv("MPROC_TEST_VALUE", value, 1);
    pools[i] = ForkPool(1);
  }
  CHECK_SOON(CountNamed("mproc-template", NULL) == 8);
  for (int i = 0; i < 10; i++) {  // their workers know nothing of that
    CHECK_EQ(atoi(Variable(pools[i], "MPROC_TEST_VALUE")), i);
    TakeEnd(SubmitNumber(pools[i], fn_exit, 3), MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_EXIT);
  }
  for (int i = 0; i < 10; i++) CHECK_EQ(TakeNumber(SubmitNumber(pools[i], fn_square, i)), i * i);
  for (int i = 0; i < 10; i++) CloseJoinDestroy(pools[i]);
}

// ---- who is killed

static void TemplateDies(void) {
  mproc_pool_t* pool = ForkPool(2);
  mproc_future_t* running = SubmitWork(pool, fn_gate, 0, 100);
  NEED_SOON(Begun(100) == 1);
  for (int i = 0; i < 20; i++) {
    pid_t template = TemplatePid();
    CHECK_EQ(TestKill(template, SIGKILL), 0);
    if (i % 2) CHECK_SOON(TestGone(template));  // or the launcher does not know of it yet
    mproc_future_t* lost = SubmitNumber(pool, fn_exit, i);
    TakeEnd(lost, MPROC_OUTCOME_WORKER_LOST, MPROC_CAUSE_EXIT);
    CHECK_OK(mproc_pool_wait_ready(pool, TestLong()));
    CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, i)), i * i);
  }
  OpenGate(100);  // this worker was forked by the first one
  TakeReport(running);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_LOST), 20);
  CloseJoinDestroy(pool);
}

// One that answers no more keeps nobody: it is replaced once its worker has been given up.
static void TemplateStops(void) {
  mproc_pool_options_t* options = ForkOptions(1);
  NEED_OK(mproc_pool_options_set_start_limit(options, 2 * MPROC_SECOND * TestSlowness()));
  mproc_pool_t* pool = ReadyWith(options);
  pid_t template = TemplatePid(), worker = WorkerPid(pool, 0);
  CHECK_EQ(TestKill(template, SIGSTOP), 0);
  NEED_SOON(TestState(template) == 'T');
  CHECK_EQ(TestKill(worker, SIGKILL), 0);
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_STARTS) == 2);
  CHECK_EQ(TakeNumber(SubmitNumber(pool, fn_square, 7)), 49);
  CHECK(TestGone(template));

  template = TemplatePid();
  worker = WorkerPid(pool, 0);
  CHECK_EQ(TestKill(template, SIGSTOP), 0);
  NEED_SOON(TestState(template) == 'T');
  CHECK_EQ(TestKill(worker, SIGKILL), 0);
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_STARTS) == 4);
  CloseJoinDestroy(ReadyPool(1));  // behind that start with the launcher: so the template was asked for it
  CloseJoinDestroy(pool);
  CHECK_SOON(TestGone(template));
}

// While it loads, forks, or serves: whatever the moment, every task runs, once.
static void TemplateDiesAnyTime(void) {
  for (int round = 0; round < 30; round++) {
    mproc_pool_t* pool = CreateWith(ForkOptions(6));
    pid_t template = 0;
    for (int i = 0; i < 50 && !CountNamed("mproc-template", &template); i++) TestRest(100000);
    TestRest(round % 10 * 100000);
    if (template > 0) TestKill(template, SIGKILL);
    mproc_future_t* futures[12];
    for (int64_t i = 0; i < 12; i++) futures[i] = SubmitWork(pool, fn_mark, 0, 1000 + round * 12 + i);
    for (int64_t i = 0; i < 12; i++) {
      CHECK_EQ(TakeNumber(futures[i]), 2 * (1000 + round * 12 + i) + 1);
      CHECK_EQ(Begun(1000 + round * 12 + i), 1);
    }
    // What was killed may have been a worker that did not have its own name yet: that start has failed.
    NEED_SOON(mproc_pool_wait_ready(pool, TestLong()) == MPROC_OK);
    CHECK_EQ(CountNamed("mproc-worker", NULL), 6);
    CloseJoinDestroy(pool);
    CHECK_SOON(CountNamed("mproc-worker", NULL) == 0);
  }
}

static void LauncherDiesAnyTime(void) {
  for (int round = 0; round < 30; round++) {
    int64_t launcher = 0;
    mproc_pool_t* pool = CreateWith(ForkOptions(4));
    CHECK_OK(mproc_runtime_launcher_pid(&launcher));
    if (round) TestRest(round % 10 * 400000);
    if (launcher > 1) TestKill((pid_t)launcher, SIGKILL);
    NEED_SOON(mproc_pool_wait_ready(pool, TestLong()) == MPROC_OK);
    for (int i = 0; i < 12; i++) {
      mproc_future_t* future = SubmitNumber(pool, fn_square, i);
      WaitEnd(future);
      Release(future);
    }
    NEED_SOON(mproc_pool_wait_ready(pool, TestLong()) == MPROC_OK);
    CHECK_SOON(CountNamed("mproc-template", NULL) == 1 && CountNamed("mproc-worker", NULL) == 4);
    CloseJoinDestroy(pool);
  }
}

// A host that dies at any moment of the start leaves nothing; its parent is the case.
static void HostDiesAnyTime(void) {
  for (int round = 0; round < 30; round++) {
    fflush(NULL);
    pid_t host = fork();
    if (host == 0) {
      mproc_pool_t* pool = CreateWith(ForkOptions(4));
      if (round % 3 == 0) mproc_pool_wait_ready(pool, TestLong());
      TestRest(round % 10 * 500000);
      if (round % 2) {
        int64_t launcher = 0;  // and its launcher with it
        mproc_runtime_launcher_pid(&launcher);
        if (launcher > 1) TestKill((pid_t)launcher, SIGKILL);
      }
      kill(getpid(), SIGKILL);
    }
    NEED(host > 0);
    CHECK_EQ(waitpid(host, NULL, 0), host);
    if (!CHECK_SOON(TestMarked(NULL, 0) == 0)) TestPrintMarked();
  }
}

// Workers' own children whose parent has died come to the launcher, which reaps them.
static void OrphansAreReaped(void) {
  mproc_pool_t* pool = ForkPool(1);
  int64_t launcher = 0;
  CHECK_OK(mproc_runtime_launcher_pid(&launcher));
  char path[64], text[256];
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)launcher, (int)launcher);
  if (access(path, R_OK) != 0) TestSkip("the system does not list children");
  for (int i = 0; i < 5; i++) {
    int64_t orphan = TakeNumber(Submit(pool, fn_orphan, NULL, 0));
    NEED(orphan > 0);
    CHECK_SOON(TestState((pid_t)orphan) == '\0');
  }
  text[TestRead(path, text, sizeof text - 1)] = '\0';
  pid_t worker = WorkerPid(pool, 0);
  snprintf(path, sizeof path, "%d", (int)worker);
  CHECK_HAS(text, path);
  CloseJoinDestroy(pool);
}

static void InitializerRunsInEachWorker(void) {
  mproc_pool_options_t* options = ForkOptions(3);
  NEED_OK(mproc_pool_options_set_initializer(options, fn_keep, "kept", 4));
  mproc_pool_t* pool = ReadyWith(options);
  CHECK_EQ(atomic_load(&g_board->initialized), 3);
  CHECK_HAS(TakeText(Submit(pool, fn_kept, NULL, 0)), "kept");
  CloseJoinDestroy(pool);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"workers serve", WorkersServe, 0},
      {"only modules are forked", OnlyModulesAreForked, 0},
      {"same descriptors as spawned", SameDescriptorsAsSpawned, 0},
      {"first error tells of threads", FirstErrorTellsOfThreads, 0},
      {"pools share a template", PoolsShareATemplate, 0},
      {"surroundings are the host's", SurroundingsAreTheHosts, 0},
      {"new module, new template", NewModuleNewTemplate, 0},
      {"only eight templates are kept", OnlyEightTemplatesAreKept, 0},
      {"template dies", TemplateDies, 0},
      {"template stops", TemplateStops, 0},
      {"template dies any time", TemplateDiesAnyTime, 0},
      {"launcher dies any time", LauncherDiesAnyTime, 0},
      {"host dies any time", HostDiesAnyTime, 0},
      {"orphans are reaped", OrphansAreReaped, 0},
      {"initializer runs in each worker", InitializerRunsInEachWorker, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
