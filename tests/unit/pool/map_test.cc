// SPDX-License-Identifier: MIT
#include "pool/map.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "pool/completion.hh"
#include "support/processes.hh"
#include "task/item_results.hh"

namespace mproc::pool {
namespace {

// A map over texts, without a pool: its chunks and what their workers would answer.
struct TextMap {
  explicit TextMap(std::vector<std::string> texts, uint64_t chunk, bool keep_going = false)
      : items(std::move(texts)) {
    for (const auto& item : items) {
      pointers.push_back(item.data());
      sizes.push_back(item.size());
    }
    input.count = items.size();
    input.chunk = chunk;
    input.keep_going = keep_going;
    input.items = pointers.data();
    input.sizes = sizes.data();
    auto made = MapState::Create(input, 2);
    EXPECT_TRUE(made.ok());
    state = std::move(*made);
    // They are copied.
    for (auto& pointer : pointers) pointer = nullptr;
    for (auto& size : sizes) size = 1 << 30;
  }
  std::vector<std::unique_ptr<Future>> Chunks() {
    std::vector<std::unique_ptr<Future>> chunks;
    while (!state->exhausted()) {
      auto left = state->chunks_left();
      chunks.push_back(std::make_unique<Future>());
      EXPECT_TRUE(state->NextChunk(chunks.back().get()));
      EXPECT_EQ(state->chunks_left(), left - 1);
    }
    return chunks;
  }

  std::vector<std::string> items;
  std::vector<const void*> pointers;
  std::vector<size_t> sizes;
  MapInput input;
  std::unique_ptr<MapState> state;
};

std::string Word(uint64_t word) { return {reinterpret_cast<const char*>(&word), sizeof word}; }

// What a worker answers for a chunk: "<item>!" for each; for those in `failed` an error with the item as
// text.
std::string AnswerOf(const TextMap& map, const Future& chunk, const std::vector<uint64_t>& failed = {}) {
  if (chunk.kind == task::Kind::kSingle) return map.items[chunk.range.first] + "!";
  task::ItemResultsWriter writer;
  for (uint64_t i = chunk.range.first; i < chunk.range.first + chunk.range.count; i++) {
    if (std::find(failed.begin(), failed.end(), i) == failed.end()) {
      std::string value = map.items[i] + "!";
      std::memcpy(writer.Room(value.size()), value.data(), value.size());
      writer.Add(value.size());
      continue;
    }
    writer.AddFailed(task::EncodeError({static_cast<int32_t>(i), "Type", map.items[i], ""}));
    if (!map.input.keep_going) break;
  }
  std::string answer(writer.size(), '\0');
  writer.Write(reinterpret_cast<std::byte*>(answer.data()));
  return answer;
}

std::string TextOf(const MapState::Item& item) {
  return item.state == MapState::kValue ? std::string(AsText(ByteView(item.data, item.size)))
                                        : std::string(reinterpret_cast<const char*>(item.data));
}

bool EndWith(TextMap& map, const Future& chunk, const std::string& answer) {
  Ending ending = ValueEnding(AsBytes(answer));
  return map.state->ChunkEnded(chunk, &ending);
}

std::vector<std::string> Texts(size_t count) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; i++) texts.push_back(std::string(i % 7, 't') + std::to_string(i));
  return texts;
}

TEST(MapState, CutsIntoChunks) {
  for (auto [count, chunk, wanted] : {std::tuple<size_t, uint64_t, size_t>{10, 3, 4},
                                      {10, 5, 2},
                                      {10, 10, 1},
                                      {10, 1000, 1},
                                      {10, 1, 10},
                                      {1, 1, 1},
                                      {10, uint64_t{INT64_MAX}, 1}}) {
    TextMap map(Texts(count), chunk);
    EXPECT_EQ(map.state->chunks_left(), wanted);
    auto chunks = map.Chunks();
    ASSERT_EQ(chunks.size(), wanted);
    uint64_t next = 0;
    for (auto& one : chunks) {
      EXPECT_EQ(one->range.first, next);
      next += one->range.count;
      EXPECT_EQ(one->kind, one->range.count == 1 ? task::Kind::kSingle : task::Kind::kItems);
    }
    EXPECT_EQ(next, count);
  }
}

