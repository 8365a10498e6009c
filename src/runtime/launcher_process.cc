// SPDX-License-Identifier: MIT
//
// The end of a launcher
//
// It shows itself twice: the socket ends and the process ends, in any order. Whichever comes first,
// everything it had said is read first; then it is made sure that the process is dead (a launcher without a
// socket is of no use), it is reaped if it is a child of ours, and the owner is told once.
#include "runtime/launcher_process.hh"

#include <cerrno>
#include <utility>

#include "base/clock.hh"
#include "platform/signals.hh"

namespace mproc::runtime {
namespace {

constexpr int64_t kMillisecond = 1000000;
constexpr int64_t kEndCheck = 2 * kMillisecond;
constexpr int64_t kEndGrace = 200 * kMillisecond;  // for a process whose socket has ended, to end by itself

// A socket whose peer died with unread messages tells an error before it tells what is left to read.
constexpr int kEndsToBelieve = 2;

// The system bounds the descriptors that one user has under way; nothing tells when there is room again.
constexpr int64_t kTryAgain = 2 * kMillisecond;

bool NoRoom(const Status& status) {
  return status.code() == MPROC_ERROR_QUEUE_FULL || status.os_code() == ETOOMANYREFS;
}

}  // namespace

Result<std::shared_ptr<LauncherProcess>> LauncherProcess::Launch(const std::string& program,
                                                                 std::function<void()> wake) {
  auto sockets = platform::MakeGuardedSocketPair();
  if (!sockets.ok()) return sockets.status();
  Status status = platform::AskForCredentials(sockets->second.get());
  if (!status.ok()) return status;
  std::shared_ptr<LauncherProcess> launcher(new LauncherProcess);
  launcher->identity_ = platform::Identity::Now();
  launcher->wake_ = std::move(wake);
  const char* const arguments[] = {"mproc-launcher", "--launcher", nullptr};
  auto launched = platform::Launch({program.c_str(), arguments, nullptr, sockets->second.get()});
  if (!launched.ok()) {
    return Status(launched.status().code(), "starting the launcher process: " + launched.status().message(),
                  launched.status().os_code());
  }
  launcher->process_ = std::move(launched->process);
  launcher->is_child_ = launched->is_child;
  launcher->socket_ = std::move(sockets->first);
  platform::GuardFd(launcher->process_.fd());
  return launcher;
}

LauncherProcess::~LauncherProcess() { platform::UnguardFd(process_.fd()); }

Status LauncherProcess::Send(ByteView bytes, std::span<const int> fds) {
  std::lock_guard lock(mutex_);
  if (closed()) return Status(MPROC_ERROR_NOT_RUNNING, "the launcher process has ended");
  if (waiting_.empty()) {
    Status status = platform::SendMessage(socket_.get(), bytes, fds, false, true);
    if (!NoRoom(status)) return status;
  }
  Waiting message;
  message.bytes.assign(bytes.begin(), bytes.end());
  for (int fd : fds) {
    auto copy = platform::DuplicateFd(fd);
    if (!copy.ok()) return copy.status();
    message.fds.push_back(std::move(*copy));
  }
  if (waiting_.empty()) wake_();  // whoever it wakes waits for the lock
  waiting_.push_back(std::move(message));
  return Status();
}

void LauncherProcess::Watch(loop::Loop& loop, Owner* owner) {
  owner_ = owner;
  Status status = timer_.Init(loop, [this] { CheckEnd(); });
  if (status.ok()) status = retry_timer_.Init(loop, [this] { SendWaiting(); });
  if (!status.ok()) return;  // no memory for a few bytes; it ends with the process
  if (status.ok() && process_.fd() >= 0) {
    status = process_poll_.Start(loop, process_.fd(), loop::kReadable, [this](int) {
      OnEndSign();
      CheckEnd();
    });
  }
  if (status.ok()) {
    status =
        socket_poll_.Start(loop, socket_.get(), loop::kReadable, [this](int events) { OnSocket(events); });
  }
  if (!status.ok()) OnEndSign();
}

void LauncherProcess::SendWaiting() {
  if (!socket_poll_.started()) return;
  std::unique_lock lock(mutex_);
  while (!waiting_.empty()) {
    Waiting& message = waiting_.front();
    std::vector<int> fds;
    for (const auto& fd : message.fds) fds.push_back(fd.get());
    Status status = platform::SendMessage(socket_.get(), message.bytes, fds, false, true);
    if (status.os_code() == ETOOMANYREFS) return retry_timer_.Start(kTryAgain);
    if (status.code() == MPROC_ERROR_QUEUE_FULL) {
      if (socket_poll_.Watch(loop::kReadable | loop::kWritable).ok()) return;
    }
    if (!status.ok()) {
      // Nothing more gets through, in whatever state it is: its end tells the owner what was not done.
      lock.unlock();
      OnEndSign();
      return;
    }
    waiting_.pop_front();
  }
  lock.unlock();
  if (!socket_poll_.Watch(loop::kReadable).ok()) OnEndSign();
}

void LauncherProcess::OnSocket(int events) {
  bool more = ReadAll();
  if (!more) {
    OnEndSign();
  } else if (events & loop::kWritable) {
    SendWaiting();
  }
}

// Delivers all that is there; false at the end of the socket.
bool LauncherProcess::ReadAll() {
  int ends = 0;
  while (ends < kEndsToBelieve) {
    switch (platform::ReceiveMessage(socket_.get(), false, &message_)) {
      case platform::Receive::kMessage: {
        auto reply = ipc::DecodeControl(&message_);
        if (reply) owner_->OnReply(this, std::move(*reply));
        break;
      }
      case platform::Receive::kNothing:
        return true;
      case platform::Receive::kEnd:
        ends++;
        break;
    }
  }
  return false;
}

void LauncherProcess::Finish(int64_t patience) {
  if (ended_ || dying_) return;
  auto bytes = ipc::EncodeHead(ipc::MakeHead(ipc::ControlType::kFinish, 0));
  Status status = Send(bytes, {});
  closed_ = true;
  if (!status.ok()) return OnEndSign();
  timer_.Start(patience);
}

void LauncherProcess::OnEndSign() {
  if (dying_ || ended_) return;
  dying_ = true;
  closed_ = true;
  kill_at_ = NowNs() + kEndGrace;
  socket_poll_.Close();
  timer_.Start(0, kEndCheck);
}

// The timer: a launcher that was told to finish has had its time, or a dying one is looked after.
void LauncherProcess::CheckEnd() {
  if (ended_) return;
  if (!dying_) {
    OnEndSign();
    kill_at_ = 0;
  }
  if (!process_.Ended()) {
    if (NowNs() < kill_at_) return;
    if (!process_.Signal(SIGKILL)) {  // not ours to kill any more: it ends with the socket
      std::lock_guard lock(mutex_);
      socket_.Reset();
    }
    return;
  }
  ReadAll();  // its last words
  if (is_child_ && !process_.Reap()) return;
  ended_ = true;
  Owner* owner = owner_;
  CloseHandles();
  owner->OnLauncherEnd(this);
}

void LauncherProcess::CloseHandles() {
  socket_poll_.Close();
  process_poll_.Close();
  timer_.Close();
  retry_timer_.Close();
}

}  // namespace mproc::runtime
