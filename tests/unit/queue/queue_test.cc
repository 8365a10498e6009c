// SPDX-License-Identifier: MIT
// One process and its queue.
#include "queue/queue.hh"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <random>
#include <string>
#include <thread>

#include "unit/sync/peer.hh"

namespace mproc::queue {
namespace {

using namespace test;

const Deadline kNow = Deadline::After(0);

std::shared_ptr<Queue> Make(const Limits& limits = {}, bool objects = false) {
  return std::move(*Queue::Create(limits, objects));
}
int32_t Put(Queue& queue, const std::string& text, const Deadline& deadline = kNow) {
  return queue.Put(AsBytes(text.data(), text.size()), {}, deadline).code();
}
int32_t Get(Queue& queue, std::string* text, const Deadline& deadline = kNow) {
  object::Message message;
  Status got = queue.Get(&message, deadline);
  text->assign(reinterpret_cast<const char*>(message.bytes.data()), message.bytes.size());
  return got.code();
}
int64_t BytesOf(const Queue& queue) {
  struct stat info;
  return fstat(queue.fd(), &info) == 0 ? info.st_blocks * 512 : -1;
}
std::string Text(size_t size, size_t seed) {
  std::string text(size, '\0');
  std::mt19937_64 random(seed);
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST(Queue, GivesBackInOrder) {
  auto queue = Make();
  std::string text;
  EXPECT_EQ(Get(*queue, &text), MPROC_ERROR_QUEUE_EMPTY);
  for (int i = 0; i < 5000; i++) ASSERT_EQ(Put(*queue, std::to_string(i)), MPROC_OK);
  EXPECT_EQ(queue->Count()->items, 5000U);
  for (int i = 0; i < 5000; i++) {
    ASSERT_EQ(Get(*queue, &text), MPROC_OK);
    ASSERT_EQ(text, std::to_string(i));
  }
  EXPECT_EQ(Get(*queue, &text), MPROC_ERROR_QUEUE_EMPTY);
  EXPECT_EQ(Get(*queue, &text, Deadline::After(3 * kMs)), MPROC_ERROR_QUEUE_EMPTY);
}

TEST(Queue, CarriesEverySize) {
  auto queue = Make();
  std::string text;
  std::mt19937_64 random(7);
  std::vector<size_t> sizes{0, 1, 7, 8, 9, 4096, 16367, 16368, 16369, 65536, 3 << 20, 40 << 20};
  for (int i = 0; i < 300; i++) sizes.push_back(random() % 9000);
  size_t put = 0, got = 0;
  while (got < sizes.size()) {  // some lie there meanwhile, so that they go round the ring
    while (put < sizes.size() && put < got + 3) {
      ASSERT_EQ(Put(*queue, Text(sizes[put], put)), MPROC_OK);
      put++;
    }
    ASSERT_EQ(Get(*queue, &text), MPROC_OK);
    ASSERT_TRUE(text == Text(sizes[got], got)) << "item " << got;
    got++;
  }
}

// The items of a full ring, wrapped round at every place that there is, are the same ones in a larger ring.
TEST(Queue, GrowsWhereverItsItemsBegin) {
  for (size_t begin = 0; begin < 40'000; begin += 500) {
    auto queue = Make();
    std::string text;
    for (size_t at = 0; at < begin; at += 500) {  // one always stays, so that the next ones lie behind it
      ASSERT_EQ(Put(*queue, Text(484, 0)), MPROC_OK);
      if (at > 0) {
        ASSERT_EQ(Get(*queue, &text), MPROC_OK);
      }
    }
    ASSERT_EQ(Put(*queue, Text(300, 1)), MPROC_OK);
    if (begin > 0) {
      ASSERT_EQ(Get(*queue, &text), MPROC_OK);
    }
    const size_t small = 2 + begin / 500 % 14;
    for (size_t i = 2; i < 2 + small; i++) ASSERT_EQ(Put(*queue, Text(1000, i)), MPROC_OK);
    ASSERT_EQ(Put(*queue, Text(20'000 + begin, 40)), MPROC_OK);
    ASSERT_EQ(Put(*queue, Text(70'000, 41)), MPROC_OK);
    EXPECT_EQ(queue->Count()->items, small + 3);
    ASSERT_EQ(Get(*queue, &text), MPROC_OK);
    EXPECT_TRUE(text == Text(300, 1)) << begin;
    for (size_t i = 2; i < 2 + small; i++) {
      ASSERT_EQ(Get(*queue, &text), MPROC_OK);
      EXPECT_TRUE(text == Text(1000, i)) << begin << ", item " << i;
    }
    ASSERT_EQ(Get(*queue, &text), MPROC_OK);
    EXPECT_TRUE(text == Text(20'000 + begin, 40)) << begin;
    ASSERT_EQ(Get(*queue, &text), MPROC_OK);
    EXPECT_TRUE(text == Text(70'000, 41)) << begin;
  }
}

TEST(Queue, IsFullWithSoManyItems) {
  auto queue = Make({2, 0});
  std::string text;
  EXPECT_EQ(Put(*queue, "a"), MPROC_OK);
  EXPECT_EQ(Put(*queue, "b"), MPROC_OK);
  EXPECT_EQ(Put(*queue, "c"), MPROC_ERROR_QUEUE_FULL);
  EXPECT_EQ(Put(*queue, "c", Deadline::After(3 * kMs)), MPROC_ERROR_QUEUE_FULL);
  EXPECT_EQ(Get(*queue, &text), MPROC_OK);
  EXPECT_EQ(Put(*queue, "c"), MPROC_OK);
}

TEST(Queue, IsFullWithSoManyBytes) {
  auto queue = Make({0, 100});
  std::string text;
  EXPECT_EQ(Put(*queue, std::string(5000, 'x')), MPROC_OK);  // one always fits
  EXPECT_EQ(Put(*queue, ""), MPROC_ERROR_QUEUE_FULL);
  EXPECT_EQ(Get(*queue, &text), MPROC_OK);
  for (int i = 0; i < 4; i++) EXPECT_EQ(Put(*queue, "12345678"), MPROC_OK);  // 24 each
  EXPECT_EQ(queue->Count()->bytes, 96U);
  EXPECT_EQ(Put(*queue, "1"), MPROC_ERROR_QUEUE_FULL);
}

TEST(Queue, GivesItsMemoryBack) {
  auto queue = Make();
  int64_t before = BytesOf(*queue);
  EXPECT_LE(before, 32 << 10);
  std::string text, piece(100'000, 'p');
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 200; i++) ASSERT_EQ(Put(*queue, piece), MPROC_OK);
    EXPECT_GE(BytesOf(*queue), 20'000'000);
    EXPECT_LE(BytesOf(*queue), 21'000'000);  // each item once
    for (int i = 0; i < 200; i++) ASSERT_EQ(Get(*queue, &text), MPROC_OK);
    EXPECT_EQ(Get(*queue, &text), MPROC_ERROR_QUEUE_EMPTY);
    EXPECT_EQ(BytesOf(*queue), before);
  }
}

TEST(Queue, FillsABuffer) {
  auto queue = Make();
  char buffer[8];
  size_t size = 0;
  ASSERT_EQ(Put(*queue, "123456789"), MPROC_OK);
  EXPECT_EQ(queue->GetInto(buffer, sizeof buffer, &size, kNow).code(), MPROC_ERROR_BUFFER_TOO_SMALL);
  EXPECT_EQ(size, 9U);
  std::string text;
  EXPECT_EQ(Get(*queue, &text), MPROC_OK);
  EXPECT_EQ(text, "123456789");
  ASSERT_EQ(Put(*queue, "12345678"), MPROC_OK);
  EXPECT_EQ(queue->GetInto(buffer, sizeof buffer, &size, kNow).code(), MPROC_OK);
  EXPECT_EQ(std::string(buffer, size), "12345678");
}

TEST(Queue, KnowsWhatIsDone) {
  auto queue = Make();
  std::string text;
  EXPECT_TRUE(queue->WaitUntilDone(kNow).ok());
  EXPECT_EQ(queue->ReportDone().code(), MPROC_ERROR_RELEASED_TOO_OFTEN);
  ASSERT_EQ(Put(*queue, "a"), MPROC_OK);
  ASSERT_EQ(Put(*queue, "b"), MPROC_OK);
  ASSERT_EQ(Get(*queue, &text), MPROC_OK);
  EXPECT_TRUE(queue->ReportDone().ok());
  EXPECT_EQ(queue->WaitUntilDone(kNow).code(), MPROC_ERROR_TIMED_OUT);
  EXPECT_EQ(queue->WaitUntilDone(Deadline::After(3 * kMs)).code(), MPROC_ERROR_TIMED_OUT);
  EXPECT_TRUE(queue->ReportDone().ok());  // of one that nobody took: only the number counts
  EXPECT_TRUE(queue->WaitUntilDone(kNow).ok());
  EXPECT_EQ(queue->ReportDone().code(), MPROC_ERROR_RELEASED_TOO_OFTEN);
}

TEST(Queue, ClosesForThisHandle) {
  auto queue = Make();
  auto other = Adopted(*queue);
  std::thread waits([&] {
    std::string none;
    EXPECT_EQ(Get(*queue, &none, Deadline::After(INT64_MAX)), MPROC_ERROR_CLOSED);
  });
  queue->Close();
  waits.join();
  EXPECT_EQ(Put(*queue, "a"), MPROC_ERROR_CLOSED);
  EXPECT_EQ(Put(*other, "a"), MPROC_OK);
  std::string text;
  EXPECT_EQ(Get(*other, &text), MPROC_OK);
}

TEST(Queue, CarriesObjects) {
  auto queue = Make({}, true);
  auto lock = std::move(*sync::Lock::Create({}));
  std::vector<object::PassedObject> objects(64, object::Pass(lock));
  ASSERT_TRUE(queue->Put(AsBytes("with", 4), objects, kNow).ok());
  ASSERT_EQ(Put(*queue, "without"), MPROC_OK);
  char buffer[600];
  size_t size = 0;
  EXPECT_EQ(queue->GetInto(buffer, sizeof buffer, &size, kNow).code(), MPROC_ERROR_WRONG_KIND);
  object::Message message;
  ASSERT_TRUE(queue->Get(&message, kNow).ok());
  EXPECT_EQ(message.bytes.size(), 4U);
  ASSERT_EQ(message.objects.size(), 64U);
  auto its = std::move(*sync::Lock::Adopt(std::move(message.objects[63].fds[0])));
  EXPECT_EQ(its->memory().Acquire({}, kNow), sync::Acquired::kYes);
  EXPECT_EQ(lock->memory().Acquire({}, kNow), sync::Acquired::kTimedOut);  // it is the same one
  std::string text;
  EXPECT_EQ(Get(*queue, &text), MPROC_OK);
  EXPECT_EQ(text, "without");

  auto plain = Make();
  EXPECT_EQ(plain->Put(AsBytes("x", 1), objects, kNow).code(), MPROC_ERROR_UNSUPPORTED);
}

// So many objects that the system refuses more: told, and those that are there come out.
TEST(Queue, CanHaveTooManyObjects) {
  auto queue = Make({}, true);
  auto lock = std::move(*sync::Lock::Create({}));
  std::vector<object::PassedObject> objects{object::Pass(lock)};
  uint64_t put = 0;
  Status last;
  while (put < 100'000 && (last = queue->Put(AsBytes("x", 1), objects, kNow)).ok()) put++;
  EXPECT_EQ(last.code(), MPROC_ERROR_QUEUE_FULL) << last.message();
  EXPECT_GE(put, 50U);
  EXPECT_EQ(queue->Count()->items, put);
  for (uint64_t i = 0; i < put; i++) {
    object::Message message;
    ASSERT_TRUE(queue->Get(&message, kNow).ok());
    ASSERT_EQ(message.objects.size(), 1U);
  }
}

TEST(Queue, HasItsLimits) {
  auto queue = Make();
  char byte = 0;
  EXPECT_EQ(queue->Put({reinterpret_cast<std::byte*>(&byte), (size_t{1} << 40) + 1}, {}, kNow).code(),
            MPROC_ERROR_TOO_LARGE);
  EXPECT_EQ(queue->Count()->items, 0U);
}

// What is no queue.
TEST(Queue, IsNotMadeOfAnything) {
  object::ReceivedFds fds;
  fds.push_back(std::move(*platform::DuplicateFd(std::move(*sync::Lock::Create({}))->fd())));
  EXPECT_EQ(Queue::Adopt(std::move(fds)).status().code(), MPROC_ERROR_WRONG_KIND);
  fds.clear();
  fds.push_back(std::move(*platform::OpenNull()));
  EXPECT_EQ(Queue::Adopt(std::move(fds)).status().code(), MPROC_ERROR_PROTOCOL);
  auto queue = Make({}, true);
  fds.clear();
  fds.push_back(std::move(*platform::DuplicateFd(queue->fd())));
  EXPECT_EQ(Queue::Adopt(std::move(fds)).status().code(), MPROC_ERROR_PROTOCOL);  // without its socket
}

}  // namespace
}  // namespace mproc::queue
