// SPDX-License-Identifier: MIT
// The launcher: takes requests from the control socket, starts and signals children, reports their ends.
// One thread, one loop. It outlives its host by the time that it takes to kill all children. Children are
// programs, which libuv reaps, and workers that a template forks (templates.hh), which are reaped here.
//
//   running --(socket ends | host ends | kFinish | SIGTERM)--> ending --(no child left | 2 s)--> loop stops
#pragma once

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "ipc/launcher_protocol.hh"
#include "launcher/templates.hh"
#include "loop/loop.hh"
#include "loop/poll.hh"
#include "loop/signal_watch.hh"
#include "loop/spawn.hh"
#include "loop/timer.hh"
#include "platform/pidfd.hh"

namespace mproc::launcher {

class Launcher : private Templates::Owner {
 public:
  // `host` is a pidfd of the host, or invalid: then the process `host_pid` is looked after once a second.
  Launcher(platform::UniqueFd control, platform::UniqueFd host, pid_t host_pid);
  ~Launcher();

  Status Init();
  void Run() { loop_.Run(); }

 private:
  struct Child {
    pid_t pid() const { return forked > 0 ? forked : process.pid(); }

    loop::ChildProcess process;
    bool by_fork = false;  // by a template: `process` is not used
    pid_t forked = 0;      // its number once the template has told it
    int signal = 0;        // to be sent then
  };
  struct Start {
    platform::Message message;  // which the request is part of
    ipc::ControlReceived request;
    bool allowed;
  };
  struct Reply {
    std::vector<std::byte> bytes;
    platform::UniqueFd fd;
  };

  Status WatchHost();
  void OnControl(int events);
  void Take(platform::Message* message);
  void Signal(uint64_t id, int signo);
  void StartNext();
  // Starts it or says with which errno it failed.
  int TryStart(ipc::ControlReceived& request, Child* child);
  int TryFork(loop::SpawnOptions program, ipc::ControlReceived& request, Child* child);
  // Templates::Owner
  void OnForked(uint64_t id, pid_t pid) override;
  void OnForkFailed(uint64_t id, int error) override;
  void OnTemplateFailed(uint64_t id, int code, int signal) override;
  void TellStarted(uint64_t id, const Child& child);
  void TellFailed(uint64_t id, int error);
  // Reaps forked workers that have ended, and orphans that came to us from workers.
  void Reap();
  void OnExit(uint64_t id, int code, int signal);
  void SendReply(const ipc::ControlHead& head, platform::UniqueFd fd = {});
  void SendWaiting();
  void Sweep();
  void BeginEnd();
  void StopIfDone() override;

  loop::Loop loop_;
  platform::UniqueFd control_;
  platform::UniqueFd host_fd_;
  platform::ProcessRef host_;
  loop::Poll control_poll_;
  loop::Poll host_poll_;
  loop::Timer host_timer_;
  loop::Timer end_timer_;
  loop::SignalWatch terminate_;
  loop::SignalWatch child_ended_;  // since the first template
  loop::Timer reap_timer_;
  loop::Timer sweep_timer_;  // of segments that nobody uses
  int64_t sweep_rest_ = 0;   // until the next one, so that they take a tenth of the time at most
  std::unique_ptr<Templates> templates_;
  std::unordered_map<uint64_t, std::unique_ptr<Child>> children_;
  std::deque<Start> starts_;   // not begun
  std::deque<Reply> waiting_;  // replies for which the socket had no room
  platform::Message message_;
  uint32_t own_umask_ = 022;
  bool ending_ = false;
};

}  // namespace mproc::launcher
