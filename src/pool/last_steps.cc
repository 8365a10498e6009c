// SPDX-License-Identifier: MIT
#include "pool/last_steps.hh"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

namespace mproc::pool {
namespace {

// A text of the worker's own, as it may stand in one of ours.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) quoted += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return quoted + "\"";
}

std::string DescribeRun(const Core& core, const ipc::FlightReader& flight, const ipc::Run& run) {
  std::string text = "task " + std::to_string(run.task) + ", " + DescribeFunction(core, run.function);
  if (run.elapsed >= 0) return text + ": ran for " + DescribeTime(run.elapsed);
  return text + ": begun" + DescribeProgress(flight, run);
}

}  // namespace

std::string DescribeFunction(const Core& core, uint32_t function) {
  function = core.bounds.FunctionOf(function);
  const task::Function* known = core.table ? core.table->Find(function) : nullptr;
  return "function " + std::to_string(function) + (known ? " '" + known->name + "'" : "");
}

std::string DescribeTime(int64_t nanoseconds) {
  char text[48];
  std::snprintf(text, sizeof text, "%.3f ms", static_cast<double>(nanoseconds) / 1e6);
  return text;
}

std::string DescribeProgress(const ipc::FlightReader& flight, const ipc::Run& run) {
  std::string text;
  uint64_t item = 0, done = 0, total = 0;
  if (flight.ItemOf(run.position, &item) && item) text += ", item " + std::to_string(item);
  if (flight.ProgressOf(run.position, &done, &total)) {
    text += ", progress " + std::to_string(done) + " of " + std::to_string(total);
  }
  return text;
}

std::string LastSteps(const Core& core, const ipc::FlightReader& flight, int64_t now, size_t most) {
  struct Step {
    int64_t at;
    ipc::Run run;
    uint64_t note;  // number + 1; 0: a run
  };
  std::vector<Step> steps;
  ipc::Run last;
  bool any = flight.Last(&last);
  for (uint64_t position = 0; any && position < ipc::kRuns; position++) {
    ipc::Run run = position == last.position % ipc::kRuns ? last : flight.At(position);
    steps.push_back({run.begun_at, run, 0});
  }
  uint64_t noted = flight.noted();
  for (uint64_t i = noted - std::min<uint64_t>(noted, ipc::kNotes); i < noted; i++) {
    steps.push_back({flight.NoteAt(i).at, {}, i + 1});
  }
  std::erase_if(steps, [&](const Step& step) { return step.at <= 0 || step.at > now; });
  std::ranges::stable_sort(steps, {}, &Step::at);
  std::string text;
  for (size_t i = steps.size() - std::min(steps.size(), most); i < steps.size(); i++) {
    text += "  " + DescribeTime(now - steps[i].at) + " before: ";
    if (steps[i].note) {
      ipc::Note note = flight.NoteAt(steps[i].note - 1);
      text += "task " + std::to_string(note.task) + " logged at level " + std::to_string(note.level) + " " +
              Quoted(note.shown());
    } else {
      text += DescribeRun(core, flight, steps[i].run);
    }
    text += "\n";
  }
  return text;
}

}  // namespace mproc::pool
