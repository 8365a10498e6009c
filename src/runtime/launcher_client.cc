// SPDX-License-Identifier: MIT
#include "runtime/launcher_client.hh"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "platform/signals.hh"
#include "platform/surroundings.hh"

namespace mproc::runtime {
namespace {

constexpr int64_t kMillisecond = 1000000;
constexpr int64_t kFinishPatience = 1000 * kMillisecond;
constexpr int64_t kOrphanCheck = 2 * kMillisecond;
constexpr int kUnknownCode = 255;

// The host's environment below the variables that the request adds, without those that it takes away.
std::vector<std::string> EnvironmentWith(const std::vector<std::string>& extra,
                                         const std::vector<std::string>& unset) {
  std::vector<std::string> all = extra;
  for (std::string& entry : platform::CopyEnvironment()) {
    size_t name = entry.find('=') + 1;  // with the '='; 0 for an entry without
    bool replaced = name != 0 && std::any_of(extra.begin(), extra.end(), [&](const std::string& other) {
                      return other.compare(0, name, entry, 0, name) == 0;
                    });
    bool dropped = name != 0 && std::any_of(unset.begin(), unset.end(), [&](const std::string& other) {
                     return other.size() == name - 1 && entry.compare(0, name - 1, other) == 0;
                   });
    if (!replaced && !dropped) all.push_back(std::move(entry));
  }
  return all;
}

}  // namespace

Status LauncherClient::Open(const std::string& program) {
  std::lock_guard lock(mutex_);
  program_ = program;
  return EnsureLauncher();
}

Result<uint64_t> LauncherClient::Start(const StartRequest& request, std::weak_ptr<ChildObserver> observer) {
  if (!IsOurs()) return Status(MPROC_ERROR_FORKED);
  platform::UniqueFd directory;
  if (request.directory.empty()) {
    directory = platform::OpenWorkingDirectory();
  } else {
    auto opened = platform::OpenDirectory(request.directory);
    if (!opened.ok()) return opened.status();
    directory = std::move(*opened);
  }
  ipc::StartFds fds;
  fds.directory = directory.get();
  fds.output = platform::IsOpen(1) ? 1 : -1;
  fds.error = request.error_fd >= 0 ? request.error_fd : platform::IsOpen(2) ? 2 : -1;
  fds.channel = request.channel_fd;
  ipc::ProgramText text{request.program, request.arguments,
                        EnvironmentWith(request.extra_environment, request.unset_environment)};
  auto umask = platform::CurrentUmask();

  std::lock_guard lock(mutex_);
  uint64_t id = next_id_++;
  auto message = ipc::EncodeStart(id, text, umask, fds, request.fork);
  if (!message.ok()) return message.status();
  std::vector<int> order = ipc::FdsInOrder(*message, fds);
  auto child = std::make_unique<Child>();
  child->observer = std::move(observer);
  child->program = request.program;
  Child& wanted = *child;
  Children asked;  // once it is asked for it is known, whatever memory is left
  asked.emplace(id, std::move(child));
  children_.reserve(children_.size() + 1);
  // A launcher that has died, but was not found out, does not take the message; a fresh one does.
  for (int attempt = 0; attempt < 2; attempt++) {
    Status status = EnsureLauncher();
    if (!status.ok()) return status;
    wanted.launcher = current_.get();
    status = current_->Send(message->bytes, order);
    if (status.ok()) {
      children_.merge(asked);
      return id;
    }
    bool dead = current_->closed() || status.os_code() == EPIPE || status.os_code() == ECONNRESET;
    if (!dead) return status;
    current_.reset();
  }
  return Status(MPROC_ERROR_SYSTEM,
                "the launcher process ends as soon as it is started: " + program_ + " --launcher");
}

Status LauncherClient::EnsureLauncher() {
  if (ending_) return Status(MPROC_ERROR_NOT_RUNNING, "the runtime is being ended");
  if (current_ && !current_->closed() && current_->identity() == platform::Identity::Now()) return Status();
  Retire();
  launchers_.reserve(launchers_.size() + 1);
  auto launcher = LauncherProcess::Launch(program_, [this] {
    engine_.Post([this] {
      std::vector<std::shared_ptr<LauncherProcess>> all;
      {
        std::lock_guard lock(mutex_);
        all = launchers_;
      }
      for (auto& one : all) one->SendWaiting();
    });
  });
  if (!launcher.ok()) return launcher.status();
  // One that nobody would watch is not kept: without its socket it ends.
  engine_.Post([this, fresh = *launcher] { fresh->Watch(engine_.loop(), this); });
  launchers_.push_back(*launcher);
  current_ = std::move(*launcher);
  return Status();
}

// The current one gets no more children. It lives as long as those it has.
void LauncherClient::Retire() {
  if (!current_) return;
  engine_.Post([this, old = current_] { FinishIfIdle(old.get()); });
  current_.reset();
}

bool LauncherClient::HasChildren(const LauncherProcess* which) const {
  return std::any_of(children_.begin(), children_.end(),
                     [which](const auto& entry) { return entry.second->launcher == which; });
}

void LauncherClient::FinishIfIdle(LauncherProcess* which) {
  {
    std::lock_guard lock(mutex_);
    if (which == current_.get() || HasChildren(which)) return;
  }
  which->Finish(kFinishPatience);
}

void LauncherClient::Signal(uint64_t id, int signo) {
  if (!IsOurs()) return;
  std::lock_guard lock(mutex_);
  auto found = children_.find(id);
  if (found == children_.end()) return;
  const Child& child = *found->second;
  // Straight to the child if it is known: that works while the launcher is stopped, too.
  if (child.process.valid() && (child.orphaned || child.process.fd() >= 0) && child.process.Signal(signo))
    return;
  if (child.orphaned) return;
  ipc::ControlHead head = ipc::MakeHead(ipc::ControlType::kSignal, id);
  head.first = signo;
  // An error means that the launcher is gone; then the child ends anyway.
  static_cast<void>(child.launcher->Send(ipc::EncodeHead(head), {}));
}

pid_t LauncherClient::pid() const {
  if (!IsOurs()) return 0;
  std::lock_guard lock(mutex_);
  return current_ && !current_->closed() ? current_->pid() : 0;
}

void LauncherClient::OnReply(LauncherProcess* from, ipc::ControlReceived reply) {
  auto type = static_cast<ipc::ControlType>(reply.head.type);
  uint64_t id = reply.head.child;
  std::unique_ptr<Child> ended;
  std::shared_ptr<ChildObserver> observer;
  {
    std::lock_guard lock(mutex_);
    auto found = children_.find(id);
    if (found == children_.end() || found->second->launcher != from) return;
    observer = found->second->observer.lock();
    if (type == ipc::ControlType::kStarted) {
      Child& child = *found->second;
      child.process = platform::ProcessRef::Adopt(reply.head.first, std::move(reply.process));
      platform::GuardFd(child.process.fd());
    } else {
      ended = std::move(found->second);
      children_.erase(found);
    }
  }
  if (observer) {
    switch (type) {
      case ipc::ControlType::kStarted:
        observer->OnStarted(id, reply.head.first);
        break;
      case ipc::ControlType::kExited:
        observer->OnExited(id, ChildExit{true, reply.head.code, reply.head.signal});
        break;
      default:
        observer->OnStartFailed(id, Status::System("starting " + ended->program, reply.head.first));
    }
  }
  if (ended) FinishIfIdle(from);
}

void LauncherClient::OnLauncherEnd(LauncherProcess* which) {
  std::vector<std::pair<uint64_t, std::unique_ptr<Child>>> never_started;
  bool orphans = false;
  {
    std::lock_guard lock(mutex_);
    auto self = std::find_if(launchers_.begin(), launchers_.end(),
                             [which](const auto& launcher) { return launcher.get() == which; });
    engine_.Post([keep = *self] {});  // it is still at work: it goes when this callback has returned
    launchers_.erase(self);
    if (current_.get() == which) current_.reset();
    for (auto entry = children_.begin(); entry != children_.end();) {
      Child& child = *entry->second;
      if (child.launcher != which) {
        ++entry;
      } else if (child.process.valid()) {
        child.orphaned = orphans = true;
        child.ours_to_reap = which->adopts_children();
        child.launcher = nullptr;
        ++entry;
      } else {
        never_started.emplace_back(entry->first, std::move(entry->second));
        entry = children_.erase(entry);
      }
    }
    all_ended_.notify_all();
  }
  Status why(MPROC_ERROR_WORKER_LOST, "the launcher process ended before it had started the program");
  for (auto& [id, child] : never_started) {
    if (auto observer = child->observer.lock()) observer->OnStartFailed(id, why);
  }
  if (orphans) BuryOrphans();
}

// Children whose launcher died are killed by the system, or here; they are reported when they are dead.
void LauncherClient::BuryOrphans() {
  std::vector<std::pair<uint64_t, std::unique_ptr<Child>>> buried;
  bool left = false;
  {
    std::lock_guard lock(mutex_);
    for (auto entry = children_.begin(); entry != children_.end();) {
      Child& child = *entry->second;
      bool dead = child.orphaned && child.process.Ended() && (!child.ours_to_reap || child.process.Reap());
      if (dead) {
        buried.emplace_back(entry->first, std::move(entry->second));
        entry = children_.erase(entry);
        continue;
      }
      if (child.orphaned) {
        child.process.Signal(SIGKILL);
        left = true;
      }
      ++entry;
    }
    all_ended_.notify_all();
  }
  if (left && !orphan_timer_.active()) {
    Status status = orphan_timer_.Init(engine_.loop(), [this] { BuryOrphans(); });
    if (status.ok()) orphan_timer_.Start(kOrphanCheck);
  }
  for (auto& [id, child] : buried) {
    if (auto observer = child->observer.lock()) observer->OnExited(id, ChildExit{false, kUnknownCode, 0});
  }
}

bool LauncherClient::End(const Deadline& deadline) {
  std::unique_lock lock(mutex_);
  ending_ = true;
  current_.reset();
  for (auto& launcher : launchers_) {
    engine_.Post([launcher] { launcher->Finish(kFinishPatience); });
  }
  while (!launchers_.empty() || !children_.empty()) {
    if (deadline.never()) {
      all_ended_.wait(lock);
    } else {
      if (deadline.Passed()) return false;
      all_ended_.wait_for(lock, std::chrono::nanoseconds(deadline.Remaining()));
    }
  }
  return true;
}

void LauncherClient::CloseHandles() {
  orphan_timer_.Close();
  std::lock_guard lock(mutex_);
  for (auto& launcher : launchers_) launcher->CloseHandles();
}

}  // namespace mproc::runtime
