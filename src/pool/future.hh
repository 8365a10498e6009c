// SPDX-License-Identifier: MIT
// The record of one task and its future: 128 bytes, in memory that is never unmapped (future_slab.hh), so
// that a stale handle can be told from a live one.
//
// Life. The engine holds one reference from submit until the task has ended and its callback has returned;
// each public handle holds one more. While a task is queued or out with a worker, `payload` is its input;
// completion.cc replaces it with the value. Who may end a task: only whoever took it out of the one place
// where it was, the backlog (pool's mutex) or a worker's in-flight entry (an atomic exchange).
#pragma once

#include <mproc/task_options.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "base/bytes.hh"
#include "pool/due_callback.hh"
#include "pool/held_bytes.hh"
#include "pool/policy.hh"
#include "task/error.hh"
#include "task/kind.hh"

namespace mproc::pool {

class Pool;
class MapState;
class Arrivals;
class BeginDue;
class ProgressDue;
struct Future;

// Why a task did not end with a value.
struct ErrorInfo {
  task::TaskError error;
  int32_t cause = MPROC_CAUSE_NONE;
  int32_t signal = 0;
  int32_t exit_code = 0;
  int64_t failed_item = -1;
  int32_t worker_pid = 0;  // of a chunk's error: who ran it
  uint32_t worker_number = 0;
};

struct Callbacks {
  mproc_future_cb callback = nullptr;
  mproc_future_cb error_callback = nullptr;
  void* user_data = nullptr;
  mproc_release_cb release = nullptr;  // the memory of the payload is the caller's again
  void* owner = nullptr;
  bool quiet = false;  // the call waits itself: not for mproc_pool_next
  mproc_progress_cb progress = nullptr;
  void* progress_data = nullptr;
  mproc_started_cb started = nullptr;
  void* started_data = nullptr;
  bool any() const { return callback || error_callback || progress || started; }
  // Gives the memory of the payload back, once.
  void Release() {
    if (mproc_release_cb give_back = std::exchange(release, nullptr)) give_back(owner);
  }
};
inline constexpr Callbacks kNoCallbacks{};

// The end of a task, in the callback queue.
class EndDue final : public DueCallback {
 public:
  void SetTask(Future* task) { task_ = task; }
  void Run() override;
  Future* ended() override { return task_; }

 private:
  Future* task_ = nullptr;
};

// What only some futures have. Owned by its future.
struct Extra {
  Callbacks callbacks;
  std::unique_ptr<ErrorInfo> error;
  std::unique_ptr<MapState> map;
  std::unique_ptr<const Policy> policy;  // if the record, or that of the chunk, is `governed`
  bool told = false;                     // its end goes through the callback queue
  int64_t submitted_at = 0;              // if all tasks of the pool are timed; monotonic clock
  int64_t begun_at = 0;                  // the same; after the end
  EndDue end;
  std::unique_ptr<ProgressDue> progress;  // if it has such a callback
  std::unique_ptr<BeginDue> begin;        // the same; then the record is `governed`, too
  std::shared_ptr<Arrivals> arrivals;     // where its end is noted; such a future has no callbacks of its own
  Future* next_arrived = nullptr;         // there
  uint64_t ticket = 0;                    // its name there
  Extra();
  ~Extra();
};

enum FutureState : uint32_t {
  kOutcomeMask = 7,  // MPROC_OUTCOME_
  kReady = 8,        // waiting threads may see it: after the callback, where there is one
  kWaited = 16,      // a thread sleeps for it
  kOneHandle = 256   // bits 8 to 31 count the public handles: those of the engine are in `refs` only
};

// Where the payload of a task, then its value, is.
enum class Input : uint8_t {
  kInline,
  kHeap,
  kPages,    // many bytes (platform/pages.hh)
  kArray,    // in the map of a chunk
  kChannel,  // payloads only: in the channel of the worker it was given to, which cannot write there
  kHeld,     // somewhere else, kept by `held.holder` or, without one, by the caller
  kLost      // payloads only: there was no memory to take it back to
};

// In the record of a chunk, where its time is not estimated; 0: nothing is known yet.
inline constexpr int64_t kNoEstimate = -1;

inline constexpr uint32_t kFutureMagic = 0x75464d50;  // "PMFu"
inline constexpr size_t kFutureInline = 32;

struct alignas(128) Future {
  std::atomic<uint32_t> magic;
  std::atomic<uint32_t> refs;
  std::atomic<uint32_t> state;
  uint32_t function;
  Pool* pool;  // one reference, held as long as the record is in use
  uint64_t id;
  Future* next;  // in the backlog or a free list
  union {
    Extra* extra;    // of a task or map; may be null
    Future* parent;  // of a chunk; lives until all its chunks have ended
  };
  uint64_t size;       // of the payload, then of the value
  uint64_t position;   // in the task ring of its worker             (pool's mutex)
  uint32_t index;      // of a chunk of one item: its place in the map, saturated
  int32_t worker_pid;  // who ran it, from the moment it was given out
  uint32_t worker_number;
  int32_t place;  // worker it was given to, -1 in the backlog  (pool's mutex)
  task::Kind kind;
  Input input;
  bool is_chunk;                 // `parent` holds, else `extra`
  bool is_map;                   // extra->map holds
  bool tombstone;                // ended while in the backlog                 (pool's mutex)
  bool governed;                 // there is a policy
  uint8_t attempts;              // how often it was begun and lost, or failed, and was to be run again
  std::atomic<uint8_t> stopped;  // MPROC_CAUSE_: not to be run any more; if it is CALL, whatever it answers
  // Of a task: ns that it ran; before its end: when it was submitted, 0 if that is not noted. Of a chunk:
  // what it is expected to take.
  int64_t elapsed;
  union {
    std::byte bytes[kFutureInline];  // a small payload or value
    std::byte* heap;                 // malloc'ed, or pages
    struct {
      const std::byte* data;
      Holder* holder;  // owned
    } held;
    struct {  // a chunk of an array map: items [first, first + count)
      uint64_t first, count;
    } range;
  };

