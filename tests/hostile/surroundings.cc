// SPDX-License-Identifier: MIT
// Hosts of all manners: without /proc, without standard descriptors, with ideas of their own about SIGCHLD,
// with less rights than before, cancelled, interrupted, killed; and idle.
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>

#include "host.hh"

using namespace hostile;

namespace {

// All that a pool does in its life, deaths included.
bool LivesItsLife(int workers = 2) {
  mproc_pool_t* pool = MakePool(workers);
  if (!pool) return false;
  bool good = CHECK(Serves(pool));
  mproc_future_t* lost = Submit(pool, kUntilStopped, "", 0);
  CHECK(Soon([&] { return Statistic(pool, MPROC_POOL_STATISTIC_RUNNING) == 1; }));
  for (int32_t place = 0; place < workers; place++) {
    if (WorkerInfo(pool, place, MPROC_WORKER_INFO_TASKS_HELD)) KillWorker(pool, place);
  }
  CHECK_OK(mproc_future_wait(lost, 5 * MPROC_SECOND));
  CHECK_EQ(OutcomeOf(lost), MPROC_OUTCOME_WORKER_LOST);
  CHECK_EQ(InfoOf(lost, MPROC_FUTURE_INFO_SIGNAL), SIGKILL);
  CHECK_OK(mproc_future_release(lost));
  CHECK(
      Soon([&] { return Statistic(pool, MPROC_POOL_STATISTIC_WORKERS) == static_cast<uint64_t>(workers); }));
  good = CHECK(Serves(pool)) && good;
  mproc_future_t* ended = Submit(pool, kUntilStopped, "deaf", 4);
  CHECK(Soon([&] { return Statistic(pool, MPROC_POOL_STATISTIC_RUNNING) == 1; }));
  Destroy(pool);
  CHECK_EQ(OutcomeOf(ended), MPROC_OUTCOME_CANCELLED);
  CHECK_OK(mproc_future_release(ended));
  return good;
}

std::atomic<int> g_signals;
void CountSignal(int) { g_signals++; }

void OnSignal(int signo, void (*handler)(int), int flags = 0) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(signo, &action, nullptr);
}

}  // namespace

CASE(without_proc) {
  if (HOSTILE_SANITIZED) return Skip("a sanitizer needs /proc itself");
  Module();
  TheNote();
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("none", "/proc", "tmpfs", 0, nullptr) != 0) {
    return Skip("mounts may not be changed here");
  }
  CHECK(access("/proc/self/exe", F_OK) != 0);
  CHECK(LivesItsLife());
  // Workers that are this program need its path; without /proc it is what it was started as.
  int32_t workers = 0;
  CHECK_OK(mproc_runtime_default_workers(&workers));
  CHECK(workers >= 1);
}

// None of the library's descriptors stays in the places of the standard ones: those that a launcher sends
// pass there, and may come when the worker is ready already.
CASE_WITHIN(without_standard_descriptors, 60) {
  TheNote();
  for (int closed = 1; closed < 8; closed++) {
    std::string story =
        "closed: " + std::string(closed & 1 ? "0" : "") + (closed & 2 ? "1" : "") + (closed & 4 ? "2" : "");
    // What fails is told through a copy.
    InFork([&] {
      int saved[3];
      for (int fd = 0; fd < 3; fd++) saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
      for (int fd = 0; fd < 3; fd++) {
        if (closed & 1 << fd) close(fd);
      }
      auto before = OpenDescriptors();
      mproc_pool_t* pool = nullptr;
      int32_t status = TryPool(2, &pool);
      if (status == MPROC_OK) status = mproc_pool_wait_ready(pool, 10 * MPROC_SECOND);
      bool kept[3];
      for (int fd = 0; fd < 3; fd++)
        kept[fd] = (closed & 1 << fd) && !Soon([&] { return fcntl(fd, F_GETFD) < 0; }, 3000);
      About about = AboutWorker(pool);
      bool serves = Serves(pool);
      int32_t destroyed = mproc_pool_destroy(pool);
      int32_t finished = mproc_runtime_finish(5 * MPROC_SECOND);
      auto more = MoreThan(before, OpenDescriptors());
      for (int fd = 0; fd < 3; fd++) dup2(saved[fd], fd);
      CHECK_THAT(status == MPROC_OK, story + ": " + mproc_status_name(status));
      for (int fd = 0; fd < 3; fd++)
        CHECK_THAT(!kept[fd], story + ": the library keeps descriptor " + std::to_string(fd));
      CHECK_THAT(serves, story);
      CHECK_OK(destroyed);
      CHECK_OK(finished);
      for (const auto& fd : more) CHECK_THAT(false, story + ", left open: " + fd);
      CHECK_THAT(about.standard[0] && about.standard[1] && about.standard[2],
                 story + ": a worker has not all standard descriptors");
      CHECK_THAT(about.null_input, story + ": a worker's input is not the null device");
    });
  }
}

