// SPDX-License-Identifier: MIT
#include "pool/drain.hh"

#include <algorithm>
#include <new>

#include "platform/cpu.hh"
#include "platform/futex.hh"
#include "platform/poll.hh"
#include "pool/begin_due.hh"
#include "pool/completion.hh"
#include "pool/spent_records.hh"
#include "pool/supervisor.hh"

namespace mproc::pool {
namespace {

constexpr int64_t kPollNs = 25'000;
constexpr int64_t kSpinNs = 1'000'000;
constexpr int64_t kYieldNs = 50'000;
constexpr int64_t kSlice = 100'000'000;  // the longest sleep: signals get their turn, nothing rests for ever
constexpr int64_t kLeaderSlice = 20'000'000;  // the same of a leader, whose bell a worker may put off
constexpr int kMostTurns = 64;                // looks of one Settle
constexpr uint32_t kMostAtOnce = 1024;        // results of one worker before the others get their turn

}  // namespace

bool Drain::EngineWanted() const {
  if (core_.supervisor_due.load(std::memory_order_seq_cst)) return true;
  uint32_t wanted = BellWanted(), armed = engine_armed_.load(std::memory_order_seq_cst);
  return wanted != ipc::kNobody && (armed == ipc::kNobody || wanted < armed);
}

bool Drain::TakeResult(WorkerSlot* worker, const ipc::ResultFrame& frame, SpentRecords* spent) {
  if (frame.size > task::kLargestPayload) return false;
  // The entry was made before the slot was published, so it is there for every honest result; how many tasks
  // have been published is the business of the other side.
  auto& entry = worker->in_flight[frame.task % ipc::kSlots];
  Future* task = entry.load(std::memory_order_acquire);
  __builtin_prefetch(worker->in_flight[(frame.task + 1) % ipc::kSlots].load(std::memory_order_relaxed));
  if (!task || task->position != frame.task) return false;
  const std::byte* at = frame.data;
  bool lost = false;
  bool in_place = frame.status == static_cast<uint32_t>(task::Answer::kInPlace);
  if (in_place) {
    at = nullptr;  // known when the task is ours
  } else if (frame.block) {
    at = worker->FindBlock(frame.block, frame.offset, frame.size);
    lost = !at && worker->LostBlock(frame.block);
    if (!at && !lost) return false;
  } else if (frame.size > ipc::kInlineBytes) {
    return false;
  }
  Ending ending;
  ByteView bytes(at, frame.size);
  if (lost) {
    ending = OwnEnding(
        MPROC_OUTCOME_ERROR, MPROC_ERROR_DESCRIPTOR_LIMIT,
        "the host had no free descriptor or no memory to receive the value: raise the limit of open files",
        MPROC_CAUSE_NONE);
  } else if (frame.status == static_cast<uint32_t>(task::Answer::kValue)) {
    ending.value = bytes;
  } else if (frame.status == static_cast<uint32_t>(task::Answer::kError)) {
    task::TaskError error;
    if (!task::DecodeError(bytes, &error)) return false;
    ending = ErrorEnding(std::move(error));
  } else if (!in_place) {
    return false;
  }
  std::unique_ptr<Holder> loan;  // given back at the end of this call, unless the future keeps it
  if (frame.lent && lost) worker->lender->GiveBack(frame.block);
  if (frame.lent && at && frame.block && !(loan = worker->TakeLoan(frame.block))) return false;
  if (loan && ending.outcome == MPROC_OUTCOME_VALUE && !task->is_chunk && !worker->lender->Many()) {
    ending.holder = std::move(loan);
  }
  if (core_.ending()) ending = CancelledEnding(core_.terminate_cause);
  if (task->cancelled_running()) ending = CancelledEnding(MPROC_CAUSE_CALL);
  ending.elapsed = static_cast<int64_t>(frame.elapsed);
  if (entry.exchange(nullptr, std::memory_order_acq_rel) != task) return false;
  bool good = !in_place || ending.outcome != MPROC_OUTCOME_VALUE || PlaceValue(*task, frame, &ending);
  tally_.results++;
  tally_.last = std::max(tally_.last, frame.task);
  tally_.bytes += task->size;
  tally_.elapsed += frame.elapsed;
  tally_.value_bytes += frame.size;
  NoteTimes(worker, *task, &ending);
  BeginDue::Note(task, *worker);
  if (core_.log.wanted()) core_.log.BeforeEnd(worker, frame.task, task);
  if (worker->output) core_.output.BeforeEnd(worker, task);
  if (task->RunsAgainAfter(ending.outcome)) {
    std::lock_guard lock(core_.mutex);
    dispatcher_.RunAgain(task);
    return good;
  }
  if (task->is_chunk) {
    EndChunk(task, &ending);
    spent->Add(task);
  } else {
    End(task, std::move(ending));
  }
  return good;
}

inline void Drain::NoteTimes(WorkerSlot* worker, const Future& task, Ending* ending) {
  TimesOfFunction* times = core_.times.Of(core_.bounds.FunctionOf(task.function));
  if (times) times->ran.Add(static_cast<uint64_t>(ending->elapsed));
  int64_t submitted = task.elapsed;
  if (task.is_chunk) submitted = core_.TimesSubmit(task.id) ? task.parent->elapsed : 0;
  if (submitted != 0) NoteWait(worker, task, submitted, times, ending);
  if (core_.slowest.Wants(ending->elapsed)) NoteSlow(*worker, task, ending->elapsed);
}

void Drain::NoteSlow(const WorkerSlot& worker, const Future& task, int64_t elapsed) {
  std::lock_guard lock(core_.mutex);
  core_.slowest.Note(worker, task, core_.bounds, elapsed);
}

void Drain::NoteWait(WorkerSlot* worker, const Future& task, int64_t submitted, TimesOfFunction* times,
                     Ending* ending) {
  int64_t told = worker->channel->flight().At(task.position).begun_at;
  if (told <= 0) return;  // a time that cannot be
  // A worker looks at the clock and then for a task: it may find one that was submitted in between.
  int64_t begun = std::max(told, submitted);
  ending->elapsed = std::max<int64_t>(0, ending->elapsed - (begun - told));
  if (times) times->waited.Add(static_cast<uint64_t>(begun - submitted));
  if (core_.options.timing == MPROC_TIMING_ALL) ending->begun_at = begun;
}

bool Drain::PlaceValue(const Future& task, const ipc::ResultFrame& frame, Ending* ending) {
  ByteView whole;
  if (task.kind == task::Kind::kBlock) whole = task.held.holder->Whole();
  if (whole.empty() || frame.offset > whole.size() || frame.size > whole.size() - frame.offset) {
    *ending = OwnEnding(MPROC_OUTCOME_WORKER_LOST, MPROC_ERROR_WORKER_LOST,
                        "the worker answered with memory that is not the task's, and is killed",
                        MPROC_CAUSE_PROTOCOL);
    return false;
  }
  ending->value = whole.subspan(frame.offset, frame.size);
  ending->in_place = true;
  return true;
}

void Drain::NoteBegin(WorkerSlot* worker, uint64_t announced) {
  worker->announced = announced;
  uint64_t position = announced - 1;
  std::lock_guard lock(core_.mutex);
  if (position >= worker->channel->head() || !worker->Holds(position)) return;  // ended, or never given
  BeginDue::Note(worker->in_flight[position % ipc::kSlots].load(std::memory_order_acquire), *worker);
}

void Drain::NoteTally(WorkerSlot* worker) {
  auto raise = [](std::atomic<uint64_t>* number, uint64_t by) {
    number->store(number->load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  };
  raise(&worker->busy_ns, tally_.elapsed);
  raise(&core_.counters.bytes_in, tally_.bytes);
  raise(&core_.counters.bytes_out, tally_.value_bytes);
}

bool Drain::LookAt(WorkerSlot* worker) {
  if (!worker->channel || worker->distrusted) return false;
  if (core_.log.wanted() && !core_.log.TakeFrom(worker)) supervisor_.Distrust(worker);
  if (!worker->serving || worker->distrusted) return false;
  tally_ = {};
  SpentRecords spent;
  ipc::ResultFrame frame;
  // Its socket is read when a result needs that. A worker that waits for room in it would wait for ever.
  bool good = !worker->unheard.load(std::memory_order_relaxed) ||
              !worker->unheard.exchange(worker->last_call.awaited()) || worker->Hear();
  while (tally_.results < kMostAtOnce && good && worker->channel->PeekResult(&frame)) {
    good = (!core_.log.wanted() || core_.log.TakeFrom(worker)) && TakeResult(worker, frame, &spent);
    if (good) worker->channel->ConsumeResult();
  }
  uint64_t passed = worker->channel->ClaimedPassed();
  uint64_t announced = worker->channel->Announced();
  if (announced != worker->announced) NoteBegin(worker, announced);
  if (!good) supervisor_.Distrust(worker);
  if (!worker->asked_to_leave && worker->channel->AsksToLeave()) {
    worker->asked_to_leave = true;
    core_.CallSupervisor();
  }
  if (tally_.results == 0 && passed <= worker->passed) return false;
  worker->passed = std::max(worker->passed, passed);
  if (tally_.results) worker->channel->PublishConsumed();
  worker->tasks_done.fetch_add(tally_.results, std::memory_order_relaxed);
  NoteTally(worker);
  spent.GiveBack();
  std::unique_lock lock(core_.mutex);
  if (passed > worker->channel->head()) {  // more than it was ever given
    lock.unlock();
    if (good) supervisor_.Distrust(worker);
    lock.lock();
    passed = worker->tail;
  }
  worker->held -= std::min(worker->held, tally_.results);
  worker->held_bytes -= std::min(worker->held_bytes, tally_.bytes);
  if (tally_.results) worker->NoteTaskTime(tally_.elapsed / tally_.results);
  // What it says it has passed is only believed of slots whose task has ended or moved.
  uint64_t before = worker->tail;
  uint64_t limit = std::max(passed, tally_.results ? tally_.last + 1 : 0);
  while (worker->tail < limit &&
         !worker->in_flight[worker->tail % ipc::kSlots].load(std::memory_order_acquire)) {
    worker->tail++;
  }
  if (tally_.results == 0 && worker->tail == before) return false;
  worker->channel->ReleaseBelow(worker->socket.get(), worker->tail);
  dispatcher_.Progress(worker);
  return true;
}

bool Drain::Look() {
  try {
    return LookOnce();
  } catch (const std::bad_alloc&) {
    core_.CallSupervisor();  // what was left out is done by the next look
    return true;
  }
}

bool Drain::LookOnce() {
  bool any = supervisor_.HandleInbox();
  if (any) engine_armed_.store(ipc::kNobody, std::memory_order_seq_cst);  // a new worker's bell is not armed
  for (auto& worker : core_.workers) any |= LookAt(worker.get());
  if (any || core_.phase.load(std::memory_order_relaxed) != Phase::kRunning) {
    std::lock_guard lock(core_.mutex);
    dispatcher_.Fill();
    supervisor_.Advance();
  }
  if (any && (core_.options.queue_tasks || core_.options.queue_bytes)) core_.waiters.WakeAll();  // for room
  return any || core_.supervisor_due.load(std::memory_order_seq_cst);
}

void Drain::ArmAll(ipc::HostBell bell) {
  for (auto& worker : core_.workers) {
    if (worker->channel) worker->channel->Arm(bell);
  }
}

bool Drain::PollFor(Condition& condition) {
  int32_t polling = core_.options.polling;
  if (polling == MPROC_POLLING_OFF) return false;
  uint32_t cpu = platform::CurrentCpu();
  for (auto& worker : core_.workers) {
    if (worker->channel) worker->channel->PublishCpu(cpu);
  }
  auto& last = core_.workers[static_cast<size_t>(core_.given_last.load(std::memory_order_relaxed))];
  auto on_this_cpu = [&] { return last->channel && last->channel->worker_cpu() == cpu; };
  if (polling == MPROC_POLLING_ADAPTIVE) {
    if (on_this_cpu()) return YieldFor();
    if (!gate_.Open()) return false;
  }
  int64_t end = NowNs() + (polling == MPROC_POLLING_SPIN ? kSpinNs : kPollNs);
  do {
    for (int i = 0; i < 16; i++) {
      if (Look()) {
        gate_.Succeeded();
        return true;
      }
      platform::CpuRelax();
    }
    if (condition.Done()) return true;
    if (on_this_cpu()) platform::YieldCpu();
  } while (NowNs() < end);
  gate_.Failed();
  return false;
}

// The worker shares this CPU: polling would keep it from running.
bool Drain::YieldFor() {
  if (!yield_gate_.Open()) return false;
  int64_t begun = NowNs();
  platform::YieldCpu();
  bool came = Look();
  if (came && NowNs() - begun < kYieldNs) {
    yield_gate_.Succeeded();
  } else {
    yield_gate_.Failed();
  }
  return came;
}

Status Drain::Lead(Condition& condition, const Deadline& deadline) {
  int64_t slice = 1'000'000;  // grows: a result whose bell was put off is seen soon all the same
  for (uint32_t turns = 0;;) {
    bool any = Look();
    if (condition.Done()) return Status();
    if (any && (deadline.never() || ++turns % 16 != 0)) continue;
    if (deadline.Passed()) return Status(MPROC_ERROR_TIMED_OUT);
    if (core_.TakeWake()) return Status(MPROC_ERROR_INTERRUPTED);
    if (PollFor(condition)) continue;
    core_.leader_asleep.store(true, std::memory_order_seq_cst);
    condition.Mark();
    ArmAll(ipc::kRingLeader);
    engine_armed_.store(ipc::kNobody, std::memory_order_seq_cst);
    if (Look() || condition.Done() || core_.wake.load(std::memory_order_seq_cst)) {
      core_.leader_asleep.store(false, std::memory_order_seq_cst);
      continue;
    }
    auto slept = platform::PollReadable(core_.leader_bell.get(), std::min(deadline.Remaining(), slice));
    core_.leader_asleep.store(false, std::memory_order_seq_cst);
    if (slept == platform::Slept::kWoken) platform::ClearEventFd(core_.leader_bell.get());
    if (slept == platform::Slept::kInterrupted) {
      Look();
      if (condition.Done()) return Status();
      return Status(MPROC_ERROR_INTERRUPTED);
    }
    slice = slept == platform::Slept::kTimedOut ? std::min(slice * 4, kLeaderSlice) : int64_t{1'000'000};
  }
}

void Drain::HandOver() {
  if (core_.waiters.WakeOne()) return;
  if (EngineWanted()) Settle();
}

Status Drain::Wait(Condition& condition, const Deadline& deadline) {
  for (;;) {
    if (condition.Done()) return Status();
    Waiter waiter;
    bool leads = core_.drain_lock.try_lock();
    if (!leads) {
      if (deadline.immediate()) return Status(MPROC_ERROR_TIMED_OUT);
      core_.waiters.Add(&waiter);
      condition.Mark();
      leads = core_.drain_lock.try_lock();
      if (leads) core_.waiters.Remove(&waiter);
    }
    if (leads) {
      std::unique_lock lock(core_.drain_lock, std::adopt_lock);  // given back without memory, too
      Status led = Lead(condition, deadline);
      lock.unlock();
      HandOver();
      return led;
    }
    auto slept = platform::Slept::kWoken;
    if (!condition.Done() && waiter.word.load(std::memory_order_seq_cst) == 0) {
      slept = platform::FutexWait(&waiter.word, 0, std::min(deadline.Remaining(), kSlice), false);
    }
    core_.waiters.Remove(&waiter);
    Status left;
    if (slept == platform::Slept::kInterrupted) left = Status(MPROC_ERROR_INTERRUPTED);
    if (deadline.Passed()) left = Status(MPROC_ERROR_TIMED_OUT);
    bool ended = condition.Done();
    if (!ended && left.ok()) continue;
    // It may have been chosen to lead and does not: somebody else must.
    if (waiter.word.load(std::memory_order_seq_cst) != 0) HandOver();
    return ended ? Status() : left;
  }
}

uint32_t Drain::BellWanted() const {
  if (core_.callbacks_due.load(std::memory_order_seq_cst) > 0 || core_.waiters.HasOthers() ||
      core_.phase.load(std::memory_order_seq_cst) != Phase::kRunning) {
    return ipc::kRingEngine;
  }
  // A worker that has logged rings in any case.
  return dispatcher_.queue_hint() || core_.log.wanted() ? ipc::kRingEngineWhenDry : ipc::kNobody;
}

void Drain::Settle() {
  for (;;) {
    std::unique_lock lock(core_.drain_lock, std::try_to_lock);
    if (!lock) {  // the holder settles when it leaves
      bool news = core_.supervisor_due.load(std::memory_order_seq_cst);
      if (news && core_.leader_asleep.load(std::memory_order_seq_cst))
        platform::RingEventFd(core_.leader_bell.get());
      return;
    }
    bool more = true;
    for (int turns = 0; more && turns < kMostTurns; turns++) {
      Look();
      uint32_t bell = BellWanted();
      // Before the bells: one that rings at once lets the engine take this back.
      engine_armed_.store(bell, std::memory_order_seq_cst);
      if (bell != ipc::kNobody) ArmAll(static_cast<ipc::HostBell>(bell));
      more = Look();
    }
    lock.unlock();
    if (more) {  // news without end: it is the engine's turn
      platform::RingEventFd(core_.engine_bell.get());
      return;
    }
    // What happened between the last look and the unlock found the lock taken.
    if (core_.waiters.WakeOne() || !EngineWanted()) return;
  }
}

void Drain::EngineRung() {
  platform::ClearEventFd(core_.engine_bell.get());
  engine_armed_.store(ipc::kNobody, std::memory_order_seq_cst);
  Settle();
}

}  // namespace mproc::pool
