// SPDX-License-Identifier: MIT
// Kills a process at each step of what it does with a queue, and looks whether the others go on, with every
// item but the one that the victim was at.
#include <cstring>
#include <string>

#include "queue/queue.hh"
#include "walk.hh"

namespace mproc::queue {
namespace {

using namespace test;

const Deadline kNow = Deadline::After(0);
const Deadline kEver = Deadline::After(INT64_MAX);

ByteView View(const std::string& text) { return AsBytes(text.data(), text.size()); }

Status Put(Queue& queue, const std::string& text, const Deadline& deadline = kEver) {
  return queue.Put(View(text), {}, deadline);
}
// "-" if there is none in time.
std::string Get(Queue& queue, const Deadline& deadline = kNow) {
  object::Message message;
  Status got = queue.Get(&message, deadline);
  if (!got.ok()) return got.code() == MPROC_ERROR_QUEUE_EMPTY ? "-" : got.message();
  return {reinterpret_cast<const char*>(message.bytes.data()), message.bytes.size()};
}

// Whole, in order, and usable.
void ExpectGoesOn(Queue& queue, std::vector<std::string> maybe) {
  ASSERT_TRUE(Put(queue, "last", Deadline::After(20 * kSecond)).ok());
  std::string text;
  for (size_t at = 0; (text = Get(queue, Deadline::After(20 * kSecond))) != "last"; at++) {
    while (at < maybe.size() && maybe[at] != text) maybe.erase(maybe.begin() + static_cast<ptrdiff_t>(at));
    ASSERT_LT(at, maybe.size()) << "unknown, or twice: " << text.substr(0, 20);
  }
  EXPECT_EQ(Get(queue), "-");
  auto counts = queue.Count();
  ASSERT_TRUE(counts.ok());
  EXPECT_EQ(counts->items, 0U);
  EXPECT_EQ(counts->memory, kSmallestRing);
}

TEST(Steps, OfPutting) {
  Walk walk;
  while (walk.Next()) {
    auto queue = std::move(*Queue::Create({}, false));
    ASSERT_TRUE(Put(*queue, "first").ok());
    walk.Start([&] {
      auto mine = Adopted(*queue);
      (void)Put(*mine, "a");
      (void)Put(*mine, "b");
    });
    walk.Join();
    EXPECT_EQ(Get(*queue), "first");
    ExpectGoesOn(*queue, {"a", "b"});
  }
  EXPECT_GE(walk.steps(), 20);
}

// What is too much for the ring, several times over.
TEST(Steps, OfGrowing) {
  Walk walk;
  std::string large(20'000, 'l'), larger(70'000, 'm');
  while (walk.Next()) {
    auto queue = std::move(*Queue::Create({}, false));
    ASSERT_TRUE(Put(*queue, "first").ok());
    walk.Start([&] {
      auto mine = Adopted(*queue);
      (void)Put(*mine, large);
      (void)Put(*mine, larger);
    });
    walk.Join();
    EXPECT_EQ(Get(*queue), "first");
    ExpectGoesOn(*queue, {large, larger});
  }
  EXPECT_GE(walk.steps(), 30);
}

// Each item that is gone went to somebody: at most one went to the dead.
TEST(Steps, OfTaking) {
  Walk walk;
  std::string large(50'000, 'l');
  while (walk.Next()) {
    auto queue = std::move(*Queue::Create({}, false));
    auto shared = MakeShared();
    ASSERT_TRUE(Put(*queue, "a").ok() && Put(*queue, large).ok() && Put(*queue, "c").ok());
    walk.Start([&] {
      auto mine = Adopted(*queue);
      for (int i = 0; i < 4; i++) shared->at[0] += Get(*mine) != "-";  // the last time the memory goes back
    });
    walk.Join();
    int64_t left = 0;
    while (Get(*queue) != "-") left++;
    EXPECT_GE(left + shared->at[0], 2);
    ExpectGoesOn(*queue, {});
  }
  EXPECT_GE(walk.steps(), 30);
}

// Those who sleep are woken though the one that should have done it is dead.
TEST(Steps, OfWaking) {
  Walk walk;
  while (walk.Next()) {
    auto queue = std::move(*Queue::Create({1, 0}, false));
    Peer taker([&] {
      auto mine = Adopted(*queue);
      std::string got = Get(*mine, kEver);
      EXPECT_TRUE(got == "a" || got == "b") << got;
    });
    EXPECT_TRUE(taker.Sleeps());
    walk.Start([&] { (void)Put(*Adopted(*queue), "a"); });
    walk.Join();
    (void)Put(*queue, "b", kNow);  // if that one died before it had put anything
    EXPECT_TRUE(taker.EndsWell());

    (void)Get(*queue);
    ASSERT_TRUE(Put(*queue, "full").ok());
    Peer putter([&] { EXPECT_TRUE(Put(*Adopted(*queue), "c").ok()); });
    EXPECT_TRUE(putter.Sleeps());
    Peer([&] { EXPECT_EQ(Get(*Adopted(*queue)), "full"); }).Join();
    EXPECT_TRUE(putter.EndsWell());
    EXPECT_EQ(Get(*queue), "c");
  }
  EXPECT_GE(walk.steps(), 10);
}

// Somebody arms a bell at any step of a ring that finds nobody asleep.
TEST(Steps, OfRingingForNobody) {
  for (int at = 0, steps = 1; at < steps; at++) {
    Bell bell{};
    bell.Arm();
    uint32_t armed = 0;
    steps = 0;
    g_at_step = [&] {
      if (steps++ == at) armed = bell.Arm();
    };
    bell.Ring(1);
    g_at_step = nullptr;
    ASSERT_GE(steps, 2);
    uint32_t word;
    static_assert(sizeof bell == sizeof word);
    std::memcpy(&word, &bell, sizeof word);
    EXPECT_EQ(word, armed) << "the ring took the bit of one that may be asleep by now, at step " << at;
  }
}

// One that is stopped in the middle of a call is told of as that, whatever signals come meanwhile.
TEST(Steps, OfReportingDoneWhileSignalsCome) {
  auto queue = std::move(*Queue::Create({}, false));
  ASSERT_TRUE(Put(*queue, "a").ok());
  Peer stopped([&] {
    auto mine = Adopted(*queue);
    g_at_step = [steps = 0]() mutable {
      if (++steps == 8) raise(SIGSTOP);
    };
    (void)Put(*mine, "b");
  });
  ASSERT_TRUE(Soon([&] { return StateOf(stopped.pid()) == 'T'; }));
  InterruptedOften often;
  EXPECT_EQ(queue->ReportDone().code(), MPROC_ERROR_BUSY);
  EXPECT_EQ(queue->Count().status().code(), MPROC_ERROR_BUSY);
  stopped.Kill();
  EXPECT_TRUE(queue->ReportDone().ok());
}

// Objects come with their own item, or not at all.
TEST(Steps, OfPuttingAndTakingObjects) {
  for (bool puts : {true, false}) {
    Walk walk;
    while (walk.Next()) {
      auto queue = std::move(*Queue::Create({}, true));
      auto lock = std::move(*sync::Lock::Create({}));
      auto put = [&](Queue& into, const std::string& text, size_t count) {
        std::vector<object::PassedObject> objects(count, object::Pass(lock));
        return into.Put(View(text), objects, kEver);
      };
      if (!puts) {
        ASSERT_TRUE(put(*queue, "x", 1).ok() && put(*queue, "y", 1).ok());
      }
      walk.Start([&] {
        auto mine = Adopted(*queue);
        if (puts) (void)put(*mine, "victim", 1);
        if (!puts) Get(*mine);
      });
      walk.Join();
      ASSERT_TRUE(put(*queue, "mine", 2).ok());
      for (;;) {
        object::Message message;
        Status got = queue->Get(&message, kNow);
        std::string text(reinterpret_cast<const char*>(message.bytes.data()), message.bytes.size());
        if (text == "x") {  // whose objects the victim had taken already, perhaps
          EXPECT_TRUE(got.ok() || got.code() == MPROC_ERROR_PROTOCOL) << got.message();
          continue;
        }
        ASSERT_TRUE(got.ok()) << got.message();
        ASSERT_EQ(message.objects.size(), text == "mine" ? 2U : 1U);
        for (auto& object : message.objects) EXPECT_TRUE(sync::Lock::Adopt(std::move(object.fds[0])).ok());
        if (text == "mine") break;
      }
      EXPECT_EQ(Get(*queue), "-");
    }
    EXPECT_GE(walk.steps(), puts ? 12 : 9);
  }
}

}  // namespace
}  // namespace mproc::queue