CASE_WITHIN(sigchld_ignored, 30) {
  for (int way = 0; way < 3; way++) {
    InFork([&] {
      if (way == 0) signal(SIGCHLD, SIG_IGN);
      if (way == 1) OnSignal(SIGCHLD, SIG_DFL, SA_NOCLDWAIT);
      if (way == 2) OnSignal(SIGCHLD, CountSignal);
      CHECK(LivesItsLife());
      CHECK_OK(mproc_runtime_finish(5 * MPROC_SECOND));
      CHECK_EQ(g_signals.load(), 0);
    });
  }
}

// The host's own thread that waits for any child finds none of ours.
CASE_WITHIN(somebody_else_waits_for_all_children, 30) {
  static std::atomic<bool> stop;
  static std::atomic<int> foreign, rounds;
  std::thread reaper([] {
    while (!stop) {
      if (waitpid(-1, nullptr, 0) >= 0 || errno != ECHILD) foreign++;
      rounds++;
      usleep(100);
    }
  });
  CHECK(LivesItsLife());
  CHECK(LivesItsLife());
  CHECK_OK(mproc_runtime_finish(5 * MPROC_SECOND));
  stop = true;
  reaper.join();
  CHECK_EQ(foreign.load(), 0);
  CHECK(rounds > 10);
}

CASE_WITHIN(rights_given_up_between_pools, 30) {
  if (geteuid() != 0) return Skip("nobody but root can give up rights");
  mproc_pool_t* first = MakePool(2);
  if (!first) return;
  int64_t old_launcher = 0, launcher = 0;
  CHECK_OK(mproc_runtime_launcher_pid(&old_launcher));
  CHECK_EQ(AboutWorker(first).euid, 0);
  mproc_future_t* busy = Submit(first, kUntilStopped, "deaf", 4);
  CHECK(Soon([&] { return Statistic(first, MPROC_POOL_STATISTIC_RUNNING) == 1; }));
  constexpr uid_t kNobody = 65534;
  if (setgroups(0, nullptr) != 0 || setresgid(kNobody, kNobody, kNobody) != 0 ||
      setresuid(kNobody, kNobody, kNobody) != 0) {
    return Skip("this root cannot give up its rights"), LeaveAsItIs();
  }
  prctl(PR_SET_DUMPABLE, 1);
  if (access(Module().c_str(), R_OK | X_OK) == 0) {
    mproc_pool_t* second = MakePool(2);
    if (second) {
      for (int i = 0; i < 4; i++) {
        About about = AboutWorker(second);
        CHECK_EQ(about.uid, kNobody);
        CHECK_EQ(about.euid, kNobody);
        CHECK_EQ(about.gid, kNobody);
      }
      CHECK_OK(mproc_runtime_launcher_pid(&launcher));
      CHECK(launcher != old_launcher && launcher != 0);
      CHECK(Serves(second));
      Destroy(second);
    }
    CHECK_EQ(AboutWorker(first).euid, 0);  // as it was started
  } else {
    printf("the module is out of reach for nobody; no second pool\n");
  }
  Destroy(first);
  CHECK_EQ(OutcomeOf(busy), MPROC_OUTCOME_CANCELLED);
  CHECK_OK(mproc_future_release(busy));
}

