// SPDX-License-Identifier: MIT
#include "check.hh"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "module_calls.hh"

namespace hostile {
namespace {

constexpr int kSkipCode = 77;
constexpr char kMark[] = "MPROC_TEST_MARK";

int g_failures = 0;
bool g_skipped = false;
bool g_left = false;
std::string g_program;
std::string g_folder;  // asked for early: /proc may be hidden later

std::vector<int> Numbers(const char* directory) {
  std::vector<int> numbers;
  DIR* dir = opendir(directory);
  if (!dir) return numbers;
  while (dirent* entry = readdir(dir)) {
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') numbers.push_back(atoi(entry->d_name));
  }
  closedir(dir);
  return numbers;
}

std::vector<pid_t> Marked(const std::string& mark) {
  std::vector<pid_t> found;
  for (int pid : Numbers("/proc")) {
    if (pid == getpid()) continue;
    if (ReadWhole("/proc/" + std::to_string(pid) + "/environ").find(mark) != std::string::npos) {
      found.push_back(pid);
    }
  }
  return found;
}

// In the fresh process.
int RunHere(const Case& one) {
  auto before = OpenDescriptors();
  one.body();
  if (g_skipped) return g_failures ? 1 : kSkipCode;
  if (!g_left) {
    CHECK_OK(mproc_runtime_finish(10 * MPROC_SECOND));
    // A pool that a callback has destroyed is let go by its thread, a moment after the runtime's end.
    std::vector<std::string> more;
    Soon(
        [&] {
          more = MoreThan(before, OpenDescriptors());
          return more.empty();
        },
        3000);
    for (const auto& fd : more) CHECK_THAT(false, "left open: " + fd);
    CHECK_THAT(waitpid(-1, nullptr, WNOHANG | __WALL) == -1 && errno == ECHILD, "a child is left");
    CHECK_THAT(Soon([] { return MarkedProcesses().empty(); }, 3000), "a process is left");
  }
  return g_failures ? 1 : 0;
}

enum class Outcome { kPassed, kFailed, kSkipped };

Outcome RunApart(const Case& one) {
  std::string value = std::to_string(getpid()) + "." + std::to_string(NowMs()) + "." + one.name;
  std::string mark = std::string(kMark) + "=" + value;
  setenv(kMark, value.c_str(), 1);
  const char* folder = getenv("TMPDIR");
  std::string note = std::string(folder && *folder ? folder : "/tmp") + "/hostile-note." + value;
  setenv(kNoteVariable, note.c_str(), 1);
  int64_t began = NowMs();
  pid_t child = fork();
  if (child == 0) {
    execl("/proc/self/exe", g_program.c_str(), "--case", one.name, nullptr);
    _exit(126);
  }
  int status = 0;
  bool ended =
      child > 0 && Soon([&] { return waitpid(child, &status, WNOHANG) == child; }, one.seconds * 1000);
  std::string bad;
  if (!ended) {
    bad = "did not end within " + std::to_string(one.seconds) + " s";
    if (child > 0) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
  } else if (WIFSIGNALED(status)) {
    bad = std::string("was ended by signal ") + std::to_string(WTERMSIG(status));
  } else if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != kSkipCode) {
    bad = "exit status " + std::to_string(WEXITSTATUS(status));
  }
  if (!Soon([&] { return Marked(mark).empty(); }, 3000)) {
    for (pid_t pid : Marked(mark)) {
      bad += (bad.empty() ? "" : "; ") + std::string("left process ") + std::to_string(pid) + " (" +
             ReadWhole("/proc/" + std::to_string(pid) + "/comm") + ")";
      kill(pid, SIGKILL);
    }
  }
  unlink(note.c_str());
  bool skipped = ended && WIFEXITED(status) && WEXITSTATUS(status) == kSkipCode && bad.empty();
  printf("%-7s %s (%lld ms)%s%s\n",
         !bad.empty() ? "FAILED"
         : skipped    ? "skipped"
                      : "ok",
         one.name, static_cast<long long>(NowMs() - began), bad.empty() ? "" : ": ", bad.c_str());
  fflush(stdout);
  return !bad.empty() ? Outcome::kFailed : skipped ? Outcome::kSkipped : Outcome::kPassed;
}

}  // namespace

std::vector<Case>& Cases() {
  static auto* cases = new std::vector<Case>();
  return *cases;
}

bool Check(bool holds, const char* file, int line, const std::string& what) {
  if (holds) return true;
  const char* name = strrchr(file, '/');
  fprintf(stderr, "%s:%d: %s\n", name ? name + 1 : file, line, what.c_str());
  g_failures++;
  return false;
}

bool CheckNumbers(long long got, long long wanted, const char* file, int line, const char* what) {
  if (got == wanted) return true;
  return Check(false, file, line,
               std::string(what) + ": it is " + std::to_string(got) + ", not " + std::to_string(wanted));
}

