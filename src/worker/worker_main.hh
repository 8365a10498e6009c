// SPDX-License-Identifier: MIT
// A worker process from its start to its end.
#pragma once

#include <mproc/start.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "platform/identity.hh"
#include "task/table.hh"

namespace mproc::ipc {
class WorkerChannel;
}

namespace mproc::task {
struct Setup;
}

namespace mproc::worker {

// Calls a module's entry point with a table to fill; the C edge knows how.
using CallEntry = std::function<Status(void* entry, task::Table* table)>;
// The table to serve, once the host has told what it wants; or why there is none. It must outlive Serve.
using FindTable = std::function<Result<const task::Table*>(const task::Setup&)>;

// True if this process was started as a worker by a run of its own program; the mark is removed. The nonce
// has to be the one that the host will tell.
bool TakeSelfMark(uint64_t* nonce);
// True while the mark is there, that is, if this is a worker run and nobody has served it.
bool HasSelfMark();
// Tells the host that this worker run will never serve.
void RefuseSelf();

// Serves on descriptor 3 until the host orders the end or is gone; the exit status. `own` is the table of a
// program that is its own worker; without it the set-up names a module. Main thread.
int WorkerMain(const task::Table* own, uint64_t nonce, const CallEntry& call_entry);

// The process that loads a module once and forks workers that have it: until the launcher, on descriptor 3,
// ends it. The exit status, its own or that of a worker that it has become. Main thread.
int TemplateMain(const std::string& module, const CallEntry& call_entry);

// What a worker does between its tasks: sleeps for `slice` nanoseconds at most, then calls `between`.
struct Idle {
  int64_t slice = 0;
  std::function<void()> between;
};

// How a worker was started, and so what is its own.
struct Start {
  int32_t method = MPROC_START_SPAWN;
  int socket = 3;
  // A program with signal handlers of its own, maybe for faults that it can bear: there is no crash trace of
  // it. Its standard error was kept back until now.
  bool is_command = false;
  Idle* idle = nullptr;
  // Start method threads: the channel, attached already. Then nothing that belongs to the process is touched.
  ipc::WorkerChannel* channel = nullptr;
};

// What every worker does when its parent's death would be its own: set-up, hello, tasks. Returns when it was
// told to end, or why it could not begin, which the host is told, too. A process calls its function instead
// of serving. The value is the exit code.
Result<int> Serve(const FindTable& find_table, const Start& start);
inline constexpr int kCouldNotServe = 1;  // else

struct ForkedWorker {
  pid_t host = 0;
  std::vector<std::string> environment;        // "NAME=value"
  std::vector<std::string> unset_environment;  // names
  std::string directory;                       // "": the host's
};

// What a child does that the host has forked from a thread of ours: the rest of its life. The exit code.
int ForkedMain(const ForkedWorker& worker, int socket, const FindTable& find_table);

// What a thread of the host does that is a worker: serves until it is told to end. 0, or 1 if it could not.
int ThreadMain(ipc::WorkerChannel* channel, int socket, const FindTable& find_table);

// A worker that is a program of the host's choice: becomes that program, which then calls ServeCommand, or,
// if it does not serve, knows nothing of us. It dies with the launcher all the same: the parent-death signal
// outlives exec. The exit status if it cannot.
int CommandMain(char* const* arguments, bool serves);
// NOT_RUNNING if this process is no such worker, or has served before. Any one thread.
Status ServeCommand(const task::Table& table, Idle* idle = nullptr);

// Loads the module, and lets it fill a table.
Status LoadTable(const std::string& module, const CallEntry& call_entry, task::Table* table);

}  // namespace mproc::worker
