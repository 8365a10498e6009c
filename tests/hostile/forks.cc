// SPDX-License-Identifier: MIT
// Children that the host forks: nothing of the parent's runtime is theirs, whatever moment they were forked
// at; they may make one of their own; and the parent goes on as if there were none.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "calls.hh"
#include "connection_objects.hh"
#include "host.hh"
#include "process_objects.hh"
#include "share_objects.hh"
#include "sync_objects.hh"

using namespace hostile;

namespace {

bool OwnPoolWorks() {
  if (HOSTILE_THREAD_SANITIZED) return true;  // it knows no threads of forked children
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return false;
  bool good = CHECK(Serves(pool));
  Destroy(pool);
  return CHECK_OK(mproc_runtime_finish(5 * MPROC_SECOND)) && good;
}

}  // namespace

CASE(everything_of_the_parents_is_foreign) {
  mproc_table_t* table = nullptr;
  mproc_pool_options_t* options = nullptr;
  CHECK_OK(mproc_table_create(&table));
  CHECK_OK(mproc_pool_options_create(&options));
  mproc_value_t* value = nullptr;
  CHECK_OK(mproc_value_create(&value));
  mproc_block_t* block = nullptr;
  CHECK_OK(mproc_block_create(4096, &block));
  mproc_task_options_t* task_options = nullptr;
  CHECK_OK(mproc_task_options_create(&task_options));
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  mproc_imap_t* imap = nullptr;
  CHECK_OK(mproc_pool_imap_items(pool, kEcho, nullptr, nullptr, 0, 1, 0, 0, 0, &imap));
  mproc_future_t* done = Submit(pool, kEcho, "x", 1);
  CHECK_OK(mproc_future_wait(done, 5 * MPROC_SECOND));
  mproc_future_t* running = Submit(pool, kSleep, Sleep{300});
  SyncObjects sync;
  sync.Make();
  ProcessObjects process;
  process.Make();
  ConnectionObjects connection;
  connection.Make();
  ShareObjects share;
  share.Make();
  auto of = [&](Kind kind, bool second) -> void* {
    if (void* object = sync.Of(kind)) return object;
    if (void* object = process.Of(kind)) return object;
    if (void* object = connection.Of(kind)) return object;
    if (void* object = share.Of(kind)) return object;
    if (kind == Kind::kTable) return table;
    if (kind == Kind::kOptions) return options;
    if (kind == Kind::kPool) return pool;
    if (kind == Kind::kValue) return value;
    if (kind == Kind::kBlock) return block;
    if (kind == Kind::kTaskOptions) return task_options;
    if (kind == Kind::kImap) return imap;
    return second ? running : done;
  };
  for (int round = 0; round < 3; round++) {
    InFork([&] {
      for (const auto& call : HandleCalls()) {
        for (bool second : {false, true}) {
          int32_t got = call.call(of(call.kind, second));
          CHECK_THAT(got == MPROC_ERROR_FORKED,
                     std::string(call.name) + " in a forked child gives " + mproc_status_name(got));
        }
      }
      if (round == 1) CHECK_STATUS(mproc_runtime_finish(MPROC_SECOND), MPROC_ERROR_FORKED);
      int64_t pid = 1;
      CHECK_OK(mproc_runtime_launcher_pid(&pid));
      CHECK_EQ(pid, 0);
      mproc_pool_t* made = nullptr;
      CHECK_STATUS(mproc_pool_create(options, &made), MPROC_ERROR_FORKED);
      if (round == 2) OwnPoolWorks();
    });
  }
  CHECK_OK(mproc_future_wait(running, 5 * MPROC_SECOND));
  CHECK_EQ(OutcomeOf(running), MPROC_OUTCOME_VALUE);
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  CHECK(Serves(pool));
  sync.StillWell();
  sync.Drop();
  process.StillWell();
  process.Drop();
  connection.Drop();
  share.Drop();
  CHECK_OK(mproc_future_release(done));
  CHECK_OK(mproc_future_release(running));
  CHECK_OK(mproc_imap_destroy(imap));
  Destroy(pool);
  CHECK_OK(mproc_table_destroy(table));
  CHECK_OK(mproc_pool_options_destroy(options));
  CHECK_OK(mproc_value_destroy(value));
  CHECK_OK(mproc_block_destroy(block));
  CHECK_OK(mproc_task_options_destroy(task_options));
}