// The chunks of an automatic map whose items take so long, each told as soon as it is made.
std::vector<uint64_t> AutomaticChunks(TextMap& map, int64_t item_ns) {
  std::vector<uint64_t> counts;
  uint64_t next = 0;
  while (!map.state->exhausted()) {
    Future chunk{};
    EXPECT_TRUE(map.state->NextChunk(&chunk));
    EXPECT_EQ(chunk.range.first, next);
    next += chunk.range.count;
    counts.push_back(chunk.range.count);
    std::string answer = AnswerOf(map, chunk);
    Ending ending = ValueEnding(AsBytes(answer));
    ending.elapsed = item_ns * static_cast<int64_t>(chunk.range.count);
    EXPECT_EQ(map.state->ChunkEnded(chunk, &ending), next == map.items.size());
  }
  for (uint64_t i = 0; i < map.items.size(); i++) {
    EXPECT_EQ(TextOf(map.state->item(i)), map.items[i] + "!");
    EXPECT_EQ(TextOf(map.state->item(map.items.size() - 1 - i)), map.items[map.items.size() - 1 - i] + "!");
  }
  return counts;
}

TEST(MapState, AutomaticChunksFollowTheTimeOfItems) {
  auto largest = [](size_t count, size_t bytes, int64_t item_ns) {
    TextMap map(std::vector<std::string>(count, std::string(bytes, 'x')), 0);
    auto counts = AutomaticChunks(map, item_ns);
    EXPECT_EQ(counts[0], 1U);
    return *std::max_element(counts.begin(), counts.end());
  };
  EXPECT_EQ(largest(1000, 8, 1'000'000), 1U);  // a millisecond each
  EXPECT_EQ(largest(1000, 8, 100'000), 10U);
  EXPECT_EQ(largest(1000, 8, 1000), 125U);  // of two workers: an eighth
  EXPECT_EQ(largest(1000, 0, 1000), 125U);
  EXPECT_EQ(largest(40000, 8, 10), 4096U);  // 32 KiB
  EXPECT_EQ(largest(100, 16 * 1024, 10), 2U);
  EXPECT_EQ(largest(16, 40 * 1024, 10), 1U);
  EXPECT_EQ(largest(1, 8, 10), 1U);
}

TEST(MapState, AutomaticChunksOfAnArrayFitTheCaches) {
  std::vector<std::byte> bytes(40000 * 8);
  for (auto [in, out] : {std::pair<size_t, size_t>{8, 1}, {1, 8}}) {
    MapInput input;
    input.count = 40000;
    input.chunk = 0;
    input.is_array = true;
    input.input = input.output = bytes.data();
    input.input_stride = in;
    input.output_stride = out;
    auto map = MapState::Create(input, 2);
    ASSERT_TRUE(map.ok());
    uint64_t largest = 0;
    while (!(*map)->exhausted()) {
      Future chunk{};
      ASSERT_TRUE((*map)->NextChunk(&chunk));
      largest = std::max(largest, chunk.range.count);
      std::string answer = Word(chunk.range.count) + Word(0) + std::string(chunk.range.count * out, '\0');
      Ending ending = ValueEnding(AsBytes(answer));
      (*map)->ChunkEnded(chunk, &ending);
    }
    EXPECT_EQ(largest, 4096U);
  }
}

TEST(MapState, AutomaticChunksThatAreLostOrWithdrawnLoseTheirItemsOnly) {
  TextMap map(Texts(100), 0);
  std::vector<Future> chunks(5);
  for (size_t i = 0; i < chunks.size(); i++) {
    ASSERT_TRUE(map.state->NextChunk(&chunks[i]));
    EXPECT_EQ(chunks[i].elapsed, i < 2 ? 0 : 4000 * static_cast<int64_t>(chunks[i].range.count));
    if (i != 1) continue;
    std::string answer = AnswerOf(map, chunks[0]);
    Ending ending = ValueEnding(AsBytes(answer));
    ending.elapsed = 4000;
    map.state->ChunkEnded(chunks[0], &ending);
  }
  Ending lost = ErrorEnding({MPROC_ERROR_WORKER_LOST, "", "the worker died", ""});
  lost.outcome = MPROC_OUTCOME_WORKER_LOST;
  EXPECT_FALSE(map.state->ChunkEnded(chunks[3], &lost));
  Ending rest = CancelledEnding(MPROC_CAUSE_CALL);
  EXPECT_FALSE(map.state->RestEnded(&rest));
  EXPECT_FALSE(EndWith(map, chunks[2], AnswerOf(map, chunks[2])));
  EXPECT_FALSE(EndWith(map, chunks[4], AnswerOf(map, chunks[4])));
  EXPECT_TRUE(EndWith(map, chunks[1], AnswerOf(map, chunks[1])));
  const auto& gone = chunks[3].range;
  uint64_t made = chunks[4].range.first + chunks[4].range.count;
  EXPECT_GT(gone.count, 1U);
  ASSERT_LT(made, 100U);
  for (uint64_t i = 0; i < 100; i++) {
    bool was_lost = i >= gone.first && i < gone.first + gone.count;
    std::string wanted = was_lost    ? "the worker died"
                         : i >= made ? "the task was cancelled"
                                     : map.items[i] + "!";
    EXPECT_EQ(TextOf(map.state->item(i)), wanted) << i;
  }
}

TEST(MapState, ChunksHoldTheirItems) {
  for (int round = 0; round < 2; round++) {
    TextMap map(round ? std::vector<std::string>(10, "same size") : Texts(10), 4);
    for (auto& chunk : map.Chunks()) {
      task::ChunkHead head = map.state->HeadOf(*chunk);
      auto offsets = map.state->OffsetsOf(*chunk);
      ByteView body = map.state->BodyOf(*chunk);
      EXPECT_EQ(head.first, chunk->range.first);
      EXPECT_EQ(offsets.empty(), round == 1);
      EXPECT_EQ(chunk->size, sizeof head + offsets.size_bytes() + body.size());
      std::string payload(reinterpret_cast<const char*>(&head), sizeof head);
      payload += std::string(reinterpret_cast<const char*>(offsets.data()), offsets.size_bytes());
      payload += AsText(body);
      task::ItemReader reader;
      ASSERT_TRUE(reader.Open(AsBytes(payload)));
      ByteView item;
      for (uint64_t i = 0; i < head.count; i++) {
        ASSERT_TRUE(reader.Next(&item));
        EXPECT_EQ(AsText(item), map.items[head.first + i]);
      }
    }
  }
}

TEST(MapState, TakesResultsInAnyOrder) {
  std::mt19937 random(21);
  for (int round = 0; round < 50; round++) {
    TextMap map(Texts(1 + random() % 100), 1 + random() % 10);
    auto chunks = map.Chunks();
    std::shuffle(chunks.begin(), chunks.end(), random);
    for (size_t i = 0; i < chunks.size(); i++) {
      EXPECT_EQ(EndWith(map, *chunks[i], AnswerOf(map, *chunks[i])), i + 1 == chunks.size());
    }
    for (uint64_t i = 0; i < map.items.size(); i++) {
      EXPECT_EQ(map.state->item(i).state, MapState::kValue);
      EXPECT_EQ(TextOf(map.state->item(i)), map.items[i] + "!");
    }
    Ending ending = map.state->TakeEnding();
    EXPECT_EQ(ending.outcome, MPROC_OUTCOME_VALUE);
    EXPECT_FALSE(ending.error);
  }
}

TEST(MapState, KeepsTheErrorThatCameFirst) {
  TextMap map(Texts(9), 3, true);
  auto chunks = map.Chunks();
  EXPECT_FALSE(EndWith(map, *chunks[2], AnswerOf(map, *chunks[2], {7, 8})));
  EXPECT_FALSE(EndWith(map, *chunks[0], AnswerOf(map, *chunks[0], {0})));
  EXPECT_TRUE(EndWith(map, *chunks[1], AnswerOf(map, *chunks[1])));
  Ending ending = map.state->TakeEnding();
  EXPECT_EQ(ending.outcome, MPROC_OUTCOME_ERROR);
  ASSERT_TRUE(ending.error);
  EXPECT_EQ(ending.error->failed_item, 7);
  EXPECT_EQ(ending.error->error.code, 7);
  EXPECT_EQ(ending.error->error.message, map.items[7]);
  for (uint64_t i = 0; i < 9; i++) {
    bool failed = i == 0 || i == 7 || i == 8;
    EXPECT_EQ(map.state->item(i).state, failed ? MapState::kFailed : MapState::kValue) << i;
    EXPECT_EQ(TextOf(map.state->item(i)), map.items[i] + (failed ? "" : "!"));
  }
}

TEST(MapState, WhatComesAfterAFailedItemIsNotRun) {
  TextMap map(Texts(6), 3, false);
  auto chunks = map.Chunks();
  EXPECT_FALSE(EndWith(map, *chunks[0], AnswerOf(map, *chunks[0], {1})));
  EXPECT_TRUE(EndWith(map, *chunks[1], AnswerOf(map, *chunks[1])));
  EXPECT_EQ(map.state->item(0).state, MapState::kValue);
  EXPECT_EQ(map.state->item(1).state, MapState::kFailed);
  EXPECT_EQ(map.state->item(2).state, MapState::kLost);
  EXPECT_EQ(map.state->item(2).size, static_cast<uint64_t>(MPROC_OUTCOME_NOT_RUN));
  EXPECT_EQ(map.state->item(5).state, MapState::kValue);
}

TEST(MapState, LostChunksLoseTheirItemsOnly) {
  TextMap map(Texts(6), 2);
  auto chunks = map.Chunks();
  Ending lost = ErrorEnding({MPROC_ERROR_WORKER_LOST, "", "the worker died", ""});
  lost.outcome = MPROC_OUTCOME_WORKER_LOST;
  EXPECT_FALSE(map.state->ChunkEnded(*chunks[1], &lost));
  EXPECT_FALSE(EndWith(map, *chunks[0], AnswerOf(map, *chunks[0])));
  Ending cancelled = CancelledEnding(MPROC_CAUSE_CALL);
  EXPECT_TRUE(map.state->ChunkEnded(*chunks[2], &cancelled));
  EXPECT_EQ(TextOf(map.state->item(2)), "the worker died");
  EXPECT_EQ(map.state->item(3).size, static_cast<uint64_t>(MPROC_OUTCOME_WORKER_LOST));
  EXPECT_EQ(map.state->item(4).size, static_cast<uint64_t>(MPROC_OUTCOME_CANCELLED));
  Ending ending = map.state->TakeEnding();
  EXPECT_EQ(ending.outcome, MPROC_OUTCOME_WORKER_LOST);
  EXPECT_EQ(ending.error->failed_item, 2);
}

TEST(MapState, WhatNoChunkWasMadeOfEndsTogether) {
  TextMap map(Texts(10), 3);
  Future first{};
  ASSERT_TRUE(map.state->NextChunk(&first));
  Ending rest = CancelledEnding(MPROC_CAUSE_TERMINATE);
  EXPECT_FALSE(map.state->RestEnded(&rest));
  EXPECT_TRUE(map.state->exhausted());
  EXPECT_EQ(map.state->chunks_left(), 0U);
  Ending again = CancelledEnding(MPROC_CAUSE_TERMINATE);
  EXPECT_FALSE(map.state->RestEnded(&again));
  EXPECT_TRUE(EndWith(map, first, AnswerOf(map, first)));
  EXPECT_EQ(map.state->item(2).state, MapState::kValue);
  EXPECT_EQ(map.state->item(3).state, MapState::kLost);
}

TEST(MapState, UnreadableAnswersAreErrors) {
  TextMap good(Texts(4), 4);
  std::string answer = AnswerOf(good, *good.Chunks()[0]);
  std::vector<std::string> bad{"", "x", Word(5) + Word(0) + answer.substr(16),
                               Word(3) + Word(0) + answer.substr(16), Word(UINT64_MAX) + Word(0),
                               Word(uint64_t{1} << 63) + Word(1) + answer.substr(16),
                               // Its only item failed, with 16 bytes that are no error.
                               Word(1) + Word(1) + Word(16) + Word(0) + Word(0) + std::string(16, '\xff')};
  for (size_t size = 0; size < answer.size(); size++) bad.push_back(answer.substr(0, size));
  for (const auto& one : bad) {
    TextMap map(Texts(4), 4);
    auto chunks = map.Chunks();
    EXPECT_TRUE(EndWith(map, *chunks[0], one));
    Ending ending = map.state->TakeEnding();
    EXPECT_EQ(ending.outcome, MPROC_OUTCOME_ERROR);
    ASSERT_TRUE(ending.error);
    for (uint64_t i = 0; i < 4; i++) {
      EXPECT_EQ(map.state->item(i).state, MapState::kFailed);
      EXPECT_FALSE(TextOf(map.state->item(i)).empty());
    }
  }
}

TEST(MapState, SurvivesNoise) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 5000; round++) {
    TextMap map(Texts(5), 5, round % 2);
    auto chunks = map.Chunks();
    std::string answer = AnswerOf(map, *chunks[0], {1});
    for (size_t n = 1 + random() % 4; n > 0; n--)
      answer[random() % answer.size()] = static_cast<char>(random());
    EXPECT_TRUE(EndWith(map, *chunks[0], answer));
    for (uint64_t i = 0; i < 5; i++) EXPECT_LT(TextOf(map.state->item(i)).size(), 200U);
  }
}

