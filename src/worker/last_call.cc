// SPDX-License-Identifier: MIT
#include "worker/last_call.hh"

#include "ipc/message.hh"

namespace mproc::worker {

void RunLastCall(const task::WorkerTerms& terms, int socket, Runner* runner) {
  std::vector<std::byte> value;
  task::TaskError error;
  bool good = runner->RunAlone(terms.finalizer, AsBytes(terms.finalizer_data), &value, &error);
  if (!terms.finalizer_told) return;
  if (good && value.size() > ipc::kLargestLastCall) {
    good = false;
    error.message = "the value of the finalizer has " + std::to_string(value.size()) + " bytes: at most " +
                    std::to_string(ipc::kLargestLastCall) + " are carried";
  }
  if (!good) error.message.resize(std::min(error.message.size(), ipc::kLargestLastCall));
  ipc::MessageHead head{static_cast<uint32_t>(ipc::MessageType::kLastCall), good ? 0u : 1u, 0};
  Status sent = ipc::SendLong(socket, head, good ? ByteView(value) : AsBytes(error.message), {},
                              ipc::MessageType::kLastCallPart);
  (void)sent;  // the host has gone
}

}  // namespace mproc::worker
