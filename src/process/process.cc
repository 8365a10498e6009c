// SPDX-License-Identifier: MIT
#include "process/process.hh"

#include <mproc/options.h>

#include <algorithm>
#include <new>

#include "object/passing.hh"
#include "platform/poll.hh"
#include "platform/signals.hh"
#include "worker/process_self.hh"

namespace mproc::process {
namespace {

constexpr int64_t kSlice = 1'000'000'000;
constexpr int32_t kUnknownCode = 255;
constexpr int64_t kNoLimit = INT64_MAX / 2;  // of a start: a module may take its time

Status NotStarted() { return Status(MPROC_ERROR_NOT_STARTED); }

}  // namespace

Result<std::shared_ptr<Process>> Process::Create(Options options) {
  bool is_command = !options.command.empty();
  if (!options.has_function && !is_command) {
    return Status(MPROC_ERROR_INVALID_ARGUMENT, "no function was set for the process to call");
  }
  if (is_command && (options.has_function || !options.objects.empty())) {
    return Status(MPROC_ERROR_INVALID_ARGUMENT, "a command calls no function and takes no objects");
  }
  if (is_command) options.start_method = MPROC_START_SPAWN;
  std::shared_ptr<Process> process(new Process(std::move(options)));
  worker::ProcessSelf self = worker::Self();
  process->place_ = (self.place.empty() ? "" : self.place + ":") + std::to_string(worker::NextChild());
  process->name_ = process->options_.name.empty() ? "Process-" + process->place_ : process->options_.name;
  if (!process->options_.sets_daemon) process->options_.daemon = self.daemon;
  return process;
}

Status Process::Start() {
  {
    std::lock_guard lock(mutex_);
    if (state_ != State::kNew) return Status(MPROC_ERROR_ALREADY_STARTED, "the process was started before");
    state_ = State::kStarting;
  }
  Status begun = Begin();
  std::unique_lock lock(mutex_);
  if (begun.ok()) {
    started_.wait(lock, [&] { return state_ != State::kStarting || !start_failure_.ok(); });
    begun = std::exchange(start_failure_, Status());
  }
  if (begun.ok()) {
    // The child has them by now. Whoever kept a connection open here would keep its end from being seen.
    auto objects = std::exchange(options_.objects, {});
    lock.unlock();
    return begun;
  }
  state_ = State::kNew;
  socket_.Reset();
  channel_.reset();
  link_.reset();
  // What it was told meanwhile is forgotten, and what is under way is not heard.
  start_failure_ = Status();
  failure_.reset();
  attempt_++;
  return begun;
}

Status Process::Begin() try {
  auto starter = start::EnterRuntime(options_);
  if (!starter.ok()) return starter.status();
  auto plan = start::MakePlan(options_, name_, starter->runtime->worker_program());
  if (!plan.ok()) return plan.status();
  if (!starter->runtime->AddMember(weak_from_this())) {
    return Status(MPROC_ERROR_NOT_RUNNING, "the runtime is being ended");
  }
  return Launch(*plan, *starter);
} catch (const std::bad_alloc&) {
  std::lock_guard lock(mutex_);
  if (link_ && child_) children_->Signal(child_, SIGKILL);  // nobody would listen to it
  return Status(MPROC_ERROR_OUT_OF_MEMORY);
}

Status Process::Launch(const start::Plan& plan, const start::Starter& starter) {
  auto connection = start::Connect(MPROC_POLLING_OFF);
  if (!connection.ok()) return connection.status();
  platform::GuardedFd bell;  // nobody listens: there are no results
  {
    platform::NoForks no_forks;
    auto made = platform::MakeEventFd();
    if (!made.ok()) return made.status();
    bell = platform::GuardedFd(std::move(*made));
  }
  auto pipe = platform::MakeGuardedPipe(platform::Writes::kNonBlocking);
  if (!pipe.ok()) return pipe.status();

  task::Setup setup;
  setup.worker_name = name_;
  setup.process = {true, options_.function, options_.payload, {}, place_, options_.daemon};
  start::SetupDescriptors descriptors{connection->memory.get(), bell.get(), bell.get()};
  for (const object::PassedObject& object : options_.objects)
    object::Tell(object, &setup.process.objects, &descriptors.objects);
  if (options_.command.empty()) {
    Status sent = start::SendSetup(connection->socket.get(), std::move(setup), options_, plan, descriptors);
    if (!sent.ok()) return sent;
  }

  auto request = start::MakeRequest(options_, plan, starter.runtime, *connection, bell.get(), bell.get());
  if (!request.ok()) return request.status();
  auto link = std::make_shared<start::ChildLink>(
      starter.runtime, std::move(connection->listener),
      [self = shared_from_this(), attempt = attempt_](const start::ChildEvent& event) {
        self->OnEvent(attempt, event);
      });
  std::lock_guard lock(mutex_);  // its events wait until all is in its place
  runtime_ = starter.runtime;
  children_ = starter.children;
  channel_ = std::move(connection->channel);
  socket_ = std::move(connection->socket);
  sentinel_ = std::move(pipe->first);
  end_ = std::move(pipe->second);
  link_ = link;
  child_ = 0;
  auto child = starter.children->Start(*request, link);
  if (!child.ok()) return child.status();
  child_ = *child;
  link->Open(kNoLimit);
  return Status();
}

void Process::OnEvent(uint64_t attempt, const start::ChildEvent& event) {
  using Kind = start::ChildEvent::Kind;
  std::lock_guard lock(mutex_);
  if (attempt != attempt_) return;  // of a start that was refused
  switch (event.kind) {
    case Kind::kStarted:
      pid_ = event.pid;
      state_ = State::kRunning;
      started_.notify_all();
      return;
    case Kind::kStartFailed:
      // The launcher may die after the start and before its word of it.
      if (state_ == State::kRunning) return OnEnd({false, kUnknownCode, 0});
      start_failure_ = event.why;
      if (link_) link_->Close();
      started_.notify_all();
      return;
    case Kind::kRefused:
      failure_ = task::TaskError{event.why.code(), StatusName(event.why.code()), event.why.message(), ""};
      return;
    case Kind::kExited:
      return OnEnd(event.exit);
    case Kind::kHello:
    case Kind::kLate:
      return;
  }
}

void Process::OnEnd(const runtime::ChildExit& exit) {
  ReadLastWords();
  exit_code_ = exit.signal ? -exit.signal : exit.known ? exit.code : kUnknownCode;
  state_ = State::kEnded;
  socket_.Reset();
  channel_.reset();
  platform::FillPipe(end_.get());
  end_.Reset();
  link_->Close();  // and with it its hold on this object
  link_.reset();
  started_.notify_all();
}

void Process::ReadLastWords() {
  platform::Message message;
  while (platform::ReceiveMessage(socket_.get(), false, &message) == platform::Receive::kMessage) {
    auto head = ipc::HeadOf(message);
    if (!head || head->type != static_cast<uint32_t>(ipc::MessageType::kFailed)) continue;
    task::TaskError error;
    if (task::DecodeError(ipc::BodyOf(message), &error)) failure_ = std::move(error);
  }
}

Status Process::Join(const Deadline& deadline) {
  int fd = -1;
  if (Status has = Sentinel(&fd); !has.ok()) return has;
  for (;;) {
    auto slept = platform::PollReadable(fd, std::min(deadline.Remaining(), kSlice));
    if (slept == platform::Slept::kWoken) return Status();
    if (slept == platform::Slept::kInterrupted) return Status(MPROC_ERROR_INTERRUPTED);
    if (deadline.Passed()) return Status(MPROC_ERROR_TIMED_OUT);
  }
}

Status Process::Signal(int signo) {
  std::lock_guard lock(mutex_);
  if (state_ == State::kNew || state_ == State::kStarting) return NotStarted();
  if (state_ == State::kEnded) return Status();
  // What could hear of it in time would end by itself, with a code of its own instead of the signal's.
  if (signo == SIGTERM && options_.start_method == MPROC_START_THREADS) channel_->CancelEveryTask();
  children_->Signal(child_, signo);
  return Status();
}

Status Process::Sentinel(int* fd) const {
  std::lock_guard lock(mutex_);
  if (state_ == State::kNew || state_ == State::kStarting) return NotStarted();
  *fd = sentinel_.get();
  return Status();
}

Status Process::Pid(int64_t* pid) const {
  std::lock_guard lock(mutex_);
  if (state_ == State::kNew || state_ == State::kStarting) return NotStarted();
  *pid = pid_;
  return Status();
}

bool Process::IsAlive() const {
  std::lock_guard lock(mutex_);
  return state_ == State::kRunning;
}

Status Process::ExitCode(int32_t* code) const {
  std::lock_guard lock(mutex_);
  if (state_ == State::kNew || state_ == State::kStarting) return NotStarted();
  if (state_ == State::kRunning) return Status(MPROC_ERROR_STILL_ALIVE);
  *code = exit_code_;
  return Status();
}

const task::TaskError* Process::Failure() const {
  std::lock_guard lock(mutex_);
  return state_ == State::kEnded && failure_ ? &*failure_ : nullptr;
}

void Process::BeginEnd() {
  if (daemon()) (void)Signal(SIGTERM);
}

bool Process::WaitEnded(const Deadline& deadline) {
  for (;;) {
    Status joined = Join(deadline);
    if (joined.code() != MPROC_ERROR_INTERRUPTED) return joined.code() != MPROC_ERROR_TIMED_OUT;
  }
}

}  // namespace mproc::process
