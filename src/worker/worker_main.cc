// SPDX-License-Identifier: MIT
#include "worker/worker_main.hh"

#include <cstdlib>
#include <optional>

#include "base/clock.hh"
#include "ipc/message.hh"
#include "platform/child.hh"
#include "platform/crash_trace.hh"
#include "platform/identity.hh"
#include "platform/memory_file.hh"
#include "platform/module.hh"
#include "platform/pidfd.hh"
#include "platform/streams.hh"
#include "task/setup.hh"
#include "worker/exit_hooks.hh"
#include "worker/last_call.hh"
#include "worker/process_key.hh"
#include "worker/process_main.hh"
#include "worker/process_self.hh"
#include "worker/terms.hh"
#include "worker/worker_loop.hh"
#include "worker/worker_state.hh"

namespace mproc::worker {
namespace {

constexpr int kSocket = 3;
constexpr size_t kChannelFds = 3;  // its memory and both bells come first in the set-up
constexpr uint64_t kLargestSetup = uint64_t{1} << 40;

Status Refuse(int socket, const Status& why) {
  std::string text = why.message().substr(0, platform::kMaxMessage / 2);
  ipc::MessageHead head{static_cast<uint32_t>(ipc::MessageType::kRefused), static_cast<uint32_t>(why.code()),
                        0};
  Status sent = ipc::SendFrame(socket, head, AsBytes(text), {}, true);
  (void)sent;
  return why;
}

Result<task::Setup> ReceiveSetup(int socket, platform::Message* message) {
  if (platform::ReceiveMessage(socket, true, message) != platform::Receive::kMessage) {
    return Status(MPROC_ERROR_PROTOCOL, "no set-up came from the host");
  }
  auto head = ipc::HeadOf(*message);
  if (message->fds_lost) {
    return Status(MPROC_ERROR_DESCRIPTOR_LIMIT,
                  "the worker has no free descriptors for its channel: raise the limit of open files");
  }
  if (!head || head->type != static_cast<uint32_t>(ipc::MessageType::kSetup) ||
      message->fds.size() < kChannelFds) {
    return Status(MPROC_ERROR_PROTOCOL, "the host's set-up cannot be read");
  }
  ByteView body = ipc::BodyOf(*message);
  if (!body.empty()) return task::DecodeSetup(body);
  if (head->size > kLargestSetup) return Status(MPROC_ERROR_TOO_LARGE, "the host's set-up is too large");
  if (message->fds.size() < 4) return Status(MPROC_ERROR_PROTOCOL, "the host's set-up cannot be read");
  auto bytes = platform::ReadMemoryFile(message->fds[3].get(), head->size);
  if (!bytes.ok()) return bytes.status();
  message->fds.erase(message->fds.begin() + 3);  // an own standard error may follow
  return task::DecodeSetup(*bytes);
}

struct Watch {
  platform::ProcessRef host;  // none: a thread of it
  Idle* idle = nullptr;
};

// A host whose launcher is stopped cannot have its workers killed: they look for themselves.
bool HostAlive(void* argument) {
  auto* watch = static_cast<Watch*>(argument);
  if (watch->host.valid() && watch->host.Ended()) return false;
  if (watch->idle) watch->idle->between();
  return true;
}

}  // namespace

bool HasSelfMark() { return std::getenv(task::kSelfMark) != nullptr; }

bool TakeSelfMark(uint64_t* nonce) {
  const char* mark = std::getenv(task::kSelfMark);
  if (!mark) return false;
  *nonce = std::strtoull(mark, nullptr, 10);
  unsetenv(task::kSelfMark);
  return true;
}

void RefuseSelf() {
  static bool told = false;
  if (told || !platform::IsMessageSocket(kSocket)) return;
  told = true;
  Status told_so =
      Refuse(kSocket, Status(MPROC_ERROR_NOT_SERVED,
                             "the program was started as its own worker but made a pool before it called "
                             "mproc_worker_main: call that at the top of main"));
  (void)told_so;
}

Status LoadTable(const std::string& module, const CallEntry& call_entry, task::Table* table) {
  auto entry = platform::LoadModule(module, MPROC_MODULE_ENTRY_NAME);
  return entry.ok() ? call_entry(*entry, table) : entry.status();
}

int WorkerMain(const task::Table* own, uint64_t nonce, const CallEntry& call_entry) {
  platform::DieWithLauncher();
  if (!platform::IsMessageSocket(kSocket)) return 2;
  MarkStarting();
  task::Table loaded;
  auto find_table = [&](const task::Setup& setup) -> Result<const task::Table*> {
    if (!own) {
      Status status = LoadTable(setup.module, call_entry, &loaded);
      if (!status.ok()) return status;
      return &loaded;
    }
    if (setup.nonce == nonce) return own;
    return Status(MPROC_ERROR_PROTOCOL, "the mark of the worker run is not the host's");
  };
  auto served = Serve(find_table, {});
  return served.ok() ? *served : kCouldNotServe;
}

int CommandMain(char* const* arguments, bool serves) {
  platform::DieWithLauncher();
  if (!platform::IsMessageSocket(kSocket)) return 2;
  if (!serves) platform::SetCloseOnExec(kSocket);
  MarkStarting();
  Status refused = Refuse(kSocket, platform::BecomeProgram(arguments));
  (void)refused;
  return 1;
}

Status ServeCommand(const task::Table& table, Idle* idle) {
  if (IsWorker() || !platform::IsMessageSocket(kSocket)) {
    return Status(MPROC_ERROR_NOT_RUNNING,
                  IsWorker() ? "this worker serves, or has served, already"
                             : "this process was not started as the command of a pool's workers");
  }
  auto served = Serve([&](const task::Setup&) -> Result<const task::Table*> { return &table; },
                      {.is_command = true, .idle = idle});
  return served.ok() ? Status() : served.status();
}

Result<int> Serve(const FindTable& find_table, const Start& start) {
  const bool owns_process = !start.channel;
  if (owns_process) platform::SetCloseOnExec(start.socket);
  WorkerState state(start.method, owns_process);
  auto refuse = [&](const Status& why) { return Refuse(start.socket, why); };
  platform::Message message;
  auto setup = ReceiveSetup(start.socket, &message);
  if (!setup.ok()) return refuse(setup.status());
  std::optional<ipc::WorkerChannel> own_channel;
  if (owns_process) {
    auto attached = ipc::WorkerChannel::Attach(std::move(message.fds[0]), std::move(message.fds[1]),
                                               std::move(message.fds[2]));
    if (!attached.ok()) return refuse(attached.status());
    own_channel = std::move(*attached);
  }
  WorkerContext context;
  context.channel = own_channel ? &*own_channel : start.channel;
  context.socket = start.socket;
  context.number = setup->worker_number;
  context.name = setup->worker_name;
  context.owns_process = owns_process;
  std::vector<BoundObject> objects;
  if (!TakeObjects(setup->process.objects, kChannelFds, &message, &objects)) {
    return refuse(Status(MPROC_ERROR_DESCRIPTOR_LIMIT,
                         "the process has no free descriptors for the objects that it was given"));
  }
  SelfMark self(
      {setup->worker_name, setup->process.place, setup->host_pid, setup->host_name, setup->process.daemon},
      owns_process);
  if (owns_process && !setup->key.empty()) SetProcessKey(setup->key);
  std::optional<OwnExitHooks> own_hooks;
  if (!owns_process) own_hooks.emplace();
  if (start.idle) context.idle_slice = &start.idle->slice;
  bool traced = owns_process && !start.is_command;
  if (traced) platform::InstallCrashTrace(context.channel->trace(), ipc::kTraceBytes);
  if (owns_process) {
    if (Status taken = TakeOn(setup->terms); !taken.ok()) return refuse(taken);
  }
  if (setup->has_output) {
    if (message.fds.size() < 5)
      return refuse(Status(MPROC_ERROR_PROTOCOL, "the host's set-up cannot be read"));
    size_t last = message.fds.size() - 1;
    // The errors of a command are kept until the hello.
    platform::RedirectStreams(message.fds[last - 1].get(), start.is_command ? -1 : message.fds[last].get());
    context.has_output = true;
  }
  if (setup->process.given && start.is_command) {
    return refuse(Status(MPROC_ERROR_UNSUPPORTED, "a command serves pools, and is no process of its own"));
  }
  auto found = find_table(*setup);
  if (!found.ok()) return refuse(found.status());
  const task::Table* table = *found;
  Runner runner(&context, table);
  if (setup->has_initializer) {
    task::TaskError error;
    int64_t begun = NowNs();
    if (!runner.RunAlone(setup->initializer, setup->initializer_data, nullptr, &error)) {
      return refuse(Status(MPROC_ERROR_BROKEN, "the initializer, function " +
                                                   std::to_string(setup->initializer) + ", failed with " +
                                                   std::to_string(error.code) + ": " + error.message));
    }
    context.channel->TellInitializerTime(NowNs() - begun);
    std::vector<std::byte>().swap(setup->initializer_data);
  }
  Watch watch;
  watch.idle = start.idle;
  if (owns_process) watch.host = platform::ProcessRef::Open(static_cast<pid_t>(setup->host_pid));
  ipc::MessageHead hello{static_cast<uint32_t>(ipc::MessageType::kHello),
                         static_cast<uint32_t>(platform::CurrentPid()), 0};
  if (start.is_command) platform::PassOnStandardError(message.fds.size() > 3 ? message.fds.back().get() : -1);
  message.fds.clear();
  state.Started();
  if (Status sent = ipc::SendLong(start.socket, hello, table->Encode(), {}, ipc::MessageType::kHelloPart);
      !sent.ok())
    return sent;
  if (setup->process.given) {
    context.objects = objects;
    int code = RunProcess(std::move(setup->process), &context, &runner);
    if (traced) platform::InstallCrashTrace(nullptr, 0);
    return code;
  }
  bool told = WorkerLoop(&context, &runner, setup->terms.memory, HostAlive, &watch).Run();
  if (told && setup->terms.has_finalizer) RunLastCall(setup->terms, start.socket, &runner);
  if (told) RunExitHooks(INT32_MIN);
  if (traced) platform::InstallCrashTrace(nullptr, 0);
  return 0;
}

}  // namespace mproc::worker
