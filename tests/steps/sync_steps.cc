// SPDX-License-Identifier: MIT
// Kills a process at each step of what it does with an object, and looks whether the others go on.
#include <gtest/gtest.h>

#include "sync/barrier.hh"
#include "sync/condition.hh"
#include "sync/event.hh"
#include "sync/lock.hh"
#include "sync/semaphore.hh"
#include "walk.hh"

namespace mproc::sync {
namespace {

using namespace test;

const Deadline kEver = Deadline::After(INT64_MAX);

Acquired Acquire(Lock& lock, const Deadline& deadline = kEver) {
  return lock.memory().Acquire(lock.options(), deadline);
}
Released Release(Lock& lock) { return lock.memory().Release(lock.options()); }

// The one that takes a lock, first or after others, dies; one more waits behind it.
void WalkOfALock(LockOptions options, int* steps) {
  Walk walk;
  while (walk.Next()) {
    auto lock = std::move(*Lock::Create(options));
    ASSERT_EQ(Acquire(*lock), Acquired::kYes);
    walk.Start([&] {
      auto mine = Adopted<Lock>(lock->fd());
      for (int i = 0; i < 2; i++) {
        Acquire(*mine);
        Release(*mine);
      }
    });
    ASSERT_TRUE(walk.IsStill());
    Peer behind([&] {
      auto mine = Adopted<Lock>(lock->fd());
      Acquired acquired = Acquire(*mine);
      EXPECT_TRUE(acquired == Acquired::kYes || acquired == Acquired::kOwnerDied);
      EXPECT_EQ(Release(*mine), Released::kYes);
    });
    EXPECT_TRUE(behind.Sleeps());
    ASSERT_EQ(Release(*lock), Released::kYes);
    const auto victim = static_cast<uint32_t>(walk.pid());
    walk.Join();
    // It has died before the other one had the lock, or behind it.
    if (options.robust) {
      EXPECT_TRUE(behind.EndsWell());
    } else {
      // The lock stays with the dead. Who it was is known, and anybody may release it.
      auto release = [&] {
        if (lock->memory().GetHolder().tid == victim) Release(*lock);
      };
      bool done = false;
      EXPECT_TRUE(Soon([&] {
        release();
        done = done || behind.EndsWell(0);
        return done;
      }));
      release();
    }
    Acquired last = Acquire(*lock, Deadline::After(0));
    EXPECT_TRUE(last == Acquired::kYes || (options.robust && last == Acquired::kOwnerDied));
  }
  *steps = walk.steps();
}

TEST(Steps, OfALock) {
  int steps = 0;
  WalkOfALock({}, &steps);
  EXPECT_GE(steps, 10);
}

TEST(Steps, OfARobustLock) {
  int steps = 0;
  WalkOfALock({.robust = true}, &steps);
  EXPECT_GE(steps, 10);
  WalkOfALock({.recursive = true, .robust = true}, &steps);
  EXPECT_GE(steps, 10);
}

TEST(Steps, OfTakingALockFromTheDead) {
  Walk walk;
  while (walk.Next()) {
    auto lock = std::move(*Lock::Create({.robust = true}));
    EXPECT_EQ(Peer([&] { Acquire(*Adopted<Lock>(lock->fd())); }).Join(), 0);
    walk.Start([&] { Acquire(*Adopted<Lock>(lock->fd())); });
    walk.Join();
    EXPECT_EQ(Acquire(*lock, Deadline::After(20 * kSecond)), Acquired::kOwnerDied);
  }
  EXPECT_GE(walk.steps(), 4);
}

TEST(Steps, OfASemaphore) {
  Walk walk;
  while (walk.Next()) {
    auto semaphore = std::move(*Semaphore::Create(0, 0));
    auto behind_it = [&] { EXPECT_EQ(Adopted<Semaphore>(semaphore->fd())->Acquire(kEver), Wait::kDone); };
    walk.Start([&] {
      auto mine = Adopted<Semaphore>(semaphore->fd());
      mine->Acquire(kEver);
      mine->Release(2);
    });
    ASSERT_TRUE(walk.IsStill());
    Peer first(behind_it), second(behind_it);
    EXPECT_TRUE(first.Sleeps() && second.Sleeps());
    EXPECT_TRUE(semaphore->Release(1));
    walk.Join();
    // What it took and did not give back is gone with it; it is given anew until both are through.
    bool first_done = false, second_done = false;
    EXPECT_TRUE(Soon([&] {
      if (semaphore->Value() == 0) semaphore->Release(1);
      first_done = first_done || first.EndsWell(0);
      second_done = second_done || second.EndsWell(0);
      return first_done && second_done;
    }));
  }
  EXPECT_GE(walk.steps(), 3);
}

TEST(Steps, OfAnEvent) {
  Walk walk;
  while (walk.Next()) {
    auto event = std::move(*Event::Create());
    Peer waiter([&] { EXPECT_EQ(Adopted<Event>(event->fd())->WaitUntilSet(kEver), Wait::kDone); });
    EXPECT_TRUE(waiter.Sleeps());
    walk.Start([&] {
      auto mine = Adopted<Event>(event->fd());
      mine->WaitUntilSet(Deadline::After(1));
      mine->Set();
      mine->Clear();
    });
    walk.Join();
    if (walk.steps() == 0) event->Set();  // it died before it could
    EXPECT_TRUE(waiter.EndsWell());
  }
  EXPECT_GE(walk.steps(), 3);
}

// The lock of these conditions is a robust one: the other kinds stay with the dead, as a lock does.
struct Meeting {
  std::shared_ptr<Lock> lock = std::move(*Lock::Create({.robust = true}));
  std::shared_ptr<Condition> condition = std::move(*Condition::Create(lock));

