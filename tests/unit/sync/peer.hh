// SPDX-License-Identifier: MIT
// Other processes that have an object of a test: forked children, which adopt its descriptor as any process
// does that it was passed to.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

#include <atomic>
#include <memory>
#include <new>

#include "object/object.hh"
#include "support/processes.hh"

namespace mproc::test {

inline constexpr int64_t kSecond = 1000 * kMs;

// The object in this process, by its descriptor.
template <typename T, typename... More>
std::shared_ptr<T> Adopted(int fd, More... more) {
  auto object = T::Adopt(std::move(*platform::DuplicateFd(fd)), more...);
  if (!object.ok()) {
    fprintf(stderr, "adopting: %s\n", object.status().message().c_str());
    abort();
  }
  return std::move(*object);
}

// The same of an object with several descriptors.
template <typename T>
std::shared_ptr<T> Adopted(const T& object) {
  object::ReceivedFds fds;
  for (int fd : object.Descriptors()) fds.push_back(std::move(*platform::DuplicateFd(fd)));
  auto adopted = T::Adopt(std::move(fds));
  if (!adopted.ok()) {
    fprintf(stderr, "adopting: %s\n", adopted.status().message().c_str());
    abort();
  }
  return std::move(*adopted);
}

// Numbers that a test and its children have in common.
struct Shared {
  std::atomic<int64_t> at[16]{};
  std::atomic<int64_t>& operator[](size_t i) { return at[i]; }
};
inline std::shared_ptr<Shared> MakeShared() {
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return {new (memory) Shared, [](Shared* shared) { munmap(shared, sizeof *shared); }};
}

// A forked child that runs `body` and ends. Killed and waited for, at the latest with this.
class Peer {
 public:
  explicit Peer(const std::function<void()>& body) {
    fflush(nullptr);
    pid_ = fork();
    if (pid_ != 0) return;
    body();
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  Peer(Peer&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  ~Peer() { Kill(); }

  pid_t pid() const { return pid_; }
  void Kill() {
    if (pid_ > 0) kill(pid_, SIGKILL);
    Join();
  }
  // The exit status, as waitpid gives it.
  int Join() {
    if (pid_ > 0) waitpid(pid_, &status_, 0);
    pid_ = 0;
    return status_;
  }
  // True if it comes to a normal end soon.
  bool EndsWell(int64_t limit = 20 * kSecond) {
    if (!Soon([&] { return waitpid(pid_, &status_, WNOHANG) != 0; }, limit)) return false;
    pid_ = 0;
    return WIFEXITED(status_) && WEXITSTATUS(status_) == 0;
  }
  // True as soon as it is asleep in the system.
  bool Sleeps() const {
    return Soon([&] { return StateOf(pid_) == 'S'; });
  }

 private:
  pid_t pid_ = 0;
  int status_ = 0;
};

// So many of them. None is made while the list grows: what is in between would count as lost in the child.
inline std::vector<Peer> MakePeers(int count, const std::function<void()>& body) {
  std::vector<Peer> peers;
  peers.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; i++) peers.emplace_back(body);
  return peers;
}

// While it lives, a signal is handled every 5 ms, and no call of the system is begun again.
class InterruptedOften {
 public:
  InterruptedOften() {
    struct sigaction handled {};
    handled.sa_handler = [](int) {};
    sigaction(SIGALRM, &handled, &before_);
    itimerval often{{0, 5000}, {0, 5000}};
    setitimer(ITIMER_REAL, &often, nullptr);
  }
  ~InterruptedOften() {
    itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
    signal(SIGALRM, SIG_IGN);  // of one that is still on its way
    sigaction(SIGALRM, &before_, nullptr);
  }

 private:
  struct sigaction before_ {};
};

}  // namespace mproc::test