// Nobody is left a second after the host was killed.
CASE_WITHIN(host_killed_with_8_busy_workers, 30) {
  TheNote();
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  pid_t host = fork();
  if (!CHECK(host >= 0)) return;
  if (host == 0) {
    mproc_pool_t* pool = MakePool(8);
    if (!pool) _exit(1);
    for (int i = 0; i < 40; i++) Submit(pool, kUntilStopped, i % 2 ? "deaf" : "", i % 2 ? 4 : 0);
    bool busy = Soon([&] { return Statistic(pool, MPROC_POOL_STATISTIC_RUNNING) == 8; });
    ssize_t n = write(ends[1], &busy, 1);
    (void)n;
    for (;;) pause();
  }
  bool busy = false;
  close(ends[1]);
  CHECK_EQ(read(ends[0], &busy, 1), 1);
  close(ends[0]);
  CHECK(busy);
  CHECK(MarkedProcesses().size() >= 10);  // host, launcher, workers
  kill(host, SIGKILL);
  waitpid(host, nullptr, 0);
  int64_t began = NowMs();
  bool gone = Soon([] { return MarkedProcesses().empty(); }, HOSTILE_SANITIZED ? 5000 : 1000);
  CHECK_THAT(gone, std::to_string(MarkedProcesses().size()) + " processes are left after a second");
  printf("gone after %lld ms\n", static_cast<long long>(NowMs() - began));
}

CASE_WITHIN(thread_cancelled_in_a_wait, 30) {
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  for (int round = 0; round < 12; round++) {
    static mproc_future_t* future;
    static std::atomic<bool> returned;
    returned = false;
    future = Submit(pool, kSleep, Sleep{60});
    pthread_t leader, follower;
    auto wait = [](void*) -> void* {
      mproc_future_wait(future, MPROC_FOREVER);
      pthread_testcancel();
      returned = true;
      return nullptr;
    };
    CHECK_EQ(pthread_create(&leader, nullptr, wait, nullptr), 0);
    CHECK_EQ(pthread_create(&follower, nullptr, wait, nullptr), 0);
    usleep(static_cast<useconds_t>(round * 4000));
    CHECK_EQ(pthread_cancel(round % 2 ? leader : follower), 0);
    if (round % 3 == 0) CHECK_EQ(pthread_cancel(round % 2 ? follower : leader), 0);
    void* result = nullptr;
    CHECK_EQ(pthread_join(round % 2 ? leader : follower, &result), 0);
    CHECK(result == PTHREAD_CANCELED);
    CHECK_EQ(pthread_join(round % 2 ? follower : leader, &result), 0);
    CHECK_OK(mproc_future_wait(future, 5 * MPROC_SECOND));
    CHECK_OK(mproc_future_release(future));
    if (round % 4 == 3) CHECK(Serves(pool));
  }
  Destroy(pool);
}

// A callback of a dispatch that does not return: it has run, and the pool goes on.
CASE_WITHIN(dispatched_callback_ends_its_thread_or_throws, 30) {
  static mproc_pool_t* pool;
  pool = MakePool(1, [](mproc_pool_options_t* options) {
    CHECK_OK(mproc_pool_options_set_callbacks(options, MPROC_CALLBACKS_DISPATCH));
  });
  if (!pool) return;
  auto submit = [](mproc_future_cb callback) {
    mproc_future_t* future = nullptr;
    CHECK_OK(
        mproc_pool_submit_callback(pool, kEcho, "x", 1, MPROC_FOREVER, callback, callback, nullptr, &future));
    CHECK_OK(mproc_future_wait(future, 5 * MPROC_SECOND));
    CHECK_OK(mproc_future_release(future));
  };
  static int ran;
  ran = 0;
  submit([](mproc_future_t*, void*) { ran++, pthread_exit(&ran); });
  submit([](mproc_future_t*, void*) { throw std::runtime_error("thrown by a callback"); });
  submit([](mproc_future_t*, void*) { ran++; });
  pthread_t thread;
  auto dispatch = [](void*) -> void* {
    mproc_pool_dispatch(pool, 0, nullptr);
    return nullptr;
  };
  void* result = nullptr;
  CHECK_EQ(pthread_create(&thread, nullptr, dispatch, nullptr), 0);
  CHECK_EQ(pthread_join(thread, &result), 0);
  CHECK(result == &ran);
  size_t count = 0;
  CHECK_STATUS(mproc_pool_dispatch(pool, 0, nullptr), MPROC_ERROR_INTERNAL);
  CHECK(std::string(mproc_last_error_message()).find("thrown by a callback") != std::string::npos);
  CHECK_OK(mproc_pool_dispatch(pool, 0, &count));
  CHECK_EQ(count, 1U);
  CHECK_EQ(ran, 2);
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, 5 * MPROC_SECOND));
  Destroy(pool);
}

