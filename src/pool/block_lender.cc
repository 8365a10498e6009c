// SPDX-License-Identifier: MIT
#include "pool/block_lender.hh"

#include "pool/engine_side.hh"

namespace mproc::pool {
namespace {

// The rest is for values that are on their way: each is taken before the next of its worker is looked at.
constexpr size_t kMany = ipc::kReturns / 2;

}  // namespace

class BlockLender::Loan : public Holder {
 public:
  Loan(std::shared_ptr<BlockLender> lender, uint32_t block,
       std::shared_ptr<const platform::SharedMemory> memory)
      : lender_(std::move(lender)), block_(block), memory_(std::move(memory)) {}
  ~Loan() override { lender_->GiveBack(block_); }

 private:
  std::shared_ptr<BlockLender> lender_;
  uint32_t block_;
  std::shared_ptr<const platform::SharedMemory> memory_;
};

std::unique_ptr<Holder> BlockLender::Take(uint32_t block,
                                          std::shared_ptr<const platform::SharedMemory> memory) {
  {
    std::lock_guard lock(mutex_);
    if (out_.size() >= ipc::kReturns || !out_.insert(block).second) return nullptr;
  }
  return std::make_unique<Loan>(shared_from_this(), block, std::move(memory));
}

bool BlockLender::Many() {
  std::lock_guard lock(mutex_);
  return out_.size() > kMany;
}

void BlockLender::GiveBack(uint32_t block) {
  std::lock_guard lock(mutex_);
  out_.erase(block);
  if (!channel_) return;
  channel_->ReturnBlock(block);
  if (engine_) engine_->Tick();
}

void BlockLender::Close() {
  std::lock_guard lock(mutex_);
  channel_ = nullptr;
  engine_.reset();
}

}  // namespace mproc::pool
