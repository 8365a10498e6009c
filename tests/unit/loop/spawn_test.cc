// SPDX-License-Identifier: MIT
#include "loop/spawn.hh"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <memory>

#include "loop/signal_watch.hh"
#include "platform/socket.hh"

namespace mproc::loop {
namespace {

SpawnOptions Shell(const char* script) {
  SpawnOptions options;
  options.program = "sh";
  options.arguments = {"sh", "-c", script};
  options.environment = {"PATH=/usr/bin:/bin", "WORD=from the test"};
  options.descriptors = {-1, 1, 2};
  return options;
}

TEST(ChildProcess, TellsExitCodeAndSignal) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  int code = -1, signal = -1;
  auto note = [&](int c, int s) { code = c, signal = s; };
  {
    ChildProcess child;
    ASSERT_TRUE(child.Start(loop, Shell("exit 42"), note).ok());
    EXPECT_GT(child.pid(), 0);
    loop.Run();
    EXPECT_EQ(code, 42);
    EXPECT_EQ(signal, 0);
  }
  {
    ChildProcess child;
    ASSERT_TRUE(child.Start(loop, Shell("kill -ABRT $$"), note).ok());
    loop.Run();
    EXPECT_EQ(signal, SIGABRT);
  }
  {
    ChildProcess child;
    ASSERT_TRUE(child.Start(loop, Shell("exec sleep 1000"), note).ok());
    EXPECT_TRUE(child.Signal(SIGKILL));
    loop.Run();
    EXPECT_EQ(signal, SIGKILL);
    EXPECT_FALSE(child.Signal(SIGKILL));
  }
}

TEST(ChildProcess, HandsOverDescriptorsAndEnvironment) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  auto ends = platform::MakeSocketPair();
  ASSERT_TRUE(ends.ok());
  SpawnOptions options = Shell("echo $WORD: $(readlink /proc/$$/fd/0) >&3");
  options.descriptors.push_back(ends->second.get());
  ChildProcess child;
  ASSERT_TRUE(child.Start(loop, options, [](int, int) {}).ok());
  ends->second.Reset();
  platform::Message message;
  ASSERT_EQ(platform::ReceiveMessage(ends->first.get(), true, &message), platform::Receive::kMessage);
  EXPECT_EQ(AsText(message.bytes), "from the test: /dev/null\n");
  EXPECT_EQ(platform::ReceiveMessage(ends->first.get(), true, &message), platform::Receive::kEnd);
  loop.Run();
}

TEST(ChildProcess, TellsWhyItCannotStart) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  SpawnOptions options = Shell("");
  options.program = "/nowhere/at/all";
  ChildProcess child;
  Status status = child.Start(loop, options, [](int, int) { FAIL(); });
  EXPECT_EQ(status.os_code(), ENOENT);
  EXPECT_EQ(child.pid(), 0);
  loop.Run();
}

TEST(ChildProcess, MayBeDestroyedInItsCallback) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  auto child = std::make_unique<ChildProcess>();
  ASSERT_TRUE(child->Start(loop, Shell("exit 0"), [&](int, int) { child.reset(); }).ok());
  loop.Run();
  EXPECT_FALSE(child);
}

TEST(SignalWatch, CallsBack) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  SignalWatch watch;
  int calls = 0;
  ASSERT_TRUE(watch
                  .Start(loop, SIGUSR1,
                         [&] {
                           calls++;
                           watch.Close();
                         })
                  .ok());
  raise(SIGUSR1);
  loop.Run();
  EXPECT_EQ(calls, 1);
}

TEST(Loop, IsClosedWithHandlesStillWaitingForTheirMemory) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  EXPECT_GE(loop.Descriptors()[0], 0);
  {
    SignalWatch watch;
    ASSERT_TRUE(watch.Start(loop, SIGUSR1, [] {}).ok());
  }
  loop.Close();
  EXPECT_FALSE(loop.open());
  loop.Close();
  for (int fd : loop.Descriptors()) EXPECT_EQ(fd, -1);
}

}  // namespace
}  // namespace mproc::loop