// No call is left half way, whatever it does inside: files, memory, processes.
CASE_WITHIN(thread_cancelled_before_a_call, 30) {
  static mproc_pool_t* pool;
  pool = MakePool(1);
  if (!pool) return;
  using Work = void (*)();
  const Work works[] = {[] {  // memory files for payload and value
                          std::string large(300000, 'l');
                          mproc_future_t* future = Submit(pool, kEcho, large.data(), large.size());
                          CHECK_OK(mproc_future_wait(future, 5 * MPROC_SECOND));
                          CHECK_OK(mproc_future_release(future));
                        },
                        [] {  // the trace of a crash, and a new worker
                          mproc_future_t* future = Submit(pool, kScribble, Scribble{kTrace, kCrash, 0, 0, 0});
                          CHECK_OK(mproc_future_wait(future, 8 * MPROC_SECOND));
                          CHECK_OK(mproc_future_release(future));
                        },
                        [] {  // a pool of its own
                          mproc_pool_t* other = MakePool(1);
                          if (other) Destroy(other);
                        }};
  for (Work work : works) {
    static std::atomic<Work> now;
    static std::atomic<bool> returned;
    now = work;
    returned = false;
    pthread_t thread;
    auto body = [](void*) -> void* {
      pthread_cancel(pthread_self());
      now.load()();
      returned = true;
      pthread_testcancel();
      return nullptr;
    };
    CHECK_EQ(pthread_create(&thread, nullptr, body, nullptr), 0);
    void* result = nullptr;
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK(returned);
    CHECK(result == PTHREAD_CANCELED);
    CHECK(Serves(pool));
  }
  Destroy(pool);
}

// Signals to a thread, the first after so many microseconds, and again and again: a wait looks for news
// between its sleeps, and a signal that comes then ends none.
class Signals {
 public:
  Signals(pthread_t to, unsigned first)
      : sender_([this, to, first] {
          for (usleep(first); !stopped_; usleep(10000)) pthread_kill(to, SIGUSR1);
        }) {}
  void Stop() {
    stopped_ = true;
    sender_.join();
  }

 private:
  std::atomic<bool> stopped_{false};
  std::thread sender_;  // the last: it uses the others
};

CASE_WITHIN(signals_in_a_wait, 30) {
  mproc_pool_t* pool = MakePool(1);
  mproc_pool_t* other = MakePool(1);
  if (!pool || !other) return;
  OnSignal(SIGUSR1, CountSignal);
  pthread_t self = pthread_self();
  using Wait = int32_t (*)(mproc_pool_t*, mproc_future_t*, mproc_future_t*);
  const Wait waits[] = {[](mproc_pool_t*, mproc_future_t* one, mproc_future_t*) {
                          return mproc_future_wait(one, MPROC_FOREVER);
                        },
                        [](mproc_pool_t*, mproc_future_t* one, mproc_future_t*) {
                          return mproc_future_wait_all(&one, 1, MPROC_FOREVER);
                        },
                        [](mproc_pool_t*, mproc_future_t* one, mproc_future_t*) {
                          size_t index = 0;
                          return mproc_future_wait_any(&one, 1, MPROC_FOREVER, &index);
                        },
                        [](mproc_pool_t*, mproc_future_t* one, mproc_future_t* two) {
                          mproc_future_t* both[] = {one, two};
                          size_t index = 0;
                          return mproc_future_wait_any(both, 2, MPROC_FOREVER, &index);
                        },
                        [](mproc_pool_t*, mproc_future_t* one, mproc_future_t* two) {
                          mproc_future_t* both[] = {one, two};
                          return mproc_future_wait_all(both, 2, MPROC_FOREVER);
                        }};
  int number = 0;
  for (Wait wait : waits) {
    std::string story = "wait " + std::to_string(number++);
    mproc_future_t* one = Submit(pool, kSleep, Sleep{250});
    mproc_future_t* two = Submit(other, kSleep, Sleep{300});
    g_signals = 0;
    Signals signals(self, 80000);
    int64_t began = NowMs();
    int32_t status = wait(pool, one, two);
    CHECK_THAT(
        status == MPROC_ERROR_INTERRUPTED && NowMs() - began < 240,
        story + ": " + mproc_status_name(status) + " after " + std::to_string(NowMs() - began) + " ms");
    signals.Stop();
    CHECK_THAT(g_signals >= 1, story + ": no signal");
    CHECK_OK(wait(pool, one, two));
    CHECK_OK(mproc_future_wait(two, MPROC_FOREVER));
    CHECK_OK(mproc_future_release(one));
    CHECK_OK(mproc_future_release(two));
  }
  // A follower: another thread leads.
  mproc_future_t* one = Submit(pool, kSleep, Sleep{300});
  std::thread leader([one] { mproc_future_wait(one, MPROC_FOREVER); });
  usleep(50000);
  Signals signals(self, 50000);
  CHECK_STATUS(mproc_future_wait(one, MPROC_FOREVER), MPROC_ERROR_INTERRUPTED);
  signals.Stop();
  CHECK_OK(mproc_future_wait(one, MPROC_FOREVER));
  leader.join();
  CHECK_OK(mproc_future_release(one));
  // The end of a pool.
  one = Submit(pool, kSleep, Sleep{250});
  CHECK_OK(mproc_pool_close(pool));
  Signals last(self, 50000);
  CHECK_STATUS(mproc_pool_join(pool, MPROC_FOREVER), MPROC_ERROR_INTERRUPTED);
  last.Stop();
  CHECK_OK(mproc_pool_join(pool, 5 * MPROC_SECOND));
  CHECK_OK(mproc_future_release(one));
  Destroy(pool);
  Destroy(other);
}

