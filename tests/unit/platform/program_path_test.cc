// SPDX-License-Identifier: MIT
#include "platform/program_path.hh"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/processes.hh"

namespace mproc::platform {
namespace {

TEST(ProgramPath, KnowsThisExecutable) {
  auto path = ExecutablePath();
  ASSERT_TRUE(path.ok());
  EXPECT_EQ((*path)[0], '/');
  EXPECT_EQ(access(path->c_str(), X_OK), 0);
}

TEST(ProgramPath, KnowsTheLibrary) {
  auto path = LibraryPath();
  ASSERT_TRUE(path.ok());
  EXPECT_EQ((*path)[0], '/');
  EXPECT_EQ(access(path->c_str(), R_OK), 0);
}

TEST(FindWorkerProgram, TakesWhatIsGivenOrNothing) {
  auto path = FindWorkerProgram("/bin/sh");
  ASSERT_TRUE(path.ok());
  EXPECT_EQ((*path)[0], '/');
  for (const char* wrong : {"/nowhere/mproc-worker", "/etc/passwd", "/etc"}) {
    auto missing = FindWorkerProgram(wrong);
    EXPECT_EQ(missing.status().code(), MPROC_ERROR_NO_WORKER_PROGRAM);
    EXPECT_NE(missing.status().message().find(wrong), std::string::npos);
  }
}

TEST(FindWorkerProgram, TakesTheEnvironmentVariableNext) {
  test::InChild([] {
    setenv("MPROC_WORKER", "/bin/true", 1);
    auto path = FindWorkerProgram("");
    ASSERT_TRUE(path.ok());
    setenv("MPROC_WORKER", "/nowhere/worker", 1);
    auto missing = FindWorkerProgram("");
    EXPECT_EQ(missing.status().code(), MPROC_ERROR_NO_WORKER_PROGRAM);
    EXPECT_NE(
        missing.status().message().find("/nowhere/worker (named by the environment variable MPROC_WORKER)"),
        std::string::npos);
    EXPECT_TRUE(FindWorkerProgram("/bin/sh").ok());
  });
}

TEST(FindWorkerProgram, ListsEveryPlaceItLookedAt) {
  test::InChild([] {
    unsetenv("MPROC_WORKER");
    auto path = FindWorkerProgram("");
    if (path.ok()) GTEST_SKIP() << "there is one: " << *path;
    std::string message = path.status().message();
    for (const char* place : {"/mproc-worker", "../libexec/mproc/mproc-worker", "MPROC_WORKER"}) {
      EXPECT_NE(message.find(place), std::string::npos) << message;
    }
  });
}

}  // namespace
}  // namespace mproc::platform
