// SPDX-License-Identifier: MIT
#include "platform/coroutine.hh"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <utility>

namespace mproc::platform {

struct Coroutine::Parts {
  ~Parts() {
    if (memory != MAP_FAILED) munmap(memory, size);
  }
  // The pointer in two halves: that is all that makecontext hands on.
  static void Enter(unsigned high, unsigned low) {
    auto* self = reinterpret_cast<Parts*>(static_cast<uintptr_t>(uint64_t{high} << 32 | low));
    self->body();
    self->ended = true;  // and back to who resumed it last
  }

  std::function<void()> body;
  void* memory = MAP_FAILED;
  size_t size = 0;
  ucontext_t inside{}, outside{};
  bool ended = false;
};

Coroutine::Coroutine() = default;
Coroutine::~Coroutine() = default;

Status Coroutine::Start(size_t stack_size, std::function<void()> body) {
  auto parts = std::make_unique<Parts>();
  auto guard = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  parts->body = std::move(body);
  parts->size = stack_size + guard;
  parts->memory =
      mmap(nullptr, parts->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (parts->memory == MAP_FAILED) return Status::System("a stack for serving", errno);
  mprotect(parts->memory, guard, PROT_NONE);
  if (getcontext(&parts->inside) != 0) return Status::System("getcontext", errno);
  parts->inside.uc_stack.ss_sp = static_cast<std::byte*>(parts->memory) + guard;
  parts->inside.uc_stack.ss_size = stack_size;
  parts->inside.uc_link = &parts->outside;
  uint64_t pointer = reinterpret_cast<uintptr_t>(parts.get());
  makecontext(&parts->inside, reinterpret_cast<void (*)()>(Parts::Enter), 2,
              static_cast<unsigned>(pointer >> 32), static_cast<unsigned>(pointer));
  parts_ = std::move(parts);
  return Status();
}

bool Coroutine::ended() const { return parts_ && parts_->ended; }

void Coroutine::Resume() { swapcontext(&parts_->outside, &parts_->inside); }

void Coroutine::Yield() { swapcontext(&parts_->inside, &parts_->outside); }

}  // namespace mproc::platform
