// SPDX-License-Identifier: MIT
#include "worker/call.hh"

#include <cstring>

#include "task/kind.hh"

namespace mproc::worker {

Result<std::byte*> Call::Value(size_t size) {
  if (size > task::kLargestPayload) return Status(MPROC_ERROR_TOO_LARGE);
  std::byte* at = nullptr;
  switch (sink_) {
    case Sink::kChannel: {
      auto reserved = context_->channel->Reserve(context_->socket, size, ipc::WorkerChannel::Fate::kLent);
      if (!reserved.ok()) return reserved.status();
      at = *reserved;
      break;
    }
    case Sink::kItems:
      at = items_->Room(size);
      break;
    case Sink::kPlace:
      if (size != most_) {
        return Status(MPROC_ERROR_TOO_LARGE, "the value has " + std::to_string(size) +
                                                 " bytes, the output stride of this map is " +
                                                 std::to_string(most_));
      }
      at = place_;
      break;
  }
  size_ = size;
  replied_ = true;
  in_block_ = false;
  return at;
}

void Call::Fail(int32_t code, const char* type, const char* message, const char* trace) {
  auto copy = [](const char* text) {
    return text ? std::string(text, strnlen(text, task::kLongestErrorText)) : std::string();
  };
  error_ = {code, copy(type), copy(message), copy(trace)};
  failed_ = true;
}

}  // namespace mproc::worker
