// SPDX-License-Identifier: MIT
// A small harness for tests in C that know only the public headers.
//
// Each case runs in a forked process of its own, with a time limit, so that a crash or a hang is one failed
// case. Before the case its open descriptors and threads are counted; after it the runtime is finished, and
// then no descriptor, thread, child or process with the case's mark in its environment may be left. The last
// line of the output is "N passed, N failed".
#ifndef MPROC_TEST_H
#define MPROC_TEST_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mproc/mproc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_UNDER_ASAN 1
#elif __has_feature(thread_sanitizer)
#define TEST_UNDER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(TEST_UNDER_ASAN)
#define TEST_UNDER_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__) && !defined(TEST_UNDER_TSAN)
#define TEST_UNDER_TSAN 1
#endif
#ifndef TEST_UNDER_ASAN
#define TEST_UNDER_ASAN 0
#endif
#ifndef TEST_UNDER_TSAN
#define TEST_UNDER_TSAN 0
#endif

// Ends of a case process; everything else is a crash.
enum { kTestPassed = 0, kTestFailed = 1, kTestSkipped = 77 };

typedef struct {
  const char* name;
  void (*run)(void);
  int seconds;  // limit; 0: a minute
} TestCase;

static atomic_int g_test_failures;
static const char* g_test_name = "";
static char g_test_mark[96];

// ---- where the test runs

static inline bool TestUnderValgrind(void) {
  const char* preload = getenv("LD_PRELOAD");
  return preload && strstr(preload, "vgpreload");
}
static inline bool TestSanitized(void) { return TEST_UNDER_ASAN || TEST_UNDER_TSAN || TestUnderValgrind(); }
// How much slower than usual everything is.
static inline int TestSlowness(void) {
  if (TestUnderValgrind()) return 20;
  return TEST_UNDER_TSAN ? 8 : TEST_UNDER_ASAN ? 4 : 1;
}
void __lsan_disable(void) __attribute__((weak));
// From here on nothing that is forgotten counts as a leak.
static inline void TestForgetLeaks(void) {
  if (__lsan_disable) __lsan_disable();
}
// A limit that only a failing test reaches.
static inline int64_t TestLong(void) { return 30 * MPROC_SECOND * TestSlowness(); }

static inline int64_t TestNow(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * MPROC_SECOND + now.tv_nsec;
}
static inline void TestRest(int64_t ns) {
  struct timespec span = {ns / MPROC_SECOND, ns % MPROC_SECOND};
  while (nanosleep(&span, &span) != 0 && errno == EINTR) {
  }
}

// ---- checks

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static inline void
TestFail(const char* file, int line, const char* format, ...) {
  const char* base = strrchr(file, '/');
  char text[1024];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (atomic_fetch_add(&g_test_failures, 1) < 20) printf("  %s:%d: %s\n", base ? base + 1 : file, line, text);
  fflush(stdout);
}
// Sends a signal to one process. A process that is not known has the number 0, and that is the test's own
// group.
static inline int TestKill(pid_t pid, int signo) {
  if (pid > 1) return kill(pid, signo);
  TestFail(__FILE__, __LINE__, "signal %d is for no process: %d", signo, (int)pid);
  errno = ESRCH;
  return -1;
}
// Ends the case, which has failed; its workers end with it.
static inline void TestGiveUp(void) {
  fflush(stdout);
  _exit(kTestFailed);
}
static inline void TestSkip(const char* why) {
  printf("  skipped: %s\n", why);
  fflush(stdout);
  _exit(kTestSkipped);
}

static inline bool TestTrue(const char* file, int line, bool good, const char* what) {
  if (!good) TestFail(file, line, "not so: %s", what);
  return good;
}
static inline bool TestEqual(const char* file, int line, long long got, long long wanted, const char* what) {
  if (got != wanted) TestFail(file, line, "%s is %lld, not %lld", what, got, wanted);
  return got == wanted;
}
static inline bool TestStatus(const char* file, int line, int32_t got, int32_t wanted, const char* what) {
  if (got == wanted) return true;
  TestFail(file, line, "%s gave %s, not %s%s%s", what, mproc_status_name(got), mproc_status_name(wanted),
           got < 0 ? ": " : "", got < 0 ? mproc_last_error_message() : "");
  return false;
}
static inline bool TestHas(const char* file, int line, const char* text, const char* part) {
  if (text && strstr(text, part)) return true;
  TestFail(file, line, "no '%s' in '%s'", part, text ? text : "(null)");
  return false;
}

