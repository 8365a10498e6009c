// SPDX-License-Identifier: MIT
#include "ipc/flight.hh"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

namespace mproc::ipc {
namespace {

class Flight : public testing::Test {
 protected:
  std::unique_ptr<FlightMemory> now_ = std::make_unique<FlightMemory>();
  std::unique_ptr<RunMemory[]> runs_ = std::make_unique<RunMemory[]>(kRuns);
  std::unique_ptr<NoteMemory[]> notes_ = std::make_unique<NoteMemory[]>(kNotes);
  FlightView view_{now_.get(), runs_.get(), notes_.get()};
  FlightWriter writer_{view_};
  FlightReader reader_{view_};
};

TEST_F(Flight, TellsTheRunThatBeganLast) {
  ipc::Run run;
  EXPECT_FALSE(reader_.Last(&run));
  writer_.Begin(0, 100, 7, 3, 40);
  ASSERT_TRUE(reader_.Last(&run));
  EXPECT_EQ(run.position, 0U);
  EXPECT_EQ(run.begun_at, 100);
  EXPECT_EQ(run.elapsed, -1);
  EXPECT_EQ(run.task, 7U);
  EXPECT_EQ(run.function, 3U);
  EXPECT_EQ(run.index, 40U);
  writer_.End(0, 25);
  writer_.Begin(2, 130, 8, 3, 0);  // 1 was taken back
  ASSERT_TRUE(reader_.Last(&run));
  EXPECT_EQ(run.position, 2U);
  EXPECT_EQ(reader_.At(0).elapsed, 25);
  EXPECT_EQ(reader_.At(1).begun_at, 0);
}

TEST_F(Flight, TellsItemAndProgressOfOneTaskOnly) {
  uint64_t item = 0, done = 0, total = 0;
  writer_.Begin(5, 1, 1, 1, 10);
  EXPECT_TRUE(reader_.ItemOf(5, &item));
  EXPECT_EQ(item, 10U);
  writer_.item().store(11);
  EXPECT_TRUE(reader_.ItemOf(5, &item));
  EXPECT_EQ(item, 11U);
  EXPECT_FALSE(reader_.ProgressOf(5, &done, &total));
  writer_.Progress(5, 3, 9);
  EXPECT_TRUE(reader_.ProgressOf(5, &done, &total));
  EXPECT_EQ(done, 3U);
  EXPECT_EQ(total, 9U);
  writer_.Begin(6, 2, 2, 1, 0);
  EXPECT_FALSE(reader_.ItemOf(5, &item));
  EXPECT_FALSE(reader_.ProgressOf(6, &done, &total));
}

// What is told together is seen together.
TEST_F(Flight, ProgressIsNeverTorn) {
  std::atomic<bool> stop{false};
  std::thread teller([&] {
    for (uint64_t i = 1; !stop.load(); i++) writer_.Progress(1, i, 2 * i);
  });
  int seen = 0;
  for (int i = 0; i < 200'000 || seen == 0; i++) {
    uint64_t done = 0, total = 0;
    if (!reader_.ProgressOf(1, &done, &total)) continue;
    seen++;
    ASSERT_EQ(total, 2 * done);
  }
  stop.store(true);
  teller.join();
}

TEST_F(Flight, AWorkerThatWritesForEverIsNotWaitedFor) {
  uint64_t done = 0, total = 0;
  now_->version.store(1);
  now_->progress_of.store(2);
  EXPECT_FALSE(reader_.ProgressOf(1, &done, &total));
}

TEST_F(Flight, KeepsTheLastNotes) {
  EXPECT_EQ(reader_.noted(), 0U);
  for (uint32_t i = 0; i < kNotes + 3; i++) writer_.Note(i, 7, 20, "note " + std::to_string(i));
  EXPECT_EQ(reader_.noted(), kNotes + 3);
  Note note = reader_.NoteAt(kNotes + 2);
  EXPECT_EQ(note.at, kNotes + 2);
  EXPECT_EQ(note.task, 7U);
  EXPECT_EQ(note.level, 20);
  EXPECT_EQ(note.shown(), "note " + std::to_string(kNotes + 2));
  writer_.Note(1, 7, 20, std::string(500, 'x'));
  note = reader_.NoteAt(kNotes + 3);
  EXPECT_EQ(note.size, 500U);
  EXPECT_EQ(note.shown(), std::string(kNoteWords * 8, 'x'));
}

}  // namespace
}  // namespace mproc::ipc
