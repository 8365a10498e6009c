// SPDX-License-Identifier: MIT
#include "shm/array.hh"

#include <gtest/gtest.h>

#include "unit/sync/peer.hh"

namespace mproc::shm {
namespace {

using namespace test;
using sync::Acquired;

const Deadline kNow = Deadline::After(0);
const Deadline kEver = Deadline::After(INT64_MAX);

std::shared_ptr<Array> Make(int32_t type, size_t count, ArrayLock lock = ArrayLock::kOwn,
                            std::shared_ptr<sync::Lock> given = nullptr) {
  return std::move(*Array::Create({type, SizeOfType(type), count}, lock, std::move(given)));
}

TEST(Array, KnowsTheTypes) {
  const std::pair<char, size_t> types[] = {{'c', 1},
                                           {'b', 1},
                                           {'B', 1},
                                           {'u', 4},
                                           {'h', 2},
                                           {'H', 2},
                                           {'i', 4},
                                           {'I', 4},
                                           {'l', sizeof(long)},
                                           {'L', sizeof(long)},
                                           {'q', 8},
                                           {'Q', 8},
                                           {'f', 4},
                                           {'d', 8}};
  for (auto [type, size] : types) {
    EXPECT_EQ(SizeOfType(type), size) << type;
    auto array = Make(type, 3);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(array->data()) % 64, 0U);
    for (size_t i = 0; i < 3 * size; i++) EXPECT_EQ(array->data()[i], std::byte{0});
  }
  EXPECT_EQ(SizeOfType('x'), 0U);
  EXPECT_EQ(Array::Create({'x', 4, 1}, ArrayLock::kNone, nullptr).status().code(),
            MPROC_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(Array::Create({'d', 4, 1}, ArrayLock::kNone, nullptr).status().code(),
            MPROC_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(Array::Create({'d', 8, 0}, ArrayLock::kNone, nullptr).status().code(),
            MPROC_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(Array::Create({0, 0, 1}, ArrayLock::kNone, nullptr).status().code(),
            MPROC_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(Array::Create({0, size_t{1} << 40, size_t{1} << 40}, ArrayLock::kNone, nullptr).status().code(),
            MPROC_ERROR_TOO_LARGE);
}

TEST(Array, IsTheSameElsewhere) {
  for (int32_t type : {'c', 'h', 'i', 'd'}) {
    auto array = Make(type, 1000);
    size_t size = array->shape().item_size;
    Peer other([&] {
      auto mine = Adopted(*array);
      EXPECT_EQ(mine->shape().type, type);
      EXPECT_EQ(mine->shape().count, 1000U);
      std::vector<std::byte> items(3 * size, std::byte{7});
      mine->Write(997, 3, items.data());
    });
    EXPECT_TRUE(other.EndsWell());
    std::vector<std::byte> items(4 * size);
    array->Read(996, 4, items.data());
    for (size_t i = 0; i < 4 * size; i++) EXPECT_EQ(items[i], i < size ? std::byte{0} : std::byte{7});
  }
}

TEST(Array, HasALockOfItsOwn) {
  auto array = Make('i', 1);
  auto peers = MakePeers(4, [&] {
    auto mine = Adopted(*array);
    for (int i = 0; i < 10'000; i++) {
      ASSERT_EQ(mine->lock().Acquire(mine->lock_options(), kEver), Acquired::kYes);
      int number;
      mine->Read(0, 1, &number);
      number++;
      mine->Write(0, 1, &number);
      mine->lock().Release(mine->lock_options());
    }
  });
  for (auto& peer : peers) EXPECT_TRUE(peer.EndsWell(100 * kSecond));
  EXPECT_EQ(*reinterpret_cast<int*>(array->data()), 40'000);
  EXPECT_EQ(array->lock().Acquire(array->lock_options(), kNow), Acquired::kYes);
  EXPECT_EQ(array->lock().Acquire(array->lock_options(), kNow), Acquired::kYes);  // it is a recursive one
}

TEST(Array, OutlivesWhoIsKilledWithItsLock) {
  auto array = Make('i', 1);
  Peer([&] {
    auto mine = Adopted(*array);
    EXPECT_EQ(mine->lock().Acquire(mine->lock_options(), kEver), Acquired::kYes);
    EXPECT_EQ(mine->lock().Acquire(mine->lock_options(), kEver), Acquired::kYes);
    kill(getpid(), SIGKILL);
  }).Join();
  EXPECT_EQ(array->lock().Acquire(array->lock_options(), kNow), Acquired::kOwnerDied);
  EXPECT_EQ(array->lock().Release(array->lock_options()), sync::Released::kYes);
  EXPECT_EQ(array->lock().Release(array->lock_options()), sync::Released::kWasFree);
}

TEST(Array, HasALockThatWasGiven) {
  auto lock = std::move(*sync::Lock::Create({}));
  auto array = Make('i', 1, ArrayLock::kGiven, lock);
  EXPECT_EQ(array->Descriptors().size(), 2U);
  EXPECT_EQ(lock->memory().Acquire({}, kNow), Acquired::kYes);
  Peer other([&] {
    auto mine = Adopted(*array);
    EXPECT_EQ(mine->lock_kind(), ArrayLock::kGiven);
    EXPECT_EQ(mine->lock().Acquire(mine->lock_options(), kNow), Acquired::kTimedOut);
  });
  EXPECT_TRUE(other.EndsWell());
  lock->memory().Release({});
  EXPECT_EQ(array->lock().Acquire(array->lock_options(), kNow), Acquired::kYes);
}

// A number is whole, whoever writes it without a lock.
TEST(Array, DoesNotTearNumbers) {
  auto array = Make('q', 64, ArrayLock::kNone);
  auto shared = MakeShared();
  Peer writer([&] {
    auto mine = Adopted(*array);
    for (int64_t i = 0; !shared->at[0]; i++) {
      int64_t number = i % 2 ? -1 : 0;
      mine->Write(static_cast<size_t>(i) % 64, 1, &number);
    }
  });
  for (int i = 0; i < 200'000; i++) {
    int64_t number;
    array->Read(static_cast<size_t>(i) % 64, 1, &number);
    ASSERT_TRUE(number == 0 || number == -1);
  }
  shared->at[0] = 1;
  EXPECT_TRUE(writer.EndsWell());
}

// What others write into the head is not believed.
TEST(Array, IsAsLargeAsItIs) {
  auto array = Make('i', 10);
  auto* words = reinterpret_cast<uint64_t*>(array->data() - 128);
  auto refused = [&] {
    object::ReceivedFds fds;
    fds.push_back(std::move(*platform::DuplicateFd(array->fd())));
    return Array::Adopt(std::move(fds)).status().code() == MPROC_ERROR_PROTOCOL;
  };
  EXPECT_FALSE(refused());
  ASSERT_EQ(words[2], 10U);  // the number of items
  for (uint64_t lie : {uint64_t{0}, uint64_t{1025}, uint64_t{1} << 62, UINT64_MAX}) {
    words[2] = lie;
    EXPECT_TRUE(refused()) << lie;
  }
  words[2] = 10;
  words[0] |= uint64_t{3} << 32;  // no kind of lock
  EXPECT_TRUE(refused());
  EXPECT_EQ(array->shape().count, 10U);
}

}  // namespace
}  // namespace mproc::shm
