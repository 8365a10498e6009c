// SPDX-License-Identifier: MIT
// The record of one task and its future: 128 bytes, in memory that is never unmapped (future_slab.hh), so
// that a stale handle can be told from a live one.
//
// Life. The engine holds one reference from submit until the task has ended and its callback has returned;
// each public handle holds one more. While a task is queued or out with a worker, `payload` is its input;
// completion.cc replaces it with the value. Who may end a task: only whoever took it out of the one place
// where it was, the backlog (pool's mutex) or a worker's in-flight entry (an atomic exchange).
#pragma once

#include <mproc/future.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "base/bytes.hh"
#include "pool/held_bytes.hh"
#include "pool/policy.hh"
#include "task/error.hh"
#include "task/kind.hh"

namespace mproc::pool {

class Pool;
class MapState;
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
  bool any() const { return callback || error_callback; }
  // Gives the memory of the payload back, once.
  void Release() {
    if (mproc_release_cb give_back = std::exchange(release, nullptr)) give_back(owner);
  }
};

// What only some futures have. Owned by its future.
struct Extra {
  Callbacks callbacks;
  std::unique_ptr<ErrorInfo> error;
  std::unique_ptr<MapState> map;
  std::unique_ptr<const Policy> policy;  // if the record, or that of the chunk, is `governed`
  bool told = false;                     // its end goes through the callback queue
  Future* next_callback = nullptr;       // in the callback queue; `next` may still link it in the backlog
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

inline constexpr uint32_t kFutureMagic = 0x75464d50;  // "PMFu"
inline constexpr size_t kFutureInline = 32;

struct alignas(128) Future {
  std::atomic<uint32_t> magic;
  std::atomic<uint32_t> refs;
  std::atomic<uint32_t> state;
  uint32_t function;
  Pool* pool;  // one reference, held as long as the record is in use
  uint64_t id;
  Future* next;  // in the backlog, a free list or the callback queue
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
  int64_t elapsed;               // ns that it ran; after its end
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
  const Policy& policy() const { return *(is_chunk ? parent->extra : extra)->policy; }
  bool ready() const { return state.load(std::memory_order_seq_cst) & kReady; }
};
static_assert(sizeof(Future) == 128);

// What a task is submitted with.
struct Payload {
  ByteView bytes;
  bool borrowed = false;           // they stay where they are until the task has ended; else they are copied
  std::unique_ptr<Holder> holder;  // they lie in a shared block: a BlockUse
};

// Copies bytes into the record, or behind it if they are many. False without memory.
bool StoreBytes(Future* future, ByteView value);
// Lets the record look at bytes that `holder` keeps.
void HoldBytes(Future* future, ByteView bytes, std::unique_ptr<Holder> holder);
// References of a record. The last one frees result, error and record. (completion.cc)
void Retain(Future* future);
void Release(Future* future);
// One more public handle, and its reference.
void AddHandle(Future* future);
// Takes a public handle off, with its reference. False if there is none.
bool ReleaseHandle(Future* future);
// Frees what is behind the record.
void FreeBytes(Future* future);

}  // namespace mproc::pool
