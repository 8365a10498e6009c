// SPDX-License-Identifier: MIT
// A worker that says nonsense on its socket, before it serves and while it does: too much, too little, memory
// that is none. Only its own tasks may suffer, and no start may take the host or its other workers with it.
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>

#include "host.hh"

using namespace hostile;

namespace {

// What a worker says while it serves; with `point` the host has a reason to listen.
void SpeaksWhileServing(Words words, bool must_be_lost) {
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  for (uint64_t seed = 0; seed < 6; seed++) {
    Batch batch(pool);
    batch.AddEchoes(10);
    batch.AddHostile(kSpeak, Speak{words, seed % 2 ? kStay : kReturn, seed, 1});
    batch.AddEchoes(10);
    std::string story = "words " + std::to_string(words) + ", seed " + std::to_string(seed);
    int64_t began = NowMs();
    // Nothing but a hang takes so long.
    if (!CHECK_THAT(batch.Wait(20000), story) || !batch.Right(story)) break;
    CHECK_THAT(NowMs() - began < 20000, story + ": took " + std::to_string(NowMs() - began) + " ms");
    mproc_future_t* speaker = batch.hostile_future();
    if (must_be_lost && seed % 2) {  // the others write a true result over the false one, maybe in time
      bool silent = words == kClosed || words == kShut;  // may be killed for that before it is caught lying
      CHECK_THAT(OutcomeOf(speaker) == MPROC_OUTCOME_WORKER_LOST &&
                     (silent || InfoOf(speaker, MPROC_FUTURE_INFO_CAUSE) == MPROC_CAUSE_PROTOCOL),
                 story + ": outcome " + std::to_string(OutcomeOf(speaker)));
    }
    KillHostile();
  }
  CHECK(Serves(pool));
  Destroy(pool);
}

// Every start goes wrong in this way: the pool says so, in time, and its tasks end.
void StartsGoWrong(const char* how, int32_t* status, int64_t limit_ms = 300) {
  setenv(kStartVariable, how, 1);
  mproc_pool_t* pool = nullptr;
  if (!CHECK_OK(TryPool(2, &pool, [&](mproc_pool_options_t* options) {
        CHECK_OK(mproc_pool_options_set_start_limit(options, limit_ms * MPROC_MILLISECOND));
      }))) {
    return;
  }
  mproc_future_t* future = Submit(pool, kEcho, "x", 1);
  int64_t began = NowMs();
  mproc_status_t ready = mproc_pool_wait_ready(pool, 8 * MPROC_SECOND);
  CHECK_THAT(ready < 0 && NowMs() - began < 7000,
             std::string(how) + ": waiting gives " + std::to_string(ready) + " " + mproc_status_name(ready));
  CHECK_THAT(strcmp(mproc_status_name(ready), "unknown") != 0, std::string(how) + ": a status that is none");
  *status = ready;
  CHECK_OK(mproc_future_wait(future, 8 * MPROC_SECOND));
  CHECK_EQ(OutcomeOf(future), MPROC_OUTCOME_NOT_RUN);
  CHECK_OK(mproc_future_release(future));
  uint64_t starts = Statistic(pool, MPROC_POOL_STATISTIC_STARTS);
  CHECK_THAT(starts <= 10, std::string(how) + ": " + std::to_string(starts) + " starts");
  Destroy(pool);
  unsetenv(kStartVariable);
}

// The first start goes wrong, the pool recovers.
void OneStartGoesWrong(const char* how) {
  std::string once = std::string(how) + ":1";
  setenv(kStartVariable, once.c_str(), 1);
  mproc_pool_t* pool = nullptr;
  if (!CHECK_OK(TryPool(2, &pool, [](mproc_pool_options_t* options) {
        CHECK_OK(mproc_pool_options_set_start_limit(options, 500 * MPROC_MILLISECOND));
      }))) {
    return;
  }
  CHECK_THAT(Soon([&] { return Statistic(pool, MPROC_POOL_STATISTIC_WORKERS) == 2; }, 8000), once);
  CHECK(Serves(pool));
  Destroy(pool);
  unsetenv(kStartVariable);
}

// A pool whose workers say this in their finalizer; `told` counts the calls of its callback.
mproc_pool_t* PoolWithLastWords(Words words, std::atomic<int>* told) {
  auto on_end = [](uint32_t, int32_t outcome, const void*, size_t size, void* counter) {
    CHECK_EQ(outcome, MPROC_OUTCOME_VALUE);
    CHECK_EQ(size, 0);
    static_cast<std::atomic<int>*>(counter)->fetch_add(1);
  };
  Speak speak{words, kReturn, 1, 0};
  return MakePool(2, [&](mproc_pool_options_t* options) {
    CHECK_OK(mproc_pool_options_set_finalizer(options, kSpeak, &speak, sizeof speak));
    CHECK_OK(mproc_pool_options_set_finalizer_callback(options, on_end, told));
    CHECK_OK(mproc_pool_options_set_terminate_grace(options, 8 * MPROC_SECOND));
    CHECK_OK(mproc_pool_options_set_worker_tasks(options, 4));
  });
}

}  // namespace