// The bytes of an answer are the worker's own until they have been copied.
TEST(MapState, SurvivesAnswersThatChangeWhileTheyAreRead) {
  if (test::kThreadSanitizer) GTEST_SKIP() << "the race is meant";
  std::string good, answer;
  {
    TextMap map(Texts(64), 64);
    good = answer = AnswerOf(map, *map.Chunks()[0]);
  }
  std::atomic<bool> stop{false};
  std::thread liar([&] {
    std::mt19937_64 random(6);
    volatile char* bytes = answer.data();
    while (!stop) {
      size_t at = random() % (67 * sizeof(uint64_t));  // head and ends
      bytes[at] = static_cast<char>(random());
      bytes[at] = good[at];
    }
  });
  uint64_t sum = 0;
  for (int round = 0; round < 3000; round++) {
    TextMap map(Texts(64), 64, true);
    auto chunks = map.Chunks();
    EXPECT_TRUE(EndWith(map, *chunks[0], answer));
    for (uint64_t i = 0; i < 64; i++) sum += TextOf(map.state->item(i)).size();
  }
  stop = true;
  liar.join();
  EXPECT_GT(sum, 0U);
}

TEST(MapState, ValuesOfAnArrayGoToTheirPlaces) {
  std::vector<uint64_t> in(10), out(12, 42);
  MapInput input;
  input.count = 10;
  input.chunk = 4;
  input.is_array = true;
  input.input = reinterpret_cast<const std::byte*>(in.data());
  input.input_stride = 8;
  input.output = reinterpret_cast<std::byte*>(out.data() + 1);
  input.output_stride = 8;
  auto made = MapState::Create(input, 2);
  ASSERT_TRUE(made.ok());
  MapState& map = **made;
  Future chunks[3] = {};
  for (auto& chunk : chunks) {
    ASSERT_TRUE(map.NextChunk(&chunk));
    EXPECT_EQ(chunk.kind, task::Kind::kArray);
    EXPECT_EQ(chunk.size, sizeof(task::ChunkHead) + chunk.range.count * 8);
    EXPECT_EQ(map.BodyOf(chunk).data(), input.input + chunk.range.first * 8);
  }
  auto end = [&](const Future& chunk, const std::string& answer) {
    Ending ending = ValueEnding(AsBytes(answer));
    return map.ChunkEnded(chunk, &ending);
  };
  EXPECT_FALSE(end(chunks[2], Word(2) + Word(0) + Word(8) + Word(9)));
  auto error = task::EncodeError({5, "", "failed", ""});
  EXPECT_FALSE(end(chunks[0], Word(1) + Word(1) + Word(100) + std::string(AsText(error))));
  // Nonsense leaves its places alone.
  EXPECT_TRUE(end(chunks[1], Word(5) + Word(0) + Word(1) + Word(2) + Word(3) + Word(4) + Word(5)));
  EXPECT_EQ(out, (std::vector<uint64_t>{42, 100, 42, 42, 42, 42, 42, 42, 42, 8, 9, 42}));
  Ending ending = map.TakeEnding();
  EXPECT_EQ(ending.outcome, MPROC_OUTCOME_ERROR);
  EXPECT_EQ(ending.error->failed_item, 1);
  EXPECT_EQ(ending.error->error.message, "failed");
}