bool CheckStatus(int32_t got, int32_t wanted, const char* file, int line, const char* what) {
  if (got == wanted) return true;
  return Check(false, file, line,
               std::string(what) + ": " + std::to_string(got) + " " + mproc_status_name(got) + ", not " +
                   mproc_status_name(wanted) + "; " + mproc_last_error_message());
}

int Failures() { return g_failures; }

void Skip(const std::string& why) {
  printf("skipped: %s\n", why.c_str());
  g_skipped = true;
}

void LeaveAsItIs() { g_left = true; }

int64_t NowMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

bool Soon(const std::function<bool()>& condition, int limit_ms) {
  int64_t end = NowMs() + limit_ms;
  for (useconds_t pause = 200;; pause = std::min<useconds_t>(pause * 2, 5000)) {
    if (condition()) return true;
    if (NowMs() >= end) return false;
    usleep(pause);
  }
}

std::string ReadWhole(const std::string& path) {
  std::string text;
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char part[4096];
  for (ssize_t n; (n = read(fd, part, sizeof part)) > 0;) text.append(part, static_cast<size_t>(n));
  close(fd);
  return text;
}

std::vector<std::string> OpenDescriptors() {
  std::vector<std::string> open;
  for (int fd : Numbers("/proc/self/fd")) {
    std::string name = "/proc/self/fd/" + std::to_string(fd);
    char target[256];
    ssize_t n = readlink(name.c_str(), target, sizeof target);
    if (n > 0) open.push_back(std::to_string(fd) + " " + std::string(target, static_cast<size_t>(n)));
  }
  return open;  // the one of the listing is closed and so has no target
}

std::vector<std::string> MoreThan(const std::vector<std::string>& before,
                                  const std::vector<std::string>& now) {
  std::vector<std::string> more;
  std::map<std::string, int> pipes;
  for (const auto& fd : now) {
    if (std::find(before.begin(), before.end(), fd) != before.end()) continue;
    more.push_back(fd);
    size_t at = fd.find("pipe:");
    if (at != std::string::npos) pipes[fd.substr(at)]++;
  }
  for (const auto& [pipe, ends] : pipes) {
    if (ends != 2) continue;
    std::erase_if(more, [&pipe = pipe](const std::string& fd) { return fd.ends_with(pipe); });
    break;
  }
  return more;
}

std::vector<pid_t> MarkedProcesses() {
  const char* value = getenv(kMark);
  return value ? Marked(std::string(kMark) + "=" + value) : std::vector<pid_t>();
}

bool IsMarked(pid_t pid) {
  const char* value = getenv(kMark);
  return value && ReadWhole("/proc/" + std::to_string(pid) + "/environ").find(value) != std::string::npos;
}

double CpuMs(pid_t pid) {
  // Nanoseconds on a CPU, of each thread.
  double total = 0;
  std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (int thread : Numbers(tasks.c_str())) {
    total += strtod(ReadWhole(tasks + "/" + std::to_string(thread) + "/schedstat").c_str(), nullptr) / 1e6;
  }
  return total;
}

bool InFork(const std::function<void()>& body, int seconds) {
  fflush(nullptr);
  pid_t child = fork();
  if (child == 0) {
    g_failures = 0;
    body();
    fflush(nullptr);
    _exit(g_failures ? 1 : 0);
  }
  if (!CHECK(child > 0)) return false;
  int status = 0;
  if (!Soon([&] { return waitpid(child, &status, WNOHANG) == child; }, seconds * 1000)) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    return CHECK_THAT(false, "a forked child did not end");
  }
  if (WIFSIGNALED(status)) {
    return CHECK_THAT(false, "a forked child was ended by signal " + std::to_string(WTERMSIG(status)));
  }
  return CHECK_EQ(WEXITSTATUS(status), 0);
}

std::string Beside(const std::string& name) { return g_folder + name; }

int Main(int argc, char** argv) {
  g_program = argv[0];
  char path[4096];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path);
  std::string own(path, n > 0 ? static_cast<size_t>(n) : 0);
  g_folder = own.substr(0, own.rfind('/') + 1);
  std::vector<std::string> wanted(argv + 1, argv + argc);
  if (wanted.size() == 2 && wanted[0] == "--case") {
    for (const Case& one : Cases()) {
      if (wanted[1] == one.name) return RunHere(one);
    }
    return 125;
  }
  int passed = 0, failed = 0, skipped = 0;
  for (const Case& one : Cases()) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), one.name) == wanted.end()) continue;
    switch (RunApart(one)) {
      case Outcome::kPassed:
        passed++;
        break;
      case Outcome::kFailed:
        failed++;
        break;
      case Outcome::kSkipped:
        skipped++;
        break;
    }
  }
  std::string tail = skipped ? ", " + std::to_string(skipped) + " skipped" : "";
  printf("%d passed, %d failed%s\n", passed, failed, tail.c_str());
  return failed ? 1 : 0;
}

}  // namespace hostile
