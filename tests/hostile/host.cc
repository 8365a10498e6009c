// SPDX-License-Identifier: MIT
#include "host.hh"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

namespace hostile {
namespace {

std::string Content(size_t i) {
  constexpr size_t kSizes[] = {8, 8, 0, 80, 81, 40, 300, 8, 5000, 100000};
  std::string bytes(kSizes[i % 10], '\0');
  for (size_t at = 0; at < bytes.size(); at++) bytes[at] = static_cast<char>(i * 31 + at * 7);
  return bytes;
}

void PrintState(mproc_pool_t* pool) {
  int32_t count = 0;
  CHECK_OK(mproc_pool_worker_count(pool, &count));
  for (int32_t i = 0; i < count; i++) {
    printf("place %d: pid %lld, number %lld, state %lld, done %lld, held %lld\n", i,
           static_cast<long long>(WorkerInfo(pool, i, MPROC_WORKER_INFO_PID)),
           static_cast<long long>(WorkerInfo(pool, i, MPROC_WORKER_INFO_NUMBER)),
           static_cast<long long>(WorkerInfo(pool, i, MPROC_WORKER_INFO_STATE)),
           static_cast<long long>(WorkerInfo(pool, i, MPROC_WORKER_INFO_TASKS_DONE)),
           static_cast<long long>(WorkerInfo(pool, i, MPROC_WORKER_INFO_TASKS_HELD)));
  }
  for (int32_t which = MPROC_POOL_STATISTIC_SUBMITTED; which <= MPROC_POOL_STATISTIC_TAKEN_BACK; which++) {
    printf("statistic %d: %llu\n", which, static_cast<unsigned long long>(Statistic(pool, which)));
  }
}

bool IsHostile(int64_t number) { return TheNote().hostile_pids[number % 4096].load() != 0; }

}  // namespace

std::string Module() { return Beside("hostile_module.so"); }

mproc_status_t TryPool(int workers, mproc_pool_t** pool, const Change& change) {
  TheNote();
  mproc_pool_options_t* options = nullptr;
  mproc_status_t status = mproc_pool_options_create(&options);
  if (status == MPROC_OK) status = mproc_pool_options_set_workers(options, workers);
  if (status == MPROC_OK) status = mproc_pool_options_set_module(options, Module().c_str());
  if (status == MPROC_OK && change) change(options);
  if (status == MPROC_OK) status = mproc_pool_create(options, pool);
  std::string why = mproc_last_error_message();
  CHECK_OK(mproc_pool_options_destroy(options));
  return status;
}

mproc_pool_t* MakePool(int workers, const Change& change) {
  mproc_pool_t* pool = nullptr;
  if (!CHECK_OK(TryPool(workers, &pool, change))) return nullptr;
  if (CHECK_OK(mproc_pool_wait_ready(pool, 15 * MPROC_SECOND))) return pool;
  mproc_pool_destroy(pool);
  return nullptr;
}

Note& TheNote() {
  static Note* note = [] {
    const char* path = getenv(kNoteVariable);
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0 || ftruncate(fd, sizeof(Note)) != 0) abort();
    void* at = mmap(nullptr, sizeof(Note), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) abort();
    close(fd);
    return static_cast<Note*>(at);
  }();
  return *note;
}

mproc_future_t* Submit(mproc_pool_t* pool, uint32_t function, const void* data, size_t size) {
  mproc_future_t* future = nullptr;
  CHECK_OK(mproc_pool_submit(pool, function, data, size, 10 * MPROC_SECOND, &future));
  return future;
}

int64_t InfoOf(mproc_future_t* future, int32_t which) {
  int64_t value = -1;
  CHECK_OK(mproc_future_info(future, which, &value));
  return value;
}

int32_t OutcomeOf(mproc_future_t* future) {
  int32_t outcome = -1;
  CHECK_OK(mproc_future_outcome(future, &outcome));
  return outcome;
}

int64_t WorkerInfo(mproc_pool_t* pool, int32_t place, int32_t which) {
  int64_t value = -1;
  CHECK_OK(mproc_pool_worker_info(pool, place, which, &value));
  return value;
}

uint64_t Statistic(mproc_pool_t* pool, int32_t which) {
  uint64_t value = 0;
  CHECK_OK(mproc_pool_statistic(pool, which, &value));
  return value;
}

std::string MessageOf(mproc_future_t* future) {
  const char* text = "";
  mproc_future_error_message(future, &text);
  return text;
}