CASE(no_descriptor_is_inherited) {
  auto before = OpenDescriptors();
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  CHECK(Serves(pool));
  InFork([&] {
    for (const auto& fd : MoreThan(before, OpenDescriptors())) CHECK_THAT(false, "inherited: " + fd);
  });
  // By a program that is run even less.
  char command[] =
      "ls -l /proc/self/fd | grep -cE 'memfd|eventfd|pidfd|socket:|eventpoll' > \"$OUT\"; exit 0";
  char path[] = "/tmp/hostile-fds.XXXXXX";
  close(mkstemp(path));
  setenv("OUT", path, 1);
  char shell[] = "sh", option[] = "-c";
  char* arguments[] = {shell, option, command, nullptr};
  int own = 0;
  for (const auto& fd : before)
    own += fd.find("socket:") != std::string::npos || fd.find("memfd") != std::string::npos;
  pid_t child = 0;
  CHECK_EQ(posix_spawn(&child, "/bin/sh", nullptr, nullptr, arguments, environ), 0);
  CHECK_EQ(waitpid(child, nullptr, 0), child);
  int seen = atoi(ReadWhole(path).c_str());
  CHECK_THAT(seen <= own, std::to_string(seen) + " descriptors reach a program that is run");
  unlink(path);
  Destroy(pool);
}

// Children of children, each with a pool; the parents go on meanwhile.
CASE_WITHIN(pools_in_children_of_children, 40) {
  if (HOSTILE_THREAD_SANITIZED) return Skip("the sanitizer knows no threads of forked children");
  mproc_pool_t* pool = MakePool(1);
  if (!pool) return;
  InFork([&] {
    mproc_pool_t* own = MakePool(1);
    if (!own) return;
    InFork([&] {
      mproc_future_t* future = nullptr;
      CHECK_STATUS(mproc_pool_submit(own, kEcho, "x", 1, 0, &future), MPROC_ERROR_FORKED);
      CHECK_STATUS(mproc_pool_submit(pool, kEcho, "x", 1, 0, &future), MPROC_ERROR_FORKED);
      OwnPoolWorks();
    });
    CHECK(Serves(own));
    Destroy(own);
    CHECK_OK(mproc_runtime_finish(5 * MPROC_SECOND));
  });
  CHECK(Serves(pool));
  Destroy(pool);
}

// A child that ends by exit, by a signal or by _exit takes nothing with it.
CASE(ends_of_children) {
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  mproc_future_t* running = Submit(pool, kSleep, Sleep{200});
  for (int how = 0; how < 3; how++) {
    pid_t child = fork();
    if (!CHECK(child >= 0)) break;
    if (child == 0) {
      if (how == 0) exit(0);
      if (how == 1) _exit(0);
      kill(getpid(), SIGKILL);
    }
    int status = 0;
    CHECK(Soon([&] { return waitpid(child, &status, WNOHANG) == child; }));
    CHECK(WIFEXITED(status) || how == 2);
  }
  CHECK_OK(mproc_future_wait(running, 5 * MPROC_SECOND));
  CHECK_EQ(OutcomeOf(running), MPROC_OUTCOME_VALUE);
  CHECK_OK(mproc_future_release(running));
  CHECK_EQ(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS), 0);
  CHECK(Serves(pool));
  Destroy(pool);
}

// Forked while other threads are inside the library: no lock of theirs stays locked in the child.
CASE_WITHIN(forked_at_any_moment, 60) {
  if (HOSTILE_SANITIZED) return Skip("the sanitizer's own locks do not survive such a fork");
  static std::atomic<bool> stop;
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  std::vector<std::thread> threads;
  threads.emplace_back([] {
    while (!stop) {
      mproc_pool_options_t* options = nullptr;
      mproc_table_t* table = nullptr;
      mproc_pool_options_create(&options);
      mproc_table_create(&table);
      mproc_table_add(table, 1, "one", nullptr, nullptr);
      mproc_pool_options_set_table(options, table);
      mproc_table_destroy(table);
      mproc_pool_options_destroy(options);
    }
  });
  threads.emplace_back([pool] {
    while (!stop) {
      mproc_future_t* futures[300] = {};
      for (auto& future : futures) mproc_pool_submit(pool, kEcho, "x", 1, MPROC_FOREVER, &future);
      mproc_future_wait_all(futures, 300, MPROC_FOREVER);
      for (auto& future : futures) mproc_future_release(future);
    }
  });
  int64_t end = NowMs() + 4000;
  int children = 0;
  for (; children < 150 && NowMs() < end && !Failures(); children++) {
    InFork(
        [&] {
          mproc_pool_options_t* options = nullptr;
          mproc_table_t* table = nullptr;
          CHECK_OK(mproc_pool_options_create(&options));
          CHECK_OK(mproc_table_create(&table));
          CHECK_OK(mproc_table_destroy(table));
          CHECK_OK(mproc_pool_options_destroy(options));
          mproc_future_t* future = nullptr;
          CHECK_STATUS(mproc_pool_submit(pool, kEcho, "x", 1, MPROC_FOREVER, &future), MPROC_ERROR_FORKED);
          if (children % 10 == 0) OwnPoolWorks();
        },
        10);
  }
  printf("%d children\n", children);
  stop = true;
  for (auto& thread : threads) thread.join();
  CHECK(Serves(pool));
  Destroy(pool);
}

int main(int argc, char** argv) { return Main(argc, argv); }
