// SPDX-License-Identifier: MIT
#include "launcher/templates.hh"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/clock.hh"
#include "platform/signals.hh"

namespace mproc::launcher {
namespace {

// Others are ended, the least used first; their workers live on.
constexpr size_t kMostTemplates = 8;

// A fork takes a millisecond. Who was asked less than this ago may still answer.
constexpr int64_t kPatience = 100'000'000;

bool SameProgram(const loop::SpawnOptions& a, const loop::SpawnOptions& b) {
  return a.program == b.program && a.arguments == b.arguments && a.environment == b.environment;
}

}  // namespace

Status Templates::Init() {
  return patience_.Init(loop_, [this] { KillHung(); });
}

int Templates::Fork(loop::SpawnOptions program, ipc::ControlReceived request) {
  return Fork(std::move(program), Request{std::move(request)});
}

int Templates::Fork(loop::SpawnOptions program, Request request) {
  Template* which = Find(program);
  if (!which) {
    if (int error = Start(std::move(program), request.received, &which); error != 0) return error;
  }
  which->used = ++turns_;
  request.asked_at = NowNs();
  which->requests.push_back(std::move(request));
  SendRequests(which);
  RetireLeastUsed();
  return 0;
}

Templates::Template* Templates::Find(const loop::SpawnOptions& program) {
  for (auto& one : templates_) {
    bool serves = !one->retired && !one->heard && !one->ended;
    if (serves && SameProgram(one->program, program)) return one.get();
  }
  return nullptr;
}

int Templates::Start(loop::SpawnOptions program, const ipc::ControlReceived& request, Template** started) {
  auto ends = platform::MakeSocketPair();
  if (!ends.ok()) return ends.status().os_code() != 0 ? ends.status().os_code() : EMFILE;
  auto fresh = std::make_unique<Template>();
  Template* which = fresh.get();
  which->socket = std::move(ends->first);
  program.descriptors = {-1, request.output.get(), request.error.get(), ends->second.get()};
  Status status = which->process.Start(loop_, program, [this, which](int code, int signal) {
    which->ended = true;
    which->code = code;
    which->signal = signal;
    BuryIfGone(which);
  });
  if (!status.ok()) return status.os_code() != 0 ? status.os_code() : EAGAIN;
  status = which->poll.Start(loop_, which->socket.get(), loop::kReadable,
                             [this, which](int events) { OnSocket(which, events); });
  if (!status.ok()) {
    which->process.Signal(SIGKILL);
    which->heard = which->retired = true;
  }
  program.descriptors.clear();
  which->program = std::move(program);
  templates_.push_back(std::move(fresh));
  *started = which;
  return 0;
}

void Templates::SendRequests(Template* which) {
  if (!which->poll.started()) return;
  bool full = false;
  for (Request& request : which->requests) {
    if (request.sent) continue;
    ipc::ControlReceived& r = request.received;
    ipc::StartFds fds{r.directory.get(), r.output.get(), r.error.get(), r.channel.get()};
    auto message = ipc::EncodeFork(r.head.child, static_cast<uint32_t>(r.head.first), fds);
    Status status =
        platform::SendMessage(which->socket.get(), message.bytes, ipc::FdsInOrder(message, fds), false);
    full = status.code() == MPROC_ERROR_QUEUE_FULL;
    if (!status.ok()) break;  // full, or it has ended: that shows itself
    request.sent = true;
  }
  Status watched = which->poll.Watch(full ? loop::kReadable | loop::kWritable : loop::kReadable);
  if (!watched.ok()) which->process.Signal(SIGKILL);
}

void Templates::OnSocket(Template* which, int events) {
  platform::Message message;
  for (;;) {
    auto came = platform::ReceiveMessage(which->socket.get(), false, &message);
    if (came == platform::Receive::kMessage) {
      Take(which, message);
      continue;
    }
    if (came == platform::Receive::kNothing) break;
    which->heard = true;
    which->poll.Close();
    which->process.Signal(SIGKILL);  // without its socket it is of no use
    return BuryIfGone(which);
  }
  if (events & loop::kWritable) SendRequests(which);
}

void Templates::Take(Template* which, const platform::Message& message) {
  auto head = ipc::PeekHead(message.bytes);
  if (!head || head->version != ipc::kControlVersion) return;
  auto type = static_cast<ipc::ControlType>(head->type);
  if (type == ipc::ControlType::kLoaded) {
    which->loaded = true;
    if (head->code != MPROC_OK) Retire(which);
    return;
  }
  auto asked = [&](const Request& r) { return r.sent && r.received.head.child == head->child; };
  auto found = std::ranges::find_if(which->requests, asked);
  if (found == which->requests.end()) return;  // told twice
  which->requests.erase(found);
  if (type == ipc::ControlType::kStarted && head->first > 0) {
    owner_.OnForked(head->child, head->first);
  } else {
    owner_.OnForkFailed(head->child, head->first != 0 ? head->first : EPROTO);
  }
}

// It serves what it was asked for, reads the end of its socket and ends.
void Templates::Retire(Template* which) {
  if (which->retired) return;
  which->retired = true;
  bool all_sent = std::ranges::all_of(which->requests, [](const Request& r) { return r.sent; });
  if (all_sent) {
    platform::EndSending(which->socket.get());
  } else {
    which->process.Signal(SIGKILL);  // what it was asked for goes to another
  }
}

void Templates::RetireLeastUsed() {
  size_t serving = 0;
  Template* least = nullptr;
  for (auto& one : templates_) {
    if (one->retired || one->ended) continue;
    serving++;
    if (!least || one->used < least->used) least = one.get();
  }
  if (serving > kMostTemplates) Retire(least);
}

void Templates::Drop(uint64_t id) {
  for (auto& one : templates_) {
    for (Request& request : one->requests) request.dropped |= request.received.head.child == id;
  }
  KillHung();
}

// Whoever owes for long what was dropped, and nothing else. Its replacement loads the module anew.
void Templates::KillHung() {
  for (auto& one : templates_) {
    bool unwanted = std::ranges::all_of(one->requests, [](const Request& r) { return r.dropped; });
    if (!unwanted || one->requests.empty()) continue;
    int64_t left = one->requests.front().asked_at + kPatience - NowNs();
    if (left > 0) {
      if (!patience_.active()) patience_.Start(left);
      continue;
    }
    one->retired = true;
    one->process.Signal(SIGKILL);
  }
}

void Templates::BuryIfGone(Template* which) {
  if (killed_) return owner_.StopIfDone();
  if (!which->ended || !which->heard) return;
  auto self = std::ranges::find_if(templates_, [which](auto& one) { return one.get() == which; });
  std::unique_ptr<Template> gone = std::move(*self);
  templates_.erase(self);
  for (Request& request : gone->requests) {
    uint64_t id = request.received.head.child;
    if (request.dropped) {
      owner_.OnTemplateFailed(id, 0, SIGKILL);
      continue;
    }
    bool crashed = !gone->loaded && gone->signal != SIGKILL;  // would do so again
    if (crashed || request.again) {
      owner_.OnTemplateFailed(id, gone->code, gone->signal);
      continue;
    }
    request.again = true;
    request.sent = false;
    if (int error = Fork(gone->program, std::move(request)); error != 0) owner_.OnForkFailed(id, error);
  }
}

bool Templates::empty() const {
  return std::ranges::all_of(templates_, [](auto& one) { return one->ended; });
}

bool Templates::waiting() const {
  return std::ranges::any_of(templates_, [](auto& one) { return !one->requests.empty(); });
}

bool Templates::Has(pid_t pid) const {
  return std::ranges::any_of(templates_, [pid](auto& one) { return one->process.pid() == pid; });
}

void Templates::Kill() {
  killed_ = true;
  for (auto& one : templates_) {
    one->poll.Close();
    one->socket.Reset();
    one->process.Signal(SIGKILL);
  }
}

}  // namespace mproc::launcher
