// SPDX-License-Identifier: MIT
#include "worker/worker_state.hh"

#include <mproc/start.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "platform/identity.hh"

namespace mproc::worker {
namespace {

constexpr char kMark[] = "MPROC_STARTING";  // the number of the process

struct State {
  std::atomic<int32_t> method{MPROC_START_NONE};
  std::atomic<bool> starting{false};
};

constinit State g_process;              // of a process that is a worker
constinit thread_local State t_thread;  // of a thread in the host

}  // namespace

bool IsWorker() { return g_process.method != MPROC_START_NONE; }

int32_t StartedBy() { return t_thread.method != MPROC_START_NONE ? t_thread.method : g_process.method; }

bool IsStarting() {
  if (t_thread.starting || g_process.starting) return true;
  const char* mark = std::getenv(kMark);
  return mark && mark == std::to_string(platform::CurrentPid());
}

void MarkStarting() { setenv(kMark, std::to_string(platform::CurrentPid()).c_str(), 1); }

void UnmarkStarting() {
  if (std::getenv(kMark)) unsetenv(kMark);
}

WorkerState::WorkerState(int32_t method, bool owns_process) : owns_process_(owns_process) {
  State& state = owns_process ? g_process : t_thread;
  state.method = method;
  state.starting = true;
}

void WorkerState::Started() {
  (owns_process_ ? g_process : t_thread).starting = false;
  if (owns_process_) UnmarkStarting();
}

// A process that was a worker stays one.
WorkerState::~WorkerState() {
  if (owns_process_) return;
  t_thread.method = MPROC_START_NONE;
  t_thread.starting = false;
}

}  // namespace mproc::worker