std::string ValueOf(mproc_pool_t* pool, uint32_t function, const void* data, size_t size) {
  mproc_future_t* future = nullptr;
  std::string value;
  if (!CHECK_OK(mproc_pool_apply(pool, function, data, size, 10 * MPROC_SECOND, &future))) return value;
  const void* bytes = nullptr;
  size_t count = 0;
  if (CHECK_OK(mproc_future_result(future, &bytes, &count)))
    value.assign(static_cast<const char*>(bytes), count);
  CHECK_OK(mproc_future_release(future));
  return value;
}

About AboutWorker(mproc_pool_t* pool) { return ValueAs<About>(pool, kAbout); }

Batch::~Batch() {
  for (auto* future : echoes_) mproc_future_release(future);
  for (auto* future : hostile_) mproc_future_release(future);
}

void Batch::AddEchoes(int count) {
  for (int i = 0; i < count; i++) {
    contents_.push_back(Content(echoes_.size()));
    const std::string& bytes = contents_.back();
    echoes_.push_back(Submit(pool_, kEcho, bytes.data(), bytes.size()));
  }
}

void Batch::AddHostile(uint32_t function, const void* data, size_t size) {
  hostile_.push_back(Submit(pool_, function, data, size));
}

bool Batch::Wait(int patience_ms) {
  std::vector<mproc_future_t*> all = echoes_;
  all.insert(all.end(), hostile_.begin(), hostile_.end());
  mproc_status_t status = mproc_future_wait_all(all.data(), all.size(), patience_ms * MPROC_MILLISECOND);
  for (int64_t end = NowMs() + 8000; status == MPROC_ERROR_TIMED_OUT && NowMs() < end;) {
    KillHostile();  // one of them may go astray only now
    status = mproc_future_wait_all(all.data(), all.size(), 20 * MPROC_MILLISECOND);
  }
  if (status == MPROC_OK) return true;
  int open = 0;
  for (auto* future : all) {
    if (mproc_future_ready(future) == MPROC_OK) continue;
    open++;
    printf("task %lld has not ended\n", static_cast<long long>(InfoOf(future, MPROC_FUTURE_INFO_TASK_ID)));
  }
  PrintState(pool_);
  return CHECK_THAT(false, std::to_string(open) + " of " + std::to_string(all.size()) +
                               " tasks did not end: " + mproc_status_name(status));
}

bool Batch::Right(const std::string& story) {
  bool right = true;
  auto wrong = [&](size_t i, const std::string& what) {
    right = CHECK_THAT(false, story + ": echo " + std::to_string(i) + ", worker " +
                                  std::to_string(InfoOf(echoes_[i], MPROC_FUTURE_INFO_WORKER_NUMBER)) + ": " +
                                  what);
  };
  for (size_t i = 0; i < echoes_.size(); i++) {
    int32_t outcome = OutcomeOf(echoes_[i]);
    bool astray = IsHostile(InfoOf(echoes_[i], MPROC_FUTURE_INFO_WORKER_NUMBER));
    const void* data = nullptr;
    size_t size = 0;
    if (outcome == MPROC_OUTCOME_VALUE) {
      CHECK_OK(mproc_future_result(echoes_[i], &data, &size));
      bool same = size == contents_[i].size() && memcmp(data, contents_[i].data(), size) == 0;
      if (!same && !astray) wrong(i, "another value than it was given");
    } else if (!astray || (outcome != MPROC_OUTCOME_WORKER_LOST && outcome != MPROC_OUTCOME_ERROR)) {
      wrong(i, "outcome " + std::to_string(outcome) + ": " + MessageOf(echoes_[i]));
    }
  }
  return right;
}

void KillHostile() {
  for (auto& pid : TheNote().hostile_pids) {
    uint32_t one = pid.load(std::memory_order_relaxed);
    if (one <= 1) continue;
    pid.store(1);  // still known as hostile, not killed twice: the number may be another's by then
    if (IsMarked(static_cast<pid_t>(one))) kill(static_cast<pid_t>(one), SIGKILL);
  }
}

void KillWorker(mproc_pool_t* pool, int32_t place) {
  auto pid = static_cast<pid_t>(WorkerInfo(pool, place, MPROC_WORKER_INFO_PID));
  if (CHECK(pid > 1)) kill(pid, SIGKILL);  // 0 and less would be somebody else
}

bool Serves(mproc_pool_t* pool) {
  int32_t count = 0;
  CHECK_OK(mproc_pool_worker_count(pool, &count));
  Batch batch(pool);
  batch.AddEchoes(count * 10);
  return batch.Wait(8000) && batch.Right("afterwards");
}

void Destroy(mproc_pool_t* pool) {
  int64_t began = NowMs();
  CHECK_OK(mproc_pool_destroy(pool));
  int64_t took = NowMs() - began;
  // It gives up waiting after five seconds.
  CHECK_THAT(took < 5000, "the end of the pool took " + std::to_string(took) + " ms");
}

}  // namespace hostile
