// SPDX-License-Identifier: MIT
#include "pool/last_call.hh"

#include <mproc/future.h>

#include <memory>
#include <vector>

#include "pool/callbacks.hh"
#include "pool/pool.hh"

namespace mproc::pool {
namespace {

// One that waits for its callback.
class LastCallDue final : public DueOnce {
 public:
  LastCallDue(Pool* pool, const LastCallOptions& options, uint32_t worker, const LastCall& call)
      : DueOnce(pool), options_(options), worker_(worker), failed_(call.failed()) {
    bytes_.reserve(call.bytes().size() + 1);
    bytes_.assign(call.bytes().begin(), call.bytes().end());
    bytes_.push_back({});
  }

 private:
  void Call() override {
    options_.callback(worker_, failed_ ? MPROC_OUTCOME_ERROR : MPROC_OUTCOME_VALUE, bytes_.data(),
                      bytes_.size() - 1, options_.user_data);
  }

  const LastCallOptions options_;
  const uint32_t worker_;
  const bool failed_;
  std::vector<std::byte> bytes_;  // and a zero
};

}  // namespace

bool LastCall::IsPart(const ipc::MessageHead& head) {
  return head.type == static_cast<uint32_t>(ipc::MessageType::kLastCall) ||
         head.type == static_cast<uint32_t>(ipc::MessageType::kLastCallPart);
}

bool LastCall::Take(const ipc::MessageHead& head, ByteView part) {
  if (!awaited() || complete() || head.number > 1) return false;
  failed_ = head.number == 1;
  return body_.Add(head, part);
}

void LastCall::Clear() {
  awaited_ = false;
  failed_ = false;
  body_ = ipc::LongBody(ipc::kLargestLastCall);
}

void LastCalls::Tell(WorkerSlot* worker) {
  std::unique_ptr<LastCallDue> due;
  {
    std::lock_guard lock(worker->socket_mutex);
    LastCall& call = worker->last_call;
    if (worker->distrusted || !call.complete()) return;
    due = std::make_unique<LastCallDue>(pool_, options_, worker->number, call);
    call.Clear();
  }
  pool_->QueueDue(due.release());
}

}  // namespace mproc::pool
