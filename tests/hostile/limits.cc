// SPDX-License-Identifier: MIT
// Descriptors and memory run out, in the host, in the launcher, in a worker: what cannot be done says so,
// leaves nothing behind, and works again when there is room.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host.hh"
#include "support/seccomp.hh"

using namespace hostile;

namespace {

void SetLimit(rlim_t limit) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = limit;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
}

rlim_t Limit() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  return files.rlim_cur;
}

bool IsLack(int32_t status) {
  return status == MPROC_ERROR_DESCRIPTOR_LIMIT || status == MPROC_ERROR_OUT_OF_MEMORY;
}

// One task that must end within its time; how.
int32_t EndOf(mproc_pool_t* pool, uint32_t function, const void* data, size_t size, int64_t* code = nullptr) {
  mproc_future_t* future = nullptr;
  int32_t status = mproc_pool_submit(pool, function, data, size, 5 * MPROC_SECOND, &future);
  if (status != MPROC_OK) return status;
  CHECK_OK(mproc_future_wait(future, 5 * MPROC_SECOND));
  status = mproc_future_error(future);
  if (code) *code = InfoOf(future, MPROC_FUTURE_INFO_ERROR_CODE);
  CHECK_OK(mproc_future_release(future));
  return status;
}

}  // namespace

CASE_WITHIN(descriptors_of_the_host, 60) {
  if (HOSTILE_SANITIZED) return Skip("a sanitizer needs descriptors of its own");
  CHECK_OK(mproc_runtime_finish(MPROC_SECOND));
  TheNote();
  int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(lowest);
  rlim_t enough = Limit();
  mproc_pool_t* warm = MakePool(1);
  if (warm) Destroy(warm);
  CHECK_OK(mproc_runtime_finish(5 * MPROC_SECOND));
  auto before = OpenDescriptors();
  int refused = 0, failed = 0, good = 0;
  std::string big(200000, 'b');
  for (rlim_t more = 0; more < 48 && good < 3; more++) {
    SetLimit(static_cast<rlim_t>(lowest) + more);
    mproc_pool_t* pool = nullptr;
    int32_t status = TryPool(2, &pool, [](mproc_pool_options_t* options) {
      CHECK_OK(mproc_pool_options_set_start_limit(options, 2 * MPROC_SECOND));
    });
    if (status != MPROC_OK) {
      CHECK_THAT(IsLack(status),
                 "with " + std::to_string(more) + " descriptors: " + mproc_status_name(status));
      refused++;
    } else {
      int32_t ready = mproc_pool_wait_ready(pool, 8 * MPROC_SECOND);
      int32_t small = EndOf(pool, kEcho, "x", 1), large = EndOf(pool, kSum, big.data(), big.size());
      CHECK(ready != MPROC_OK || small == MPROC_OK);
      if (ready == MPROC_OK && small == MPROC_OK && large == MPROC_OK) {
        good++;
      } else {
        failed++;
      }
      Destroy(pool);
    }
    CHECK_OK(mproc_runtime_finish(5 * MPROC_SECOND));
    SetLimit(enough);
    for (const auto& fd : MoreThan(before, OpenDescriptors())) {
      CHECK_THAT(false, "with " + std::to_string(more) + " descriptors, left open: " + fd);
    }
    if (Failures()) break;
  }
  printf("%d refused, %d failed later, %d good\n", refused, failed, good);
  CHECK(refused > 0 && good > 0);
  mproc_pool_t* pool = MakePool(2);
  if (pool) CHECK(Serves(pool));
  if (pool) Destroy(pool);
}

