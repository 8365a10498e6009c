// SPDX-License-Identifier: MIT
#include "pool/known_blocks.hh"

#include <gtest/gtest.h>

namespace mproc::pool {
namespace {

struct Knowing : ::testing::Test {
  void SetUp() override {
    auto made = ipc::HostChannel::Create(0);
    ASSERT_TRUE(made.ok());
    channel = std::make_unique<ipc::HostChannel>(std::move(*made));
    auto ends = platform::MakeSocketPair();
    ASSERT_TRUE(ends.ok());
    near = std::move(ends->first);
    far = std::move(ends->second);
  }
  std::shared_ptr<SharedBlock> Block() {
    auto block = SharedBlock::Create(4096);
    EXPECT_TRUE(block.ok());
    EXPECT_TRUE((*block)->Begin());  // some task has it, of whichever worker
    blocks.push_back(*block);
    return *block;
  }
  // Gives the worker a task that has the block, and lets it hear of that.
  Result<uint32_t> Give(const std::shared_ptr<SharedBlock>& block, uint64_t tail) {
    auto number = known.NumberOf(block, channel.get(), near.get(), tail);
    platform::Message message;
    while (platform::ReceiveMessage(far.get(), false, &message) == platform::Receive::kMessage) {
      auto head = ipc::HeadOf(message);
      bool drop = head->type == static_cast<uint32_t>(ipc::MessageType::kDropBlock);
      EXPECT_TRUE(worker.Take(*head, &message).ok());
      count += drop ? -1 : 1;
    }
    if (number.ok()) {
      channel->FillShared({}, *number, 0, 1);
      channel->Publish();
    }
    return number;
  }

  std::unique_ptr<ipc::HostChannel> channel;
  platform::UniqueFd near, far;
  KnownBlocks known;
  ipc::BlockReader worker{false};
  std::vector<std::shared_ptr<SharedBlock>> blocks;
  size_t count = 0;  // that the worker has
};

// Blocks that are in use elsewhere may go; those that wait in this worker's channel may not.
TEST_F(Knowing, KeepsNoMoreThanItsPart) {
  for (uint64_t i = 0; i < ipc::kMostBlocks; i++) {
    ASSERT_TRUE(Give(Block(), i > 10 ? i - 10 : 0).ok());
    ASSERT_LE(count, ipc::kMostBlocks / 2);
  }
  auto last = blocks.back();
  auto number = Give(last, channel->head());
  ASSERT_TRUE(number.ok());
  EXPECT_TRUE(worker.Knows(*number));
}

TEST_F(Knowing, TakesNothingAwayThatIsStillNeeded) {
  for (uint64_t i = 0; i < ipc::kMostBlocks / 2; i++) ASSERT_TRUE(Give(Block(), 0).ok());
  EXPECT_EQ(Give(Block(), 0).status().code(), MPROC_ERROR_QUEUE_FULL);
  auto first = Give(blocks.front(), 0);  // known, and needed again now
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(Give(blocks.back(), 2).ok());
  EXPECT_TRUE(worker.Knows(*first));
  EXPECT_EQ(count, ipc::kMostBlocks / 2);
}

}  // namespace
}  // namespace mproc::pool
