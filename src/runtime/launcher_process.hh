// SPDX-License-Identifier: MIT
// One launcher process as its host sees it: its socket, what waits to be sent, and its end.
//
// Send may be called from any thread; all else happens on the engine thread. What a launcher said before its
// end is delivered before the end is reported. After the end it is dead for certain, and reaped.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ipc/launcher_protocol.hh"
#include "loop/loop.hh"
#include "loop/poll.hh"
#include "loop/timer.hh"
#include "platform/fork_guard.hh"
#include "platform/identity.hh"
#include "platform/launch.hh"

namespace mproc::runtime {

class LauncherProcess {
 public:
  ~LauncherProcess();
  LauncherProcess(const LauncherProcess&) = delete;
  LauncherProcess& operator=(const LauncherProcess&) = delete;

  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnReply(LauncherProcess* from, ipc::ControlReceived reply) = 0;
    virtual void OnLauncherEnd(LauncherProcess* which) = 0;
  };

  // Starts one. `wake` must make the engine thread call SendWaiting soon; called under the lock. Any thread.
  static Result<std::shared_ptr<LauncherProcess>> Launch(const std::string& program,
                                                         std::function<void()> wake);

  // Queues a message; `fds` are borrowed. An error means that it was not sent and will not be. Any thread.
  Status Send(ByteView bytes, std::span<const int> fds);
  pid_t pid() const { return process_.pid(); }
  const platform::Identity& identity() const { return identity_; }
  // The host reaps orphans: a launcher's children become its own when the launcher dies.
  bool adopts_children() const { return is_child_; }
  // Takes no more requests: its socket broke or it was told to finish. Any thread.
  bool closed() const { return closed_.load(); }

  // The rest: engine thread only.
  void Watch(loop::Loop& loop, Owner* owner);
  void SendWaiting();
  // Tells it to end; it is killed if it has not ended after `patience` nanoseconds.
  void Finish(int64_t patience);
  bool ended() const { return ended_; }
  void CloseHandles();

 private:
  struct Waiting {
    std::vector<std::byte> bytes;
    std::vector<platform::UniqueFd> fds;
  };

  LauncherProcess() = default;
  void OnSocket(int events);
  bool ReadAll();
  void OnEndSign();
  void CheckEnd();

  // Set once at the start.
  platform::ProcessRef process_;
  bool is_child_ = false;
  platform::Identity identity_;
  std::function<void()> wake_;

  std::mutex mutex_;
  platform::GuardedFd socket_;   // sent to under mutex_, read by the engine thread
  std::deque<Waiting> waiting_;  // guarded by mutex_
  std::atomic<bool> closed_ = false;

  // Engine thread only.
  Owner* owner_ = nullptr;
  loop::Poll socket_poll_;
  loop::Poll process_poll_;
  loop::Timer timer_;        // patience of Finish, then the check for the end
  loop::Timer retry_timer_;  // sends what waits, when nothing tells that there is room
  platform::Message message_;
  bool dying_ = false;
  int64_t kill_at_ = 0;  // when a dying one has had its time
  bool ended_ = false;
};

}  // namespace mproc::runtime
