// SPDX-License-Identifier: MIT
// What is sent to a launcher that does not read.
#include "runtime/launcher_process.hh"

#include <gtest/gtest.h>

#include <new>

#include "support/host.hh"

namespace mproc::test {
namespace {

TEST(LauncherProcess, WhatWaitsHasWokenTheEngine) {
  InChild([] {
    int wakes = 0;
    bool no_memory = true;
    auto launcher = runtime::LauncherProcess::Launch(FakeWorker(), [&] {
      wakes++;
      if (no_memory) throw std::bad_alloc();
    });
    ASSERT_TRUE(launcher.ok()) << launcher.status().message();
    pid_t pid = (*launcher)->pid();
    ASSERT_TRUE(KillOne(pid, SIGSTOP));
    EXPECT_TRUE(Soon([&] { return StateOf(pid) == 'T' || StateOf(pid) == 't'; }));
    auto bytes = ipc::EncodeHead(ipc::MakeHead(ipc::ControlType::kSignal, 12345));
    auto fill = [&] {
      for (int i = 0; i < 1000000 && wakes == 0; i++) EXPECT_TRUE((*launcher)->Send(bytes, {}).ok());
    };
    EXPECT_THROW(fill(), std::bad_alloc);
    EXPECT_EQ(wakes, 1);
    no_memory = false;
    EXPECT_TRUE((*launcher)->Send(bytes, {}).ok());  // what was refused does not wait before it
    EXPECT_EQ(wakes, 2);
    EXPECT_TRUE((*launcher)->Send(bytes, {}).ok());
    EXPECT_EQ(wakes, 2);  // one for all
    EXPECT_TRUE(KillOne(pid, SIGKILL));
  });
}

}  // namespace
}  // namespace mproc::test
