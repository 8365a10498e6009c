// SPDX-License-Identifier: MIT
// One place of a pool for a worker: its process, its channel, and what it holds. A passive object.
//
// Guards. "mutex": the pool's mutex. "drain": the pool's drain lock. The channel and the worker as a whole
// are made and taken away with both held, so that either is enough to use them.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ipc/channel.hh"
#include "pool/block_lender.hh"
#include "pool/future.hh"
#include "pool/known_blocks.hh"
#include "runtime/fork_guard.hh"
#include "runtime/launcher_client.hh"

namespace mproc::pool {

class WorkerLink;

enum class WorkerState : uint8_t {
  kNone,      // no process
  kStarting,  // asked for; has not said hello
  kReady,     // serves
  kEnding     // told to finish, or to be killed, or dead and not yet reported
};

// A task that it holds and that time may run out for.
struct WatchedTask {
  uint64_t position = 0;
  int64_t given = 0;
  int64_t limit = 0;                          // from its start; 0: none
  int64_t grace = 0;                          // after that
  int64_t begun = 0;                          // 0: not known
  int64_t kill_at = 0;                        // 0: not known, for it has not begun
  int32_t outcome = MPROC_OUTCOME_TIMED_OUT;  // if it is killed
  int32_t cause = MPROC_CAUSE_TIME_LIMIT;
  bool read_again = false;  // its worker went on to another task, and the result was not seen
};

class WorkerSlot {
 public:
  int place = 0;
  uint32_t number = 0;  // of the present worker            (mutex)
  std::string name;     //                                  (mutex)
  std::atomic<pid_t> pid{0};
  WorkerState state = WorkerState::kNone;  //                                  (mutex)
  bool serving = false;                    // has said hello                   (drain)
  bool distrusted = false;                 // wrote nonsense: is being killed  (drain)
  uint64_t child = 0;                      // the launcher's name for it       (mutex)
  std::shared_ptr<WorkerLink> link;        // the engine's side of it          (mutex)

  std::optional<ipc::HostChannel> channel;  // each side as ipc/channel.hh says
  std::shared_ptr<BlockLender> lender;      // of the worker's results        (drain)
  runtime::GuardedFd socket;                // fd 3 of the worker; sends: mutex, receives: socket_mutex
  std::mutex socket_mutex;
  ipc::BlockReader blocks{true};  // socket_mutex

  // What it holds: entry position % kSlots. Whoever exchanges an entry to null ends or moves that task.
  std::array<std::atomic<Future*>, ipc::kSlots> in_flight{};
  std::vector<WatchedTask> watched;   // (mutex)
  std::optional<WatchedTask> doomed;  // the task that it was killed for (mutex)
  KnownBlocks known_blocks;           //                                  (mutex)
  uint64_t tail = 0;                  // positions below it are done with (mutex)
  uint32_t held = 0;                  // tasks given and not ended        (mutex)
  uint64_t held_bytes = 0;            //                                  (mutex)
  uint64_t passed = 0;                // what it said it passed           (drain)
  bool listed_idle = false;           //                                  (mutex)
  std::atomic<uint64_t> tasks_done{0};
  uint32_t task_ns = 0;              // what its tasks take, smoothed; 0 unknown (mutex)
  bool stuck = false;                // does not begin what it was given      (mutex)
  std::atomic<bool> unheard{false};  // its socket may be full, or say what it gave back: to be read
  std::atomic<bool> heard{false};    // something was read there
  uint64_t progress = 0;             // tail at the supervisor's last look (mutex)

  // Tasks it should hold at most: half a millisecond of work.
  uint32_t Depth() const;
  // Nanoseconds until it would begin one more task; "long" if unknown.
  uint64_t WaitEstimate() const;
  // True if the tasks it has not begun will take at least so long, or nobody knows.
  bool HasWorkFor(uint64_t nanoseconds) const;
  bool CanTake(uint64_t bytes) const;
  // Takes the average time of tasks that ended into account.                     (mutex)
  void NoteTaskTime(uint64_t nanoseconds);
  // Gives it a task, with these bytes if the record says kChannel. Needs CanTake. An error leaves the task
  // with the caller.                                                             (mutex)
  Status Give(Future* task, ByteView payload = {});
  enum class Payload { kKeep, kDrop };
  // Whether a position is out and has not ended.
  bool Holds(uint64_t position) const {
    return position >= tail && in_flight[position % ipc::kSlots].load(std::memory_order_acquire);
  }
  // Takes the task at `position` back, and its payload out of the channel unless that is not wanted; null if
  // the worker has claimed it.                                                   (mutex)
  Future* TakeBack(uint64_t position, Payload payload = Payload::kKeep);
  // Bytes of a result that lie in a block; null if there is no such place.       (drain)
  const std::byte* FindBlock(uint32_t block, uint64_t offset, uint64_t size);
  // What keeps a known block that the worker lent; null at nonsense.             (drain)
  std::unique_ptr<Holder> TakeLoan(uint32_t block);
  // Makes the worker's memory known here.                                        (mutex and drain)
  void SetChannel(ipc::HostChannel made, std::shared_ptr<EngineSide> engine);
  // True if the block could not be received for lack of descriptors.             (drain)
  bool LostBlock(uint32_t block);
  // Handles messages that wait on the socket; false at nonsense.                 (drain)
  bool Hear();
  // Forgets the process.                                                         (mutex and drain)
  void Clear();

 private:
  bool PumpBlocks();  // Hear, with socket_mutex held
};

}  // namespace mproc::pool
