// SPDX-License-Identifier: MIT
#include "worker/puller.hh"

#include <algorithm>
#include <new>

namespace mproc::worker {
namespace {

constexpr size_t kStackSize = 256 * 1024;
constexpr int64_t kLongestSlice = 1'000'000'000;

}  // namespace

Puller& Puller::Get() {
  static auto* puller = new Puller;
  return *puller;
}

int32_t Puller::Hand(mproc_call_t* call, const void* input, size_t size, void* self) {
  auto* puller = static_cast<Puller*>(self);
  puller->call_ = reinterpret_cast<Call*>(call);
  puller->input_ = ByteView(static_cast<const std::byte*>(input), size);
  puller->serving_.Yield();
  return puller->code_;
}

Status Puller::Begin(const task::Table& table) {
  for (const auto& function : table.functions()) {
    Status added = table_.Add(function.id, function.name, Hand, this);
    if (!added.ok()) return added;
  }
  idle_.between = [this] {
    waits_ = true;
    serving_.Yield();
  };
  return serving_.Start(kStackSize, [this] {
    try {  // nothing can be thrown off this stack
      ended_ = ServeCommand(table_, &idle_);
    } catch (const std::bad_alloc&) {
      ended_ = Status(MPROC_ERROR_OUT_OF_MEMORY);
    }
  });
}

Status Puller::Next(const task::Table& table, const Deadline& deadline, Call** call, ByteView* input) {
  if (busy_.exchange(true)) return Status(MPROC_ERROR_BUSY, "another thread takes a call");
  auto leave = [this](Status status) {
    busy_.store(false);
    return status;
  };
  *call = nullptr;
  if (call_) return leave(Status(MPROC_ERROR_BUSY, "the call that was taken before is not answered"));
  if (!serving_.started()) {
    Status begun = Begin(table);
    if (!begun.ok()) return leave(begun);
  }
  for (;;) {
    if (serving_.ended()) return leave(ended_);
    idle_.slice =
        deadline.never() ? kLongestSlice : std::clamp<int64_t>(deadline.Remaining(), 0, kLongestSlice);
    waits_ = false;
    serving_.Resume();
    if (call_) {
      *call = call_;
      *input = input_;
      return leave(Status());
    }
    if (waits_ && deadline.Passed()) return leave(Status(MPROC_ERROR_TIMED_OUT));
  }
}

Status Puller::Answer(Call* call, int32_t code) {
  if (!call || call != call_)
    return Status(MPROC_ERROR_INVALID_ARGUMENT, "this is not the call that was taken");
  code_ = code;
  call_ = nullptr;
  return Status();
}

}  // namespace mproc::worker
