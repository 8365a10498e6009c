// SPDX-License-Identifier: MIT
#include "platform/crash_trace.hh"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <thread>

#include "platform/crash_area.hh"

// The functions that crash have names of their own; volatile keeps the compiler from seeing it coming.
namespace crash_sites {

int* volatile null_pointer = nullptr;
void (*volatile null_function)() = nullptr;
volatile int zero = 0;
volatile int result = 0;

#define CRASH_SITE __attribute__((noinline, no_sanitize("undefined")))

CRASH_SITE void WriteToNull() {
  *null_pointer = 1;
  result = 1;
}
CRASH_SITE void CallsWriteToNull() {
  WriteToNull();
  result = 2;
}
CRASH_SITE void DivideByZero() { result = 100 / zero; }
CRASH_SITE void CallNull() {
  null_function();
  result = 3;
}
CRASH_SITE int Recurse(int depth) {
  volatile char block[256];
  block[0] = static_cast<char>(depth);
  return zero == 0 ? Recurse(depth + 1) + block[0] : 0;
}
CRASH_SITE void Abort() { std::abort(); }
CRASH_SITE void Trap() { __builtin_trap(); }

}  // namespace crash_sites

namespace mproc::platform {
namespace {

constexpr int kCannot = 77;

class CrashTrace : public testing::Test {
 protected:
  void SetUp() override {
    if (!HasCrashTrace()) GTEST_SKIP() << "the sanitizer reports crashes";
    area_ = mmap(nullptr, kCrashAreaSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(area_, MAP_FAILED);
  }

  void TearDown() override {
    if (area_ != nullptr) munmap(area_, kCrashAreaSize);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
  }

  // Runs `body` in a forked child with the trace installed and returns the wait status.
  int Run(const std::function<void()>& body, const std::function<void()>& before = {},
          size_t size = kCrashAreaSize) {
    child_ = fork();
    if (child_ == 0) {
      const rlimit no_core{0, 0};
      setrlimit(RLIMIT_CORE, &no_core);
      alarm(60);
      if (before) before();
      InstallCrashTrace(area_, size);
      body();
      _exit(0);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child_, &status, 0), child_);
    return status;
  }

  // The child must die of this signal and have `function` in frame `frame`.
  void ExpectTrace(int status, int signal_number, const std::string& function, int frame) {
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    EXPECT_EQ(WTERMSIG(status), signal_number);
    const auto report = ParseCrashTrace(area_, kCrashAreaSize);
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->signal, signal_number);
    EXPECT_TRUE(report->complete);
    const std::string text = FormatCrashTrace(area_, kCrashAreaSize);
    const size_t line = text.find("\n#" + std::to_string(frame) + " ");
    ASSERT_NE(line, std::string::npos) << text;
    EXPECT_NE(text.substr(line + 1, text.find('\n', line + 1) - line).find(function), std::string::npos)
        << text;
  }

  // For functions of the C library in front, which may have any number of frames.
  void ExpectEarlyFrame(int status, int signal_number, const std::string& function) {
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    EXPECT_EQ(WTERMSIG(status), signal_number);
    const std::string text = FormatCrashTrace(area_, kCrashAreaSize);
    EXPECT_NE(text.substr(0, text.find("\n#6 ")).find(function), std::string::npos) << text;
  }

  CrashReport Report() { return ParseCrashTrace(area_, kCrashAreaSize).value_or(CrashReport{}); }

  void* area_ = nullptr;
  pid_t child_ = -1;
};

TEST_F(CrashTrace, NamesTheFunctionThatWritesToNull) {
  const int status = Run(crash_sites::CallsWriteToNull);
  ExpectTrace(status, SIGSEGV, "crash_sites::WriteToNull()+0x", 0);
  ExpectTrace(status, SIGSEGV, "crash_sites::CallsWriteToNull()+0x", 1);
  EXPECT_EQ(Report().code, SEGV_MAPERR);
  EXPECT_EQ(Report().address, 0u);
  const std::string text = FormatCrashTrace(area_, kCrashAreaSize);
  EXPECT_EQ(text.substr(0, text.find('\n')), "SIGSEGV (signal 11, code 1) at address 0x0");
}

TEST_F(CrashTrace, NamesTheCallerOfANullFunction) {
#if defined(__x86_64__) || defined(__aarch64__)
  const int status = Run(crash_sites::CallNull);
  ExpectTrace(status, SIGSEGV, "0x0", 0);
  ExpectTrace(status, SIGSEGV, "crash_sites::CallNull()+0x", 1);
  EXPECT_GT(Report().frames.size(), 3u);
#endif
}

TEST_F(CrashTrace, RecordsAbort) {
  ExpectEarlyFrame(Run(crash_sites::Abort), SIGABRT, "crash_sites::Abort()+0x");
  EXPECT_TRUE(Report().complete);
}

TEST_F(CrashTrace, RecordsDivisionByZero) {
#if defined(__x86_64__)
  const int status = Run(crash_sites::DivideByZero);
  ExpectTrace(status, SIGFPE, "crash_sites::DivideByZero()+0x", 0);
  EXPECT_EQ(Report().code, FPE_INTDIV);
#endif
}

TEST_F(CrashTrace, RecordsATrap) {
#if defined(__x86_64__)
  ExpectTrace(Run(crash_sites::Trap), SIGILL, "crash_sites::Trap()+0x", 0);
#elif defined(__aarch64__)
  ExpectTrace(Run(crash_sites::Trap), SIGTRAP, "crash_sites::Trap()+0x", 0);
#endif
}

TEST_F(CrashTrace, RecordsStackOverflowOnAStackOfItsOwn) {
  const int status = Run([] { crash_sites::result = crash_sites::Recurse(0); });
  ExpectTrace(status, SIGSEGV, "crash_sites::Recurse(int)+0x", 0);
  EXPECT_EQ(Report().frames.size(), kMaxCrashFrames);
}

TEST_F(CrashTrace, RecordsASignalThatWasSent) {
  const int status = Run([] { kill(getpid(), SIGSEGV); });
  ExpectEarlyFrame(status, SIGSEGV, "kill");
  EXPECT_EQ(Report().code, SI_USER);
  EXPECT_EQ(Report().sender, child_);
  EXPECT_EQ(Report().address, 0u);
}

TEST_F(CrashTrace, DiesOfEverySignalThatIsRaised) {
  for (const int signal_number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) {
    ClearCrashTrace(area_, kCrashAreaSize);
    const int status = Run([=] { raise(signal_number); });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal_number) << status;
    EXPECT_EQ(Report().signal, signal_number);
    EXPECT_EQ(Report().code, SI_TKILL);
    EXPECT_EQ(Report().sender, child_);
  }
}

