// SPDX-License-Identifier: MIT
#include <mproc/process.h>

#include <algorithm>
#include <vector>

#include "capi/process_handles.hh"
#include "capi/start_options.hh"
#include "platform/fork_lock.hh"
#include "platform/signals.hh"

using namespace mproc;
using namespace mproc::capi;
using process::Process;

namespace {

constexpr int32_t kLastSignal = 64;

// All that have a handle, in the order of their making. Never freed; a forked child finds no live handle in
// it.
struct Made {
  mproc_process_t* handle;
  std::weak_ptr<Process> process;
};
constinit platform::ForkMutex g_mutex;
constinit std::vector<Made>* g_made = nullptr;  // g_mutex

void NoteMade(mproc_process_t* handle, const std::shared_ptr<Process>& process) {
  std::lock_guard lock(g_mutex);
  if (!g_made) g_made = new std::vector<Made>;
  std::erase_if(*g_made, [](const Made& one) { return one.process.expired(); });
  g_made->push_back({handle, process});
}

template <typename Body>
int32_t GuardProcess(mproc_process_t* handle, Body&& body) {
  return GuardOn<ProcessHandles>(handle, std::forward<Body>(body));
}

// The same for what is written to `*place`.
template <typename Place, typename Body>
int32_t GuardAsked(mproc_process_t* handle, Place* place, Body&& body) {
  return GuardProcess(handle, [&](Process& p) -> Status {
    return place ? body(p) : BadArgument("where to write it is null");
  });
}

}  // namespace

mproc_status_t mproc_process_create(mproc_process_options_t* options, mproc_process_t** process) {
  return Guard([&]() -> Status {
    if (!process) return BadArgument("process is null");
    process::Options wanted;
    Status read =
        On<ProcessOptionsHandles>(options, [&](const process::Options& o) { return wanted = o, Status(); });
    if (read.ok()) read = CompleteStart(&wanted, "process");
    if (!read.ok()) return read;
    auto made = Process::Create(std::move(wanted));
    if (!made.ok()) return made.status();
    Status given = GiveOut<ProcessHandles>(*made, "processes", process);
    if (given.ok()) NoteMade(*process, *made);
    return given;
  });
}

mproc_status_t mproc_process_start(mproc_process_t* process) {
  return GuardProcess(process, [](Process& p) { return p.Start(); });
}

mproc_status_t mproc_process_join(mproc_process_t* process, int64_t limit) {
  return GuardProcess(process, [&](Process& p) { return p.Join(Deadline::After(limit)); });
}

mproc_status_t mproc_process_terminate(mproc_process_t* process) {
  return GuardProcess(process, [](Process& p) { return p.Signal(SIGTERM); });
}

mproc_status_t mproc_process_kill(mproc_process_t* process) {
  return GuardProcess(process, [](Process& p) { return p.Signal(SIGKILL); });
}

mproc_status_t mproc_process_signal(mproc_process_t* process, int32_t signal) {
  return GuardProcess(process, [&](Process& p) {
    if (signal < 1 || signal > kLastSignal) return BadArgument("signals have numbers from 1 to 64");
    return p.Signal(signal);
  });
}

mproc_status_t mproc_process_is_alive(mproc_process_t* process, int32_t* alive) {
  return GuardAsked(process, alive, [&](Process& p) {
    *alive = p.IsAlive() ? 1 : 0;
    return Status();
  });
}

mproc_status_t mproc_process_exit_code(mproc_process_t* process, int32_t* code) {
  return GuardAsked(process, code, [&](Process& p) { return p.ExitCode(code); });
}

mproc_status_t mproc_process_pid(mproc_process_t* process, int64_t* pid) {
  return GuardAsked(process, pid, [&](Process& p) { return p.Pid(pid); });
}

mproc_status_t mproc_process_sentinel(mproc_process_t* process, int32_t* fd) {
  return GuardAsked(process, fd, [&](Process& p) { return p.Sentinel(fd); });
}

mproc_status_t mproc_process_name(mproc_process_t* process, const char** name) {
  return GuardAsked(process, name, [&](Process& p) {
    *name = p.name().c_str();
    return Status();
  });
}

mproc_status_t mproc_process_is_daemon(mproc_process_t* process, int32_t* daemon) {
  return GuardAsked(process, daemon, [&](Process& p) {
    *daemon = p.daemon() ? 1 : 0;
    return Status();
  });
}

mproc_status_t mproc_process_failure(mproc_process_t* process, int32_t* code, const char** type,
                                     const char** message, const char** trace) {
  return GuardProcess(process, [&](Process& p) -> Status {
    int32_t exit_code = 0;
    if (Status ended = p.ExitCode(&exit_code); !ended.ok()) return ended;
    const task::TaskError* failure = p.Failure();
    if (!failure) return Status(MPROC_ERROR_NO_ERROR, "the process has told of no error");
    if (code) *code = failure->code;
    if (type) *type = failure->type.c_str();
    if (message) *message = failure->message.c_str();
    if (trace) *trace = failure->trace.c_str();
    return Status();
  });
}

mproc_status_t mproc_process_destroy(mproc_process_t* process) {
  if (!process) return MPROC_OK;
  int32_t dead = GuardProcess(
      process, [](Process& p) { return p.IsAlive() ? Status(MPROC_ERROR_STILL_ALIVE) : Status(); });
  return dead == MPROC_OK ? GuardDestroy<ProcessHandles, Process>(process) : dead;
}

mproc_status_t mproc_process_active(mproc_process_t** processes, size_t capacity, size_t* count) {
  return Guard([&] {
    if (!count || (!processes && capacity)) return BadArgument("processes or count is null");
    *count = 0;
    std::vector<Made> made;
    {
      std::lock_guard lock(g_mutex);  // a leaf: nobody is asked under it
      if (g_made) made = *g_made;
    }
    for (const Made& one : made) {
      ProcessHandles::Pinned pinned;
      if (!ProcessHandles::Get().Find(one.handle, &pinned).ok() || !pinned->IsAlive()) continue;
      if (*count < capacity) processes[*count] = one.handle;
      ++*count;
    }
    return Status();
  });
}
