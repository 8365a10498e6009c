// SPDX-License-Identifier: MIT
// A worker that writes nonsense into its channel. Whatever it is: the host goes on, ends every task once, and
// only what that worker had in hand is lost or wrong.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <random>

#include "host.hh"

using namespace hostile;

namespace {

constexpr int kWorkers = 3;

struct Claim {
  const char* name;
  Lie lie;
  bool noticed;  // must end as lost, by the channel's protocol
};

// One bad task among good ones, and whether all is well afterwards.
bool Among(mproc_pool_t* pool, const std::string& story, uint32_t function, const void* data, size_t size,
           int patience_ms) {
  Batch batch(pool);
  batch.AddEchoes(15);
  batch.AddHostile(function, data, size);
  batch.AddEchoes(15);
  bool good = CHECK_THAT(batch.Wait(patience_ms), story) && batch.Right(story);
  KillHostile();
  return good;
}

}  // namespace

// Every field of a result, with values that cannot be true.
CASE(result_fields_that_cannot_be) {
  mproc_pool_t* pool = MakePool(kWorkers);
  if (!pool) return;
  const uint64_t top = uint64_t{1} << 63;
  const Claim claims[] = {
      {"task far ahead", {kTask, 1, 1000, 0, kStay}, true},
      {"task that wraps", {kTask, 1, UINT64_MAX, 0, kStay}, true},
      {"task one round ahead", {kTask, 1, 256, 0, kStay}, true},
      {"task 2^63", {kTask, 0, top, 0, kStay}, true},
      {"task -1", {kTask, 0, UINT64_MAX, 0, kStay}, true},
      {"size beyond the slot", {kSize, 0, 81, 0, kStay}, true},
      {"size 2^32", {kSize, 0, uint64_t{1} << 32, 0, kStay}, true},
      {"size 2^46 + 1", {kSize, 0, (uint64_t{1} << 46) + 1, 0, kStay}, true},
      {"size -1", {kSize, 0, UINT64_MAX, 0, kStay}, true},
      {"block that is not", {kBlock, 0, 12345, 0, kStay}, true},
      {"block -1", {kBlock, 0, UINT32_MAX, 0, kStay}, true},
      {"status 2", {kStatus, 0, 2, 0, kStay}, true},
      {"status -1", {kStatus, 0, UINT32_MAX, 0, kStay}, true},
      {"error of 8 bytes that is none", {kStatus, 0, 1, 0, kStay}, true},
      {"error in a block that is none", {kStatus, 0, 1, 1, kStay}, true},
      {"block's end passed by one", {kSize, 0, 8193, 1, kStay}, true},
      {"block's end passed by an offset", {kOffset, 0, 4097, 1, kStay}, true},
      {"offset 2^63 in a block", {kOffset, 0, top, 1, kStay}, true},
      {"offset -1 in a block", {kOffset, 0, UINT64_MAX, 1, kStay}, true},
      {"offset and size that wrap", {kOffset, 0, UINT64_MAX - 4095, 1, kStay}, true},
      {"size -1 in a block", {kSize, 0, UINT64_MAX, 1, kStay}, true},
      {"elapsed -1", {kElapsed, 0, UINT32_MAX, 0, kExit}, false},
      {"offset without a block", {kOffset, 0, top, 0, kExit}, false},
      {"size 0", {kSize, 0, 0, 0, kExit}, false},
      {"whole block", {kSize, 0, 8192, 1, kExit}, false},
      {"turn of the next round", {kTurn, 1, 256 * 4, 0, kExit}, false},
      {"turn -1", {kTurn, 0, UINT64_MAX, 0, kExit}, false},
      {"turn claimed", {kTurn, 1, 1, 0, kExit}, false},
      {"turn empty", {kTurn, 0, 0, 0, kExit}, false},
  };
  for (const Claim& claim : claims) {
    Batch batch(pool);
    batch.AddEchoes(10);
    batch.AddHostile(kLie, claim.lie);
    batch.AddEchoes(10);
    if (!batch.Wait(2000) || !batch.Right(claim.name)) break;
    mproc_future_t* liar = batch.hostile_future();
    if (claim.noticed) {
      CHECK_THAT(OutcomeOf(liar) == MPROC_OUTCOME_WORKER_LOST &&
                     InfoOf(liar, MPROC_FUTURE_INFO_CAUSE) == MPROC_CAUSE_PROTOCOL,
                 std::string(claim.name) + ": not noticed, outcome " + std::to_string(OutcomeOf(liar)));
    }
  }
  CHECK(Serves(pool));
  Destroy(pool);
}

