// SPDX-License-Identifier: MIT
// The engine's side of one worker process: hears from the launcher and from the worker's socket until the
// worker has said hello, and turns what it hears into events for the supervisor. Lives on the engine thread;
// made and closed from any thread.
#pragma once

#include <memory>

#include "ipc/message.hh"
#include "loop/poll.hh"
#include "loop/timer.hh"
#include "platform/memory_file.hh"
#include "pool/core.hh"
#include "runtime/fork_guard.hh"
#include "runtime/launcher_client.hh"

namespace mproc::pool {

// What happened to a worker. A value.
struct WorkerEvent {
  enum class Kind { kStarted, kHello, kRefused, kLate, kStartFailed, kExited };
  Kind kind;
  int place = 0;
  uint32_t number = 0;
  pid_t pid = 0;
  Status why;
  std::shared_ptr<const task::Table> table;
  runtime::ChildExit exit{};
  std::string errors;  // kRefused, kLate, kExited: the end of what it wrote to a standard error of ours

  // The same, as the end of a message.
  std::string AfterErrors() const;
};

inline constexpr size_t kErrorTail = 4096;

class WorkerLink : public runtime::ChildObserver, public std::enable_shared_from_this<WorkerLink> {
 public:
  using Deliver = std::function<void(WorkerEvent)>;
  // `socket` is a duplicate of the host's end. It is there before the worker is started: the report of its
  // exit may come before Open has done its work, and its last words are read all the same.
  WorkerLink(std::shared_ptr<runtime::Runtime> runtime, int place, uint32_t number, runtime::GuardedFd socket,
             Deliver deliver)
      : runtime_(std::move(runtime)),
        place_(place),
        number_(number),
        deliver_(std::move(deliver)),
        socket_(std::move(socket)) {}

  // The worker's standard error until the hello, a memory file. Before it is started.
  void SetErrors(runtime::GuardedFd errors) { errors_ = std::move(errors); }
  // Listens for at most `limit` nanoseconds. Any thread.
  void Open(int64_t limit);
  // Nothing is delivered afterwards (but for what is under way on the engine thread). Any thread.
  void Close();

  void OnStarted(uint64_t child, pid_t pid) override;
  void OnStartFailed(uint64_t child, const Status& why) override;
  void OnExited(uint64_t child, runtime::ChildExit exit) override;

 private:
  void OnReadable();
  void Handle(const ipc::MessageHead& head, ByteView body);
  void StopListening();
  WorkerEvent Event(WorkerEvent::Kind kind) const {
    WorkerEvent event;
    event.kind = kind;
    event.place = place_;
    event.number = number_;
    if (errors_.valid()) event.errors = platform::TailOfMemoryFile(errors_.get(), kErrorTail);
    return event;
  }

  std::shared_ptr<runtime::Runtime> runtime_;
  int place_;
  uint32_t number_;
  Deliver deliver_;  // emptied by Close, on the engine thread
  runtime::GuardedFd socket_;
  loop::Poll poll_;
  loop::Timer timer_;
  runtime::GuardedFd errors_;
  ipc::LongBody hello_{4 << 20};
};

}  // namespace mproc::pool
