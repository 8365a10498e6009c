// SPDX-License-Identifier: MIT
// W11: items a second through one queue, by the number of those who put and of those who take, and by size.
#include "cli/crew.hh"

namespace mproc::cli {

namespace {

struct Shape {
  const char* name;
  uint64_t putting, taking;
};

void EmitShape(const BenchSettings& settings, const Shape& shape, const char* size_name, uint64_t size,
               uint64_t items) {
  constexpr uint64_t kMostBytes = 32 << 20;
  mproc_queue_t* made = nullptr;
  Check(mproc_queue_create(0, kMostBytes, MPROC_QUEUE_BYTES, &made), "making a queue");
  QueuePtr queue(made);
  Crew crew(settings);
  for (uint64_t i = 0; i < shape.taking; i++) crew.Add(kTake, {0, size}, made);
  for (uint64_t i = 0; i < shape.putting; i++) crew.Add(kPut, {items / shape.putting, size}, made);
  uint64_t begin = crew.Begin();
  crew.AwaitThrough(shape.putting);
  for (uint64_t i = 0; i < shape.taking; i++)
    Check(mproc_queue_put(made, nullptr, 0, kWaitLimit), "putting the last item");
  crew.AwaitThrough(shape.taking);
  double done = static_cast<double>(items / shape.putting * shape.putting);
  Emit("W11", std::string(shape.name) + "_" + size_name, done / SecondsSince(begin), "items/s");
}

}  // namespace

void RunW11(const BenchSettings& settings) {
  for (const Shape& shape :
       {Shape{"1to1", 1, 1}, Shape{"4to1", 4, 1}, Shape{"1to4", 1, 4}, Shape{"4to4", 4, 4}}) {
    EmitShape(settings, shape, "16B", 16, settings.Pick(1'000'000, 200'000));
    EmitShape(settings, shape, "1KiB", 1024, settings.Pick(400'000, 80'000));
    EmitShape(settings, shape, "64KiB", 64 << 10, settings.Pick(20'000, 4'000));
    EmitShape(settings, shape, "1MiB", 1 << 20, settings.Pick(1'000, 200));
  }
}

}  // namespace mproc::cli
