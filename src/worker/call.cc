// SPDX-License-Identifier: MIT
#include "worker/call.hh"

#include <cstring>

#include "platform/futex.hh"
#include "task/kind.hh"

namespace mproc::worker {
namespace {

constexpr int64_t kWaitForRoom = 1'000'000'000;
constexpr int64_t kLookForRoom = 50'000;

}  // namespace

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

Status Call::Log(int32_t level, std::string_view text) const {
  ipc::WorkerChannel& channel = *context_->channel;
  ipc::LogWriter log = channel.log();
  int64_t now = NowNs();
  channel.flight().Note(now, task_id_, level, text);
  if (level < log.level()) return Status();
  text = text.substr(0, ipc::kLongestRecord);
  ipc::LogHead head{static_cast<uint32_t>(text.size()), level, context_->running.position, task_id_, now};
  bool written = log.Write(head, text);
  for (int64_t until = now + kWaitForRoom; !written && !context_->host_lags && NowNs() < until;) {
    channel.RingHostNow();
    std::atomic<uint32_t> nothing{0};
    platform::FutexWait(&nothing, 0, kLookForRoom, false);
    written = log.Write(head, text);
  }
  context_->host_lags = !written;
  if (!written) log.CountDropped();
  channel.RingHostNow();
  return written ? Status() : Status(MPROC_ERROR_QUEUE_FULL, "the host does not take log records");
}

void Call::Fail(int32_t code, const char* type, const char* message, const char* trace) {
  auto copy = [](const char* text) {
    return text ? std::string(text, strnlen(text, task::kLongestErrorText)) : std::string();
  };
  error_ = {code, copy(type), copy(message), copy(trace)};
  failed_ = true;
}

}  // namespace mproc::worker