CASE(random_messages) { SpeaksWhileServing(kRandomMessages, true); }
// Nothing makes the host listen but that the worker does not go on.
CASE_WITHIN(drops_without_end_unasked, 40) {
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  Batch batch(pool);
  batch.AddHostile(kSpeak, Speak{kDropsForEver, kStay, 0, 0});
  batch.AddEchoes(10);
  CHECK(batch.Wait(20000) && batch.Right("unasked"));
  CHECK_EQ(OutcomeOf(batch.hostile_future()), MPROC_OUTCOME_WORKER_LOST);
  CHECK_EQ(InfoOf(batch.hostile_future(), MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_PROTOCOL);
  CHECK(Serves(pool));
  Destroy(pool);
}
CASE_WITHIN(drops_without_end, 40) { SpeaksWhileServing(kDropsForEver, false); }
CASE(closed_socket) { SpeaksWhileServing(kClosed, true); }
CASE(shut_socket) { SpeaksWhileServing(kShut, true); }
CASE(a_second_hello) { SpeaksWhileServing(kSecondHello, true); }
CASE(a_refusal_while_serving) { SpeaksWhileServing(kRefusal, true); }
CASE(a_last_call_while_serving) { SpeaksWhileServing(kLastCallWhole, true); }

// Workers that are over, and all of them at the end, say more than they should: nothing of it is told.
CASE_WITHIN(last_calls_that_cannot_be, 30) {
  for (Words words : {kLastCallWhole, kLastCallLong, kLastCallOdd, kLastCallHalf}) {
    std::atomic<int> told{0};
    mproc_pool_t* pool = PoolWithLastWords(words, &told);
    if (!pool) return;
    for (int i = 0; i < 10; i++) CHECK(ValueOf(pool, kEcho, "x", 1) == "x");
    CHECK_OK(mproc_pool_close(pool));
    CHECK_OK(mproc_pool_join(pool, 8 * MPROC_SECOND));
    Destroy(pool);
    CHECK_EQ(told.load(), 0);
  }
}

// No other thing makes the host listen.
CASE_WITHIN(a_last_call_behind_a_full_socket, 30) {
  std::atomic<int> told{0};
  mproc_pool_t* pool = PoolWithLastWords(kFullSocket, &told);
  if (!pool) return;
  for (int i = 0; i < 8; i++) CHECK(ValueOf(pool, kEcho, "x", 1) == "x");  // so that one is over
  CHECK(Soon([&] { return told.load() >= 1; }, 6000));
  CHECK_OK(mproc_pool_wait_ready(pool, 8 * MPROC_SECOND));
  CHECK_OK(mproc_pool_close(pool));
  CHECK_OK(mproc_pool_join(pool, 6 * MPROC_SECOND));
  CHECK(told.load() >= 3);
  Destroy(pool);
}
CASE(descriptors_by_the_hundred) { SpeaksWhileServing(kFlood, false); }

// Memory that is none, or could be taken away.
CASE(block_not_sealed) { SpeaksWhileServing(kBlockUnsealed, true); }
CASE(block_shorter_than_said) { SpeaksWhileServing(kBlockShort, true); }
CASE(block_of_nothing) { SpeaksWhileServing(kBlockEmpty, true); }
CASE(block_of_2_to_the_63) { SpeaksWhileServing(kBlockHuge, true); }
CASE(block_number_zero) { SpeaksWhileServing(kBlockNumberZero, true); }
CASE(block_number_twice) { SpeaksWhileServing(kBlockTwice, false); }
CASE(block_that_is_a_pipe) { SpeaksWhileServing(kBlockPipe, true); }
CASE(block_that_is_a_device) { SpeaksWhileServing(kBlockDevice, true); }
CASE(block_that_is_a_directory) { SpeaksWhileServing(kBlockDirectory, true); }
CASE(block_without_descriptor) { SpeaksWhileServing(kBlockNothing, true); }
CASE(block_with_253_descriptors) { SpeaksWhileServing(kBlockMany, true); }
CASE(block_sealed_against_writing) { SpeaksWhileServing(kBlockReadOnly, false); }
CASE(block_without_pages) { SpeaksWhileServing(kBlockSparse, false); }
CASE_WITHIN(blocks_by_the_thousand, 40) { SpeaksWhileServing(kBlockFlood, true); }

// The size of what the host has mapped stays as it is, whoever holds it.
CASE(shrinking_is_refused) {
  SpeaksWhileServing(kTruncate, false);
  Note& note = TheNote();
  printf("%u attempts refused\n", note.resisted.load());
  CHECK_EQ(note.succeeded.load(), 0);
  if (geteuid() == 0) CHECK(note.resisted.load() > 0 || HOSTILE_SANITIZED);
}

// Its pages may be given away, but come back empty: the host reads zeros and is not killed.
CASE(holes_in_the_channel) {
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  for (Then then : {kReturn, kStay, kExit, kCrash, kReturn}) {
    Batch batch(pool);
    batch.AddEchoes(10);
    batch.AddHostile(kScribble, Scribble{kHoles, then, 0, 1, 0});
    batch.AddEchoes(10);
    if (!batch.Wait(100) || !batch.Right("holes")) break;
    KillHostile();
  }
  CHECK(Serves(pool));
  Destroy(pool);
}

// A worker whose socket is gone cannot take large payloads: these go elsewhere, and it is replaced.
CASE_WITHIN(large_payloads_after_a_closed_socket, 40) {
  for (Words words : {kClosed, kShut}) {
    mproc_pool_t* pool = MakePool(2);
    if (!pool) return;
    Batch batch(pool);
    batch.AddHostile(kSpeak, Speak{words, kReturn, 1, 0});
    CHECK(batch.Wait(3000));
    std::string bytes(300000, 'x');
    uint64_t sum = 0;
    for (int i = 0; i < 8; i++) {
      mproc_future_t* future = Submit(pool, kSum, bytes.data(), bytes.size());
      CHECK_OK(mproc_future_wait(future, 8 * MPROC_SECOND));
      bool astray =
          TheNote().hostile_pids[InfoOf(future, MPROC_FUTURE_INFO_WORKER_NUMBER) % 4096].load() != 0;
      int32_t outcome = OutcomeOf(future);
      CHECK_THAT(
          outcome == MPROC_OUTCOME_VALUE ||
              (astray && (outcome == MPROC_OUTCOME_WORKER_LOST || outcome == MPROC_OUTCOME_ERROR)),
          "payload " + std::to_string(i) + ": outcome " + std::to_string(outcome) + ": " + MessageOf(future));
      sum += outcome == MPROC_OUTCOME_VALUE;
      CHECK_OK(mproc_future_release(future));
    }
    CHECK(sum >= 7);
    CHECK(Serves(pool));
    Destroy(pool);
  }
}

// At a start: every one spoils it.
CASE_WITHIN(garbage_instead_of_a_table, 30) {
  int32_t status = 0;
  StartsGoWrong(std::to_string(kRandomMessages).c_str(), &status);
}
CASE_WITHIN(parts_of_a_table_without_end, 60) {
  int32_t status = 0;
  StartsGoWrong(std::to_string(kHelloPartsForEver).c_str(), &status);
}
CASE_WITHIN(drops_without_end_instead_of_a_table, 60) {
  int32_t status = 0;
  StartsGoWrong(std::to_string(kDropsForEver).c_str(), &status);
}
CASE_WITHIN(a_table_of_no_end, 30) {
  int32_t status = 0;
  StartsGoWrong("hello", &status);
}
CASE_WITHIN(a_table_of_2_to_the_63_functions, 30) {
  int32_t status = 0;
  StartsGoWrong("hello-count", &status);
}
CASE_WITHIN(a_refusal_with_a_number_of_its_own, 30) {
  int32_t status = 0;
  StartsGoWrong(std::to_string(kRefusal).c_str(), &status);
}
CASE_WITHIN(socket_closed_at_the_start, 30) {
  int32_t status = 0;
  StartsGoWrong(std::to_string(kClosed).c_str(), &status);
}
CASE_WITHIN(crash_at_the_start, 30) {
  int32_t status = 0;
  StartsGoWrong("crash", &status);
}
CASE_WITHIN(exit_at_the_start, 30) {
  int32_t status = 0;
  StartsGoWrong("exit", &status);
  CHECK_EQ(status, MPROC_ERROR_BROKEN);
}
CASE_WITHIN(no_end_of_the_start, 30) {
  int32_t status = 0;
  StartsGoWrong("hang", &status);
}
CASE_WITHIN(results_before_the_hello, 30) {
  int32_t status = 0;
  StartsGoWrong("results", &status);
}
CASE_WITHIN(noise_before_the_hello, 30) {
  int32_t status = 0;
  StartsGoWrong("words", &status);
}
CASE_WITHIN(one_bad_start, 60) {
  for (const char* how : {"crash", "exit", "hang", "results", "words", "hello", "0", "3"})
    OneStartGoesWrong(how);
}

int main(int argc, char** argv) { return Main(argc, argv); }