// A failed CHECK lets the case go on, a failed NEED ends it.
#define CHECK(condition) TestTrue(__FILE__, __LINE__, (condition), #condition)
#define CHECK_EQ(got, wanted) TestEqual(__FILE__, __LINE__, (long long)(got), (long long)(wanted), #got)
#define CHECK_STATUS(call, status) TestStatus(__FILE__, __LINE__, (call), (status), #call)
#define CHECK_OK(call) CHECK_STATUS(call, MPROC_OK)
#define CHECK_HAS(text, part) TestHas(__FILE__, __LINE__, (text), (part))
#define NEED(condition) \
  ((condition) || (TestFail(__FILE__, __LINE__, "not so: %s", #condition), TestGiveUp(), 0))
#define NEED_OK(call) (TestStatus(__FILE__, __LINE__, (call), MPROC_OK, #call) || (TestGiveUp(), 0))
// True as soon as the condition holds, false if it does not within the long limit.
#define SOON(condition) SOON_WITHIN(condition, TestLong())
#define SOON_WITHIN(condition, limit)                                                       \
  __extension__({                                                                           \
    int64_t soon_end = TestNow() + (limit);                                                 \
    bool soon_good;                                                                         \
    while (!(soon_good = (condition)) && TestNow() < soon_end) TestRest(MPROC_MILLISECOND); \
    soon_good || (condition);                                                               \
  })
#define CHECK_SOON(condition) TestTrue(__FILE__, __LINE__, SOON(condition), "in time: " #condition)
#define NEED_SOON(condition) \
  (SOON(condition) || (TestFail(__FILE__, __LINE__, "not in time: %s", #condition), TestGiveUp(), 0))

// ---- what is left

// Descriptors that are open, as a set: bit n for descriptor n.
typedef struct {
  uint64_t bits[64];
  int count;
} TestDescriptors;

static inline TestDescriptors TestOpenDescriptors(void) {
  TestDescriptors open = {{0}, 0};
  DIR* list = opendir("/proc/self/fd");
  if (!list) return open;
  for (struct dirent* entry; (entry = readdir(list));) {
    int fd = atoi(entry->d_name);
    if (entry->d_name[0] == '.' || fd == dirfd(list) || fd >= 4096) continue;
    open.bits[fd / 64] |= UINT64_C(1) << (fd % 64);
    open.count++;
  }
  closedir(list);
  return open;
}
static inline void TestTarget(int fd, char* target, size_t capacity) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(path, target, capacity - 1);
  target[size < 0 ? 0 : size] = '\0';
}
// Descriptors that are open now and were not before. The two ends of one pipe are not counted: libuv opens
// them once in a process and keeps them.
static inline int TestNewDescriptors(const TestDescriptors* before, bool print) {
  TestDescriptors now = TestOpenDescriptors();
  int more = 0;
  char pipe[256] = "", target[256];
  bool paired = false;
  for (int fd = 0; fd < 4096; fd++) {
    uint64_t bit = UINT64_C(1) << (fd % 64);
    if (!(now.bits[fd / 64] & bit) || (before->bits[fd / 64] & bit)) continue;
    more++;
    TestTarget(fd, target, sizeof target);
    if (!paired && strncmp(target, "pipe:", 5) == 0) {
      if (strcmp(pipe, target) == 0) {
        paired = true;
        more -= 2;
      }
      memcpy(pipe, target, sizeof pipe);
    }
    if (print) printf("  descriptor %d is open: %s\n", fd, target);
  }
  return more;
}
static inline int TestThreads(void) {
  int count = 0;
  DIR* list = opendir("/proc/self/task");
  if (!list) return 0;
  for (struct dirent* entry; (entry = readdir(list));) count += entry->d_name[0] != '.';
  closedir(list);
  return count;
}
// Bytes of a file of /proc, at most `capacity`.
static inline size_t TestRead(const char* path, char* buffer, size_t capacity) {
  size_t size = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  for (ssize_t n; size < capacity && (n = read(fd, buffer + size, capacity - size)) > 0;) size += (size_t)n;
  close(fd);
  return size;
}
// Living processes that were started with this case's mark in their environment, other than this one. With
// `pids`, writes at most `most` of them.
static inline int TestMarked(pid_t* pids, int most) {
  int count = 0;
  static _Thread_local char environment[1 << 16];
  DIR* list = opendir("/proc");
  if (!list) return 0;
  for (struct dirent* entry; (entry = readdir(list));) {
    char path[300];
    int pid = atoi(entry->d_name);
    if (pid <= 0 || pid == getpid()) continue;
    snprintf(path, sizeof path, "/proc/%s/environ", entry->d_name);
    size_t size = TestRead(path, environment, sizeof environment), mark = strlen(g_test_mark) + 1;
    for (size_t at = 0; at + mark <= size; at += strlen(environment + at) + 1) {
      if (memcmp(environment + at, g_test_mark, mark) != 0) continue;
      if (pids && count < most) pids[count] = pid;
      count++;
      break;
    }
  }
  closedir(list);
  return count;
}
static inline void TestPrintMarked(void) {
  pid_t pids[16];
  int count = TestMarked(pids, 16);
  for (int i = 0; i < count && i < 16; i++) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/stat", pids[i]);
    size_t size = TestRead(path, line, sizeof line - 1);
    line[size] = '\0';
    printf("  process %.80s\n", line);
  }
}
static inline bool TestNoChildLeft(void) {
  while (waitpid(-1, NULL, WNOHANG | __WALL) > 0) {
  }
  return errno == ECHILD;
}
// State letter of a process, '\0' if there is none.
static inline char TestState(pid_t pid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  size_t size = TestRead(path, text, sizeof text - 1);
  text[size] = '\0';
  char* end = strrchr(text, ')');
  return end && end[1] == ' ' ? end[2] : '\0';
}
// True if no process of this id runs any more.
static inline bool TestGone(pid_t pid) {
  char state = TestState(pid);
  return state == '\0' || state == 'Z' || state == 'X';
}
// A line "Key: N kB" of /proc/PID/status in bytes; -1 if it is not there.
static inline int64_t TestStatusBytes(pid_t pid, const char* key) {
  char path[64], text[8192];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  size_t size = TestRead(path, text, sizeof text - 1);
  text[size] = '\0';
  char* line = strstr(text, key);
  return line ? strtoll(line + strlen(key), NULL, 10) * 1024 : -1;
}

// A file for this case, which vanishes with it.
static inline const char* TestFile(void) {
  static char path[512];
  const char* folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/mproc-test-%d", folder && *folder ? folder : "/tmp", (int)getpid());
  return path;
}

// ---- running cases

static inline void TestSetMark(void) {
  char value[64];
  snprintf(value, sizeof value, "%d.%lld", (int)getpid(), (long long)TestNow());
  setenv("MPROC_TEST_MARK", value, 1);
  snprintf(g_test_mark, sizeof g_test_mark, "MPROC_TEST_MARK=%s", value);
}

// Ends the runtime and sees that nothing of it is left.
static inline void TestNothingLeft(const TestDescriptors* before, int threads) {
  CHECK_OK(mproc_runtime_finish(TestLong()));
  if (!SOON(TestNewDescriptors(before, false) == 0)) {
    TestNewDescriptors(before, true);
    TestFail(__FILE__, __LINE__, "descriptors are left after mproc_runtime_finish");
  }
  if (!SOON(TestMarked(NULL, 0) == 0)) {
    TestPrintMarked();
    TestFail(__FILE__, __LINE__, "processes are left after mproc_runtime_finish");
  }
#if TEST_UNDER_TSAN
  threads++;  // after a fork the sanitizer starts its background thread in the child when it likes
#endif
  CHECK_SOON(TestThreads() <= threads);
  CHECK_SOON(TestNoChildLeft());
}

static inline int TestRunHere(const TestCase* test) {
  alarm((unsigned)((test->seconds ? test->seconds : 60) * TestSlowness()));
  TestSetMark();
  TestDescriptors before = TestOpenDescriptors();
  int threads = TestThreads();
  test->run();
  TestNothingLeft(&before, threads);
  return atomic_load(&g_test_failures) ? kTestFailed : kTestPassed;
}

static inline int TestRunCase(const TestCase* test) {
  int64_t begin = TestNow();
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    g_test_name = test->name;
    int result = TestRunHere(test);
    fflush(stdout);
    exit(result);
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  char path[512];  // as TestFile in the case's process
  const char* folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/mproc-test-%d", folder && *folder ? folder : "/tmp", (int)pid);
  unlink(path);
  int result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  const char* word = result == kTestPassed ? "ok" : result == kTestSkipped ? "skipped" : "FAILED";
  printf("%s %s (%lld ms)", word, test->name, (long long)((TestNow() - begin) / MPROC_MILLISECOND));
  if (WIFSIGNALED(status)) {
    printf(WTERMSIG(status) == SIGALRM ? ": over its time limit" : ": ended by signal %d", WTERMSIG(status));
  } else if (result > kTestFailed && result != kTestSkipped) {
    printf(": exit code %d", result);
  }
  printf("\n");
  return result;
}

// The main of a test program: runs all cases, or those whose names the arguments are part of.
static inline int TestMain(int argc, char** argv, const TestCase* cases, size_t count) {
  int passed = 0, failed = 0, skipped = 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (size_t i = 0; i < count; i++) {
    bool wanted = argc < 2;
    for (int a = 1; a < argc; a++) wanted |= strstr(cases[i].name, argv[a]) != NULL;
    if (!wanted) continue;
    int result = TestRunCase(&cases[i]);
    if (result == kTestPassed) {
      passed++;
    } else if (result == kTestSkipped) {
      skipped++;
    } else {
      failed++;
    }
  }
  printf("%d passed, %d failed", passed, failed);
  if (skipped) printf(", %d skipped", skipped);
  printf("\n");
  return failed || passed + skipped == 0 ? 1 : 0;
}
#define TEST_MAIN(argc, argv, cases) TestMain(argc, argv, cases, sizeof(cases) / sizeof((cases)[0]))

#endif