// The pool is there before its host runs out.
CASE(descriptors_of_a_host_with_a_pool) {
  if (HOSTILE_SANITIZED) return Skip("a sanitizer needs descriptors of its own");
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  rlim_t enough = Limit();
  std::string big(200000, 'b');
  SetLimit(3);
  CHECK_OK(EndOf(pool, kEcho, "x", 1));
  int64_t code = 0;
  int32_t end = EndOf(pool, kSum, big.data(), big.size(), &code);
  CHECK(end == MPROC_ERROR_NOT_RUN && code == MPROC_ERROR_DESCRIPTOR_LIMIT);
  // The worker's block cannot be received: that is not the worker's fault.
  uint64_t size = 300000;
  end = EndOf(pool, kMake, &size, sizeof size, &code);
  CHECK_THAT(end == MPROC_ERROR_TASK && code == MPROC_ERROR_DESCRIPTOR_LIMIT,
             std::string("a value that cannot be received: ") + mproc_status_name(end) + ", code " +
                 std::to_string(code));
  mproc_pool_t* other = nullptr;
  CHECK(IsLack(TryPool(1, &other)));
  // A worker that dies now cannot be replaced yet.
  for (int32_t place = 0; place < 2; place++) {
    if (WorkerInfo(pool, place, MPROC_WORKER_INFO_PID) > 0) KillWorker(pool, place);
  }
  usleep(50000);
  SetLimit(enough);
  CHECK(Soon([&] { return Statistic(pool, MPROC_POOL_STATISTIC_WORKERS) == 2; }));
  CHECK(Serves(pool));
  Destroy(pool);
}

CASE(descriptors_of_the_launcher) {
  mproc_pool_t* first = MakePool(1);
  if (!first) return;
  int64_t pid = 0;
  CHECK_OK(mproc_runtime_launcher_pid(&pid));
  rlimit old{}, low{};
  CHECK_EQ(prlimit(static_cast<pid_t>(pid), RLIMIT_NOFILE, nullptr, &old), 0);
  for (rlim_t limit : {4, 8, 12, 14, 16}) {
    low = {limit, old.rlim_max};
    CHECK_EQ(prlimit(static_cast<pid_t>(pid), RLIMIT_NOFILE, &low, nullptr), 0);
    mproc_pool_t* pool = nullptr;
    int32_t status = TryPool(2, &pool);
    if (status != MPROC_OK) continue;
    int64_t began = NowMs();
    status = mproc_pool_wait_ready(pool, 8 * MPROC_SECOND);
    CHECK_THAT(NowMs() - began < 6000, "limit " + std::to_string(limit) + ": the start hangs");
    CHECK(limit > 12 || status != MPROC_OK);
    int32_t end = EndOf(pool, kEcho, "x", 1);
    CHECK(end == MPROC_OK || end == MPROC_ERROR_NOT_RUN || end == MPROC_ERROR_BROKEN || IsLack(end));
    Destroy(pool);
    CHECK_OK(EndOf(first, kEcho, "x", 1));
  }
  CHECK_EQ(prlimit(static_cast<pid_t>(pid), RLIMIT_NOFILE, &old, nullptr), 0);
  mproc_pool_t* pool = MakePool(2);
  if (pool) CHECK(Serves(pool));
  if (pool) Destroy(pool);
  CHECK(Serves(first));
  Destroy(first);
}