// Each place of the rings, set to each of some values.
CASE_WITHIN(every_place_of_the_rings, 40) {
  mproc_pool_t* pool = MakePool(kWorkers);
  if (!pool) return;
  const uint64_t values[] = {0,
                             1,
                             2,
                             3,
                             5,
                             4 * 256 + 1,
                             uint64_t{1} << 31,
                             UINT32_MAX,
                             uint64_t{1} << 32,
                             uint64_t{1} << 63,
                             UINT64_MAX - 1,
                             UINT64_MAX};
  const Then thens[] = {kReturn, kExit, kStay};
  int round = 0;
  for (uint32_t place = kTaskTurns; place <= kMagic; place++) {
    for (uint64_t value : values) {
      Scribble scribble{place, thens[round++ % 3], value, 1, 0};
      std::string story = "place " + std::to_string(place) + ", value " + std::to_string(value);
      if (!Among(pool, story, kScribble, &scribble, sizeof scribble, 20)) goto end;
    }
  }
end:
  CHECK(Serves(pool));
  Destroy(pool);
}

// What it tells of itself, and its log.
CASE_WITHIN(what_a_worker_says_of_itself, 40) {
  auto on_log = [](int32_t, const char* text, size_t size, uint64_t, uint32_t, int64_t, void*) {
    CHECK(text[size] == 0);
  };
  mproc_pool_t* pool = MakePool(kWorkers, [&](mproc_pool_options_t* options) {
    CHECK_OK(mproc_pool_options_set_log_callback(options, on_log, nullptr, 0));
  });
  if (!pool) return;
  const Then thens[] = {kReturn, kExit, kStay, kCrash};
  for (uint64_t round = 0; round < 40; round++) {
    uint64_t value = round < 20 ? uint64_t{1} << (round * 3) : UINT64_MAX - round;
    Scribble scribble{kFlight, thens[round % 4], value, round % 5 == 4 ? round : 0, 0};
    std::string story = "what it says of itself, round " + std::to_string(round);
    char text[4096];
    CHECK(mproc_pool_dump(pool, text, sizeof text, nullptr) != MPROC_ERROR_INTERNAL);
    if (!Among(pool, story, kScribble, &scribble, sizeof scribble, 20)) break;
  }
  CHECK(Serves(pool));
  Destroy(pool);
}

// All words at once, at random: wild ones, and such as the rings hold.
CASE_WITHIN(a_thousand_random_scribbles, 60) {
  mproc_pool_t* pool = MakePool(kWorkers);
  if (!pool) return;
  const char* given = getenv("MPROC_TEST_SEED");
  uint64_t seed = given ? strtoull(given, nullptr, 10) : 20240607;
  printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  int64_t end = NowMs() + 12000;
  int rounds = 0;
  for (; rounds < 1000 && NowMs() < end; rounds++) {
    const Place places[] = {kPlausible, kPlausible, kPlausible, kAllWords, kResultTurns, kHoles};
    const Then thens[] = {kExit, kExit, kReturn, kReturn, kStay, kCrash};
    Scribble scribble{places[random() % 6], thens[random() % 6], random() % 2 ? UINT64_MAX : random(),
                      random(), 0};
    std::string story = "round " + std::to_string(rounds) + ", place " + std::to_string(scribble.place) +
                        ", then " + std::to_string(scribble.then);
    if (!Among(pool, story, kScribble, &scribble, sizeof scribble, 4)) break;
  }
  printf("%d rounds\n", rounds);
  CHECK(Serves(pool));
  Destroy(pool);
}

// A thread that writes random bytes everywhere while the others work.
CASE_WITHIN(noise_without_end, 40) {
  mproc_pool_t* pool = MakePool(kWorkers);
  if (!pool) return;
  int64_t end = NowMs() + 3000;
  for (uint64_t round = 0; NowMs() < end; round++) {
    Scribble scribble{kBytesForEver, kReturn, 0, round, 100};
    if (!Among(pool, "noise, round " + std::to_string(round), kScribble, &scribble, sizeof scribble, 30))
      break;
  }
  CHECK(Serves(pool));
  Destroy(pool);
}

// Says that it has passed more and more: no call takes longer than its limit, and others are served.
CASE_WITHIN(passed_counted_up_without_end, 40) {
  mproc_pool_t* pool = MakePool(3);
  if (!pool) return;
  int64_t began = NowMs();
  auto in_time = [&](const char* what, int64_t limit) {
    CHECK_THAT(NowMs() - began < limit,
               std::string(what) + " took " + std::to_string(NowMs() - began) + " ms");
    began = NowMs();
  };
  Batch batch(pool);
  batch.AddHostile(kScribble, Scribble{kPassedForEver, kReturn, 0, 1, 8000});
  batch.AddHostile(kScribble, Scribble{kPassedForEver, kReturn, 0, 1, 8000});
  CHECK(batch.Wait(2000));
  in_time("a wait for a task that ended", 1500);
  Sleep sleep{1500};
  mproc_future_t* slow = Submit(pool, kSleep, sleep);
  in_time("a submit", 1000);
  int32_t waited = mproc_future_wait(slow, 200 * MPROC_MILLISECOND);
  CHECK(waited == MPROC_ERROR_TIMED_OUT || OutcomeOf(slow) == MPROC_OUTCOME_WORKER_LOST);  // caught lying
  in_time("a wait of 200 ms", 1200);
  Statistic(pool, MPROC_POOL_STATISTIC_QUEUED);
  in_time("asking for a number", 1000);
  KillHostile();
  CHECK_OK(mproc_future_wait(slow, 8 * MPROC_SECOND));
  CHECK_OK(mproc_future_release(slow));
  CHECK(Serves(pool));
  Destroy(pool);
}

