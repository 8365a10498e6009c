// SPDX-License-Identifier: MIT
// The part of the pool that tells all it knows, for people: who does what, since when, and what waits.
#include <algorithm>
#include <cstdio>
#include <sstream>

#include "base/clock.hh"
#include "platform/process_report.hh"
#include "pool/last_steps.hh"
#include "pool/pool.hh"

namespace mproc::pool {
namespace {

constexpr size_t kMostSteps = 8;
constexpr int kMostIds = 8;
constexpr size_t kMostShown = 16;  // bytes of an argument

const char* NameOf(Phase phase) {
  switch (phase) {
    case Phase::kRunning:
      return "running";
    case Phase::kClosing:
      return "closing";
    case Phase::kTerminating:
      return "terminating";
    default:
      return "ended";
  }
}

const char* NameOf(WorkerState state) {
  switch (state) {
    case WorkerState::kNone:
      return "no process";
    case WorkerState::kStarting:
      return "starting";
    case WorkerState::kReady:
      return "ready";
    default:
      return "ending";
  }
}

// The mutex is held.
std::string DescribeWorker(const Core& core, const WorkerSlot& worker, int64_t now) {
  std::ostringstream text;
  text << "  " << NameOf(worker.state);
  if (worker.distrusted) text << ", wrote nonsense and is being killed";
  if (worker.stuck) text << ", is given no more until a task ends";
  text << ", holds " << worker.held << " tasks, has done " << worker.tasks_done.load() << "\n";
  if (!worker.channel) return text.str();
  ipc::FlightReader flight = worker.channel->flight();
  ipc::Run run;
  if (worker.RunsNow(now, &run)) {
    text << "  runs task " << run.task << ", " << DescribeFunction(core, run.function) << ", since "
         << DescribeTime(now - run.begun_at) << DescribeProgress(flight, run) << "\n";
  }
  int waiting = 0;
  for (uint64_t at = worker.tail; at < worker.channel->head(); at++) {
    const Future* task = worker.in_flight[at % ipc::kSlots].load(std::memory_order_acquire);
    if (!task || !worker.channel->IsQueued(at)) continue;
    if (waiting++ < kMostIds) text << (waiting == 1 ? "  not begun: tasks " : ", ") << task->id;
  }
  if (waiting) text << (waiting > kMostIds ? ", ..." : "") << " (" << waiting << ")\n";
  if (std::string steps = LastSteps(core, flight, now, kMostSteps); !steps.empty()) {
    text << "  last steps, by how long before:\n" << steps;
  }
  return text.str();
}

// The first bytes of a payload: text as it is, others by their numbers.
std::string DescribeBytes(ByteView bytes) {
  std::string text = "\"";
  for (std::byte byte : bytes.first(std::min(bytes.size(), kMostShown))) {
    auto c = std::to_integer<unsigned char>(byte);
    char part[8];
    bool plain = c >= ' ' && c < 0x7f && c != '"' && c != '\\';
    std::snprintf(part, sizeof part, plain ? "%c" : "\\x%02x", c);
    text += part;
  }
  return text + "\"";
}

// The mutex is held.
std::string DescribeSlowest(const Core& core) {
  std::ostringstream text;
  for (size_t i = 0; i < core.slowest.size(); i++) {
    const SlowTask& slow = core.slowest[i];
    text << (i ? "" : "slowest tasks:\n") << "  " << DescribeTime(slow.elapsed) << ": task " << slow.task
         << ", " << DescribeFunction(core, slow.function) << ", worker " << slow.worker;
    if (slow.items > 1 || slow.item) text << ", item " << slow.item;
    if (slow.items > 1) text << " and " << slow.items - 1 << " more";
    text << ", " << slow.size << " bytes";
    if (slow.kept) text << " " << DescribeBytes(slow.argument());
    text << "\n";
  }
  return text.str();
}

}  // namespace

std::string Pool::Dump() {
  struct Worker {
    std::string head;
    pid_t pid;
    std::string body;
  };
  std::ostringstream text;
  std::vector<Worker> workers;
  std::string slowest;
  {
    std::lock_guard lock(core_.mutex);
    int64_t now = NowNs();
    const Counters& counters = core_.counters;
    text << "pool '" << core_.options.name << "': " << NameOf(core_.phase.load()) << "\n";
    if (core_.broken) text << "  broken: " << core_.broken_why.message() << "\n";
    text << "  submitted " << counters.submitted.load() << ", ended " << counters.ended.load()
         << ", not yet given to a worker " << dispatcher_.queued() << " (" << dispatcher_.queued_bytes()
         << " bytes)\n"
         << "  worker starts " << counters.starts.load() << ", deaths " << counters.deaths.load()
         << ", threads that wait " << core_.waiters.count()
         << (core_.leader_asleep.load() ? " and a leader" : "") << ", callbacks due "
         << core_.callbacks_due.load() << "\n";
    slowest = DescribeSlowest(core_);
    for (const auto& worker : core_.workers) {
      std::string head = "worker " + std::to_string(worker->number) + " in place " +
                         std::to_string(worker->place) + " (" + worker->name + ", pid " +
                         std::to_string(worker->pid.load()) + ")";
      workers.push_back({std::move(head), worker->pid.load(), DescribeWorker(core_, *worker, now)});
    }
  }
  platform::ProcessReporter processes;  // reads files: not with the mutex held
  for (const Worker& worker : workers) {
    text << worker.head << ":\n";
    if (worker.pid) text << "  process: " << processes.Describe(worker.pid) << "\n";
    text << worker.body;
  }
  text << slowest;
  return text.str();
}

}  // namespace mproc::pool
