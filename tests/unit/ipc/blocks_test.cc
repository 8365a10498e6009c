// SPDX-License-Identifier: MIT
#include "ipc/blocks.hh"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <deque>
#include <random>
#include <set>

namespace mproc::ipc {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

platform::UniqueFd File(size_t size, int seals) {
  platform::UniqueFd fd(memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_EQ(ftruncate(fd.get(), static_cast<off_t>(size)), 0);
  EXPECT_EQ(fcntl(fd.get(), F_ADD_SEALS, seals), 0);
  return fd;
}

class Blocks : public ::testing::Test {
 protected:
  void SetUp() override {
    auto ends = platform::MakeSocketPair();
    ASSERT_TRUE(ends.ok());
    near = std::move(ends->first);
    far = std::move(ends->second);
  }

  Placement Put(uint64_t position, size_t size, std::byte fill) {
    auto place = writer.Allocate(near.get(), position, size);
    EXPECT_TRUE(place.ok()) << place.status().message();
    if (!place.ok()) return {};
    std::memset(place->data, static_cast<int>(fill), size);
    return *place;
  }
  int Pump() {
    platform::Message message;
    int count = 0;
    while (platform::ReceiveMessage(far.get(), false, &message) == platform::Receive::kMessage) {
      auto head = HeadOf(message);
      EXPECT_TRUE(head);
      if (!head) break;
      last_type = static_cast<MessageType>(head->type);
      EXPECT_TRUE(reader.Take(*head, &message).ok());
      count++;
    }
    return count;
  }
  bool Holds(const Placement& place, size_t size, std::byte fill) {
    const std::byte* at = reader.Find(place.block, place.offset, size);
    for (size_t i = 0; at && i < size; i++) {
      if (at[i] != fill) return false;
    }
    return at != nullptr;
  }
  // Gives the reader a message with these descriptors.
  Status Give(MessageHead head, std::vector<platform::UniqueFd> fds, bool lost = false) {
    platform::Message message;
    message.fds = std::move(fds);
    message.fds_lost = lost;
    return reader.Take(head, &message);
  }
  Status GiveOne(uint32_t number, uint64_t size, platform::UniqueFd fd) {
    std::vector<platform::UniqueFd> fds;
    fds.push_back(std::move(fd));
    return Give({static_cast<uint32_t>(MessageType::kBlock), number, size}, std::move(fds));
  }

  platform::UniqueFd near, far;
  BlockWriter writer{"test-blocks", false};
  BlockReader reader{true};
  MessageType last_type{};
};

TEST_F(Blocks, SmallOnesShareOneMemory) {
  Placement first = Put(0, 100, std::byte{1});
  Placement second = Put(1, 64000, std::byte{2});
  EXPECT_EQ(first.block, second.block);
  EXPECT_NE(first.offset, second.offset);
  EXPECT_EQ(Pump(), 1);
  EXPECT_TRUE(Holds(first, 100, std::byte{1}));
  EXPECT_TRUE(Holds(second, 64000, std::byte{2}));
}

TEST_F(Blocks, LargeOnesHaveTheirOwn) {
  Placement first = Put(0, 100000, std::byte{1});
  Placement second = Put(1, 5000000, std::byte{2});
  EXPECT_NE(first.block, second.block);
  EXPECT_EQ(Pump(), 2);
  EXPECT_TRUE(Holds(first, 100000, std::byte{1}));
  EXPECT_TRUE(Holds(second, 5000000, std::byte{2}));
}

TEST_F(Blocks, TheSharedMemoryIsUsedRoundAndRound) {
  std::deque<std::pair<uint64_t, Placement>> out;
  std::set<uint32_t> blocks;
  for (uint64_t position = 0; position < 3000; position++) {
    out.emplace_back(position, Put(position, 10000, static_cast<std::byte>(position)));
    blocks.insert(out.back().second.block);
    Pump();
    for (auto& [at, place] : out) ASSERT_TRUE(Holds(place, 10000, static_cast<std::byte>(at)));
    if (out.size() > 20) {
      out.pop_front();
      writer.Release(near.get(), out.front().first);
    }
  }
  EXPECT_EQ(blocks.size(), 1U);
}

TEST_F(Blocks, WhenItIsFullOthersAreMade) {
  std::set<uint32_t> blocks;
  for (uint64_t position = 0; position < 30; position++)
    blocks.insert(Put(position, 60000, std::byte{3}).block);
  EXPECT_GT(blocks.size(), 2U);
  Pump();
  writer.Release(near.get(), 30);
  Placement place = Put(30, 60000, std::byte{4});
  EXPECT_EQ(place.offset, 0U);
  EXPECT_EQ(place.block, *blocks.begin());
}

TEST_F(Blocks, TheLastLargeOneIsKeptForTheNext) {
  Placement first = Put(0, 300000, std::byte{1});
  EXPECT_EQ(Pump(), 1);
  writer.Release(near.get(), 1);
  Placement second = Put(1, 290000, std::byte{2});
  EXPECT_EQ(second.block, first.block);
  EXPECT_EQ(Pump(), 0);
  EXPECT_TRUE(Holds(second, 290000, std::byte{2}));
  writer.Release(near.get(), 2);
  // But not for one of quite another size.
  Placement third = Put(2, 70000, std::byte{3});
  Placement fourth = Put(3, 400000, std::byte{4});
  EXPECT_NE(fourth.block, first.block);
  Pump();
  EXPECT_TRUE(Holds(third, 70000, std::byte{3}));
}

TEST_F(Blocks, UndoTakesTheLastBack) {
  Placement first = Put(0, 1000, std::byte{1});
  Put(1, 2000, std::byte{2});
  writer.Undo(near.get());
  Put(1, 500000, std::byte{3});
  writer.Undo(near.get());
  Placement second = Put(1, 500000, std::byte{4});
  writer.Release(near.get(), 1);
  Pump();
  EXPECT_TRUE(Holds(second, 500000, std::byte{4}));
  writer.Release(near.get(), 2);
  Put(2, 1000, std::byte{5});
  writer.Undo(near.get());
  EXPECT_EQ(Put(2, 1000, std::byte{6}).offset, 0U);
  EXPECT_TRUE(first.block);
}

TEST_F(Blocks, NoBlockIsForgotten) {
  for (uint64_t i = 0; i < 3000; i++) {
    Put(i, 100000, std::byte{1});
    writer.Undo(near.get());
    Placement place = Put(i, 100000 + (i % 20) * 300000, std::byte{2});
    Pump();
    ASSERT_TRUE(Holds(place, 100000, std::byte{2}));
    writer.Release(near.get(), i + 1);
  }
}

TEST_F(Blocks, AreUsedAgain) {
  std::set<uint32_t> blocks;
  for (uint64_t i = 0; i < 400; i++) {
    blocks.insert(Put(i, 100000 + i % 7, std::byte{1}).block);
    if (i >= 4) writer.Release(near.get(), i - 3);  // four at a time
  }
  EXPECT_LE(blocks.size(), 5U);
}

TEST_F(Blocks, WhatTheReaderLostIsNotUsedAgain) {
  Placement arena = Put(0, 1000, std::byte{1}), held = Put(1, 200000, std::byte{2});
  Placement done = Put(0, 300000, std::byte{3});
  writer.Release(near.get(), 1);
  writer.NoteLost(near.get(), 1);
  writer.NoteLost(near.get(), 1);  // nothing new
  std::set<uint32_t> old{arena.block, held.block, done.block};
  Placement small = Put(2, 1000, std::byte{4}), large = Put(3, 300000, std::byte{5});
  EXPECT_FALSE(old.contains(small.block));
  EXPECT_FALSE(old.contains(large.block));
  writer.Release(near.get(), 4);
  EXPECT_EQ(Put(4, 1000, std::byte{6}).block, small.block);
  EXPECT_NE(Put(5, 200000, std::byte{7}).block, held.block);
  Pump();
  EXPECT_FALSE(reader.Knows(done.block));
  EXPECT_FALSE(reader.Knows(held.block));
}

TEST_F(Blocks, ALostOneIsRemembered) {
  MessageHead head{static_cast<uint32_t>(MessageType::kBlock), 6, 4096};
  EXPECT_FALSE(Give(head, {}, true).ok());
  EXPECT_TRUE(reader.Lost(6));
  // No place to map it.
  const uint64_t beyond = uint64_t{1} << 47;
  EXPECT_FALSE(GiveOne(7, beyond, File(beyond, kSeals)).ok());
  EXPECT_TRUE(reader.Lost(7));
  EXPECT_FALSE(reader.Lost(8));
  EXPECT_TRUE(Give({static_cast<uint32_t>(MessageType::kDropBlock), 7, 0}, {}).ok());
  EXPECT_FALSE(reader.Lost(7));
}

// Who waits for a block of a peer that it trusts learns in any case that it will not come.
TEST_F(Blocks, WhatATrustedPeerSendsIsKnownOrLost) {
  BlockReader trusting{false};
  const auto type = static_cast<uint32_t>(MessageType::kSharedBlock);
  uint32_t number = 1;
  for (; number <= 2 * kMostBlocks; number++) {
    platform::Message message;
    message.fds_lost = true;
    EXPECT_EQ(trusting.Take({type, number, 4096}, &message).code(), MPROC_ERROR_DESCRIPTOR_LIMIT);
    EXPECT_TRUE(trusting.Lost(number));
  }
  for (Status taken; taken.ok(); number++) {
    platform::Message message;
    message.fds.push_back(File(4096, kSeals));
    taken = trusting.Take({type, number, 4096}, &message);
    EXPECT_TRUE(taken.ok() ? trusting.Knows(number) : trusting.Lost(number));
  }
  EXPECT_GT(number, 2 * kMostBlocks + kMostBlocks);
}

TEST_F(Blocks, TrimGivesEverythingBack) {
  Placement small = Put(0, 1000, std::byte{1}), large = Put(1, 300000, std::byte{2});
  Pump();
  writer.Release(near.get(), 2);
  writer.Trim(near.get());
  EXPECT_EQ(Pump(), 2);
  EXPECT_EQ(last_type, MessageType::kDropBlock);
  EXPECT_FALSE(reader.Knows(small.block));
  EXPECT_FALSE(reader.Knows(large.block));
  Placement again = Put(2, 1000, std::byte{3});
  EXPECT_NE(again.block, small.block);
}

TEST_F(Blocks, AFullSocketLeavesEverythingAsItWas) {
  Status full;
  uint64_t position = 0;
  for (; position < 10000 && full.ok(); position++) {
    auto place = writer.Allocate(near.get(), position, 100000);
    full = place.status();
  }
  EXPECT_EQ(full.code(), MPROC_ERROR_QUEUE_FULL);
  EXPECT_GT(Pump(), 0);
  Placement place = Put(position, 100000, std::byte{9});
  EXPECT_EQ(Pump(), 1);
  EXPECT_TRUE(Holds(place, 100000, std::byte{9}));
}

// A reader that does not listen keeps nobody waiting, and hears of every dropped block in the end.
TEST_F(Blocks, DropsWaitForRoomTheWriterDoesNot) {
  BlockWriter waiting{"test-blocks", true};
  int few = 1;  // the least that the system gives
  ASSERT_EQ(setsockopt(near.get(), SOL_SOCKET, SO_SNDBUF, &few, sizeof few), 0);
  std::vector<uint32_t> blocks;
  for (uint64_t position = 0; position < 60; position++) {
    auto place = waiting.Allocate(near.get(), position, 70000);
    ASSERT_TRUE(place.ok());
    blocks.push_back(place->block);
    EXPECT_EQ(Pump(), 1);
  }
  alarm(20);
  waiting.Release(near.get(), 60);
  waiting.Trim(near.get());
  EXPECT_FALSE(waiting.TellDropped(near.get()));
  for (int i = 0; i < 60 && !waiting.TellDropped(near.get()); i++) Pump();
  alarm(0);
  Pump();
  for (uint32_t block : blocks) EXPECT_FALSE(reader.Knows(block));
}

// What was dropped is told before a new block comes, so that the reader never has more than the writer.
TEST_F(Blocks, DropsAreToldBeforeTheNextBlock) {
  int few = 1;
  ASSERT_EQ(setsockopt(near.get(), SOL_SOCKET, SO_SNDBUF, &few, sizeof few), 0);
  for (uint64_t position = 0; position < 60; position++) {
    Put(position, 70000, std::byte{1});
    EXPECT_EQ(Pump(), 1);
  }
  writer.Release(near.get(), 60);
  writer.Trim(near.get());
  auto place = writer.Allocate(near.get(), 60, 70000);
  EXPECT_EQ(place.status().code(), MPROC_ERROR_QUEUE_FULL);
  for (int i = 0; i < 60 && !place.ok(); i++) {
    Pump();
    place = writer.Allocate(near.get(), 60, 70000);
  }
  ASSERT_TRUE(place.ok());
  Pump();
  for (uint32_t block = 1; block <= 60; block++) EXPECT_FALSE(reader.Knows(block));
  EXPECT_TRUE(reader.Knows(place->block));
}

// Sizes, releases and undone ones at random, against a plain record of what must be there.
TEST_F(Blocks, KeepsWhatAModelKeeps) {
  struct Use {
    uint64_t position;
    Placement place;
    size_t size;
    std::byte fill;
  };
  std::deque<Use> model;
  std::mt19937 random(12);
  uint64_t position = 0;
  for (int step = 0; step < 20000; step++) {
    uint32_t dice = random() % 100;
    if (dice < 50 && model.size() < 200) {
      size_t size = dice < 44 ? random() % 3000 : dice < 48 ? random() % 70000 : random() % 400000;
      auto fill = static_cast<std::byte>(random());
      model.push_back({position, Put(position, size, fill), size, fill});
      if (random() % 3) position++;  // several may stand for one position
    } else if (dice < 55 && !model.empty() && model.back().position + 1 >= position) {
      writer.Undo(near.get());
      model.pop_back();
    } else if (!model.empty()) {
      uint64_t below = model.front().position + random() % (position - model.front().position + 1);
      writer.Release(near.get(), below);
      while (!model.empty() && model.front().position < below) model.pop_front();
      if (random() % 200 == 0) writer.Trim(near.get());
    }
    Pump();
    if (step % 16 == 0) {
      for (const Use& use : model) ASSERT_TRUE(Holds(use.place, use.size, use.fill)) << "step " << step;
    } else if (!model.empty()) {
      ASSERT_TRUE(Holds(model.front().place, model.front().size, model.front().fill)) << "step " << step;
      ASSERT_TRUE(Holds(model.back().place, model.back().size, model.back().fill)) << "step " << step;
    }
  }
}

TEST_F(Blocks, FindsNoRangeThatIsNotThere) {
  Placement place = Put(0, 100000, std::byte{1});
  Pump();
  size_t whole = 102400;
  EXPECT_TRUE(reader.Find(place.block, 0, whole));
  EXPECT_TRUE(reader.Find(place.block, whole, 0));
  EXPECT_FALSE(reader.Find(place.block, 0, whole + 1));
  EXPECT_FALSE(reader.Find(place.block, 1, whole));
  EXPECT_FALSE(reader.Find(place.block, whole + 1, 0));
  EXPECT_FALSE(reader.Find(place.block, UINT64_MAX, 2));
  EXPECT_FALSE(reader.Find(place.block, 2, UINT64_MAX));
  EXPECT_FALSE(reader.Find(place.block, uint64_t{1} << 63, uint64_t{1} << 63));
  EXPECT_FALSE(reader.Find(place.block + 1, 0, 1));
  EXPECT_FALSE(reader.Find(0, 0, 0));
}

TEST_F(Blocks, RefusesWhatIsNoBlock) {
  EXPECT_TRUE(GiveOne(5, 4096, File(4096, kSeals)).ok());
  EXPECT_TRUE(reader.Knows(5));
  EXPECT_EQ(GiveOne(5, 4096, File(4096, kSeals)).code(), MPROC_ERROR_PROTOCOL);  // known already
  EXPECT_EQ(GiveOne(0, 4096, File(4096, kSeals)).code(), MPROC_ERROR_PROTOCOL);
  EXPECT_EQ(GiveOne(6, 4096, File(4096, 0)).code(), MPROC_ERROR_PROTOCOL);  // not sealed
  EXPECT_EQ(GiveOne(6, 4096, File(4096, F_SEAL_GROW)).code(), MPROC_ERROR_PROTOCOL);
  EXPECT_EQ(GiveOne(6, 4096, File(4096, F_SEAL_SHRINK)).code(), MPROC_ERROR_PROTOCOL);
  EXPECT_EQ(GiveOne(6, 4097, File(4096, kSeals)).code(), MPROC_ERROR_PROTOCOL);  // shorter than said
  EXPECT_EQ(GiveOne(6, UINT64_MAX, File(4096, kSeals)).code(), MPROC_ERROR_PROTOCOL);
  EXPECT_EQ(GiveOne(6, uint64_t{1} << 63, File(4096, kSeals)).code(), MPROC_ERROR_PROTOCOL);
  EXPECT_FALSE(GiveOne(6, 0, File(4096, kSeals)).ok());
  EXPECT_TRUE(GiveOne(7, 4096, File(4096, kSeals | F_SEAL_WRITE)).ok());  // it is only read
  EXPECT_FALSE(GiveOne(6, 4096, std::move(*platform::OpenNull())).ok());
  EXPECT_FALSE(GiveOne(6, 4096, std::move(*platform::MakeEventFd())).ok());
  MessageHead head{static_cast<uint32_t>(MessageType::kBlock), 6, 4096};
  EXPECT_EQ(Give(head, {}).code(), MPROC_ERROR_PROTOCOL);
  EXPECT_EQ(Give(head, {}, true).code(), MPROC_ERROR_DESCRIPTOR_LIMIT);
  std::vector<platform::UniqueFd> two;
  two.push_back(File(4096, kSeals));
  two.push_back(File(4096, kSeals));
  EXPECT_EQ(Give(head, std::move(two)).code(), MPROC_ERROR_PROTOCOL);
  EXPECT_FALSE(reader.Knows(6));
  EXPECT_TRUE(reader.Knows(5));
}

TEST_F(Blocks, AreNotTakenWithoutEnd) {
  Status taken;
  uint32_t number = 1;
  for (; number < 5000 && taken.ok(); number++) taken = GiveOne(number, 4096, File(4096, kSeals));
  EXPECT_EQ(taken.code(), MPROC_ERROR_PROTOCOL);
  EXPECT_LE(number, 2000U);
}

TEST(SharedMemory, CannotBeShrunkGrownOrSealedByAPeer) {
  auto memory = platform::SharedMemory::Create("test", 10000, platform::SharedMemory::Peer::kWrites);
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ(memory->size(), 12288U);
  EXPECT_NE(ftruncate(memory->fd(), 0), 0);
  EXPECT_EQ(errno, EPERM);
  EXPECT_NE(ftruncate(memory->fd(), 1 << 20), 0);
  EXPECT_NE(fcntl(memory->fd(), F_ADD_SEALS, F_SEAL_WRITE), 0);
  // Its pages are given.
  struct stat info;
  ASSERT_EQ(fstat(memory->fd(), &info), 0);
  EXPECT_GE(info.st_blocks * 512, 12288);
}

// A block that was lent is the reader's, whatever is released, until it comes back.
TEST_F(Blocks, LentOnesAreUsedAgainWhenTheyComeBack) {
  Placement lent = Put(0, 200000, std::byte{1});
  ASSERT_TRUE(lent.alone);
  writer.LendLast();
  EXPECT_EQ(writer.lent(), 1U);
  writer.Release(near.get(), 100);
  Placement other = Put(1, 200000, std::byte{2});
  EXPECT_NE(other.block, lent.block);
  Pump();
  EXPECT_TRUE(Holds(lent, 200000, std::byte{1}));
  auto kept = reader.Hold(lent.block);
  writer.Return(near.get(), 999);  // never lent
  writer.Return(near.get(), lent.block);
  writer.Return(near.get(), lent.block);  // once too often
  EXPECT_EQ(writer.lent(), 0U);
  EXPECT_EQ(Put(2, 190000, std::byte{3}).block, lent.block);
  writer.Release(near.get(), 100);
  writer.Trim(near.get());
  Pump();
  EXPECT_FALSE(reader.Knows(lent.block));
  EXPECT_EQ(kept->data()[189999], std::byte{3});  // who holds it still sees it
}

TEST_F(Blocks, TheWriterFindsWhatIsNotReleased) {
  Put(3, 1000, std::byte{3});
  Put(5, 300000, std::byte{5});
  Put(6, 2000, std::byte{6});
  EXPECT_EQ(writer.Find(3)[999], std::byte{3});
  EXPECT_EQ(writer.Find(5)[299999], std::byte{5});
  EXPECT_EQ(writer.Find(6)[1999], std::byte{6});
  for (uint64_t position : {0, 4, 7}) EXPECT_EQ(writer.Find(position), nullptr);
  writer.Release(near.get(), 6);
  EXPECT_EQ(writer.Find(5), nullptr);
  EXPECT_EQ(writer.Find(6)[0], std::byte{6});
}

// What the peer maps is for reading, by its own doing and by the seal; what is shared is for both.
TEST_F(Blocks, OnlySharedMemoryMayBeWrittenByTheReader) {
  auto memory = platform::SharedMemory::Create("test", 5000, platform::SharedMemory::Peer::kReads);
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ(mmap(nullptr, 5000, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd(), 0), MAP_FAILED);
  memory->data()[4999] = std::byte{7};
  auto shared = platform::SharedMemory::Create("test", 5000, platform::SharedMemory::Peer::kWrites);
  ASSERT_TRUE(shared.ok());
  auto number = writer.Share(near.get(), shared->fd(), 5000);
  ASSERT_TRUE(number.ok());
  platform::Message message;
  ASSERT_EQ(platform::ReceiveMessage(far.get(), false, &message), platform::Receive::kMessage);
  EXPECT_EQ(reader.Take(*HeadOf(message), &message).code(), MPROC_ERROR_PROTOCOL);  // a host takes none
  BlockReader worker{false};
  ASSERT_TRUE(writer.Share(near.get(), shared->fd(), 5000).ok());
  ASSERT_EQ(platform::ReceiveMessage(far.get(), false, &message), platform::Receive::kMessage);
  uint32_t block = HeadOf(message)->number;
  ASSERT_TRUE(worker.Take(*HeadOf(message), &message).ok());
  worker.Hold(block)->data()[4999] = std::byte{8};
  EXPECT_EQ(shared->data()[4999], std::byte{8});
  EXPECT_TRUE(writer.Good(block));
  writer.NoteLost(near.get(), 1);
  EXPECT_FALSE(writer.Good(block));
}

}  // namespace
}  // namespace mproc::ipc
