// SPDX-License-Identifier: MIT
// Kills a process at each step of making, attaching, unlinking and sweeping segments, and looks whether the
// others go on and nothing is left.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "platform/segment_file.hh"
#include "walk.hh"

namespace mproc::platform {
namespace {

using namespace test;

// As root, these tests are a user of their own: sweeps of others would take steps away from a victim.
class OwnUser : public ::testing::Environment {
 public:
  void SetUp() override { alone = seteuid(static_cast<uid_t>(100'000 + getpid() % 100'000)) == 0; }
  void TearDown() override {
    if (!alone || seteuid(0) != 0) return;
    prctl(PR_SET_DUMPABLE, 1);  // or no sanitizer may look at this process in the end
  }
  bool alone = false;
};
const auto* const kUser = static_cast<OwnUser*>(::testing::AddGlobalTestEnvironment(new OwnUser));

const std::string kName = "mproc-steps-" + std::to_string(getpid());

bool IsThere(const std::string& name) {
  struct stat info;
  return stat(("/dev/shm/" + name).c_str(), &info) == 0;
}

Result<SegmentFile> Create() { return CreateSegmentFile(kName, 100, Pages::kReserved); }

// Sweeps, and sees that nothing of the victim is left.
void ExpectNothingLeft() {
  SweepSegmentFiles();
  EXPECT_FALSE(IsThere(kName));
  auto again = Create();
  ASSERT_TRUE(again.ok()) << again.status().message();
  auto other = AttachSegmentFile(kName);
  ASSERT_TRUE(other.ok()) << other.status().message();
  EXPECT_EQ(other->size, 100U);
  EXPECT_TRUE(UnlinkSegmentFile(*other).ok());
}

TEST(Steps, OfMakingAndUnlinkingASegment) {
  Walk walk;
  while (walk.Next()) {
    walk.Start([&] {
      auto made = Create();
      if (made.ok()) (void)UnlinkSegmentFile(*made);
    });
    walk.Join();
    ExpectNothingLeft();
  }
  EXPECT_GE(walk.steps(), 7);
}

// One that sweeps has a file locked for a moment; who wants to attach waits for that.
TEST(Steps, OfAttachingWhatIsLooked) {
  auto made = Create();
  ASSERT_TRUE(made.ok());
  int sweeper = open(("/dev/shm/" + kName).c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(flock(made->fd.get(), LOCK_UN), 0);
  ASSERT_EQ(flock(sweeper, LOCK_EX), 0);
  Peer other([] { EXPECT_TRUE(AttachSegmentFile(kName).ok()); });
  EXPECT_TRUE(other.Sleeps());
  ASSERT_EQ(flock(made->fd.get(), LOCK_SH | LOCK_NB), -1);
  ASSERT_EQ(flock(sweeper, LOCK_SH), 0);
  EXPECT_TRUE(other.EndsWell());
  EXPECT_TRUE(UnlinkSegmentFile(*made).ok());
  close(sweeper);
}

// The sweeper dies; the next one does its work, and takes nothing away that is in use.
TEST(Steps, OfSweepingSegments) {
  Walk walk;
  auto used = CreateSegmentFile(kName + "-used", 100, Pages::kLater);
  ASSERT_TRUE(used.ok());
  while (walk.Next()) {
    Peer([] {
      auto left = Create();
      _exit(left.ok() ? 0 : 1);
    }).EndsWell();
    walk.Start([&] { SweepSegmentFiles(); });
    walk.Join();
    ExpectNothingLeft();
    EXPECT_TRUE(IsThere(used->name));
  }
  EXPECT_GE(walk.steps(), kUser->alone ? 1 : 0);
  EXPECT_TRUE(UnlinkSegmentFile(*used).ok());
}

// The same of one that wants the name itself.
TEST(Steps, OfAttachingALeftover) {
  Walk walk;
  while (walk.Next()) {
    Peer([] {
      auto left = Create();
      _exit(left.ok() ? 0 : 1);
    }).EndsWell();
    walk.Start([&] {
      if (AttachSegmentFile(kName).status().code() != MPROC_ERROR_NOT_FOUND) _exit(1);
    });
    walk.Join();
    ExpectNothingLeft();
  }
  EXPECT_GE(walk.steps(), kUser->alone ? 2 : 0);
}

// A victim that has attached holds the segment as long as it lives, and no longer.
TEST(Steps, OfUsingASegment) {
  auto left = std::make_optional(Create());
  ASSERT_TRUE(left->ok());
  auto shared = MakeShared();
  Peer user([&] {
    auto mine = AttachSegmentFile(kName);
    shared->at[0] = mine.ok();
    pause();
  });
  ASSERT_TRUE(Soon([&] { return shared->at[0] == 1; }));
  left.reset();
  SweepSegmentFiles();
  EXPECT_TRUE(IsThere(kName));
  user.Kill();
  SweepSegmentFiles();
  EXPECT_FALSE(IsThere(kName));
}

}  // namespace
}  // namespace mproc::platform
