// SPDX-License-Identifier: MIT
// Scripts as the workers of a host in C: Python and Node with a foreign function interface, LuaJIT with its
// own. Where an interpreter is missing its cases are skipped.
#include "command.h"

typedef struct {
  const char *name, *program, *script;
  const char* trace;  // part of the trace of an error
} Interpreter;

static const Interpreter kPython = {"Python", TEST_PYTHON, TEST_SCRIPTS "/command_worker.py",
                                    "command_worker.py\", line"};
static const Interpreter kNode = {"Node", TEST_NODE, TEST_SCRIPTS "/command_worker.js", "command_worker.js:"};
static const Interpreter kLuaJit = {"LuaJIT", TEST_LUAJIT, TEST_SCRIPTS "/command_worker.lua",
                                    "command_worker.lua:"};

// Node has no foreign function interface of its own: puts koffi into a folder, as npm would.
static void NeedKoffi(void) {
  if (!*TEST_PYTHON) TestSkip("there is no Python interpreter, which fetches koffi");
  if (system("'" TEST_PYTHON "' '" TEST_KOFFI "' '" TEST_KOFFI_PLACE "'") != 0)
    TestSkip("koffi, the FFI for Node, cannot be had");
}

// The case is skipped without the interpreter, and under what it does not bear.
static mproc_pool_options_t* ScriptOptions(const Interpreter* which, int32_t workers, const char* how) {
  if (TestSanitized()) TestSkip("an interpreter without the sanitizer cannot load the library with it");
  if (!*which->program) {
    printf("  there is no %s\n", which->name);
    TestSkip("an interpreter is missing");
  }
  if (which == &kNode) NeedKoffi();
  const char* argv[] = {which->program, which->script, TEST_LIBRARY, how};
  mproc_pool_options_t* options = CommandOptions(workers, argv, how ? 4 : 3);
  NEED_OK(mproc_pool_options_set_environment(options, "NODE_PATH", TEST_KOFFI_PLACE "/node_modules"));
  return options;
}
static mproc_pool_t* ScriptPool(const Interpreter* which) { return ReadyWith(ScriptOptions(which, 2, NULL)); }

static void Serves(const Interpreter* which) {
  mproc_pool_t* pool = ScriptPool(which);
  CheckServes(pool, which->trace);
  CloseJoinDestroy(pool);
}
static void Crashes(const Interpreter* which) {
  mproc_pool_t* pool = ScriptPool(which);
  CheckCrash(pool, SIGSEGV);
  CloseJoinDestroy(pool);
}
static void IsKilled(const Interpreter* which) {
  mproc_pool_t* pool = ScriptPool(which);
  CheckKill(pool);
  CloseJoinDestroy(pool);
}
// Workers end after so many tasks, others follow them, and no task knows.
static void IsReplaced(const Interpreter* which) {
  enum { kTasks = 20, kEach = 4 };
  mproc_future_t* futures[kTasks];
  int ran[kTasks + 1] = {0};  // by worker number
  mproc_pool_options_t* options = ScriptOptions(which, 2, NULL);
  NEED_OK(mproc_pool_options_set_worker_tasks(options, kEach));
  mproc_pool_t* pool = ReadyWith(options);
  for (int i = 0; i < kTasks; i++) futures[i] = SubmitNumber(pool, kDouble, i);
  for (int i = 0; i < kTasks; i++) {
    WaitEnd(futures[i]);
    int64_t number = Info(futures[i], MPROC_FUTURE_INFO_WORKER_NUMBER);
    NEED(number >= 1 && number <= kTasks);
    CHECK(++ran[number] <= kEach);
    CHECK_EQ(TakeNumber(futures[i]), 2 * i);
  }
  CHECK_SOON(Statistic(pool, MPROC_POOL_STATISTIC_RECYCLED) >= kTasks / kEach - 1);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_LOST), 0);
  CloseJoinDestroy(pool);
}
static void DiesBefore(const Interpreter* which) {
  CheckBroken(ScriptOptions(which, 1, "die"), MPROC_ERROR_BROKEN, "no such thing");
}

#define FOR_EACH_INTERPRETER(X) X(Python) X(Node) X(LuaJit)
#define DEFINE(name)                                           \
  static void name##Serves(void) { Serves(&k##name); }         \
  static void name##Crashes(void) { Crashes(&k##name); }       \
  static void name##IsKilled(void) { IsKilled(&k##name); }     \
  static void name##IsReplaced(void) { IsReplaced(&k##name); } \
  static void name##DiesBefore(void) { DiesBefore(&k##name); }
FOR_EACH_INTERPRETER(DEFINE)

int main(int argc, char** argv) {
  static const TestCase cases[] = {
#define LIST(name)                                                                          \
  {#name " serves", name##Serves, 0}, {#name " crashes", name##Crashes, 0},                 \
      {#name " is killed", name##IsKilled, 0}, {#name " is replaced", name##IsReplaced, 0}, \
      {#name " dies before", name##DiesBefore, 0},
      FOR_EACH_INTERPRETER(LIST)};
  return TEST_MAIN(argc, argv, cases);
}
