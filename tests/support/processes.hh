// SPDX-License-Identifier: MIT
// What tests look at from outside: processes that carry a mark, open descriptors, and children in which a
// test runs a part of itself.
#pragma once

#include <dirent.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "base/clock.hh"

extern "C" __attribute__((weak)) int __lsan_do_recoverable_leak_check();

namespace mproc::test {

// Signals one process, never what 0 and less mean to kill(): the group of the test, or everybody.
inline bool KillOne(pid_t pid, int signo) { return pid > 1 && kill(pid, signo) == 0; }

inline constexpr int64_t kMs = 1000000;

// True as soon as `condition` holds; false if it does not within the limit.
inline bool Soon(const std::function<bool()>& condition, int64_t limit = 20000 * kMs) {
  Deadline deadline = Deadline::After(limit);
  for (;;) {
    if (condition()) return true;
    if (deadline.Passed()) return false;
    usleep(1000);
  }
}

inline std::string ReadWhole(const std::string& path) {
  std::string text;
  FILE* file = fopen(path.c_str(), "re");
  if (!file) return text;
  char part[4096];
  for (size_t n; (n = fread(part, 1, sizeof part, file)) > 0;) text.append(part, n);
  fclose(file);
  return text;
}

inline std::vector<int> Numbers(const char* directory) {
  std::vector<int> numbers;
  DIR* dir = opendir(directory);
  if (!dir) return numbers;
  while (dirent* entry = readdir(dir)) {
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') numbers.push_back(atoi(entry->d_name));
  }
  closedir(dir);
  return numbers;
}

// Open descriptors of this process, with what they are.
inline std::vector<std::string> OpenDescriptors() {
  std::vector<std::string> open;
  for (int fd : Numbers("/proc/self/fd")) {
    char name[64], target[256];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(name, target, sizeof target);
    if (n <= 0) continue;  // the one of the listing
    std::string what(target, static_cast<size_t>(n));
    if (what.find("/proc/") == 0 && what.find("/fd") != std::string::npos) continue;
    open.push_back(std::to_string(fd) + " " + what);
  }
  return open;
}

// A variable in the environment by which the processes of this test are known. It reaches programs that are
// started from now on, not this process's own /proc entry.
class Mark {
 public:
  Mark() : text_("MPROC_TEST_MARK=" + std::to_string(getpid()) + "." + std::to_string(NowNs())) {
    size_t split = text_.find('=');
    setenv(text_.substr(0, split).c_str(), text_.substr(split + 1).c_str(), 1);
  }
  // Processes that were started with the mark and live; zombies have no environment any more.
  std::vector<pid_t> Alive() const {
    std::vector<pid_t> alive;
    for (int pid : Numbers("/proc")) {
      std::string environment = ReadWhole("/proc/" + std::to_string(pid) + "/environ");
      if (environment.find(text_) != std::string::npos) alive.push_back(pid);
    }
    return alive;
  }
  bool SoonGone(int64_t limit = 20000 * kMs) const {
    return Soon([this] { return Alive().empty(); }, limit);
  }

 private:
  std::string text_;
};

// The state letter of a process in /proc, 0 if there is no such process.
inline char StateOf(pid_t pid) {
  std::string stat = ReadWhole("/proc/" + std::to_string(pid) + "/stat");
  size_t at = stat.rfind(')');
  return at == std::string::npos || at + 2 >= stat.size() ? '\0' : stat[at + 2];
}

// Set to false in a child where the leak sanitizer cannot look (it needs /proc and clone itself).
inline bool g_look_for_leaks = true;

// Makes this process that of an ordinary user without other processes; false if it may not. What the kernel
// counts for a user, such as the descriptors under way in sockets, is then what this test does, whatever
// other runs on the machine do in the same moment.
inline bool BecomeAUserOfItsOwn() {
  auto user = static_cast<uid_t>(20000 + getpid() % 40000);  // namespaces seldom have more than 65536
  return setresgid(user, user, user) == 0 && setresuid(user, user, user) == 0;
}

// Runs `body` in a forked child with gtest's expectations and a time limit; what fails or is skipped there
// fails or is skipped here. Tests of process-wide things run in such children, each in a fresh one; the test
// program itself has no threads.
inline void InChild(const std::function<void()>& body, int seconds = 120) {
  constexpr int kSkipped = 77;
  fflush(nullptr);
  pid_t child = fork();
  if (child == 0) {
    body();
    bool failed = ::testing::Test::HasFailure();
    bool look = g_look_for_leaks && &__lsan_do_recoverable_leak_check;
    if (!failed && look) failed = __lsan_do_recoverable_leak_check() != 0;
    fflush(nullptr);
    bool good = !failed && !::testing::Test::IsSkipped();
    if (good && !g_look_for_leaks) execl("/bin/true", "true", nullptr);  // valgrind looks at an exit only
    _exit(failed ? 1 : good ? 0 : kSkipped);
  }
  ASSERT_GT(child, 0);
  int status = 0;
  bool ended = Soon([&] { return waitpid(child, &status, WNOHANG) != 0; }, seconds * 1000 * kMs);
  if (!ended) {
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    FAIL() << "the child of the test did not end within " << seconds << " s";
  }
  ASSERT_TRUE(WIFEXITED(status)) << "the child of the test died by signal " << WTERMSIG(status);
  if (WEXITSTATUS(status) == kSkipped) GTEST_SKIP() << "see above";
  EXPECT_EQ(WEXITSTATUS(status), 0) << "in the child of the test, see above";
}

#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif

}  // namespace mproc::test