// The library's threads leave the host's signals alone.
CASE(signals_for_the_hosts_own_threads) {
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  static std::atomic<int> called;
  for (int i = 0; i < 5; i++) {
    CHECK_OK(mproc_pool_submit_callback(
        pool, kEcho, "x", 1, MPROC_SECOND, [](mproc_future_t*, void*) { called++; }, nullptr, nullptr,
        nullptr));
  }
  CHECK(Soon([] { return called == 5; }));
  for (int signo : {SIGUSR1, SIGALRM, SIGTERM, SIGINT, SIGCHLD, SIGHUP}) OnSignal(signo, CountSignal);
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  for (int signo : {SIGUSR1, SIGALRM, SIGTERM, SIGINT, SIGCHLD, SIGHUP}) kill(getpid(), signo);
  usleep(50000);
  CHECK_EQ(g_signals.load(), 0);
  About about = AboutWorker(pool);
  CHECK_EQ(about.pending_alarm, 0);  // workers have no mask of ours
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  CHECK_EQ(g_signals.load(), 6);
  // Nor do workers, started while all signals were blocked or not, belong to the terminal's group.
  CHECK(getpgid(about.pid) != getpgrp());
  CHECK(Serves(pool));
  Destroy(pool);
}

CASE_WITHIN(nothing_is_done_while_there_is_nothing_to_do, 30) {
  if (HOSTILE_SANITIZED) return Skip("a sanitizer has threads of its own");
  mproc_pool_t* pool = MakePool(4);
  if (!pool) return;
  CHECK(Serves(pool));
  CHECK(Soon([&] {
    for (int i = 0; i < 4; i++) {
      if (WorkerInfo(pool, i, MPROC_WORKER_INFO_STATE) != MPROC_WORKER_STATE_IDLE) return false;
    }
    return true;
  }));
  std::vector<pid_t> all = MarkedProcesses();
  CHECK_EQ(all.size(), 5);  // the launcher, four workers
  all.push_back(getpid());
  auto used = [&all] {
    double sum = 0;
    for (pid_t pid : all) sum += CpuMs(pid);
    return sum;
  };
  sleep(2);  // what looks now and then has settled
  double least = 1e9;
  for (int attempt = 0; attempt < 3 && least >= 10; attempt++) {
    double before = used();
    sleep(1);
    least = std::min(least, used() - before);
  }
  printf("%.2f ms of CPU time in an idle second\n", least);
  CHECK_THAT(least < 10, "CPU time of an idle second: " + std::to_string(least) + " ms");
  Destroy(pool);
}

int main(int argc, char** argv) { return Main(argc, argv); }
