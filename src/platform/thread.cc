// SPDX-License-Identifier: MIT
//
// The unwinder is linked in, beside the one that the C library loads to end a thread. When a callback of the
// host ends its thread (pthread_exit), that one passes through frames of this library and calls our
// personality routine, which aborts the host unless tables were made, as by the first exception of our own.
// So they are made when the library is loaded.
#include "platform/thread.hh"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#include <atomic>
#include <memory>
#include <utility>

namespace mproc::platform {
namespace {

[[gnu::constructor]] void MakeUnwindTables() {
  _Unwind_Backtrace([](_Unwind_Context*, void*) { return _URC_NORMAL_STOP; }, nullptr);
}

constinit std::atomic<int> g_own_threads{0};

[[gnu::constructor]] void ForgetThreadsInChildren() {
  pthread_atfork(nullptr, nullptr, [] { g_own_threads.store(0, std::memory_order_relaxed); });
}

// Counts a thread while it lives.
class Counted {
 public:
  explicit Counted(Thread::Runs runs) : by_(runs == Thread::Runs::kOurs ? 1 : 0) { g_own_threads += by_; }
  ~Counted() { g_own_threads -= by_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  const int by_;
};

}  // namespace

int CountOwnThreads() { return g_own_threads.load(); }

// Belongs to the thread and to its Thread: where the thread is not (in a forked child), it is not lost.
struct Thread::Beginning {
  Beginning(const char* its_name, std::function<void()> its_body, Runs runs)
      : counted(runs), name(its_name), body(std::move(its_body)) {}

  static void* Run(void* argument) {
    std::shared_ptr<Beginning> self = std::move(static_cast<Beginning*>(argument)->own_share);
    pthread_setname_np(pthread_self(), self->name.c_str());
    self->body();
    self->body = nullptr;  // what it holds ends with the thread
    return nullptr;
  }

  Counted counted;
  std::string name;
  std::function<void()> body;
  std::shared_ptr<Beginning> own_share;
};

AllSignalsBlocked::AllSignalsBlocked() {
  uint64_t all = ~uint64_t{0};
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old_mask_, sizeof all);
}

AllSignalsBlocked::~AllSignalsBlocked() {
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old_mask_, nullptr, sizeof old_mask_);
}

Status Thread::Start(const char* name, size_t stack_size, std::function<void()> body, Runs runs) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  int error = pthread_attr_setstacksize(&attributes, stack_size);
  beginning_ = std::make_shared<Beginning>(name, std::move(body), runs);
  beginning_->own_share = beginning_;
  if (error == 0) {
    sigset_t all, old;  // the new thread inherits the mask
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    error = pthread_create(&thread_, &attributes, Beginning::Run, beginning_.get());
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
  }
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    beginning_->own_share.reset();
    beginning_.reset();
    return Status::System("starting a thread", error);
  }
  started_ = true;
  return Status();
}

void Thread::Detach() {
  if (started_) pthread_detach(thread_);
  started_ = false;
  beginning_.reset();
}

void Thread::Join() {
  if (!started_) return;
  pthread_join(thread_, nullptr);
  started_ = false;
  beginning_.reset();
}

}  // namespace mproc::platform
