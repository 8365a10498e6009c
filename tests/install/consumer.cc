// SPDX-License-Identifier: MIT
// A program in C++ as a user would write it, with nothing but the installed headers; its workers are itself.
// Its last line is 'N passed, N failed'.
#include <cstdio>
#include <cstdlib>
#include <mproc/mproc.hpp>
#include <stdexcept>
#include <string>
#include <vector>

static int Add(int a, int b) { return a + b; }
static int64_t Square(int64_t number) { return number * number; }
static std::string Greet(const std::string& name) {
  if (name.empty()) throw std::invalid_argument("nobody is there");
  return "hello, " + name;
}
static void Crash() { std::abort(); }

using Work = mproc::functions<Add, Square, Greet, Crash>;

static int g_passed, g_failed;

static void Check(bool good, const char* what) {
  (good ? g_passed : g_failed)++;
  if (!good) std::printf("failed: %s\n", what);
}
#define CHECK(condition) Check(condition, #condition)

// What a call of `function` with these arguments throws.
template <auto function, typename... Args>
static std::string Thrown(mproc::pool<Work>& pool, const Args&... args) {
  try {
    pool.submit<function>(args...).get();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

int main() {
  Work::serve();
  {
    mproc::pool<Work> pool(mproc::pool_options().workers(2).name("consumer"));
    CHECK(pool.submit<Add>(1, 2).get() == 3);
    CHECK(pool.submit<Greet>("you").get() == "hello, you");
    CHECK(pool.map<Square>(std::vector<int64_t>{1, 2, 3}) == (std::vector<int64_t>{1, 4, 9}));
    CHECK(Thrown<Greet>(pool, "").find("nobody is there") != std::string::npos);
    CHECK(Thrown<Crash>(pool).find("SIGABRT") != std::string::npos);
    CHECK(pool.submit<Add>(20, 22).get() == 42);
  }
  std::printf("%d passed, %d failed\n", g_passed, g_failed);
  return g_failed ? 1 : 0;
}
