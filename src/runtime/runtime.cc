// SPDX-License-Identifier: MIT
#include "runtime/runtime.hh"

#include <algorithm>

#include "platform/fork_guard.hh"
#include "platform/program_path.hh"

namespace mproc::runtime {

// What there is once per process. Never destroyed; in a forked child a fresh one takes its place, and the
// inherited one, whose locks some thread of the parent may have held, is only kept.
struct Runtime::Process {
  Process(uint32_t own_epoch, Process* parents) : epoch(own_epoch), inherited(parents) {}

  const uint32_t epoch;
  Process* const inherited;

  std::mutex mutex;
  bool had_runtime = false;                      // guarded by mutex
  std::shared_ptr<Runtime> current;              // guarded by mutex
  std::vector<std::shared_ptr<Runtime>> ending;  // guarded by mutex
};

Runtime::Process& Runtime::ThisProcess() {
  static constinit std::atomic<Process*> g_process{nullptr};
  uint32_t epoch = platform::ForkEpoch();
  Process* process = g_process.load(std::memory_order_acquire);
  while (!process || process->epoch != epoch) {
    auto* fresh = new Process(epoch, process);
    if (g_process.compare_exchange_strong(process, fresh, std::memory_order_acq_rel)) return *fresh;
    delete fresh;
  }
  return *process;
}

Result<std::shared_ptr<Runtime>> Runtime::Acquire(const std::string& worker_program) {
  return AcquireWith(&worker_program);
}

Result<std::shared_ptr<Runtime>> Runtime::AcquireEngine() { return AcquireWith(nullptr); }

// With a launcher if `worker_program` is not null.
Result<std::shared_ptr<Runtime>> Runtime::AcquireWith(const std::string* worker_program) {
  Status guarded = platform::StartForkGuard();
  if (!guarded.ok()) return guarded;
  Process& process = ThisProcess();
  std::lock_guard lock(process.mutex);
  std::shared_ptr<Runtime> runtime = process.current;
  if (!runtime) {
    runtime.reset(new Runtime);
    if (Status started = runtime->engine_.Start(); !started.ok()) return started;
  }
  if (Status opened = worker_program ? runtime->OpenLauncher(*worker_program) : Status(); !opened.ok()) {
    return opened;  // a fresh engine ends with its runtime
  }
  process.current = runtime;
  process.had_runtime = true;
  return runtime;
}

std::shared_ptr<Runtime> Runtime::Current() {
  Process& process = ThisProcess();
  std::lock_guard lock(process.mutex);
  return process.current;
}

Status Runtime::Finish(int64_t limit) {
  Deadline deadline = Deadline::After(limit);
  Process& process = ThisProcess();
  std::vector<std::shared_ptr<Runtime>> ending;
  {
    std::lock_guard lock(process.mutex);
    bool foreign = !process.had_runtime && process.inherited && process.inherited->had_runtime;
    if (foreign) return Status(MPROC_ERROR_FORKED);
    ending = process.ending;
    if (process.current) ending.push_back(process.current);
    for (auto& runtime : ending) {
      if (runtime->OnEngineThread()) return Status(MPROC_ERROR_WOULD_BLOCK_ITSELF);
    }
    process.current.reset();
    process.ending = ending;
  }
  for (auto& runtime : ending) {
    Status status = runtime->EndBy(deadline);
    if (!status.ok()) return status;
    std::lock_guard lock(process.mutex);
    std::erase(process.ending, runtime);
  }
  return Status();
}

Status Runtime::OpenLauncher(const std::string& worker_program) {
  if (!worker_program_.empty()) return Status();
  auto program = platform::FindWorkerProgram(worker_program);
  if (!program.ok()) return program.status();
  if (Status opened = launcher_.Open(*program); !opened.ok()) return opened;
  worker_program_ = std::move(*program);
  return Status();
}

bool Runtime::AddMember(std::weak_ptr<Member> member) {
  std::lock_guard lock(mutex_);
  if (ending_) return false;
  std::erase_if(members_, [](const std::weak_ptr<Member>& old) { return old.expired(); });
  members_.push_back(std::move(member));
  return true;
}

Status Runtime::EndBy(const Deadline& deadline) {
  std::vector<std::weak_ptr<Member>> members;
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    members = members_;
  }
  for (auto& weak : members) {
    if (auto member = weak.lock()) member->BeginEnd();
  }
  for (auto& weak : members) {
    auto member = weak.lock();
    if (member && !member->WaitEnded(deadline)) return Status(MPROC_ERROR_TIMED_OUT);
  }
  auto close_handles = [this] {
    launcher_.CloseHandles();
    forked_.CloseHandles();
  };
  threads_.End();
  bool ended = launcher_.End(deadline) && forked_.End(deadline) && engine_.Stop(close_handles, deadline);
  return ended ? Status() : Status(MPROC_ERROR_TIMED_OUT);
}

}  // namespace mproc::runtime
