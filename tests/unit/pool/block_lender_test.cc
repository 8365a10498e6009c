// SPDX-License-Identifier: MIT
#include "pool/block_lender.hh"

#include <gtest/gtest.h>

namespace mproc::pool {
namespace {

struct Lending : ::testing::Test {
  void SetUp() override {
    auto made = ipc::HostChannel::Create(0);
    ASSERT_TRUE(made.ok());
    channel = std::make_unique<ipc::HostChannel>(std::move(*made));
    lender = std::make_shared<BlockLender>(channel.get(), nullptr);
    auto pages = platform::SharedMemory::Create("test", 4096, platform::SharedMemory::Peer::kReads);
    ASSERT_TRUE(pages.ok());
    memory = std::make_shared<const platform::SharedMemory>(std::move(*pages));
  }
  std::unique_ptr<ipc::HostChannel> channel;
  std::shared_ptr<BlockLender> lender;
  std::shared_ptr<const platform::SharedMemory> memory;
};

TEST_F(Lending, ABlockIsOutOnce) {
  auto loan = lender->Take(7, memory);
  ASSERT_TRUE(loan);
  EXPECT_EQ(memory.use_count(), 2);
  EXPECT_FALSE(lender->Take(7, memory));
  EXPECT_TRUE(lender->Take(8, memory));
  loan.reset();
  EXPECT_EQ(memory.use_count(), 1);
  EXPECT_TRUE(lender->Take(7, memory));
}

TEST_F(Lending, NoMoreAreOutThanCanComeBack) {
  std::vector<std::unique_ptr<Holder>> loans;
  for (uint32_t i = 0; i < ipc::kReturns; i++) {
    EXPECT_EQ(lender->Many(), i > ipc::kReturns / 2);
    loans.push_back(lender->Take(i, memory));
    ASSERT_TRUE(loans.back());
  }
  EXPECT_FALSE(lender->Take(ipc::kReturns, memory));
  loans.pop_back();
  EXPECT_TRUE(lender->Take(ipc::kReturns, memory));
}

TEST_F(Lending, LoansOutliveTheChannelAndTheLender) {
  auto loan = lender->Take(1, memory);
  lender->Close();
  channel.reset();
  lender.reset();
  EXPECT_EQ(memory->data()[0], std::byte{0});
  loan.reset();
  EXPECT_EQ(memory.use_count(), 1);
}

}  // namespace
}  // namespace mproc::pool
