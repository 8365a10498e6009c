// SPDX-License-Identifier: MIT
#include "pool/alarm.hh"

#include <algorithm>
#include <new>
#include <utility>

#include "base/clock.hh"

namespace mproc::pool {

void Alarm::Open(std::shared_ptr<EngineSide> engine, std::shared_ptr<void> keep,
                 std::function<void(int64_t)> ring) {
  engine_ = std::move(engine);
  keep_ = std::move(keep);
  ring_ = std::move(ring);
}

void Alarm::SetTo(int64_t when) noexcept {
  if (when >= coming_ || !keep_) return;
  try {
    engine_->After(std::max<int64_t>(0, when - NowNs()), [this, keep = keep_, when] { ring_(when); });
    coming_ = when;
  } catch (const std::bad_alloc&) {
    missed_ = std::min(missed_, when);
  }
}

bool Alarm::Retry() noexcept {
  if (missed_ == kNever) return true;
  SetTo(std::exchange(missed_, kNever));
  return missed_ == kNever;
}

}  // namespace mproc::pool
