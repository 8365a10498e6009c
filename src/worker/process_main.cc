// SPDX-License-Identifier: MIT
#include "worker/process_main.hh"

#include <cstdio>

#include "ipc/message.hh"
#include "platform/streams.hh"
#include "worker/exit_hooks.hh"

namespace mproc::worker {
namespace {

// What a function returns is its exit code, as far as there are any; what else went wrong is 1.
int ExitCodeOf(int32_t error) {
  int code = error > 0 ? error & 0xff : 0;
  return code ? code : 1;
}

void Show(const std::string& name, const task::TaskError& error) {
  std::string text = "Process " + name + ": ";
  if (!error.type.empty()) text += error.type + ": ";
  text += error.message + "\n";
  if (!error.trace.empty()) text += error.trace + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void Tell(int socket, task::TaskError error) {
  size_t most = platform::kMaxMessage / 4;
  error.type.resize(std::min(error.type.size(), most));
  error.message.resize(std::min(error.message.size(), most));
  error.trace.resize(std::min(error.trace.size(), most));
  ipc::MessageHead head{static_cast<uint32_t>(ipc::MessageType::kFailed), 0, 0};
  Status sent = ipc::SendFrame(socket, head, task::EncodeError(error), {}, true);
  (void)sent;  // the host has gone
}

}  // namespace

int RunProcess(task::ProcessTerms terms, WorkerContext* context, Runner* runner) {
  task::TaskError error;
  bool good = runner->RunAlone(terms.function, terms.payload, nullptr, &error);
  RunExitHooks(INT32_MIN);
  platform::FlushStandardStreams();
  if (good) return 0;
  // An exit code that the function has returned without a word is no news for the terminal.
  if (!error.type.empty() || error.code <= 0) Show(context->name, error);
  Tell(context->socket, error);
  return ExitCodeOf(error.code);
}

}  // namespace mproc::worker
