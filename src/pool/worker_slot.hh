// SPDX-License-Identifier: MIT
// One place of a pool for a worker: its process, its channel, and what it holds. A passive object.
//
// Guards. "mutex": the pool's mutex. "drain": the pool's drain lock. The channel and the worker as a whole
// are made and taken away with both held, so that either is enough to use them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bitset>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ipc/channel.hh"
#include "platform/fork_guard.hh"
#include "pool/block_lender.hh"
#include "pool/future.hh"
#include "pool/known_blocks.hh"
#include "pool/last_call.hh"
#include "pool/worker_options.hh"
#include "runtime/launcher_client.hh"

namespace mproc::start {
class ChildLink;
}

namespace mproc::pool {

class WorkerOutput;
class Bounds;

enum class WorkerState : uint8_t {
  kNone,      // no process
  kStarting,  // asked for; has not said hello
  kReady,     // serves
  kEnding     // told to finish, or to be killed, or dead and not yet reported
};

// Whether a ready worker may hold tasks; staff.hh.
enum class Seat : uint8_t { kNone, kTaken, kLeaving };

inline constexpr int64_t kStartAhead = 20'000'000;     // ns: a start should not take longer
inline constexpr uint64_t kWorthStarting = 1'000'000;  // ns that tasks would have to wait for others

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
  bool distrusted = false;                 // wrote nonsense: is being killed  (drain; changed with mutex)
  uint64_t child = 0;                      // the launcher's name for it       (mutex)
  std::shared_ptr<start::ChildLink> link;  // the engine's side of it          (mutex)
  std::shared_ptr<WorkerOutput> output;    // what it prints, if that is wanted; as the channel

  std::optional<ipc::HostChannel> channel;  // each side as ipc/channel.hh says
  std::shared_ptr<BlockLender> lender;      // of the worker's results        (drain)
  platform::GuardedFd socket;               // fd 3 of the worker; sends: mutex, receives: socket_mutex
  std::mutex socket_mutex;
  ipc::BlockReader blocks{true};  // socket_mutex
  LastCall last_call;             // socket_mutex, but as last_call.hh says

  // What it holds: entry position % kSlots. Whoever exchanges an entry to null ends or moves that task.
  std::array<std::atomic<Future*>, ipc::kSlots> in_flight{};
  std::vector<WatchedTask> watched;   // (mutex)
  std::optional<WatchedTask> doomed;  // the task that it was killed for (mutex)
  KnownBlocks known_blocks;           //                                  (mutex)
  uint64_t tail = 0;                  // positions below it are done with (mutex)
  uint32_t held = 0;                  // tasks given and not ended        (mutex)
  uint64_t held_bytes = 0;            //                                  (mutex)
  uint64_t passed = 0;                // what it said it passed           (drain)
  uint64_t announced = 0;             // as the channel told last         (drain)
  std::bitset<ipc::kSlots> logged;    // tasks that have logged           (drain)
  bool listed_idle = false;           //                                  (mutex)
  std::atomic<uint64_t> tasks_done{0};
  std::atomic<uint64_t> busy_ns{0};  // that its ended tasks took; changes under drain
  int64_t asked_at = 0;              // when its start was asked for        (mutex)
  int64_t ready_at = 0;              // when it said hello                  (mutex)
  int64_t initializer_ns = 0;        // by its own word                     (mutex)
  uint32_t task_ns = 0;              // what its tasks take, smoothed; 0 unknown (mutex)
  bool stuck = false;                // does not begin what it was given      (mutex)
  std::atomic<bool> unheard{false};  // its socket may be full, or say what it gave back: to be read
  std::atomic<bool> heard{false};    // something was read there
  uint64_t progress = 0;             // tail at the supervisor's last look (mutex)

  Future* own = nullptr;                       // tasks for it only, which wait (mutex)
  std::vector<uint64_t> own_positions;         // of those given, which nobody else may take (mutex)
  Seat seat = Seat::kNone;                     // (mutex)
  uint64_t quota = WorkerOptions::kUnlimited;  // tasks that it may still be given (mutex)
  bool nears_end = false;                      // a successor is due              (mutex)
  bool large = false;                          // above its memory limit          (mutex)
  bool asked_to_leave = false;                 // and was heard                   (drain)
  int32_t cpu = -1;                            // that it runs on; -1: any   (mutex)
  int64_t idle_since = 0;                      // (mutex)
  int64_t end_by = INT64_MAX;                  // told to finish: killed then     (mutex)

  // Tasks it should hold at most: half a millisecond of work.
  uint32_t Depth() const;
  // Nanoseconds until it would begin one more task; "long" if unknown.
  uint64_t WaitEstimate() const;
  // True if the tasks it has not begun will take at least so long, or nobody knows.
  bool HasWorkFor(uint64_t nanoseconds) const;
  bool CanTake(uint64_t bytes) const;
  bool IsOwn(uint64_t position) const {
    return !own_positions.empty() && std::ranges::find(own_positions, position) != own_positions.end();
  }
  // It has run all the tasks that it may.
  bool IsSpent() const { return quota == 0 && held == 0; }
  // What it may still run is done before a successor could be started.
  bool NearsEnd() const;
  // Takes the average time of tasks that ended into account.                     (mutex)
  void NoteTaskTime(uint64_t nanoseconds);
  // The same when a chunk is given whose time is expected to be far from what is known: 0 if nobody knows it,
  // so that it does not take many more ahead.                                    (mutex)
  void ExpectTaskTime(int64_t nanoseconds);
  // Gives it a task, with these bytes if the record says kChannel. Needs CanTake. An error leaves the task
  // with the caller.                                                             (mutex)
  Status Give(Future* task, ByteView payload = {});
  // The same for a task of a bound function.
  Status GiveBound(Future* task, ByteView payload, const Bounds& bounds);
  enum class Payload { kKeep, kDrop };
  // Whether a position is out and has not ended.
  bool Holds(uint64_t position) const {
    return position >= tail && in_flight[position % ipc::kSlots].load(std::memory_order_acquire);
  }
  // The run of a task that it holds, as it tells; false if it tells of none, or of what cannot be.
  bool RunsNow(int64_t now, ipc::Run* run) const {
    return channel && channel->flight().Last(run) && Holds(run->position) && run->elapsed < 0 &&
           run->begun_at > 0 && run->begun_at <= now;
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
