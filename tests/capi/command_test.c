// SPDX-License-Identifier: MIT
// Pools whose workers are a program of the host's choice; interpreters_test.c has the scripts.
#include "command.h"

static mproc_pool_options_t* ProgramOptions(int32_t workers, const char* how) {
  const char* argv[] = {TEST_COMMAND, how, "a unicorn"};
  return CommandOptions(workers, argv, 3);
}
static void ProgramServes(void) {
  mproc_pool_t* pool = ReadyWith(ProgramOptions(2, "serve"));
  CheckServes(pool, "here\nthere");
  CheckCrash(pool, SIGABRT);
  CheckKill(pool);
  CloseJoinDestroy(pool);
}
// In an array map, a map of items and an initializer too, the calls come one by one.
static void ProgramPulls(void) {
  if (TestSanitized()) TestSkip("sanitizers want to be told of every change of stacks");
  mproc_pool_options_t* options = ProgramOptions(2, "pull");
  const int64_t one = 1;
  NEED_OK(mproc_pool_options_set_initializer(options, kDouble, &one, sizeof one));
  mproc_pool_t* pool = ReadyWith(options);
  CheckServes(pool, "here\nthere");
  CheckCrash(pool, SIGABRT);
  CheckKill(pool);
  enum { kItems = 1000 };
  static int64_t in[kItems], out[kItems];
  for (int i = 0; i < kItems; i++) in[i] = i;
  mproc_future_t* map = NULL;
  NEED_OK(mproc_pool_map_array(pool, kDouble, in, sizeof *in, kItems, out, sizeof *out, 7, TestLong(), &map));
  WaitEnd(map);
  CHECK_EQ(Outcome(map), MPROC_OUTCOME_VALUE);
  for (int i = 0; i < kItems; i++) CHECK_EQ(out[i], 2 * i);
  Release(map);
  TestRest(100 * MPROC_MILLISECOND);  // its own limit passes meanwhile
  CHECK_EQ(TakeNumber(SubmitNumber(pool, kDouble, 4)), 8);
  CloseJoinDestroy(pool);
  options = ProgramOptions(1, "pull");
  NEED_OK(mproc_pool_options_set_initializer(options, kDouble, "bad", 3));
  CheckBroken(options, MPROC_ERROR_BROKEN, "the initializer, function 1, failed with 7: no number");
}
static void ProgramDiesBefore(void) {
  CheckBroken(ProgramOptions(1, "die"), MPROC_ERROR_BROKEN, "no such thing: a unicorn");
  CheckBroken(ProgramOptions(1, "die"), MPROC_ERROR_BROKEN, "it exited with code 3 before it was ready");
}
static void NeverServes(void) {
  mproc_pool_options_t* options = ProgramOptions(1, "hang");
  NEED_OK(mproc_pool_options_set_start_limit(options, 100 * MPROC_MILLISECOND * TestSlowness()));
  CheckBroken(options, MPROC_ERROR_BROKEN, "start limit; the end of its standard error:\nwaiting for Godot");
}
static void UnknownProgram(void) {
  const char* argv[] = {"mproc-no-such-program"};
  CheckBroken(CommandOptions(1, argv, 1), MPROC_ERROR_SYSTEM, "running the program 'mproc-no-such-program'");
}
static void NotACommand(void) {
  pid_t pid = fork();
  if (pid == 0) {
    for (int fd = 3; fd < 100; fd++) close(fd);
    execl(TEST_COMMAND, TEST_COMMAND, "alone", (char*)NULL);
    _exit(99);
  }
  int status = -1;
  CHECK_EQ(waitpid(pid, &status, 0), pid);
  CHECK_EQ(status, 0);
}

// What it prints before it serves is kept, and shown when it serves; the rest goes straight on.
static void StandardErrorIsPassedOn(void) {
  char path[600], text[256];
  snprintf(path, sizeof path, "%s.err", TestFile());
  int file = open(path, O_CREAT | O_TRUNC | O_RDWR | O_APPEND | O_CLOEXEC, 0600), kept = dup(2);
  dup2(file, 2);
  mproc_pool_t* pool = ReadyWith(ProgramOptions(1, "warn"));
  mproc_future_t* future = Submit(pool, kPrint, "and a word later\n", 17);
  WaitEnd(future);
  Release(future);
  CloseJoinDestroy(pool);
  dup2(kept, 2);
  text[TestRead(path, text, sizeof text - 1)] = '\0';
  CHECK(strcmp(text, "a warning at the start\nand a word later\n") == 0);
  unlink(path);
  close(kept);
  close(file);
}

// ---- environment and directory, for any kind of worker

