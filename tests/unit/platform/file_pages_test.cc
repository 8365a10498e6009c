// SPDX-License-Identifier: MIT
#include "platform/file_pages.hh"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/file_region.hh"
#include "platform/segment_file.hh"

namespace {

int g_patience = -1;  // of one who is interrupted all the time; negative: nobody is

bool HoldsSignalsBack() {
  sigset_t blocked;
  return pthread_sigmask(SIG_SETMASK, nullptr, &blocked) == 0 && sigismember(&blocked, SIGPROF) == 1;
}

// As older kernels do it: a signal in the middle undoes all, and one comes every few MiB.
int Fallocate(int fd, int mode, off_t offset, off_t size) {
  if (g_patience >= 0 && size > (off_t{1} << 20) && (!HoldsSignalsBack() || size > (off_t{32} << 20))) {
    errno = g_patience-- > 0 ? EINTR : EIO;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fallocate, fd, mode, offset, size));
}

}  // namespace

extern "C" int fallocate(int fd, int mode, off_t offset, off_t size) {
  return Fallocate(fd, mode, offset, size);
}

namespace mproc::platform {
namespace {

TEST(FilePages, AreTakenWhateverSignalsCome) {
  constexpr size_t kSize = (size_t{50} << 20) + 4096;
  auto memory = SharedMemory::CreateSparse("test", 4096, kSize + 4096);
  ASSERT_TRUE(memory.ok());
  g_patience = 100;
  Status taken = ReserveRegion(memory->fd(), 4096, kSize);
  g_patience = -1;
  EXPECT_TRUE(taken.ok()) << taken.message();
  EXPECT_EQ(PagesSize(memory->fd()), kSize + 4096);
  EXPECT_FALSE(HoldsSignalsBack());
}

// The system would send SIGXFSZ.
TEST(FilePages, AreRefusedBeyondTheLimitOfFiles) {
  pid_t child = fork();
  if (child == 0) {
    rlimit limit{1 << 20, 1 << 20};
    setrlimit(RLIMIT_FSIZE, &limit);
    auto code = [](const auto& result) { return result.ok() ? 0 : result.status().os_code(); };
    bool good =
        code(SharedMemory::Create("test", 2 << 20, SharedMemory::Peer::kWrites)) == EFBIG &&
        code(SharedMemory::Create("test", 2 << 20, SharedMemory::Peer::kWrites, Pages::kLater)) == EFBIG &&
        code(SharedMemory::CreateSparse("test", 2 << 20, 4 << 20)) == EFBIG &&
        code(CreateSegmentFile("", 2 << 20, Pages::kReserved)) == EFBIG &&
        SharedMemory::Create("test", 1 << 20, SharedMemory::Peer::kWrites).ok() &&
        SharedMemory::CreateSparse("test", 4096, 4 << 20).ok();
    _exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace mproc::platform
