// SPDX-License-Identifier: MIT
// The engine's side of one child that serves: hears from who started it, and from its socket until it has
// said hello, and turns what it hears into events for its owner. Lives on the engine thread; made and closed
// from any thread.
#pragma once

#include <memory>

#include "ipc/message.hh"
#include "loop/poll.hh"
#include "loop/timer.hh"
#include "platform/fork_guard.hh"
#include "platform/memory_file.hh"
#include "runtime/runtime.hh"
#include "task/table.hh"

namespace mproc::start {

// What happened to a child. A value.
struct ChildEvent {
  enum class Kind { kStarted, kHello, kRefused, kLate, kStartFailed, kExited };
  Kind kind;
  pid_t pid = 0;
  Status why;
  std::shared_ptr<const task::Table> table;
  runtime::ChildExit exit{};
  std::string errors;  // kRefused, kLate, kExited: the end of what it wrote to a standard error of ours

  // The same, as the end of a message.
  std::string AfterErrors() const;
};

inline constexpr size_t kErrorTail = 4096;

class ChildLink : public runtime::ChildObserver, public std::enable_shared_from_this<ChildLink> {
 public:
  using Deliver = std::function<void(ChildEvent)>;
  // `socket` is a duplicate of the host's end. It is there before the child is started: the report of its
  // exit may come before Open has done its work, and its last words are read all the same.
  ChildLink(std::shared_ptr<runtime::Runtime> runtime, platform::GuardedFd socket, Deliver deliver)
      : runtime_(std::move(runtime)), deliver_(std::move(deliver)), socket_(std::move(socket)) {}

  // Its standard error until the hello, a memory file. Before it is started.
  void SetErrors(platform::GuardedFd errors) { errors_ = std::move(errors); }
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
  ChildEvent Event(ChildEvent::Kind kind) const {
    ChildEvent event;
    event.kind = kind;
    if (errors_.valid()) event.errors = platform::TailOfMemoryFile(errors_.get(), kErrorTail);
    return event;
  }

  std::shared_ptr<runtime::Runtime> runtime_;
  Deliver deliver_;  // emptied by Close, on the engine thread
  platform::GuardedFd socket_;
  loop::Poll poll_;
  loop::Timer timer_;
  platform::GuardedFd errors_;
  ipc::LongBody hello_{4 << 20};
};

}  // namespace mproc::start
