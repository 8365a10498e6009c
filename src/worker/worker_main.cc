// SPDX-License-Identifier: MIT
#include "worker/worker_main.hh"

#include <cstdlib>

#include "ipc/message.hh"
#include "platform/child.hh"
#include "platform/crash_trace.hh"
#include "platform/identity.hh"
#include "platform/memory_file.hh"
#include "platform/module.hh"
#include "platform/pidfd.hh"
#include "task/setup.hh"
#include "worker/worker_loop.hh"

namespace mproc::worker {
namespace {

constexpr int kSocket = 3;
constexpr uint64_t kLargestSetup = uint64_t{1} << 40;

bool g_is_worker = false;

int Refuse(const Status& why) {
  std::string text = why.message().substr(0, platform::kMaxMessage / 2);
  ipc::MessageHead head{static_cast<uint32_t>(ipc::MessageType::kRefused), static_cast<uint32_t>(why.code()),
                        0};
  Status sent = ipc::SendFrame(kSocket, head, AsBytes(text), {}, true);
  (void)sent;
  return 1;
}

Result<task::Setup> ReceiveSetup(platform::Message* message) {
  if (platform::ReceiveMessage(kSocket, true, message) != platform::Receive::kMessage) {
    return Status(MPROC_ERROR_PROTOCOL, "no set-up came from the host");
  }
  auto head = ipc::HeadOf(*message);
  if (message->fds_lost) {
    return Status(MPROC_ERROR_DESCRIPTOR_LIMIT,
                  "the worker has no free descriptors for its channel: raise the limit of open files");
  }
  if (!head || head->type != static_cast<uint32_t>(ipc::MessageType::kSetup) || message->fds.size() < 3) {
    return Status(MPROC_ERROR_PROTOCOL, "the host's set-up cannot be read");
  }
  if (message->fds.size() == 3) return task::DecodeSetup(ipc::BodyOf(*message));
  if (head->size > kLargestSetup) return Status(MPROC_ERROR_TOO_LARGE, "the host's set-up is too large");
  auto bytes = platform::ReadMemoryFile(message->fds[3].get(), head->size);
  if (!bytes.ok()) return bytes.status();
  return task::DecodeSetup(*bytes);
}

// A host whose launcher is stopped cannot have its workers killed: they look for themselves.
bool HostAlive(void* host) { return !static_cast<platform::ProcessRef*>(host)->Ended(); }

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
  Refuse(Status(MPROC_ERROR_NOT_SERVED,
                "the program was started as its own worker but made a pool before it called "
                "mproc_worker_main: call that at the top of main"));
}

bool IsWorker() { return g_is_worker; }

int WorkerMain(const task::Table* own, uint64_t nonce, const CallEntry& call_entry) {
  platform::DieWithLauncher();
  if (!platform::IsMessageSocket(kSocket)) return 2;
  platform::SetCloseOnExec(kSocket);
  g_is_worker = true;
  platform::Message message;
  auto setup = ReceiveSetup(&message);
  if (!setup.ok()) return Refuse(setup.status());
  if (own && setup->nonce != nonce) {
    return Refuse(Status(MPROC_ERROR_PROTOCOL, "the mark of the worker run is not the host's"));
  }
  auto channel = ipc::WorkerChannel::Attach(std::move(message.fds[0]), std::move(message.fds[1]),
                                            std::move(message.fds[2]));
  if (!channel.ok()) return Refuse(channel.status());
  platform::InstallCrashTrace(channel->trace(), ipc::kTraceBytes);

  task::Table loaded;
  const task::Table* table = own;
  if (!own) {
    auto entry = platform::LoadModule(setup->module, MPROC_MODULE_ENTRY_NAME);
    if (!entry.ok()) return Refuse(entry.status());
    if (Status filled = call_entry(*entry, &loaded); !filled.ok()) return Refuse(filled);
    table = &loaded;
  }
  WorkerContext context;
  context.channel = &*channel;
  context.socket = kSocket;
  context.number = setup->worker_number;
  context.name = setup->worker_name;
  Runner runner(&context, table);
  if (setup->has_initializer) {
    task::TaskError error;
    if (!runner.RunAlone(setup->initializer, setup->initializer_data, &error)) {
      return Refuse(Status(MPROC_ERROR_BROKEN, "the initializer, function " +
                                                   std::to_string(setup->initializer) + ", failed with " +
                                                   std::to_string(error.code) + ": " + error.message));
    }
    std::vector<std::byte>().swap(setup->initializer_data);
  }
  auto host = platform::ProcessRef::Open(static_cast<pid_t>(setup->host_pid));
  ipc::MessageHead hello{static_cast<uint32_t>(ipc::MessageType::kHello),
                         static_cast<uint32_t>(platform::CurrentPid()), 0};
  if (!ipc::SendLong(kSocket, hello, table->Encode(), {}).ok()) return 1;
  WorkerLoop(&context, &runner, HostAlive, &host).Run();
  platform::InstallCrashTrace(nullptr, 0);
  return 0;
}

}  // namespace mproc::worker
