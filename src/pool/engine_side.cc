// SPDX-License-Identifier: MIT
#include "pool/engine_side.hh"

#include <new>

namespace mproc::pool {
namespace {

constexpr int64_t kTick = 100'000'000;

}  // namespace

void EngineSide::Open(int bell, std::function<void()> rung, std::function<bool(bool)> tick,
                      std::shared_ptr<void> keep) {
  runtime_->Post([self = shared_from_this(), bell, rung = std::move(rung), tick = std::move(tick),
                  keep = std::move(keep)] {
    if (self->closed_) return;
    self->keep_ = keep;
    self->tick_ = tick;
    // Without these two the pool still works, by threads that wait; there is no better way to report it.
    Status watched =
        self->bell_.Start(self->runtime_->loop(), bell, loop::kReadable, [rung](int) { rung(); });
    Status timed = self->ticker_.Init(self->runtime_->loop(), [side = self.get()] {
      if (side->tick_(side->stirred_.exchange(false))) return;
      side->ticker_.Stop();
      side->ticking_.store(false);
      if (side->stirred_.load()) side->Tick();  // by somebody who saw it tick
    });
    (void)watched;
    (void)timed;
  });
}

void EngineSide::StartTicking() noexcept {
  try {
    runtime_->Post([self = shared_from_this()] {
      if (!self->closed_) self->ticker_.Start(kTick, kTick);
    });
  } catch (const std::bad_alloc&) {
    ticking_.store(false);
  }
}

void EngineSide::After(int64_t delay, std::function<void()> action) {
  runtime_->Post([self = shared_from_this(), delay, action = std::move(action)] {
    if (self->closed_) return;
    auto timer = self->timers_.emplace(self->timers_.end());
    Status made = timer->Init(self->runtime_->loop(), [side = self.get(), timer, action] {
      auto run = action;
      side->timers_.erase(timer);
      run();
    });
    if (made.ok()) timer->Start(delay);
  });
}

void EngineSide::Close() {
  runtime_->Post([self = shared_from_this()] {
    self->closed_ = true;
    self->bell_.Close();
    self->ticker_.Close();
    self->timers_.clear();
    self->tick_ = nullptr;
    self->keep_.reset();
  });
}

}  // namespace mproc::pool
