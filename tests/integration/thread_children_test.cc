// SPDX-License-Identifier: MIT
// Children that are threads of the host: what is told of one that cannot be made.
#include "runtime/thread_children.hh"

#include <gtest/gtest.h>
#include <sched.h>

#include "support/host.hh"
#include "support/seccomp.hh"

namespace mproc::test {
namespace {

constexpr int64_t kLong = 30000 * kMs;

TEST(ThreadChildren, AThreadThatCannotBeMadeIsTold) {
  InChild(
      [] {
        g_look_for_leaks = false;
        auto watcher = std::make_shared<Watcher>();
        auto runtime = runtime::Runtime::AcquireEngine();
        ASSERT_TRUE(runtime.ok());
        auto sockets = platform::MakeSocketPair();
        ASSERT_TRUE(sockets.ok());
        runtime::StartRequest request;
        request.channel_fd = sockets->second.get();
        request.body = [](int) { return 5; };
        auto child = (*runtime)->threads().Start(request, watcher);
        ASSERT_TRUE(child.ok());
        EXPECT_TRUE(watcher->WaitEnded(*child));
        EXPECT_EQ(watcher->Of(*child).exit.code, 5);
        if (!Deny({{kClone3, ENOSYS}, {SYS_clone, EAGAIN, 0, CLONE_THREAD, CLONE_THREAD}})) {
          GTEST_SKIP() << "no seccomp filters here";
        }
        for (int i = 0; i < 3; i++) {
          EXPECT_EQ((*runtime)->threads().Start(request, watcher).status().os_code(), EAGAIN);
        }
        EXPECT_TRUE(runtime::Runtime::Finish(kLong).ok());
        EXPECT_EQ(watcher->Of(*child).ends, 1);
        EXPECT_EQ(watcher->Of(*child + 1).ends, 0);
      },
      20);
}

}  // namespace
}  // namespace mproc::test