// Payloads that cannot be received fail, each by itself, and the worker goes on.
CASE_WITHIN(descriptors_of_a_worker, 60) {
  if (HOSTILE_SANITIZED) return Skip("a sanitizer needs descriptors of its own");
  for (size_t size : {size_t{1000}, size_t{300000}}) {
    mproc_pool_t* pool = MakePool(1);
    if (!pool) return;
    std::string story = "payloads of " + std::to_string(size) + " bytes: ";
    std::string bytes(size, 'p');
    auto before = ValueAs<uint64_t>(pool, kOpenFiles, "\3\0\0\0\0\0\0\0", 8);
    for (int i = 0; i < 3; i++) {
      int64_t code = 0;
      int32_t end = EndOf(pool, kSum, bytes.data(), bytes.size(), &code);
      CHECK_THAT(end == MPROC_ERROR_TASK && code == MPROC_ERROR_DESCRIPTOR_LIMIT,
                 story + "task " + std::to_string(i) + " ends with " + mproc_status_name(end) + ", code " +
                     std::to_string(code));
      if (Failures()) break;
      CHECK_OK(EndOf(pool, kEcho, "x", 1));
    }
    if (!Failures()) {
      uint64_t count = 300000;
      CHECK_STATUS(EndOf(pool, kMake, &count, sizeof count), MPROC_ERROR_TASK);
      auto low = ValueAs<uint64_t>(pool, kOpenFiles, &before, sizeof before);
      CHECK_EQ(low, 3);
      // The same worker or one that has taken its place.
      CHECK_THAT(Soon([&] { return EndOf(pool, kSum, bytes.data(), bytes.size()) == MPROC_OK; }, 3000),
                 story + "not even with room again");
      CHECK_THAT(EndOf(pool, kMake, &count, sizeof count) == MPROC_OK, "results, with room again");
      CHECK(Serves(pool));
    }
    Destroy(pool);
  }
}

// No memory: the pages are not given, or the file is not.
CASE(memory_of_the_host_before_a_pool) {
  TheNote();
  for (long call : {long{SYS_fallocate}, long{SYS_memfd_create}}) {
    for (int error : {ENOMEM, ENOSPC}) {
      InFork([&] {
        auto open = OpenDescriptors();
        if (!mproc::test::Deny({{call, error}})) return;
        mproc_pool_t* pool = nullptr;
        CHECK_STATUS(TryPool(2, &pool), MPROC_ERROR_OUT_OF_MEMORY);
        CHECK(!pool);
        CHECK_OK(mproc_runtime_finish(5 * MPROC_SECOND));
        for (const auto& fd : MoreThan(open, OpenDescriptors())) CHECK_THAT(false, "left open: " + fd);
      });
    }
  }
}

CASE(memory_of_the_host_with_a_pool) {
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  if (!mproc::test::Deny({{SYS_fallocate, ENOSPC}, {SYS_memfd_create, ENOMEM}}))
    return Skip("no system call filters");
  std::string big(300000, 'b');
  for (int i = 0; i < 5; i++) {
    int64_t code = 0;
    CHECK_STATUS(EndOf(pool, kSum, big.data(), big.size(), &code), MPROC_ERROR_NOT_RUN);
    CHECK_EQ(code, MPROC_ERROR_OUT_OF_MEMORY);
    CHECK_OK(EndOf(pool, kEcho, "x", 1));
  }
  Destroy(pool);
}

CASE(memory_of_a_worker) {
  mproc_pool_t* pool = MakePool(1);
  if (!pool) return;
  for (uint64_t error : {ENOMEM}) {
    int32_t refused = EndOf(pool, kRefuse, &error, sizeof error);
    if (refused == MPROC_ERROR_TASK) return Skip("no system call filters"), Destroy(pool);
    CHECK_OK(refused);
    for (uint64_t size : {uint64_t{81}, uint64_t{5000}, uint64_t{300000}}) {
      int64_t code = 0;
      CHECK_STATUS(EndOf(pool, kMake, &size, sizeof size, &code), MPROC_ERROR_TASK);
      CHECK_EQ(code, MPROC_ERROR_OUT_OF_MEMORY);
    }
    // Maps, whose results have no room either.
    std::vector<uint64_t> in(100, 1), out(100, 42);
    mproc_future_t* future = nullptr;
    CHECK_OK(mproc_pool_map_array(pool, kTwice, in.data(), 8, in.size(), out.data(), 8, 50, 5 * MPROC_SECOND,
                                  &future));
    CHECK_STATUS(mproc_future_error(future), MPROC_ERROR_TASK);
    CHECK_EQ(out[0], 42);
    CHECK_OK(mproc_future_release(future));
    CHECK_OK(EndOf(pool, kEcho, "x", 1));
  }
  Destroy(pool);
}

int main(int argc, char** argv) { return Main(argc, argv); }