// Answers a task that stands behind others: those still end, at the latest with the worker.
CASE(answers_out_of_order) {
  mproc_pool_t* pool = MakePool(1);
  if (!pool) return;
  for (Then then : {kStay, kReturn, kExit}) {
    for (uint64_t ahead = 1; ahead <= 3; ahead++) {
      Batch batch(pool);
      batch.AddEchoes(10);
      batch.Wait(3000);
      batch.AddHostile(kLie, Lie{kTask, 1, ahead, 0, then});
      batch.AddEchoes(4);
      CHECK_THAT(batch.Wait(150), "answers " + std::to_string(ahead) + " ahead");
      batch.Right("answers " + std::to_string(ahead) + " ahead");
      KillHostile();
    }
  }
  CHECK(Serves(pool));
  Destroy(pool);
}

// Says that it has passed tasks that it has not ended.
CASE(passed_what_it_holds) {
  mproc_pool_t* pool = MakePool(1);
  if (!pool) return;
  for (Then then : {kStay, kReturn, kExit}) {
    for (uint64_t passed = 1; passed <= 40; passed += 13) {
      Batch batch(pool);
      batch.AddEchoes(10);
      batch.Wait(3000);
      batch.AddHostile(kScribble, Scribble{kPassed, then, passed, 1, 0});
      batch.AddEchoes(4);
      batch.Wait(150);
      batch.Right("says that it passed " + std::to_string(passed));
      KillHostile();
    }
  }
  CHECK(Serves(pool));
  Destroy(pool);
}

// The record of a crash is as untrue as the rest, and then it crashes.
CASE(record_of_a_crash_scribbled) {
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  for (uint64_t seed = 0; seed < 60; seed++) {
    mproc_future_t* future =
        Submit(pool, kScribble, Scribble{kTrace, seed % 2 ? kCrash : kAbort, seed % 3, seed, 0});
    CHECK_OK(mproc_future_wait(future, 8 * MPROC_SECOND));
    CHECK_EQ(OutcomeOf(future), MPROC_OUTCOME_WORKER_LOST);
    const char* text = nullptr;
    CHECK_OK(mproc_future_error_trace(future, &text));
    CHECK(text && strlen(text) < (1 << 20));
    CHECK_OK(mproc_future_release(future));
  }
  CHECK(Serves(pool));
  Destroy(pool);
}

// Results of chunks: counts, sizes and errors that cannot be.
CASE_WITHIN(results_of_chunks, 40) {
  mproc_pool_t* pool = MakePool(2);
  if (!pool) return;
  constexpr uint64_t kItems = 8;
  for (uint32_t words = 0; words < kChunkWords + 10; words++) {
    for (uint32_t array = 0; array < 2; array++) {
      ChunkLie lies[kItems];
      for (auto& lie : lies) lie = {std::min<uint32_t>(words, kNoise), array, words, kItems / 2};
      const void* items[kItems];
      size_t sizes[kItems];
      for (uint64_t i = 0; i < kItems; i++) items[i] = &lies[i], sizes[i] = sizeof lies[i];
      std::vector<uint64_t> out(kItems + 2, 42);
      mproc_future_t* future = nullptr;
      // Both chunks go astray.
      mproc_status_t status =
          array ? mproc_pool_map_array(pool, kChunkLie, lies, sizeof lies[0], kItems, out.data() + 1, 8,
                                       kItems / 2, 3 * MPROC_SECOND, &future)
                : mproc_pool_map(pool, kChunkLie, items, sizes, kItems, kItems / 2, MPROC_MAP_KEEP_GOING,
                                 3 * MPROC_SECOND, &future);
      CHECK_OK(status);
      CHECK_EQ(out.front(), 42);
      CHECK_EQ(out.back(), 42);
      for (size_t i = 0; !array && i < kItems; i++) {
        const void* data = nullptr;
        size_t size = 0;
        const char* text = nullptr;
        mproc_status_t item = mproc_future_item(future, i, &data, &size);
        if (item == MPROC_OK && size) CHECK(size <= 80 && static_cast<const char*>(data)[size - 1] < 128);
        if (item != MPROC_OK) CHECK_OK(mproc_future_item_error_message(future, i, &text));
        if (text) CHECK(strlen(text) < 1000);
      }
      bool plain = words == kCountHuge || words == kCountMore || words == kCountLess || words == kShort ||
                   words == kNothing || words == kItemHuge || words == kItemNegative ||
                   words == kErrorGarbage || words == kErrorHuge;
      if (array && (words == kItemHuge || words == kItemNegative)) plain = false;  // no such thing there
      if (plain)
        CHECK_THAT(mproc_future_error(future) != MPROC_OK,
                   "chunk " + std::to_string(words) + " was believed");
      CHECK_OK(mproc_future_release(future));
      KillHostile();
    }
  }
  CHECK(Serves(pool));
  Destroy(pool);
}

int main(int argc, char** argv) { return Main(argc, argv); }
