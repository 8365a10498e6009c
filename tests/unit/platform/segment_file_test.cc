// SPDX-License-Identifier: MIT
#include "platform/segment_file.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

namespace mproc::platform {
namespace {

constexpr int kRounds = 2000;

std::string NameFor(const char* test) { return "mproc-test-" + std::to_string(getpid()) + "-" + test; }

auto Create(const std::string& name) { return CreateSegmentFile(name, 1, Pages::kReserved); }

// As a process leaves it that is killed.
void LeaveBehind(const std::string& name) {
  auto file = Create(name);
  ASSERT_TRUE(file.ok()) << file.status().message();
}

// A sweeper that comes by at any moment: it has the file locked, has taken away one name of it, or both.
TEST(SegmentFile, TakesANameThatIsBeingSwept) {
  const std::string name = NameFor("swept");
  std::atomic<bool> done{false};
  std::thread sweeper([&done] {
    while (!done.load()) SweepSegmentFiles();
  });
  for (int i = 0; i < kRounds && !HasFailure(); i++) LeaveBehind(name);
  done.store(true);
  sweeper.join();
  SweepSegmentFiles();
  EXPECT_EQ(AttachSegmentFile(name).status().code(), MPROC_ERROR_NOT_FOUND);
}

// One that nobody uses, with both its names, locked as by a sweeper. Other programs' come by, too: again
// then.
UniqueFd SweepHalf(const std::string& name) {
  for (int i = 0; i < kRounds && !testing::Test::HasFailure(); i++) {
    LeaveBehind(name);
    UniqueFd fd(open(("/dev/shm/" + name).c_str(), O_RDWR | O_CLOEXEC));
    struct stat info;
    if (fd.valid() && flock(fd.get(), LOCK_EX | LOCK_NB) == 0 && fstat(fd.get(), &info) == 0 &&
        info.st_nlink == 2) {
      return fd;
    }
  }
  return UniqueFd();
}

TEST(SegmentFile, IsBusyWhileASweeperStops) {
  const std::string name = NameFor("stopped");
  UniqueFd sweepers = SweepHalf(name);
  ASSERT_TRUE(sweepers.valid());
  EXPECT_EQ(Create(name).status().code(), MPROC_ERROR_BUSY);
  EXPECT_EQ(AttachSegmentFile(name).status().code(), MPROC_ERROR_NOT_FOUND);
  sweepers.Reset();
  auto file = Create(name);
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_TRUE(UnlinkSegmentFile(*file).ok());
}

TEST(SegmentFile, ExistsWhileItHasAUser) {
  const std::string name = NameFor("used");
  auto file = Create(name);
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(Create(name).status().code(), MPROC_ERROR_EXISTS);
  SweepSegmentFiles();
  EXPECT_EQ(Create(name).status().code(), MPROC_ERROR_EXISTS);
  EXPECT_TRUE(UnlinkSegmentFile(*file).ok());
}

}  // namespace
}  // namespace mproc::platform
