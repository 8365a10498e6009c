// SPDX-License-Identifier: MIT
#include "platform/thread.hh"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>
#include <utility>

namespace mproc::platform {
namespace {

struct Beginning {
  std::string name;
  std::function<void()> body;
};

void* Begin(void* argument) {
  std::unique_ptr<Beginning> beginning(static_cast<Beginning*>(argument));
  pthread_setname_np(pthread_self(), beginning->name.c_str());
  beginning->body();
  return nullptr;
}

}  // namespace

AllSignalsBlocked::AllSignalsBlocked() {
  uint64_t all = ~uint64_t{0};
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old_mask_, sizeof all);
}

AllSignalsBlocked::~AllSignalsBlocked() {
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old_mask_, nullptr, sizeof old_mask_);
}

Status Thread::Start(const char* name, size_t stack_size, std::function<void()> body) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  int error = pthread_attr_setstacksize(&attributes, stack_size);
  auto beginning = std::make_unique<Beginning>(Beginning{name, std::move(body)});
  if (error == 0) {
    sigset_t all, old;  // the new thread inherits the mask
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    error = pthread_create(&thread_, &attributes, Begin, beginning.get());
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
  }
  pthread_attr_destroy(&attributes);
  if (error != 0) return Status::System("starting a thread", error);
  static_cast<void>(beginning.release());
  started_ = true;
  return Status();
}

void Thread::Detach() {
  if (started_) pthread_detach(thread_);
  started_ = false;
}

void Thread::Join() {
  if (!started_) return;
  pthread_join(thread_, nullptr);
  started_ = false;
}

}  // namespace mproc::platform
