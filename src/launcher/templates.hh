// SPDX-License-Identifier: MIT
// The template processes of a launcher (worker/template_main.cc): started for the first request that names
// their program, kept for later ones, replaced when they died. Launcher's thread only.
//
//   loading --kLoaded--> serving --(spoiled | least used of too many)--> retired
//      any state --process and socket have ended--> gone; what it was asked for and had not begun goes to a
//                  new one, once, but if it ended by itself while it loaded: that has failed as it has
//
// One that answers nothing is killed when nobody waits for its answers any more: a module that hangs while it
// is loaded must not keep alive who asked for it.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "ipc/launcher_protocol.hh"
#include "loop/loop.hh"
#include "loop/poll.hh"
#include "loop/spawn.hh"
#include "loop/timer.hh"

namespace mproc::launcher {

class Templates {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // One of these for each request that Fork has taken.
    virtual void OnForked(uint64_t id, pid_t pid) = 0;
    virtual void OnForkFailed(uint64_t id, int error) = 0;
    // The template ended like this before it could fork, or was not to fork any more.
    virtual void OnTemplateFailed(uint64_t id, int code, int signal) = 0;
    // Something has ended after Kill.
    virtual void StopIfDone() = 0;
  };

  Templates(loop::Loop& loop, Owner& owner) : loop_(loop), owner_(owner) {}

  Status Init();
  // Has a worker forked by the template that `program` is, which is started in the working directory and
  // with the umask of this process if it does not run. 0, or an errno: then the owner hears nothing.
  int Fork(loop::SpawnOptions program, ipc::ControlReceived request);

  // The worker is to be killed as soon as it is there, so it need not be forked. The owner is told as before.
  void Drop(uint64_t id);

  // Whether workers may exist that the owner was not told of.
  bool waiting() const;
  // Whether this is the number of a template.
  bool Has(pid_t pid) const;
  // Ends all; the owner is told nothing but StopIfDone.
  void Kill();
  // Whether none is left alive.
  bool empty() const;

 private:
  struct Request {
    ipc::ControlReceived received;
    bool sent = false;
    bool again = false;    // an earlier template died over it
    bool dropped = false;  // nobody waits for it
    int64_t asked_at = 0;  // of this template
  };
  struct Template {
    loop::SpawnOptions program;
    loop::ChildProcess process;
    platform::UniqueFd socket;
    loop::Poll poll;
    std::deque<Request> requests;  // not answered
    bool loaded = false;
    bool retired = false;  // gets no more requests
    bool heard = false;    // its socket has ended
    bool ended = false;    // its process has
    int code = 0, signal = 0;
    uint64_t used = 0;  // when last, by turns_
  };

  int Fork(loop::SpawnOptions program, Request request);
  Template* Find(const loop::SpawnOptions& program);
  int Start(loop::SpawnOptions program, const ipc::ControlReceived& request, Template** started);
  void SendRequests(Template* which);
  void OnSocket(Template* which, int events);
  void Take(Template* which, const platform::Message& message);
  void Retire(Template* which);
  void RetireLeastUsed();
  void KillHung();
  void BuryIfGone(Template* which);

  loop::Loop& loop_;
  Owner& owner_;
  std::vector<std::unique_ptr<Template>> templates_;
  loop::Timer patience_;  // with the first one that owes only what was dropped
  uint64_t turns_ = 0;
  bool killed_ = false;
};

}  // namespace mproc::launcher