TEST_F(CrashTrace, RecordsACrashOfAnyThread) {
  const int status = Run([] { std::thread(crash_sites::WriteToNull).join(); });
  ExpectTrace(status, SIGSEGV, "crash_sites::WriteToNull()+0x", 0);
}

TEST_F(CrashTrace, RecordsOneOfTwoThreadsThatCrashTogether) {
  const int status = Run([] {
    std::thread other(crash_sites::WriteToNull);
    crash_sites::WriteToNull();
    other.join();
  });
  ExpectTrace(status, SIGSEGV, "crash_sites::WriteToNull()+0x", 0);
}

TEST_F(CrashTrace, LeavesAHandlerThatIsThereAlone) {
  struct sigaction theirs {};
  theirs.sa_handler = [](int) { _exit(42); };
  const auto before = [&] { sigaction(SIGSEGV, &theirs, nullptr); };
  int status = Run(crash_sites::WriteToNull, before);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 42) << status;
  EXPECT_EQ(FormatCrashTrace(area_, kCrashAreaSize), "");
  status = Run(crash_sites::Abort, before);
  ExpectEarlyFrame(status, SIGABRT, "crash_sites::Abort()+0x");
}

TEST_F(CrashTrace, LeavesAnIgnoredSignalIgnored) {
  const int status = Run([] { raise(SIGTRAP); }, [] { signal(SIGTRAP, SIG_IGN); });
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(FormatCrashTrace(area_, kCrashAreaSize), "");
}

TEST_F(CrashTrace, KeepsTheFirstFrameAndTheSignalWhenTheStackIsLost) {
#if defined(__x86_64__)
  const int status = Run([] { asm volatile("mov $4096, %rsp\n\tmov $4096, %rbp\n\tud2"); });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL) << status;
  const auto report = ParseCrashTrace(area_, kCrashAreaSize);
  ASSERT_TRUE(report.has_value());
  EXPECT_FALSE(report->complete);
  EXPECT_EQ(report->frames.size(), 1u);
  const std::string text = FormatCrashTrace(area_, kCrashAreaSize);
  EXPECT_NE(text.find("trace cut off\n#0 0x"), std::string::npos) << text;
  EXPECT_NE(text.find("KeepsTheFirstFrame"), std::string::npos) << text;
#endif
}

