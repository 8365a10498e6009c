// SPDX-License-Identifier: MIT
#include "pool/staff.hh"

#include <algorithm>

#include "base/clock.hh"
#include "platform/limits.hh"
#include "platform/process_state.hh"
#include "pool/dispatcher.hh"

namespace mproc::pool {
namespace {

constexpr int64_t kPlacesPerSeat = 2;

}  // namespace

void Staff::Resize(int32_t size) {
  core_.size = size;
  wanted_ = size;
  core_.CallSupervisor();
}

bool Staff::AllReady() const {
  int64_t ready = 0;
  for (auto& worker : core_.workers) {
    ready += worker->state == WorkerState::kReady && worker->seat != Seat::kLeaving;
  }
  return ready >= wanted_;
}

void Staff::Measure() {
  for (auto& worker : core_.workers) {
    if (!worker->stuck || worker->large || worker->state != WorkerState::kReady) continue;
    worker->large = platform::OwnMemory(worker->pid) > core_.options.worker.terms.memory;
    if (worker->large) core_.CallSupervisor();
  }
}

bool Staff::Over(const WorkerSlot& worker, int64_t now) const {
  if (worker.state != WorkerState::kReady || worker.seat == Seat::kLeaving) return false;
  int64_t age = core_.options.worker.age;
  return worker.IsSpent() || worker.large || worker.channel->AsksToLeave() ||
         (age && Later(worker.ready_at, age) <= now);
}

bool Staff::Departs(const WorkerSlot& worker, int64_t now) const {
  if (worker.seat == Seat::kLeaving || worker.nears_end) return true;
  int64_t age = core_.options.worker.age;
  return age && worker.state == WorkerState::kReady && Later(worker.ready_at, age) - kStartAhead <= now;
}

bool Staff::Stays(const WorkerSlot& worker, int64_t now) const {
  return (worker.state == WorkerState::kStarting || worker.state == WorkerState::kReady) &&
         !Departs(worker, now);
}

int64_t Staff::Staying(int64_t now) const {
  return std::ranges::count_if(core_.workers, [&](auto& worker) { return Stays(*worker, now); });
}

bool Staff::IsIdle(const WorkerSlot& worker) const {
  return worker.state == WorkerState::kReady && worker.seat != Seat::kLeaving && worker.held == 0 &&
         !worker.own;
}

void Staff::Leave(WorkerSlot* worker) {
  worker->seat = Seat::kLeaving;
  if (worker->state != WorkerState::kReady) return;
  dispatcher_.Relieve(worker);
  dispatcher_.GiveOwn(worker);
}

void Staff::Review(int64_t now) {
  if (core_.ending()) return;
  for (auto& worker : core_.workers) {
    if (Over(*worker, now)) {
      core_.counters.recycled.fetch_add(1, std::memory_order_relaxed);
      Leave(worker.get());
    } else if (worker->state == WorkerState::kReady && worker->channel->AsksToLeave()) {
      Leave(worker.get());  // it leaves already, and now begins nothing more
    }
  }
  DropSurplus(now);
  if (core_.options.worker.idle) {
    Grow(now);
    DropIdle(now);
    core_.understaffed = wanted_ < core_.size;
  }
  GiveSeats();
}

void Staff::DropSurplus(int64_t now) {
  // Those go first who hold least; of them, who are not even there yet.
  auto weight = [](const WorkerSlot& worker) {
    return worker.state == WorkerState::kStarting ? -1 : int64_t{worker.held};
  };
  auto leave = [&](int64_t many, auto&& may_go) {
    for (; many > 0; many--) {
      WorkerSlot* least = nullptr;
      for (auto& worker : core_.workers) {
        if (may_go(*worker) && (!least || weight(*worker) < weight(*least))) least = worker.get();
      }
      if (!least) return;
      Leave(least);
    }
  };
  leave(Staying(now) - core_.size, [&](auto& worker) { return Stays(worker, now); });
  // Who departs keeps its seat until it leaves: with too many seats it leaves now.
  auto seated = [](auto& worker) {
    return worker.state == WorkerState::kReady && worker.seat == Seat::kTaken;
  };
  int64_t taken = std::ranges::count_if(core_.workers, [&](auto& worker) { return seated(*worker); });
  leave(taken - core_.size, [&](auto& worker) { return seated(worker) && !Stays(worker, now); });
}

void Staff::Grow(int64_t now) {
  if (wanted_ >= core_.size) return;
  uint64_t waiting = dispatcher_.queued();
  for (auto& worker : core_.workers) {
    if (worker->held > 1 && worker->WaitEstimate() >= kWorthStarting) waiting += worker->held - 1;
  }
  auto more = static_cast<int64_t>(std::min<uint64_t>(waiting, Places::kMost));
  wanted_ = std::min<int64_t>(core_.size, std::max(wanted_, Staying(now) + more));
}

void Staff::DropIdle(int64_t now) {
  int64_t staying = Staying(now);
  for (auto& worker : core_.workers) {
    if (!IsIdle(*worker) || Later(worker->idle_since, core_.options.worker.idle) > now) continue;
    if (Stays(*worker, now)) {
      if (staying <= core_.options.worker.least) continue;
      wanted_ = std::min(wanted_, --staying);
    }
    Leave(worker.get());
  }
}

void Staff::GiveSeats() {
  auto waits = [](const WorkerSlot& worker) {
    return worker.state == WorkerState::kReady && worker.seat == Seat::kNone;
  };
  int64_t free = core_.size;
  for (auto& worker : core_.workers) {
    if (!waits(*worker)) free -= worker->held > 0 || worker->seat == Seat::kTaken;
  }
  for (auto& worker : core_.workers) {
    if (!waits(*worker)) continue;
    if (free-- <= 0) return;
    dispatcher_.WorkerReady(worker.get());
    worker->seat = Seat::kTaken;
  }
}

int64_t Staff::Missing(int64_t now) const {
  Phase phase = core_.phase.load();
  if (phase > Phase::kClosing) return 0;
  int64_t used = 0, free = 0;
  for (auto& worker : core_.workers) {
    used += worker->state != WorkerState::kNone;
    free += Stays(*worker, now) && worker->held == 0;
  }
  int64_t missing = std::min(wanted_ - Staying(now), kPlacesPerSeat * core_.size - used);
  // A pool that closes starts no more than it has tasks for.
  if (phase == Phase::kClosing)
    missing = std::min(missing, static_cast<int64_t>(dispatcher_.queued()) - free);
  return missing;
}

int32_t Staff::ChooseCpu(int64_t now) const {
  if (!core_.options.worker.one_cpu_each) return -1;
  std::vector<int32_t> cpus = core_.options.worker.terms.cpus;
  if (cpus.empty()) cpus = platform::AllowedCpus();
  int32_t best = -1;
  int64_t fewest = INT64_MAX;
  for (int32_t cpu : cpus) {
    auto there = [&](auto& worker) { return worker->cpu == cpu && Stays(*worker, now); };
    int64_t others = std::ranges::count_if(core_.workers, there);
    if (others < fewest) {
      fewest = others;
      best = cpu;
    }
  }
  return best;
}

int64_t Staff::NextLook(int64_t now) const {
  const WorkerOptions& options = core_.options.worker;
  int64_t next = INT64_MAX;
  bool may_drop = options.idle && Staying(now) > options.least;
  for (auto& worker : core_.workers) {
    if (worker->state == WorkerState::kEnding) next = std::min(next, worker->end_by);
    if (worker->state != WorkerState::kReady || worker->seat == Seat::kLeaving) continue;
    if (options.age) {
      int64_t end = Later(worker->ready_at, options.age);
      next = std::min(next, end - kStartAhead > now ? end - kStartAhead : end);
    }
    if (may_drop) next = std::min(next, Later(worker->held ? now : worker->idle_since, options.idle));
  }
  return next;
}

}  // namespace mproc::pool
