// SPDX-License-Identifier: MIT
// Workers that write random bytes over everything they share with the host, a thousand times in all, while
// the others go on. Nothing but what such a worker had in hand is lost or wrong, no other worker ends, and
// the host keeps nothing of them.
#include <stdio.h>
#include <string.h>

#include "host.hh"

using namespace hostile;

namespace {

constexpr int kWorkers = 3;
constexpr uint32_t kOverwrites = HOSTILE_THREAD_SANITIZED ? 50 : HOSTILE_SANITIZED ? 200 : 1000;
constexpr int64_t kLimitMs = 30000;  // of what takes two seconds on an idle machine

size_t CountOf(const std::string& text, const char* word) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(word, at)) != std::string::npos; at++) count++;
  return count;
}

// Mappings of channels and blocks in this process.
size_t Mappings() { return CountOf(ReadWhole("/proc/self/maps"), "memfd:mproc-"); }

long ResidentKiB() {
  std::string status = ReadWhole("/proc/self/status");
  size_t at = status.find("VmRSS:");
  return at == std::string::npos ? 0 : atol(status.c_str() + at + 6);
}

uint32_t HostileWorkers() {
  uint32_t count = 0;
  for (auto& pid : TheNote().hostile_pids) count += pid.load() != 0;
  return count;
}

}  // namespace

CASE_WITHIN(whole_segments_overwritten_a_thousand_times, 60) {
  mproc_pool_t* pool = MakePool(kWorkers);
  if (!pool) return;
  int64_t began = NowMs();
  long resident = 0;
  uint64_t round = 0;
  const Then thens[] = {kReturn, kExit, kStay, kCrash};
  for (; TheNote().overwrites.load() < kOverwrites && NowMs() - began < kLimitMs; round++) {
    Batch batch(pool);
    batch.AddEchoes(20);  // some so large that they lie in blocks, which are shared as well
    batch.AddHostile(kScribble, Scribble{kSegments, thens[round % 4], 1 + round % 16, round + 1, 0});
    batch.AddEchoes(20);
    std::string story = "round " + std::to_string(round);
    if (!CHECK_THAT(batch.Wait(6), story) || !batch.Right(story)) break;
    KillHostile();
    if (round == 20) resident = ResidentKiB();
  }
  printf("%u overwrites, %u of them with blocks, %llu rounds, %lld ms\n", TheNote().overwrites.load(),
         TheNote().blocks_overwritten.load(), static_cast<unsigned long long>(round),
         static_cast<long long>(NowMs() - began));
  CHECK(TheNote().overwrites.load() >= kOverwrites);
  CHECK(TheNote().blocks_overwritten.load() > 0);
  CHECK(Serves(pool));
  // Who died had confessed.
  CHECK(Statistic(pool, MPROC_POOL_STATISTIC_DEATHS) <= HostileWorkers());
  long grown = ResidentKiB() - resident;
  if (!HOSTILE_SANITIZED) CHECK_THAT(grown < 8192, "the host has grown by " + std::to_string(grown) + " KiB");
  Destroy(pool);
  CHECK_EQ(Mappings(), 0);
}

int main(int argc, char** argv) { return Main(argc, argv); }