TEST_F(CrashTrace, DiesOfTheSignalWhenTheAreaIsLost) {
  const int status = Run([this] {
    munmap(area_, kCrashAreaSize);
    crash_sites::Abort();
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
}

TEST_F(CrashTrace, RecordsNothingForAChildOfTheWorker) {
  const int status = Run([] {
    const pid_t grandchild = fork();
    if (grandchild == 0) crash_sites::WriteToNull();
    int inner = 0;
    waitpid(grandchild, &inner, 0);
    _exit(WIFSIGNALED(inner) ? WTERMSIG(inner) : 0);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == SIGSEGV) << status;
  EXPECT_EQ(FormatCrashTrace(area_, kCrashAreaSize), "");
}

TEST_F(CrashTrace, CanBeTakenBack) {
  const int status = Run([] {
    InstallCrashTrace(nullptr, 0);
    crash_sites::WriteToNull();
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) << status;
  EXPECT_EQ(FormatCrashTrace(area_, kCrashAreaSize), "");
}

TEST_F(CrashTrace, StaysWithinASmallArea) {
  const int status = Run([] { crash_sites::result = crash_sites::Recurse(0); }, {}, kMinCrashAreaSize);
  ExpectTrace(status, SIGSEGV, "0x", 0);
  const auto* bytes = static_cast<const char*>(area_);
  for (size_t i = kMinCrashAreaSize; i < kCrashAreaSize; ++i) ASSERT_EQ(bytes[i], 0) << i;
  EXPECT_TRUE(ParseCrashTrace(area_, kMinCrashAreaSize).has_value());
}

TEST_F(CrashTrace, UsesTheNotedMappingsWithoutProc) {
  std::string folder = testing::TempDir() + "emptyXXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const int status = Run(crash_sites::WriteToNull, [&] {
    if (chroot(folder.c_str()) == 0) return;
    if (unshare(CLONE_NEWUSER) != 0 || chroot(folder.c_str()) != 0) _exit(kCannot);
  });
  rmdir(folder.c_str());
  if (WIFEXITED(status) && WEXITSTATUS(status) == kCannot) GTEST_SKIP() << "may not change the root";
  const bool absolute_name = *reinterpret_cast<const char*>(getauxval(AT_EXECFN)) == '/';
  ExpectTrace(status, SIGSEGV, absolute_name ? "crash_sites::WriteToNull()+0x" : "unit-platform", 0);
}

// ---- The host's side, which also runs under sanitizers --------------------------------------------------

// A report as a worker would write it, with room behind.
std::vector<char> MakeArea() {
  std::vector<char> area;
  const auto put = [&area](const void* bytes, size_t size) {
    area.insert(area.end(), static_cast<const char*>(bytes), static_cast<const char*>(bytes) + size);
  };
  const CrashAreaHeader header{kCrashComplete, SIGBUS, BUS_ADRERR, 0x1234, 0, 5, 2};
  const uint64_t frames[] = {0x1010, 0x3000, 0x2001, 0x500000, 0x3001};
  put(&header, sizeof header);
  put(frames, sizeof frames);
  const std::pair<CrashAreaMapping, std::string> mappings[] = {
      {{0x1000, 0x3000, 0x100, 0}, "/none/a\nb"}, {{0x3000, 0x90000, 0x1000, 0}, "/proc/self/exe"}};
  for (auto [mapping, path] : mappings) {
    mapping.path_size = path.size();
    put(&mapping, sizeof mapping);
    path.resize(PaddedPathSize(path.size()));
    put(path.data(), path.size());
  }
  area.resize(1024);
  return area;
}

std::string Format(const std::vector<char>& area) { return FormatCrashTrace(area.data(), area.size()); }

TEST(CrashReport, FormatsWhatHasNoName) {
  const std::string text = Format(MakeArea());
  EXPECT_TRUE(
      text.starts_with("SIGBUS (signal 7, code 2) at address 0x1234\n"
                       "#0 0x1010 (/none/a?b+0x110)\n"
                       "#1 0x3000 (/none/a?b+0x2100)\n"
                       "#2 0x2001 (/none/a?b+0x1101)\n"
                       "#3 0x500000\n"
                       "#4 0x3001"))
      << text;
}

TEST(CrashReport, IsAbsentFromAnUntouchedOrClearedArea) {
  std::vector<char> area(kCrashAreaSize);
  EXPECT_EQ(Format(area), "");
  EXPECT_EQ(FormatCrashTrace(nullptr, 0), "");
  area = MakeArea();
  EXPECT_NE(Format(area), "");
  ClearCrashTrace(area.data(), area.size());
  EXPECT_EQ(Format(area), "");
}

TEST(CrashReport, SurvivesEveryTruncation) {
  const std::vector<char> area = MakeArea();
  for (size_t size = 0; size <= area.size(); ++size) {
    Format(std::vector<char>(area.begin(), area.begin() + static_cast<ptrdiff_t>(size)));
  }
}

TEST(CrashReport, RefusesCountsBeyondTheArea) {
  std::vector<char> area = MakeArea();
  CrashAreaHeader header;
  std::memcpy(&header, area.data(), sizeof header);
  for (const uint32_t count : {124u, 128u, 129u, 0x20000000u, UINT32_MAX}) {
    header.frame_count = count;
    std::memcpy(area.data(), &header, sizeof header);
    EXPECT_EQ(Format(area), "") << count;
  }
  header.frame_count = 5;
  header.map_count = UINT32_MAX;
  std::memcpy(area.data(), &header, sizeof header);
  EXPECT_EQ(ParseCrashTrace(area.data(), area.size())->mappings.size(), 2u);
}

TEST(CrashReport, SurvivesScribbledAreas) {
  std::mt19937 random(3);
  const std::vector<char> good = MakeArea();
  for (int round = 0; round < 2000; ++round) {
    std::vector<char> bad = good;
    if (round % 4 == 0) {
      for (char& c : bad) c = static_cast<char>(random());
      // Half of them would be taken for reports.
      if (round % 8 == 0) std::memcpy(bad.data(), good.data(), 16);
    } else {
      for (unsigned n = 1 + random() % 12; n > 0; --n) bad[random() % 256] = static_cast<char>(random());
    }
    std::memcpy(bad.data(), good.data(), round % 3 == 0 ? 8 : 0);
    Format(bad);
  }
}

}  // namespace
}  // namespace mproc::platform
