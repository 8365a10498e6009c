// SPDX-License-Identifier: MIT
// A walk through the fault points of what a process does: it is killed at each of them in turn.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "base/step.hh"
#include "unit/sync/peer.hh"

namespace mproc::test {

inline int g_steps_to_live = -1;         // of this process; negative: it is not one to be killed
inline std::function<void()> g_at_step;  // instead, what another one does between this one's steps

// for (Walk walk; walk.Next();) { ... walk.Start(...) ... walk.Join() ... }: the victim dies one step later
// each time, until it lives through.
class Walk {
 public:
  bool Next() {
    if (through_ || ::testing::Test::HasFailure()) return false;
    steps_++;
    return true;
  }
  void Start(const std::function<void()>& body) {
    victim_.emplace([&] {
      g_steps_to_live = steps_;
      body();
      _exit(kThrough);
    });
  }
  // True while it may be at work, or asleep.
  bool Lives() { return StateOf(victim_->pid()) != 'Z'; }
  // True once it has died, has got through, or is asleep.
  bool IsStill() {
    return Soon([&] {
      char state = StateOf(victim_->pid());
      return state == 'S' || state == 'Z';
    });
  }
  pid_t pid() const { return victim_->pid(); }
  void Join() {
    int status = victim_->Join();
    through_ = WIFEXITED(status) && WEXITSTATUS(status) == kThrough;
    EXPECT_TRUE(through_ || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)) << "at step " << steps_;
  }
  // How many steps there were; fewer than thought if a fault point was lost.
  int steps() const { return steps_; }

 private:
  static constexpr int kThrough = 42;
  std::optional<Peer> victim_;
  bool through_ = false;
  int steps_ = -1;
};

}  // namespace mproc::test

void mproc::Step(const char*, int) {
  if (test::g_at_step) test::g_at_step();
  if (test::g_steps_to_live < 0 || test::g_steps_to_live-- > 0) return;
  kill(getpid(), SIGKILL);
  pause();
}
