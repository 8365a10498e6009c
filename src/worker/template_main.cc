// SPDX-License-Identifier: MIT
//
// The template: a process that has loaded a module, has its table, and forks workers that have both
//
// It is an ordinary child of the launcher, so a module that crashes while it is loaded takes no launcher with
// it. Its workers are children of the launcher as well (platform/adoption.cc): the launcher reaps and signals
// them as it does others, and they outlive their template. Host, launcher and template may be killed at any
// moment: template and workers die with the launcher (parent-death signal, then a look at the parent), the
// launcher with the host; a template that died is replaced when it is needed next.
//
// A worker tells its number to the launcher before all else, and then closes the template's socket; the
// intermediate tells it, too, for a worker that dies before it can. So, when that socket has ended, every
// worker of the template that lives has been told of. A template whose intermediate was killed cannot know
// what that had done, and ends.
//
// A template that cannot serve (bad module, or a module that makes threads while it is loaded, which no fork
// takes along) forks workers all the same: they refuse in its words, as a worker that loads a module itself
// would. The module is loaded when the first request is there: a crash meanwhile leaves its trace in the
// channel of the worker that was wanted.
#include <cerrno>
#include <string>

#include "ipc/channel.hh"
#include "ipc/launcher_protocol.hh"
#include "platform/adoption.hh"
#include "platform/child.hh"
#include "platform/crash_trace.hh"
#include "platform/identity.hh"
#include "platform/process_state.hh"
#include "platform/streams.hh"
#include "platform/surroundings.hh"
#include "task/setup.hh"
#include "worker/worker_main.hh"
#include "worker/worker_state.hh"

namespace mproc::worker {
namespace {

constexpr int kSocket = 3;  // of a template to the launcher, of a worker to the host
constexpr int kOutput = 1;
constexpr int kError = 2;
constexpr int kLost = 255;

void Tell(int socket, ipc::ControlType type, uint64_t child, int32_t first, int32_t code = 0) {
  ipc::ControlHead head = ipc::MakeHead(type, child);
  head.first = first;
  head.code = code;
  Status sent = platform::SendMessage(socket, ipc::EncodeHead(head), {}, true);
  (void)sent;  // a launcher that is gone takes this process with it
}

// Loads the module; meanwhile a crash is recorded for the host that waits at the other end of `channel`.
Status Load(const std::string& module, int channel, const CallEntry& call_entry, task::Table* table) {
  platform::Message message;
  Result<ipc::WorkerChannel> attached = Status(MPROC_ERROR_PROTOCOL);
  if (platform::PeekMessage(channel, &message) == platform::Receive::kMessage && message.fds.size() >= 3) {
    attached = ipc::WorkerChannel::Attach(std::move(message.fds[0]), std::move(message.fds[1]),
                                          std::move(message.fds[2]));
  }
  if (attached.ok()) platform::InstallCrashTrace(attached->trace(), ipc::kTraceBytes);
  int threads = platform::CountThreads();
  MarkStarting();
  Status status = LoadTable(module, call_entry, table);
  UnmarkStarting();
  int more = platform::CountThreads() - threads;
  platform::FlushStandardStreams();  // else every worker would print what the module has printed
  platform::InstallCrashTrace(nullptr, 0);
  if (!status.ok() || more <= 0) return status;
  return Status(MPROC_ERROR_UNSUPPORTED,
                "module '" + module + "' made " + std::to_string(more) +
                    (more == 1 ? " thread" : " threads") +
                    " while it was loaded, and a forked worker would lack them: use start method spawn, or "
                    "make threads when they are needed first");
}

// In the worker: lets it be what the request asks for.
void Become(const ipc::ControlReceived& request, uint64_t id) {
  auto launcher = platform::DuplicateFd(kSocket);
  if (!launcher.ok()) platform::LeaveAtOnce(kLost);
  bool placed = platform::PlaceFd(request.channel.get(), kSocket, false);
  Tell(launcher->get(), ipc::ControlType::kStarted, id, platform::CurrentPid());
  placed = placed && platform::PlaceFd(request.output.get(), kOutput, true) &&
           platform::PlaceFd(request.error.get(), kError, true);
  if (!placed) platform::LeaveAtOnce(kLost);
  if (!request.directory.valid() || !platform::EnterDirectory(request.directory.get()))
    platform::LeaveDirectory();
  platform::SetUmask(static_cast<uint32_t>(request.head.first));
  platform::NameProcess("mproc-worker");
}

}  // namespace

int TemplateMain(const std::string& module, const CallEntry& call_entry) {
  platform::DieWithLauncher();
  if (!platform::IsMessageSocket(kSocket)) return 2;
  platform::SetCloseOnExec(kSocket);
  platform::NameProcess("mproc-template");
  const pid_t launcher = platform::ParentPid();
  task::Table table;
  Status loaded;
  bool has_loaded = false;
  platform::Message message;
  while (platform::ReceiveMessage(kSocket, true, &message) == platform::Receive::kMessage) {
    auto head = ipc::PeekHead(message.bytes);
    auto request = ipc::DecodeControl(&message);
    if (!request || !request->channel.valid()) {
      if (head) Tell(kSocket, ipc::ControlType::kFailed, head->child, EMFILE);
      continue;
    }
    if (!has_loaded) {
      loaded = Load(module, request->channel.get(), call_entry, &table);
      has_loaded = true;
      Tell(kSocket, ipc::ControlType::kLoaded, 0, 0, loaded.code());
    }
    uint64_t id = request->head.child;
    int forked = platform::ForkForParent(launcher, [id](pid_t child, int error) {
      if (child > 0) {
        Tell(kSocket, ipc::ControlType::kStarted, id, child);
      } else {
        Tell(kSocket, ipc::ControlType::kFailed, id, error);
      }
    });
    if (forked < 0) return kLost;
    if (forked != 0) continue;
    Become(*request, id);
    request.reset();
    MarkStarting();
    auto find_table = [&](const task::Setup&) -> Result<const task::Table*> {
      if (!loaded.ok()) return loaded;
      return &table;
    };
    auto served = Serve(find_table, {.method = MPROC_START_FORKSERVER});
    return served.ok() ? *served : kCouldNotServe;
  }
  return 0;
}

}  // namespace mproc::worker
