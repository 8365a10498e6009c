// SPDX-License-Identifier: MIT
// A small frame for programs that use the library's public calls in bad company. Each case runs in a fresh
// process of the program ("--case NAME") and so has a runtime of its own. When it has ended the runtime,
// it must have no child and no descriptor more than before; when its process has ended, no process with its
// mark in the environment may live.
#pragma once

#include <mproc/mproc.h>
#include <stdint.h>
#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HOSTILE_SANITIZED 1
#else
#define HOSTILE_SANITIZED 0
#endif

#if defined(__SANITIZE_THREAD__)
#define HOSTILE_THREAD_SANITIZED 1
#else
#define HOSTILE_THREAD_SANITIZED 0
#endif

namespace hostile {

struct Case {
  const char* name;
  void (*body)();
  int seconds;
};
std::vector<Case>& Cases();
struct Registered {
  Registered(const char* name, void (*body)(), int seconds) { Cases().push_back({name, body, seconds}); }
};
#define CASE_WITHIN(name, seconds)                                      \
  static void name();                                                   \
  static const ::hostile::Registered name##_case(#name, name, seconds); \
  static void name()
#define CASE(name) CASE_WITHIN(name, 20)

// Notes a failure. The value of each is whether it holds.
bool Check(bool holds, const char* file, int line, const std::string& what);
bool CheckNumbers(long long got, long long wanted, const char* file, int line, const char* what);
bool CheckStatus(int32_t got, int32_t wanted, const char* file, int line, const char* what);
#define CHECK(condition) ::hostile::Check(static_cast<bool>(condition), __FILE__, __LINE__, #condition)
#define CHECK_THAT(condition, text) ::hostile::Check(static_cast<bool>(condition), __FILE__, __LINE__, text)
#define CHECK_EQ(got, wanted)                                                                              \
  ::hostile::CheckNumbers(static_cast<long long>(got), static_cast<long long>(wanted), __FILE__, __LINE__, \
                          #got " is " #wanted)
#define CHECK_STATUS(call, wanted) ::hostile::CheckStatus((call), (wanted), __FILE__, __LINE__, #call)
#define CHECK_OK(call) CHECK_STATUS(call, MPROC_OK)
int Failures();
// The case cannot be tried here.
void Skip(const std::string& why);
// The case has ended the runtime in a way of its own, or never had one: it is not ended and counted again.
void LeaveAsItIs();

int64_t NowMs();
// True as soon as the condition holds; false if it does not within the limit.
bool Soon(const std::function<bool()>& condition, int limit_ms = 10000);
std::string ReadWhole(const std::string& path);
// Open descriptors of this process, with what they are.
std::vector<std::string> OpenDescriptors();
// Those in `now` that are not in `before`, but for the pipe that libuv makes once per process.
std::vector<std::string> MoreThan(const std::vector<std::string>& before,
                                  const std::vector<std::string>& now);
// Processes with this case's mark, this one left out; zombies have no environment and do not count.
std::vector<pid_t> MarkedProcesses();
bool IsMarked(pid_t pid);
// User and system time that a process has used, in milliseconds.
double CpuMs(pid_t pid);
// Runs `body` in a forked child; true if it ended with 0 within the time. Failures in it are noted.
bool InFork(const std::function<void()>& body, int seconds = 20);

// Path of a file beside this program.
std::string Beside(const std::string& name);

int Main(int argc, char** argv);

}  // namespace hostile
