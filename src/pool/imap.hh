// SPDX-License-Identifier: MIT
// One lazy map: takes items from an iterable as its reader takes results, and never has more of them than its
// window. Each chunk of items is a task like any other; the chunks that are out stand in `out_`, and an
// unordered one learns of their ends from its Arrivals.
//
//   iterable ──Pull──► building_ ──Send──► out_ ──Open──► current_ ──Tell──► reader
//            └────────── pulled and not told: at most the window ─────────┘
//
// Threads. One call at a time works on it: whoever has the Turn, on the thread of its caller, so nothing
// below needs a lock. A second one is told BUSY. Only Abandon may come meanwhile; then the one at work clears
// up when it leaves.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/bytes.hh"
#include "base/clock.hh"
#include "base/status.hh"
#include "pool/arrivals.hh"
#include "pool/future.hh"
#include "task/item_results.hh"

namespace mproc::pool {

struct ImapInput {
  uint32_t function = 0;
  uint64_t chunk = 1;         // items of a task
  uint64_t window_items = 0;  // 0: 2 x workers x chunk
  uint64_t window_bytes = 0;  // 0: no bound
  bool unordered = false;
  bool keep_going = false;
};

// What a reader is told of an item.
struct ImapItem {
  uint32_t outcome = MPROC_OUTCOME_PENDING;
  uint64_t index = 0;
  ByteView value;                    // VALUE
  const ErrorInfo* error = nullptr;  // else
};

class Imap {
 public:
  // The next item of the iterable: 1 with bytes, which stay until the next pull; 0 at its end, else its
  // error.
  using Pull = std::function<int32_t(ByteView* item)>;

  Imap(std::shared_ptr<Pool> pool, const ImapInput& input, Pull pull);
  ~Imap();

  // The right to work on the iterator. BUSY, or STALE_HANDLE when it was abandoned.
  class Turn {
   public:
    explicit Turn(Imap& imap);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    const Status& status() const { return status_; }

   private:
    Imap& imap_;
    Status status_;
  };

  // -- with a Turn
  // Pulls what fits into the window and hands it to the pool.
  void Fill();
  // The next result; what it leads to stays until the following call. END, ITERABLE, TIMED_OUT, INTERRUPTED,
  // STALE_HANDLE (abandoned meanwhile).
  Status Next(const Deadline& deadline, ImapItem* item);
  // What the last Next told; PENDING if that was no item. With ITERABLE only the error is set.
  const ImapItem& told() const { return told_; }
  const Future* told_task() const { return told_.outcome ? current_.future : nullptr; }
  uint32_t function() const { return input_.function; }

  // -- any thread, once
  // Nobody will read on: what no worker has begun is taken back, and what runs ends unseen.
  void Abandon();

 private:
  struct Chunk {
    Future* future = nullptr;            // a handle of ours; null if the pool refused the task
    std::unique_ptr<ErrorInfo> refused;  // why
    uint32_t refused_outcome = 0;
    uint64_t first = 0, count = 0, bytes = 0;
  };
  // A chunk whose results are being told.
  struct Current : Chunk {
    uint64_t told = 0;
    bool opened = false;
    uint32_t outcome = 0;  // of all its items; VALUE: each has its own
    task::ItemResults results;
    std::unique_ptr<std::byte[]> kept;  // results that the worker could still change are copied
    const ErrorInfo* error = nullptr;   // of all its items
  };

  bool gone() const { return state_.load(std::memory_order_seq_cst) & kAbandoned; }
  bool HasRoom() const {
    return pulled_ - told_items_ < window_items_ &&
           (!input_.window_bytes || held_bytes_ < input_.window_bytes);
  }
  bool PullOne();
  void EndIterable(int32_t code, const char* why);
  // Puts an item into the chunk that is being built; without memory for it, it is a refused chunk of its own.
  void Take(ByteView item, bool alone);
  ByteView Pack();
  // Hands the chunk that is being built to the pool. After QUEUE_FULL, TIMED_OUT and INTERRUPTED it is kept
  // for later.
  Status Send(const Deadline& deadline);
  bool SendNow() { return Send(Deadline::After(0)).ok(); }
  bool KeepForLater(Status* why);
  void Refuse(Chunk chunk, const Status& why);
  Status WaitForChunk(const Deadline& deadline);
  void TakeChunk();
  void Open();
  void TellItem();
  void Drop();
  void Clear();

  static constexpr uint32_t kBusy = 1, kAbandoned = 2;

  const std::shared_ptr<Pool> pool_;
  const ImapInput input_;
  const uint64_t window_items_;
  const uint64_t chunk_;
  std::atomic<uint32_t> state_{0};
  std::shared_ptr<Arrivals> arrivals_;  // unordered only

  Pull pull_;
  bool ended_ = false;  // nothing more is pulled
  uint64_t pulled_ = 0, told_items_ = 0;
  uint64_t held_bytes_ = 0;              // pulled, of chunks that are not told to the end
  std::unique_ptr<ErrorInfo> iterable_;  // its error, to be told last

  // The chunk that is being built: `alone_` or `bytes_`.
  Chunk building_;
  ByteView alone_;                // the bytes of its one item, as long as the iterable keeps them
  std::vector<std::byte> bytes_;  // its items one after the other, or all of its payload if it waits
  std::vector<uint64_t> ends_;    // of its items in bytes_
  bool waits_ = false;            // the pool had no room for it

  std::map<uint64_t, Chunk> out_;  // by its first item
  std::vector<uint64_t> refused_;  // unordered only: those in out_ that never became a task
  Current current_;
  std::unique_ptr<ErrorInfo> own_error_;  // of the item that was told
  ImapItem told_;
};

}  // namespace mproc::pool
