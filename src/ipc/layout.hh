// SPDX-License-Identifier: MIT
// The shared memory of one channel, as host and worker see it.
//
// Both rings have kSlots slots. A position counts slots for ever; slot = position % kSlots. Every slot has a
// word `turn` = position * 4 + state, so that a slot tells by itself whether it is the one looked for: there
// are no shared indices that one side could falsify for the other.
//
//   task slot    host: fills the fields, then turn = published         (seq_cst store)
//                worker: compare-exchange published -> claimed         before it reads a field
//                host: compare-exchange published -> taken             to take a queued task back
//   result slot  worker: fills the fields, then turn = published       (seq_cst store)
//
// The host keeps its own record of what it published; a slot is written again only after the worker has
// passed it (a result for it or a later one came, or `passed` says so for slots that were taken back), and
// no more tasks are out than there are result slots, so the result ring cannot overflow.
//
// Sleeping. A side that wants to sleep says so in a word of its own, looks once more, and sleeps; a side that
// publishes looks at that word afterwards. Store-then-load on both sides, all sequentially consistent: one of
// the two must see the other. The word is exchanged to "awake" by whoever rings, so each sleep costs at most
// one wake-up call. `worker_bell` is a futex; `host_bell` tells which of the host's descriptors to ring.
//
// A result in a block of its own is lent to the host, which gives the block back by its number: in `returns`,
// a ring whose slots need no turn, since there are never more numbers in it than blocks that are lent. The
// worker looks there when it needs a block, and when it is idle.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "ipc/flight.hh"
#include "ipc/log_ring.hh"

namespace mproc::ipc {

inline constexpr uint64_t kMagic = 0x314c4e484350524dull;  // "MRPCHNL1"
inline constexpr uint32_t kLayoutVersion = 5;
inline constexpr uint32_t kSlots = 256;
inline constexpr size_t kInlineBytes = 80;
inline constexpr uint32_t kReturns = 1024;  // no more blocks can be lent

enum Turn : uint64_t { kEmpty = 0, kPublished = 1, kClaimed = 2, kTaken = 3 };
inline constexpr uint64_t TurnOf(uint64_t position, Turn state) { return position * 4 + state; }

enum WorkerBell : uint32_t { kAwake = 0, kAsleep = 1 };

enum HostBell : uint32_t {
  kNobody = 0,
  kRingLeader = 1,        // a waiting thread sleeps on the leader's bell
  kRingEngine = 2,        // the engine wants each result
  kRingEngineWhenDry = 3  // the engine wants to refill: ring when no task is left in the ring
};

// In TaskSlot::kind: the slot's entry in `limits` holds.
inline constexpr uint32_t kLimited = uint32_t{1} << 31;
// The same: the worker announces that it begins.
inline constexpr uint32_t kAnnounced = uint32_t{1} << 30;

// Of `cancelled`: whatever runs.
inline constexpr uint64_t kEveryTask = UINT64_MAX;

enum Order : uint32_t { kServe = 0, kFinish = 1 };  // what the host wants of the worker

struct alignas(128) TaskSlot {
  std::atomic<uint64_t> turn;
  uint64_t task_id;
  uint64_t size;    // bytes of payload
  uint64_t offset;  // where in the block
  uint32_t block;   // 0: the payload is in `data`
  uint32_t function;
  uint32_t kind;   // task/kind.hh, kLimited, kAnnounced
  uint32_t index;  // of the item in its map
  std::byte data[kInlineBytes];
};

struct alignas(128) ResultSlot {
  std::atomic<uint64_t> turn;
  uint64_t task;  // position of the task this answers
  uint64_t size;
  uint64_t offset;
  uint32_t block;
  uint32_t status;        // task/kind.hh
  uint32_t elapsed;       // nanoseconds that the task took, the lower half ...
  uint16_t elapsed_high;  // ... and 16 bits more, saturated
  uint16_t lent;          // 1: the block is to be given back
  std::byte data[kInlineBytes];
};
static_assert(sizeof(TaskSlot) == 128 && sizeof(ResultSlot) == 128);

inline constexpr size_t kTraceBytes = 16 * 1024;

struct ChannelMemory {
  uint64_t magic;
  uint32_t version;
  uint32_t slots;
  // Written by the worker.
  alignas(128) std::atomic<uint32_t> worker_bell;
  std::atomic<uint32_t> worker_cpu;
  std::atomic<uint32_t> worker_lost;          // blocks of the host that the worker could not receive
  std::atomic<int64_t> initializer_time;      // nanoseconds; before the hello
  alignas(128) std::atomic<uint64_t> passed;  // positions below it are done with; set after skipping
  std::atomic<uint32_t> leaves;               // it begins nothing more and waits for the order to finish
  std::atomic<uint64_t> announced;            // position + 1 of the task of kAnnounced that was begun last
  // Written by the worker for each task, looked at now and then.
  FlightMemory flight;
  // Written by the host, exchanged by the worker.
  alignas(128) std::atomic<uint32_t> host_bell;
  // Written by the host.
  alignas(128) std::atomic<uint32_t> order;
  std::atomic<uint32_t> may_poll;  // this worker may poll before it sleeps
  std::atomic<uint32_t> polling;   // the option of the pool
  std::atomic<uint32_t> host_cpu;
  std::atomic<uint32_t> host_lost;              // blocks of the worker that the host could not receive
  std::atomic<uint64_t> cancelled;              // position + 1 of a task that should stop, or kEveryTask
  alignas(128) std::atomic<uint64_t> consumed;  // results below it have been taken
  alignas(128) std::atomic<uint64_t> returned;  // numbers ever written to `returns`
  std::atomic<uint32_t> returns[kReturns];
  int64_t limits[kSlots];  // nanoseconds that the task of a slot may run before it should stop
  TaskSlot tasks[kSlots];
  ResultSlot results[kSlots];
  std::byte trace[kTraceBytes];  // of a fault, platform/crash_trace.hh
  RunMemory runs[kRuns];
  NoteMemory notes[kNotes];
  LogMemory log;
};
static_assert(kRuns >= kSlots);  // an entry stays until its result has been read

}  // namespace mproc::ipc
