// SPDX-License-Identifier: MIT
// Queues between processes: any number of them put items in, any number take them out, each item to one.
#pragma once

#include <span>

#include "object/passing.hh"
#include "object/shared_object.hh"
#include "queue/bell.hh"
#include "queue/ring.hh"
#include "sync/lock.hh"

namespace mproc::queue {

// 0: none.
struct Limits {
  uint64_t items = 0;
  uint64_t bytes = 0;  // with what the queue keeps of each item, 16 to 23 bytes
};

struct Counts {
  uint64_t items = 0;
  uint64_t bytes = 0;
  uint64_t open = 0;    // put, and not reported done
  uint64_t memory = 0;  // that items have room in
};

// Any thread of any process that has it.
class Queue final : public object::SharedObject {
 public:
  static constexpr object::Kind kKind = object::Kind::kQueue;

  static Result<std::shared_ptr<Queue>> Create(const Limits& limits, bool carries_objects);
  static Result<std::shared_ptr<Queue>> Adopt(object::ReceivedFds fds);

  std::vector<int> Descriptors() const override;

  // QUEUE_FULL and QUEUE_EMPTY, also when the limit has passed; INTERRUPTED; CLOSED; BUSY: a process has been
  // stopped in the middle of such a call; PROTOCOL: a process has spoilt the memory.
  Status Put(ByteView bytes, std::span<const object::PassedObject> objects, const Deadline& deadline);
  Status Get(object::Message* message, const Deadline& deadline);
  // BUFFER_TOO_SMALL: *size is needed, the item stays.
  Status GetInto(void* buffer, size_t capacity, size_t* size, const Deadline& deadline);

  // RELEASED_TOO_OFTEN: as many are reported done as were put.
  Status ReportDone();
  Status WaitUntilDone(const Deadline& deadline);
  Result<Counts> Count();
  // For this process; calls that wait return CLOSED soon.
  void Close() { closed_.store(true, std::memory_order_relaxed); }

 private:
  struct Body {
    Limits limits;
    uint32_t carries_objects;
    alignas(64) sync::LockMemory lock;
    alignas(64) StatePlace state;
    alignas(64) Bell items;  // rung for those who wait for an item
    alignas(64) Bell room;   // for room for one
    alignas(64) Bell done;   // for the last report
    std::atomic<uint64_t> next_ticket;
  };
  struct Item {
    uint64_t size;  // of the notes on its objects and its bytes
    uint32_t objects;
    uint32_t mark;
  };
  class Held;

  Queue(platform::SharedMemory memory, object::ReceivedFds sockets);
  Status Lock(const Deadline& deadline);
  void Unlock();
  template <typename Try>
  Status Await(Bell* bell, const Deadline& deadline, Try&& attempt);
  bool IsFull(const State& state, uint64_t size) const;
  Status Append(State* state, ByteView bytes, std::span<const object::PassedObject> objects);
  Status PutWithin(State* state, uint64_t size, ByteView bytes,
                   std::span<const object::PassedObject> objects);
  void GiveMemoryBack(State* state);
  Status ReadItem(const State& state, Item* item);
  Status TakeObjects(uint64_t ticket, ByteView notes, std::vector<object::ReceivedObject>* objects);
  Status TakeItem(State* state, const Item& item, object::Message* message);
  template <typename Take>
  Status GetWith(const Deadline& deadline, Take&& take);
  void SpinForItems();

  Body* const body_;
  const Limits limits_;                // copies: no peer can change them here
  const object::ReceivedFds sockets_;  // none, or two: objects are put into the first, taken from the second
  Ring ring_;                          // the queue's lock
  std::atomic<bool> closed_{false};
  std::atomic<uint32_t> vain_{0};  // times in a row that it did not pay to look before sleeping
};

}  // namespace mproc::queue