TEST(MapState, RefusesSizesBeyondAllMeasure) {
  MapInput array;
  array.is_array = true;
  std::byte byte{};
  array.input = array.output = &byte;
  for (auto [count, in, out] : {std::tuple<uint64_t, size_t, size_t>{SIZE_MAX, 8, 8},
                                {SIZE_MAX / 8 + 2, 8, 0},
                                {uint64_t{1} << 40, 1 << 20, 0},
                                {uint64_t{1} << 40, 0, 1 << 20},
                                {2, SIZE_MAX, 0}}) {
    array.count = count;
    array.input_stride = in;
    array.output_stride = out;
    EXPECT_EQ(MapState::Create(array, 2).status().code(), MPROC_ERROR_TOO_LARGE);
  }
  MapInput items;
  const void* pointers[] = {&byte, &byte};
  items.items = pointers;
  items.count = 2;
  for (size_t size : {size_t{1} << 46, SIZE_MAX / 2, SIZE_MAX, SIZE_MAX - 1}) {
    size_t sizes[] = {1, size};
    items.sizes = sizes;
    EXPECT_EQ(MapState::Create(items, 2).status().code(), MPROC_ERROR_TOO_LARGE);
  }
}

TEST(MapState, OfNothingHasNoChunks) {
  TextMap map({}, 1);
  EXPECT_TRUE(map.state->exhausted());
  EXPECT_EQ(map.state->chunks_left(), 0U);
  EXPECT_EQ(map.state->TakeEnding().outcome, MPROC_OUTCOME_VALUE);
}

}  // namespace
}  // namespace mproc::pool
