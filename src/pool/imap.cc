// SPDX-License-Identifier: MIT
#include "pool/imap.hh"

#include <algorithm>
#include <utility>

#include "pool/completion.hh"
#include "pool/drain.hh"
#include "pool/pool.hh"

namespace mproc::pool {
namespace {

uint64_t DefaultWindow(uint64_t workers, uint64_t chunk) {
  uint64_t tasks = 2 * std::max<uint64_t>(workers, 1);
  return chunk > UINT64_MAX / tasks ? UINT64_MAX : tasks * chunk;
}

// The first of the chunks that are out has ended.
class FirstEnded : public Condition {
 public:
  FirstEnded(Future* future, const std::function<bool()>& gone) : future_(future), gone_(gone) {}
  bool Done() override { return future_->ready() || gone_(); }
  void Mark() override { future_->state.fetch_or(kWaited, std::memory_order_seq_cst); }

 private:
  Future* future_;
  const std::function<bool()>& gone_;
};

// Any of them has.
class OneArrived : public Condition {
 public:
  OneArrived(Arrivals* arrivals, const std::function<bool()>& gone) : arrivals_(arrivals), gone_(gone) {}
  bool Done() override { return arrivals_->any() || gone_(); }
  void Mark() override { arrivals_->Want(); }

 private:
  Arrivals* arrivals_;
  const std::function<bool()>& gone_;
};

}  // namespace

Imap::Imap(std::shared_ptr<Pool> pool, const ImapInput& input, Pull pull)
    : pool_(std::move(pool)),
      input_(input),
      window_items_(input.window_items ? input.window_items
                                       : DefaultWindow(static_cast<uint64_t>(pool_->size()), input.chunk)),
      chunk_(std::min(input.chunk, window_items_)),  // a larger one would never be full
      arrivals_(input.unordered ? std::make_shared<Arrivals>() : nullptr),
      pull_(std::move(pull)) {}

Imap::~Imap() { Clear(); }

Imap::Turn::Turn(Imap& imap) : imap_(imap) {
  uint32_t free = 0;
  if (imap.state_.compare_exchange_strong(free, kBusy)) return;
  status_ = free & kAbandoned ? Status(MPROC_ERROR_STALE_HANDLE)
                              : Status(MPROC_ERROR_BUSY,
                                       "another call is at work on the iterator, or its own pull callback");
}

Imap::Turn::~Turn() {
  if (status_.ok() && (imap_.state_.fetch_and(~kBusy) & kAbandoned)) imap_.Clear();
}

void Imap::Abandon() {
  if (state_.fetch_or(kAbandoned) & kBusy) {
    pool_->LookAgain();
  } else {
    Clear();
  }
}

void Imap::Clear() {
  if (arrivals_) arrivals_->Close();
  pull_ = nullptr;
  for (auto& [first, chunk] : out_) {
    if (!chunk.future) continue;
    Status withdrawn = pool_->Cancel(chunk.future);
    (void)withdrawn;  // what runs ends unseen
    ReleaseHandle(chunk.future);
  }
  out_.clear();
  Drop();
  std::vector<std::byte>().swap(bytes_);
}

// ---- from the iterable to the pool

void Imap::Fill() {
  const bool running = pool_->running();  // if not, the next item is enough to find that out
  if (waits_ && !SendNow()) return;
  while (!ended_ && !gone() && HasRoom()) {
    if (!PullOne()) break;
    if (waits_) return;
    if (building_.count >= (running ? chunk_ : 1) && !SendNow()) return;
  }
  // Rather a small chunk than idle workers, or than one that waits for bytes that it holds itself.
  bool cut = ended_ || out_.empty() || (input_.window_bytes && held_bytes_ >= input_.window_bytes);
  if (building_.count && cut && !gone()) (void)SendNow();
}

bool Imap::PullOne() {
  ByteView item;
  int32_t code = pull_(&item);
  if (gone()) return false;
  if (code == 1 && (item.data() || item.empty())) {
    Take(item, chunk_ == 1 && building_.count == 0);
    return true;
  }
  if (code == 0) {
    ended_ = true;
  } else if (code < 0) {
    EndIterable(code, "the pull callback failed");
  } else {
    EndIterable(MPROC_ERROR_INVALID_ARGUMENT,
                code == 1 ? "the pull callback gave a null pointer with a size"
                          : "the pull callback returned a number above 1, which means nothing");
  }
  return false;
}

void Imap::EndIterable(int32_t code, const char* why) {
  ended_ = true;
  iterable_ = ErrorEnding({code, "", why, ""}).error;
}

void Imap::Take(ByteView item, bool alone) {
  uint64_t index = pulled_++;
  held_bytes_ += item.size();
  if (alone) {
    alone_ = item;
  } else {
    try {
      if (item.size() > task::kLargestPayload) throw std::bad_alloc();
      ends_.push_back(bytes_.size() + item.size());
      bytes_.insert(bytes_.end(), item.begin(), item.end());
    } catch (const std::bad_alloc&) {
      ends_.resize(building_.count);
      if (building_.count) (void)SendNow();
      return Refuse({.first = index, .count = 1, .bytes = item.size()}, Status(MPROC_ERROR_OUT_OF_MEMORY));
    }
  }
  if (building_.count++ == 0) building_.first = index;
  building_.bytes += item.size();
}

ByteView Imap::Pack() {
  if (alone_.data()) return alone_;
  const uint64_t count = building_.count;
  if (count == 1 || waits_) return bytes_;
  uint64_t each = ends_[0];
  for (uint64_t i = 1; i < count && each != task::kVaried; i++) {
    if (ends_[i] - ends_[i - 1] != each) each = task::kVaried;
  }
  task::ChunkHead head{building_.first, count, each, 0, input_.keep_going ? 1u : 0u, 0};
  ends_.insert(ends_.begin(), 0);
  ByteView table =
      each == task::kVaried ? AsBytes(ends_.data(), ends_.size() * sizeof(uint64_t)) : ByteView();
  ByteView top = AsBytes(&head, sizeof head);
  std::vector<std::byte> payload;
  payload.reserve(top.size() + table.size() + bytes_.size());
  for (ByteView part : {top, table, ByteView(bytes_)})
    payload.insert(payload.end(), part.begin(), part.end());
  bytes_.swap(payload);
  return bytes_;
}

Status Imap::Send(const Deadline& deadline) {
  Chunk& chunk = out_[building_.first];
  Status sent(MPROC_ERROR_OUT_OF_MEMORY);
  try {
    Payload payload;
    payload.bytes = Pack();
    payload.kind = building_.count == 1 ? task::Kind::kSingle : task::Kind::kItems;
    payload.index = static_cast<uint32_t>(std::min<uint64_t>(building_.first, UINT32_MAX));
    payload.arrivals = arrivals_;
    payload.ticket = building_.first;
    sent = pool_->Submit(input_.function, std::move(payload), deadline, {.quiet = true}, &building_.future);
  } catch (const std::bad_alloc&) {
  }
  if (!sent.ok()) building_.future = nullptr;
  if (KeepForLater(&sent)) {
    out_.erase(building_.first);
    return sent;
  }
  Chunk made = std::exchange(building_, {});
  alone_ = {};
  bytes_.clear();
  ends_.clear();
  waits_ = false;
  if (sent.ok()) {
    chunk = std::move(made);
  } else {
    Refuse(std::move(made), sent);
  }
  return Status();
}

bool Imap::KeepForLater(Status* why) {
  if (why->code() != MPROC_ERROR_QUEUE_FULL && why->code() != MPROC_ERROR_TIMED_OUT &&
      why->code() != MPROC_ERROR_INTERRUPTED) {
    return false;
  }
  try {
    if (alone_.data()) bytes_.assign(alone_.begin(), alone_.end());
  } catch (const std::bad_alloc&) {
    *why = Status(MPROC_ERROR_OUT_OF_MEMORY);
    return false;
  }
  alone_ = {};
  return waits_ = true;
}

void Imap::Refuse(Chunk chunk, const Status& why) {
  int32_t cause = why.code() == MPROC_ERROR_NOT_RUNNING ? pool_->EndCause() : 0;
  Ending ending =
      cause ? CancelledEnding(cause)
            : NotRunEnding(why.code(), why.message(),
                           why.code() == MPROC_ERROR_BROKEN ? MPROC_CAUSE_BROKEN : MPROC_CAUSE_NONE);
  chunk.refused = std::move(ending.error);
  chunk.refused_outcome = static_cast<uint32_t>(ending.outcome);
  if (input_.unordered) refused_.push_back(chunk.first);
  out_[chunk.first] = std::move(chunk);
  if (why.code() != MPROC_ERROR_OUT_OF_MEMORY && why.code() != MPROC_ERROR_TOO_LARGE) ended_ = true;
}

// ---- from the pool to the reader

Status Imap::Next(const Deadline& deadline, ImapItem* item) {
  told_ = {};
  if (current_.told == current_.count) Drop();
  Fill();
  while (current_.told == current_.count && !gone()) {
    if (!out_.empty()) {
      if (Status waited = WaitForChunk(deadline); !waited.ok()) return waited;
      if (!gone()) TakeChunk();
    } else if (building_.count) {  // the pool had no room for it
      Status sent = Send(deadline);
      if (sent.code() == MPROC_ERROR_QUEUE_FULL) return Status(MPROC_ERROR_TIMED_OUT);
      if (!sent.ok()) return sent;
    } else if (iterable_) {
      own_error_ = std::move(iterable_);
      told_.error = own_error_.get();
      return Status(MPROC_ERROR_ITERABLE,
                    own_error_->error.message + " with " + std::to_string(own_error_->error.code));
    } else {
      return Status(MPROC_ERROR_END);
    }
  }
  if (gone()) return Status(MPROC_ERROR_STALE_HANDLE);
  Open();
  TellItem();
  *item = told_;
  return Status();
}

Status Imap::WaitForChunk(const Deadline& deadline) {
  const std::function<bool()> gone = [this] { return this->gone(); };
  if (input_.unordered) {
    if (!refused_.empty()) return Status();
    OneArrived condition(arrivals_.get(), gone);
    return pool_->Wait(condition, deadline);
  }
  Future* first = out_.begin()->second.future;
  if (!first) return Status();
  FirstEnded condition(first, gone);
  return pool_->Wait(condition, deadline);
}

void Imap::TakeChunk() {
  auto place = out_.begin();
  if (input_.unordered) {
    Future* ended = arrivals_->Take();
    place = out_.find(ended ? ended->extra->ticket : refused_.back());
    if (!ended) refused_.pop_back();
  }
  static_cast<Chunk&>(current_) = std::move(place->second);
  out_.erase(place);
}

// Reads what the worker answered. May fail without memory, and is tried again then.
void Imap::Open() {
  if (current_.opened) return;
  const Future* future = current_.future;
  current_.outcome = future ? future->outcome() : current_.refused_outcome;
  current_.error = current_.refused.get();
  if (current_.outcome != MPROC_OUTCOME_VALUE) {
    if (future && future->extra) current_.error = future->extra->error.get();
  } else if (future->kind == task::Kind::kItems) {
    ByteView bytes = future->stored();
    if (future->input == Input::kHeld) {  // copied first, then checked
      current_.kept = std::make_unique_for_overwrite<std::byte[]>(bytes.size());
      std::copy(bytes.begin(), bytes.end(), current_.kept.get());
      bytes = {current_.kept.get(), bytes.size()};
    }
    task::ItemResults& results = current_.results;
    if (!results.Open(bytes, current_.count) || (results.done() < current_.count && results.failed() == 0)) {
      Ending ending = ErrorEnding({MPROC_ERROR_PROTOCOL, StatusName(MPROC_ERROR_PROTOCOL),
                                   "the worker's results of a chunk cannot be read", ""});
      current_.outcome = MPROC_OUTCOME_ERROR;
      current_.refused = std::move(ending.error);
      current_.error = current_.refused.get();
    }
  }
  current_.opened = true;
}

void Imap::TellItem() {
  const uint64_t place = current_.told;
  ImapItem item{current_.outcome, current_.first + place, {}, current_.error};
  if (item.outcome == MPROC_OUTCOME_VALUE && current_.future->kind != task::Kind::kItems) {
    item.value = current_.future->stored();
  } else if (item.outcome == MPROC_OUTCOME_VALUE) {
    const task::ItemResults& results = current_.results;
    Ending ending;
    if (place >= results.done()) {
      ending = NotRunEnding(MPROC_ERROR_NOT_RUN, "an earlier item of its chunk failed", MPROC_CAUSE_NONE);
    } else if (results.failed_at(place)) {
      task::TaskError error;
      if (!task::DecodeError(results.at(place), &error)) {
        error = {MPROC_ERROR_PROTOCOL, StatusName(MPROC_ERROR_PROTOCOL),
                 "the worker's error of an item cannot be read", ""};
      }
      ending = ErrorEnding(std::move(error));
    } else {
      item.value = results.at(place);
    }
    item.outcome = static_cast<uint32_t>(ending.outcome);
    own_error_ = std::move(ending.error);
    item.error = own_error_.get();
  }
  told_ = item;
  told_items_++;
  if (++current_.told == current_.count) held_bytes_ -= current_.bytes;
}

void Imap::Drop() {
  if (current_.future) ReleaseHandle(current_.future);
  current_ = {};
}

}  // namespace mproc::pool