  // Payload or value, where the record leads to it.
  ByteView stored() const {
    if (input == Input::kInline) return {bytes, size};
    return {input == Input::kHeld ? held.data : heap, size};
  }
  uint32_t outcome() const { return state.load(std::memory_order_acquire) & kOutcomeMask; }
  // What others see: of a chunk its map.
  const Future* whole() const { return is_chunk ? parent : this; }
  Future* whole() { return is_chunk ? parent : this; }
  const Policy& policy() const { return *whole()->extra->policy; }
  BeginDue* begin() const { return governed ? whole()->extra->begin.get() : nullptr; }
  // It was cancelled while it ran: it ends so, whatever comes of it.
  bool cancelled_running() const { return stopped.load(std::memory_order_relaxed) == MPROC_CAUSE_CALL; }
  // Whether it is to be run again after such an end.
  bool RunsAgainAfter(int32_t how) const {
    return governed && !stopped.load(std::memory_order_relaxed) && policy().Retries(how, attempts);
  }
  int32_t priority() const { return governed ? policy().priority : 0; }
  bool ready() const { return state.load(std::memory_order_seq_cst) & kReady; }
};
static_assert(sizeof(Future) == 128);

// What a task is submitted with.
struct Payload {
  ByteView bytes;
  bool borrowed = false;           // they stay where they are until the task has ended; else they are copied
  std::unique_ptr<Holder> holder;  // they lie in a shared block: a BlockUse
  // Of a chunk of a lazy map: what the bytes are, the place of a single item, and who is told of the end.
  task::Kind kind = task::Kind::kSingle;
  uint32_t index = 0;
  std::shared_ptr<Arrivals> arrivals;
  uint64_t ticket = 0;
};

// Copies bytes into the record, or behind it if they are many. False without memory.
bool StoreBytes(Future* future, ByteView value);
// Lets the record look at bytes that `holder` keeps.
void HoldBytes(Future* future, ByteView bytes, std::unique_ptr<Holder> holder);
// References of a record. The last one frees result, error and record. (completion.cc)
void Retain(Future* future);
void Release(Future* future);
// The same, but that the last one does not give the record back to its pool. True if this was the last.
bool GiveUp(Future* future);
// One more public handle, and its reference.
void AddHandle(Future* future);
// Takes a public handle off, with its reference. False if there is none.
bool ReleaseHandle(Future* future);
// Frees what is behind the record.
void FreeBytes(Future* future);

}  // namespace mproc::pool
