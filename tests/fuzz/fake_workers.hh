// SPDX-License-Identifier: MIT
// Two workers of a pool that runs in one thread without any process: in place 0 one that writes what it is
// told to, in place 1 one that echoes. What the launcher would report is told to the supervisor by hand.
#pragma once

#include <memory>

#include "pool/pool.hh"

namespace mproc::fuzz {

inline constexpr uint32_t kHonest = 1;  // its number

// A result that is nearly true: numbers are counted from those that would be.
struct FalseResult {
  int8_t turn;  // of the slot, from the one that the host looks at
  uint8_t state;
  int16_t task;  // from the task given last
  uint8_t status;
  uint8_t block;
  uint8_t bytes;  // that follow, for the slot
  uint8_t lent;   // the block is to be given back
  uint32_t size;
  uint32_t offset;
};

// A pool of two places whose runtime was never started.
std::shared_ptr<pool::Pool> MakePool();

class FakeWorkers {
 public:
  explicit FakeWorkers(std::shared_ptr<pool::Pool> pool);
  // Both have ended.
  void End();

  // The false one writes into its channel ...
  void WriteBytes(size_t offset, ByteView bytes);
  void WriteResult(const FalseResult& result, ByteView bytes);
  void Passed(uint64_t position);
  // ... claims what it was given, without serving it ...
  void ClaimAll();
  // ... sends a message, with memory or other descriptors as the bits of `files` say ...
  void Say(uint8_t files, ByteView bytes);
  // ... closes its socket ...
  void Shut();
  // ... ends by a signal, or with a code; another one takes its place.
  void Die(int how);

  // The honest one echoes so many tasks.
  void Serve(size_t most);

 private:
  struct Ends {
    platform::UniqueFd socket;
    std::unique_ptr<ipc::WorkerChannel> channel;
    ipc::BlockReader blocks{false};
  };
  pool::WorkerSlot& slot(size_t place) { return *pool_->core_.workers[place]; }
  ipc::ChannelMemory& memory() { return *slot(0).channel->shared(); }
  void Start(size_t place);
  void ReportExit(size_t place, runtime::ChildExit exit);
  void Answer(const ipc::TaskView& task);

  std::shared_ptr<pool::Pool> pool_;
  Ends ends_[2];
  uint32_t next_number_ = kHonest;
};

}  // namespace mproc::fuzz