static const char* Variable(mproc_pool_t* pool, uint32_t function, const char* name) {
  return TakeText(Submit(pool, function, name, strlen(name)));
}
static void SetSurroundings(mproc_pool_options_t* options) {
  NEED_OK(mproc_pool_options_set_environment(options, "MPROC_TEST_A", "first"));
  NEED_OK(mproc_pool_options_set_environment(options, "MPROC_TEST_A", "a=b"));
  NEED_OK(mproc_pool_options_set_environment(options, "MPROC_TEST_B", NULL));
  NEED_OK(mproc_pool_options_set_environment(options, "MPROC_TEST_EMPTY", ""));
  NEED_OK(mproc_pool_options_set_directory(options, "/proc"));
}
static void CheckSurroundings(mproc_pool_t* pool) {
  char path[64], variables[8192], target[256];
  snprintf(path, sizeof path, "/proc/%d/cwd", (int)WorkerPid(pool, 0));
  ssize_t size = readlink(path, target, sizeof target - 1);
  target[size < 0 ? 0 : size] = '\0';
  CHECK(strcmp(target, "/proc") == 0);
  snprintf(path, sizeof path, "/proc/%d/environ", (int)WorkerPid(pool, 0));
  size_t all = TestRead(path, variables, sizeof variables - 1);
  variables[all] = '\0';
  bool set = false, empty = false, unset = true, kept = false;
  for (size_t at = 0; at < all; at += strlen(variables + at) + 1) {
    set |= strcmp(variables + at, "MPROC_TEST_A=a=b") == 0;
    empty |= strcmp(variables + at, "MPROC_TEST_EMPTY=") == 0;
    unset &= strncmp(variables + at, "MPROC_TEST_B=", 13) != 0;
    kept |= strcmp(variables + at, "MPROC_TEST_BB=stays") == 0;
  }
  CHECK(set && empty && unset && kept);
}
static void Surroundings(void) {
  setenv("MPROC_TEST_A", "host's", 1);
  setenv("MPROC_TEST_B", "host's", 1);
  setenv("MPROC_TEST_BB", "stays", 1);
  mproc_pool_options_t* options = ProgramOptions(1, "serve");
  SetSurroundings(options);
  mproc_pool_t* pool = ReadyWith(options);
  CheckSurroundings(pool);
  CHECK_HAS(Variable(pool, kEnvironment, "MPROC_TEST_A"), "a=b");
  CHECK_HAS(Variable(pool, kEnvironment, ""), "/proc");
  CloseJoinDestroy(pool);
  for (int32_t method = MPROC_START_SPAWN; method <= MPROC_START_FORKSERVER; method++) {
    if (method == MPROC_START_FORKSERVER && TEST_UNDER_TSAN) continue;
    options = Options(1);
    NEED_OK(mproc_pool_options_set_start_method(options, method));
    SetSurroundings(options);
    pool = ReadyWith(options);
    CheckSurroundings(pool);
    CHECK_HAS(Variable(pool, fn_environment, "MPROC_TEST_A"), "a=b");
    CloseJoinDestroy(pool);
  }
}

static void BadOptions(void) {
  const char *argv[] = {"", "x"}, *holes[] = {"sh", NULL};
  mproc_pool_t* pool = NULL;
  mproc_pool_options_t* o = Options(1);
  CHECK_STATUS(mproc_pool_options_set_command(o, NULL, 1), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_command(o, argv, 0), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_command(o, argv, 2), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_command(o, holes, 2), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_environment(o, NULL, "x"), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_environment(o, "", "x"), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_environment(o, "A=B", "x"), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_directory(o, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_pool_options_set_directory(o, ""), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_pool_options_set_directory(o, "/nonexistent/place"));
  CHECK_STATUS(mproc_pool_create(o, &pool), MPROC_ERROR_SYSTEM);
  CHECK_HAS(mproc_last_error_message(), "/nonexistent/place");
  CHECK_OK(mproc_pool_options_set_command(o, argv + 1, 1));
  CHECK_OK(mproc_pool_options_set_start_method(o, MPROC_START_FORKSERVER));
  CHECK_STATUS(mproc_pool_create(o, &pool), MPROC_ERROR_UNSUPPORTED);
  CHECK_OK(mproc_pool_options_destroy(o));
}

// Before it serves a command knows nothing of us, and dies with host and launcher all the same.
static void HostAndLauncherDie(void) {
  for (int round = 0; round < 4; round++) {
    fflush(NULL);
    pid_t host = fork();
    if (host == 0) {
      int64_t launcher = 0;
      mproc_pool_t* pool = CreateWith(ProgramOptions(2, round % 2 ? "hang" : "serve"));
      if (round % 2 == 0) NEED_OK(mproc_pool_wait_ready(pool, TestLong()));
      NEED_SOON(WorkerPid(pool, 0) > 0 && WorkerPid(pool, 1) > 0);
      mproc_runtime_launcher_pid(&launcher);
      if (round < 2 && launcher > 1) TestKill((pid_t)launcher, SIGKILL);
      kill(getpid(), SIGKILL);
    }
    NEED(host > 0);
    CHECK_EQ(waitpid(host, NULL, 0), host);
    if (!CHECK_SOON(TestMarked(NULL, 0) == 0)) TestPrintMarked();
  }
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"program serves", ProgramServes, 0},
      {"program pulls", ProgramPulls, 0},
      {"program dies before", ProgramDiesBefore, 0},
      {"never serves", NeverServes, 0},
      {"unknown program", UnknownProgram, 0},
      {"not a command", NotACommand, 0},
      {"standard error is passed on", StandardErrorIsPassedOn, 0},
      {"surroundings", Surroundings, 0},
      {"bad options", BadOptions, 0},
      {"host and launcher die", HostAndLauncherDie, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
