// SPDX-License-Identifier: MIT
#include "launcher/launcher.hh"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/clock.hh"
#include "platform/adoption.hh"
#include "platform/child.hh"
#include "platform/identity.hh"
#include "platform/memory_file.hh"
#include "platform/segment_file.hh"
#include "platform/signals.hh"
#include "platform/surroundings.hh"

namespace mproc::launcher {
namespace {

constexpr int64_t kSecond = 1000000000;
constexpr int64_t kReapAgain = kSecond / 1000;
constexpr int64_t kSweepRest = kSecond / 100;
constexpr int64_t kHostCheck = 1 * kSecond;  // only without pidfds
constexpr int64_t kEndLimit = 2 * kSecond;   // for children that the system cannot end at once

// To start a program takes longest, so requests that wait are looked at first: who is killed before it was
// started need not be started. They hold descriptors.
constexpr size_t kMostStartsWaiting = 8;

int ErrnoOf(const Status& status) { return status.os_code() != 0 ? status.os_code() : EPROTO; }

}  // namespace

Launcher::Launcher(platform::UniqueFd control, platform::UniqueFd host, pid_t host_pid)
    : control_(std::move(control)),
      host_fd_(std::move(host)),
      host_(platform::ProcessRef::Adopt(host_pid, {})),
      own_umask_(platform::SetUmask(022)) {}

Launcher::~Launcher() {
  control_poll_.Close();
  host_poll_.Close();
  host_timer_.Close();
  end_timer_.Close();
  terminate_.Close();
  child_ended_.Close();
  reap_timer_.Close();
  sweep_timer_.Close();
  templates_.reset();
  children_.clear();
  loop_.Close();
}

Status Launcher::Init() {
  Status status = loop_.Init();
  if (!status.ok()) return status;
  status = end_timer_.Init(loop_, [this] { loop_.Stop(); });
  if (!status.ok()) return status;
  status = sweep_timer_.Init(loop_, [this] { Sweep(); });
  if (!status.ok()) return status;
  status = terminate_.Start(loop_, SIGTERM, [this] { BeginEnd(); });
  if (!status.ok()) return status;
  status = WatchHost();
  if (!status.ok()) return status;
  return control_poll_.Start(loop_, control_.get(), loop::kReadable,
                             [this](int events) { OnControl(events); });
}

// The end of the socket alone does not do: a child that the host forked may hold the other end.
Status Launcher::WatchHost() {
  if (host_fd_.valid()) {
    Status status = host_poll_.Start(loop_, host_fd_.get(), loop::kReadable, [this](int) { BeginEnd(); });
    if (status.ok()) return status;
  }
  Status status = host_timer_.Init(loop_, [this] {
    if (host_.Ended()) BeginEnd();
  });
  if (status.ok()) host_timer_.Start(0, kHostCheck);
  return status;
}

void Launcher::OnControl(int events) {
  if (events & loop::kWritable) SendWaiting();
  if (ending_) return;
  for (;;) {
    auto came = platform::Receive::kNothing;
    if (starts_.size() < kMostStartsWaiting)
      came = platform::ReceiveMessage(control_.get(), false, &message_);
    switch (came) {
      case platform::Receive::kMessage:
        Take(&message_);
        break;
      case platform::Receive::kNothing:
        if (starts_.empty()) return;
        StartNext();
        break;
      case platform::Receive::kEnd:
        BeginEnd();
        break;
    }
    if (ending_) return;
  }
}

void Launcher::Take(platform::Message* message) {
  auto head = ipc::PeekHead(message->bytes);
  bool lost = message->fds_lost;
  auto request = ipc::DecodeControl(message);
  if (!request) {
    // What cannot be understood is answered where it can be: a request that lost its descriptors on the way,
    // or one of another version of the library.
    if (head && head->type == static_cast<uint8_t>(ipc::ControlType::kStart)) {
      TellFailed(head->child, lost ? EMFILE : EPROTO);
    }
    return;
  }
  switch (static_cast<ipc::ControlType>(request->head.type)) {
    case ipc::ControlType::kStart: {
      // Only for who we are ourselves: a host that gave up its rights must not get them back through us.
      bool same_user = message_.sender && message_.sender->uid == platform::CurrentUser() &&
                       message_.sender->gid == platform::CurrentGroup();
      starts_.push_back({std::move(message_), std::move(*request), same_user});
      break;
    }
    case ipc::ControlType::kSignal:
      Signal(request->head.child, request->head.first);
      break;
    case ipc::ControlType::kFinish:
      BeginEnd();
      break;
    default:
      break;
  }
}

void Launcher::Signal(uint64_t id, int signo) {
  auto waiting = std::ranges::find_if(starts_, [&](auto& start) { return start.request.head.child == id; });
  if (waiting != starts_.end() && signo == SIGKILL) {
    starts_.erase(waiting);
    ipc::ControlHead reply = ipc::MakeHead(ipc::ControlType::kExited, id);
    reply.signal = signo;
    return SendReply(reply);
  }
  bool starts = waiting != starts_.end();
  while (starts) {  // in their order, up to this one
    starts = starts_.front().request.head.child != id;
    StartNext();
  }
  auto child = children_.find(id);
  if (child == children_.end()) return;
  Child& known = *child->second;
  if (!known.by_fork) {
    known.process.Signal(signo);
  } else if (known.forked > 0) {
    platform::SignalChild(known.forked, signo);
  } else if (known.signal != SIGKILL) {
    known.signal = signo;
    if (signo == SIGKILL) templates_->Drop(id);
  }
}

void Launcher::StartNext() {
  auto [message, request, allowed] = std::move(starts_.front());
  starts_.pop_front();
  uint64_t id = request.head.child;
  auto child = std::make_unique<Child>();
  int error = EPERM;
  if (allowed) error = children_.contains(id) ? EEXIST : TryStart(request, child.get());
  if (error != 0) return TellFailed(id, error);
  if (!child->by_fork) TellStarted(id, *child);
  children_.emplace(id, std::move(child));
}

int Launcher::TryStart(ipc::ControlReceived& request, Child* child) {
  std::optional<ipc::ProgramText> text;
  if (request.body_file.valid()) {
    auto bytes = platform::ReadMemoryFile(request.body_file.get(), request.head.body_size);
    if (!bytes.ok()) return ErrnoOf(bytes.status());
    text = ipc::DecodeText(*bytes);
  } else {
    text = ipc::DecodeText(request.body);
  }
  if (!text) return EPROTO;
  loop::SpawnOptions options;
  options.program = std::move(text->program);
  options.arguments = std::move(text->arguments);
  options.environment = std::move(text->environment);
  std::string variable = std::string(platform::kLauncherPidVariable) + "=";
  std::erase_if(options.environment, [&](const std::string& entry) { return entry.starts_with(variable); });
  options.environment.push_back(variable + std::to_string(platform::CurrentPid()));
  options.descriptors = {-1, request.output.get(), request.error.get(), request.channel.get()};
  if (!request.channel.valid()) options.descriptors.pop_back();

  // Without a directory, or with one that this user may not enter, the child starts in the root directory.
  if (request.directory.valid()) platform::EnterDirectory(request.directory.get());
  bool has_umask = request.head.present & ipc::kPartUmask;
  platform::SetUmask(has_umask ? static_cast<uint32_t>(request.head.first) : own_umask_);
  uint64_t id = request.head.child;
  int error = 0;
  if (request.head.present & ipc::kPartFork) {
    error = TryFork(std::move(options), request, child);
  } else {
    Status status =
        child->process.Start(loop_, options, [this, id](int code, int signal) { OnExit(id, code, signal); });
    if (!status.ok()) error = ErrnoOf(status);
  }
  platform::LeaveDirectory();
  return error;
}

int Launcher::TryFork(loop::SpawnOptions program, ipc::ControlReceived& request, Child* child) {
  if (!templates_) {
    if (!platform::AdoptOrphans()) return ENOSYS;
    Status status = reap_timer_.Init(loop_, [this] { Reap(); });
    if (status.ok()) status = child_ended_.Start(loop_, SIGCHLD, [this] { Reap(); });
    if (!status.ok()) return ErrnoOf(status);
    Templates::Owner& owner = *this;
    auto templates = std::make_unique<Templates>(loop_, owner);
    if (status = templates->Init(); !status.ok()) return ErrnoOf(status);
    templates_ = std::move(templates);
  }
  child->by_fork = true;
  if (!(request.head.present & ipc::kPartUmask)) request.head.first = static_cast<int32_t>(own_umask_);
  return templates_->Fork(std::move(program), std::move(request));
}

void Launcher::OnForked(uint64_t id, pid_t pid) {
  auto found = children_.find(id);
  if (found == children_.end()) return;
  Child& child = *found->second;
  child.forked = pid;
  if (child.signal != 0) platform::SignalChild(pid, child.signal);
  TellStarted(id, child);
  Reap();
}

void Launcher::OnForkFailed(uint64_t id, int error) {
  if (children_.erase(id) != 0) TellFailed(id, error);
  Reap();
  StopIfDone();
}

void Launcher::OnTemplateFailed(uint64_t id, int code, int signal) {
  OnExit(id, code, signal);
  Reap();
}

void Launcher::Reap() {
  std::vector<std::pair<uint64_t, platform::ChildEnd>> ended;
  for (auto& [id, child] : children_) {
    if (child->forked == 0) continue;
    if (auto end = platform::ReapChild(child->forked)) ended.emplace_back(id, *end);
  }
  for (auto& [id, end] : ended) OnExit(id, end.code, end.signal);
  // A worker that its template has not told of is not to be taken for somebody else.
  if (templates_->waiting()) return;
  while (pid_t stranger = platform::FindEndedChild()) {
    auto is_it = [stranger](auto& entry) { return entry.second->pid() == stranger; };
    if (templates_->Has(stranger) || std::ranges::any_of(children_, is_it)) {
      reap_timer_.Start(kReapAgain);  // libuv's to reap, or just ended: then there may be more
      return;
    }
    platform::ReapChild(stranger);
  }
}

void Launcher::OnExit(uint64_t id, int code, int signal) {
  auto child = children_.find(id);
  if (child == children_.end()) return;
  ipc::ControlHead reply = ipc::MakeHead(ipc::ControlType::kExited, id);
  reply.first = child->second->pid();
  reply.code = code;
  reply.signal = signal;
  children_.erase(child);
  if (!sweep_timer_.active()) sweep_timer_.Start(sweep_rest_);  // it may have been a segment's last user
  SendReply(reply);
  StopIfDone();
}

void Launcher::Sweep() {
  int64_t begun = NowNs();
  platform::SweepSegmentFiles();
  sweep_rest_ = std::max(kSweepRest, 10 * (NowNs() - begun));
}

void Launcher::TellStarted(uint64_t id, const Child& child) {
  // It is not reaped yet, so its number is its own and the pidfd is exact.
  ipc::ControlHead reply = ipc::MakeHead(ipc::ControlType::kStarted, id);
  reply.first = child.pid();
  auto pidfd = platform::OpenPidfd(child.pid());
  if (pidfd.ok()) reply.present = ipc::kPartProcess;
  SendReply(reply, pidfd.ok() ? std::move(*pidfd) : platform::UniqueFd());
}

void Launcher::TellFailed(uint64_t id, int error) {
  ipc::ControlHead reply = ipc::MakeHead(ipc::ControlType::kFailed, id);
  reply.first = error;
  SendReply(reply);
}

void Launcher::SendReply(const ipc::ControlHead& head, platform::UniqueFd fd) {
  waiting_.push_back(Reply{ipc::EncodeHead(head), std::move(fd)});
  if (waiting_.size() == 1) SendWaiting();
}

// A host that is stopped, or slow, must not hold us up: what finds no room waits.
void Launcher::SendWaiting() {
  while (!waiting_.empty()) {
    Reply& reply = waiting_.front();
    int fd = reply.fd.get();
    std::span<const int> fds(&fd, reply.fd.valid() ? 1 : 0);
    Status status = platform::SendMessage(control_.get(), reply.bytes, fds, false);
    if (status.code() == MPROC_ERROR_QUEUE_FULL && control_poll_.started()) {
      status = control_poll_.Watch(loop::kReadable | loop::kWritable);
      if (status.ok()) return;
    }
    if (!status.ok() && reply.fd.valid()) {
      reply.fd.Reset();  // too many descriptors under way: the host does without
      if (auto head = ipc::PeekHead(reply.bytes)) {
        head->present = 0;
        reply.bytes = ipc::EncodeHead(*head);
        continue;
      }
    }
    waiting_.pop_front();  // sent, or there is nobody to read it
  }
  if (control_poll_.started() && !ending_) {
    if (!control_poll_.Watch(loop::kReadable).ok()) BeginEnd();
  }
}

void Launcher::BeginEnd() {
  if (ending_) return;
  ending_ = true;
  starts_.clear();
  control_poll_.Close();
  host_poll_.Close();
  host_timer_.Close();
  // Who was asked for and has not been told of dies with this process, if it is there at all.
  std::erase_if(children_, [](auto& entry) { return entry.second->by_fork && entry.second->forked == 0; });
  for (auto& [id, child] : children_) Signal(id, SIGKILL);
  if (templates_) templates_->Kill();
  end_timer_.Start(kEndLimit);
  StopIfDone();
}

void Launcher::StopIfDone() {
  if (ending_ && children_.empty() && (!templates_ || templates_->empty())) loop_.Stop();
}

}  // namespace mproc::launcher
