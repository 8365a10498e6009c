// SPDX-License-Identifier: MIT
#include "ipc/flight.hh"

namespace mproc::ipc {
namespace {

constexpr int kMostTries = 16;  // a stranger may write for ever

}  // namespace

void FlightWriter::Progress(uint64_t position, uint64_t done, uint64_t total) {
  FlightMemory& now = *view_.now;
  uint64_t version = now.version.load(std::memory_order_relaxed);
  now.version.store(version + 1, std::memory_order_relaxed);
  // Whoever sees one of these sees the odd version, too.
  now.progress_of.store(position + 1, std::memory_order_release);
  now.done.store(done, std::memory_order_release);
  now.total.store(total, std::memory_order_release);
  now.version.store(version + 2, std::memory_order_release);
}

void FlightWriter::Note(int64_t at, uint64_t task, int32_t level, std::string_view text) {
  uint64_t number = view_.now->noted.load(std::memory_order_relaxed);
  NoteMemory& note = view_.notes[number % kNotes];
  std::array<uint64_t, kNoteWords> words{};
  std::memcpy(words.data(), text.data(), std::min(text.size(), sizeof words));
  note.at.store(at, std::memory_order_relaxed);
  note.task.store(task, std::memory_order_relaxed);
  note.level.store(level, std::memory_order_relaxed);
  note.size.store(static_cast<uint32_t>(text.size()), std::memory_order_relaxed);
  for (size_t i = 0; i < kNoteWords; i++) note.text[i].store(words[i], std::memory_order_relaxed);
  view_.now->noted.store(number + 1, std::memory_order_release);
}

bool FlightReader::Last(Run* run) const {
  uint64_t begun = view_.now->begun.load(std::memory_order_acquire);
  if (begun == 0) return false;
  *run = At(begun - 1);
  return true;
}

Run FlightReader::At(uint64_t position) const {
  const RunMemory& run = view_.runs[position % kRuns];
  return {position,
          run.begun_at.load(std::memory_order_relaxed),
          run.elapsed.load(std::memory_order_relaxed),
          run.task.load(std::memory_order_relaxed),
          run.function.load(std::memory_order_relaxed),
          run.index.load(std::memory_order_relaxed)};
}

bool FlightReader::ItemOf(uint64_t position, uint64_t* item) const {
  if (view_.now->begun.load(std::memory_order_acquire) != position + 1) return false;
  *item = view_.now->item.load(std::memory_order_acquire);
  return view_.now->begun.load(std::memory_order_relaxed) == position + 1;
}

bool FlightReader::ProgressOf(uint64_t position, uint64_t* done, uint64_t* total) const {
  const FlightMemory& now = *view_.now;
  for (int tries = 0; tries < kMostTries; tries++) {
    uint64_t version = now.version.load(std::memory_order_acquire);
    uint64_t of = now.progress_of.load(std::memory_order_acquire);
    *done = now.done.load(std::memory_order_acquire);
    *total = now.total.load(std::memory_order_acquire);
    if (version % 2 == 0 && now.version.load(std::memory_order_relaxed) == version) return of == position + 1;
  }
  return false;
}

Note FlightReader::NoteAt(uint64_t number) const {
  const NoteMemory& from = view_.notes[number % kNotes];
  Note note{from.at.load(std::memory_order_relaxed),
            from.task.load(std::memory_order_relaxed),
            from.level.load(std::memory_order_relaxed),
            from.size.load(std::memory_order_relaxed),
            {}};
  std::array<uint64_t, kNoteWords> words;
  for (size_t i = 0; i < kNoteWords; i++) words[i] = from.text[i].load(std::memory_order_relaxed);
  std::memcpy(note.text.data(), words.data(), sizeof words);
  return note;
}

}  // namespace mproc::ipc