  // The same in another process.
  Meeting There() const {
    auto its_lock = Adopted<Lock>(lock->fd());
    return {its_lock, Adopted<Condition>(condition->fd(), its_lock)};
  }
  void Wait() const {
    Acquire(*lock);
    condition->WaitForNotify(kEver);
    Release(*lock);
  }
  void Notify(uint32_t count) const {
    Acquired acquired = Acquire(*lock);
    EXPECT_TRUE(acquired == Acquired::kYes || acquired == Acquired::kOwnerDied);
    EXPECT_TRUE(condition->Notify(count));
    EXPECT_EQ(Release(*lock), Released::kYes);
  }
};

TEST(Steps, OfNotifying) {
  Walk walk;
  while (walk.Next()) {
    Meeting meeting;
    Peer waiter([&] { meeting.There().Wait(); });
    EXPECT_TRUE(waiter.Sleeps());
    walk.Start([&] { meeting.There().Notify(1); });
    walk.Join();
    meeting.Notify(Condition::kMostWaiting);
    EXPECT_TRUE(waiter.EndsWell());
  }
  EXPECT_GE(walk.steps(), 6);
}

TEST(Steps, OfWaitingForANotification) {
  Walk walk;
  while (walk.Next()) {
    Meeting meeting;
    walk.Start([&] { meeting.There().Wait(); });
    while (walk.Lives()) {
      meeting.Notify(1);
      usleep(100);
    }
    walk.Join();
    Peer waiter([&] { meeting.There().Wait(); });
    EXPECT_TRUE(waiter.Sleeps());
    bool done = false;
    EXPECT_TRUE(Soon([&] {
      meeting.Notify(1);  // the dead one takes none of them for good
      done = done || waiter.EndsWell(0);
      return done;
    }));
  }
  EXPECT_GE(walk.steps(), 10);
}

void WalkOfABarrier(const std::function<bool()>& action, bool comes_last, int* steps) {
  Walk walk;
  while (walk.Next()) {
    auto barrier = std::move(*Barrier::Create(2));
    auto meet = [&] {
      uint32_t index = 0;
      return Adopted<Barrier>(barrier->fd())->Meet(kEver, action, &index);
    };
    auto other = [&] {
      Met met = meet();
      EXPECT_TRUE(met == Met::kAll || met == Met::kBroken);
    };
    std::optional<Peer> waiter;
    if (comes_last) {
      waiter.emplace(other);
      EXPECT_TRUE(Soon([&] { return barrier->CountWaiting() == 1; }));
    }
    walk.Start([&] { meet(); });
    if (!comes_last) {
      EXPECT_TRUE(walk.IsStill());
      waiter.emplace(other);
    }
    walk.Join();
    // It waits for one more if that one died before it had come; whoever looks after the barrier resets it.
    bool done = waiter->EndsWell(4 * kSlice);
    if (!done) barrier->Reset();
    EXPECT_TRUE(done || waiter->EndsWell());
    barrier->Reset();
    Peer next([&] { EXPECT_EQ(meet(), Met::kAll); });
    EXPECT_EQ(meet(), Met::kAll);
    EXPECT_TRUE(next.EndsWell());
  }
  *steps = walk.steps();
}

TEST(Steps, OfABarrier) {
  int steps = 0;
  WalkOfABarrier({}, true, &steps);
  EXPECT_GE(steps, 2);
  WalkOfABarrier({}, false, &steps);
  EXPECT_GE(steps, 1);
}

TEST(Steps, OfABarrierWithAnAction) {
  int steps = 0;
  WalkOfABarrier([] { return true; }, true, &steps);
  EXPECT_GE(steps, 5);
  WalkOfABarrier([] { return true; }, false, &steps);
  EXPECT_GE(steps, 1);
}

}  // namespace
}  // namespace mproc::sync
