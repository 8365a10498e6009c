// SPDX-License-Identifier: MIT
#include "cli/crew.hh"

namespace mproc::cli {

namespace {

SemaphorePtr MakeSemaphore() {
  mproc_semaphore_t* made = nullptr;
  Check(mproc_semaphore_create(0, 0, &made), "making a semaphore");
  return SemaphorePtr(made);
}

}  // namespace

Crew::Crew(const BenchSettings& settings)
    : settings_(settings), ready_(MakeSemaphore()), through_(MakeSemaphore()) {
  mproc_event_t* made = nullptr;
  Check(mproc_event_create(&made), "making an event");
  begin_.reset(made);
}

Crew::~Crew() {
  for (const ProcessPtr& member : members_) {
    if (mproc_process_join(member.get(), MPROC_SECOND) != MPROC_OK) mproc_process_kill(member.get());
    mproc_process_join(member.get(), kWaitLimit);
  }
}

void Crew::Add(BenchFunction function, const CrewTask& task, void* object) {
  using Options =
      std::unique_ptr<mproc_process_options_t, Freed<mproc_process_options_t, mproc_process_options_destroy>>;
  mproc_process_options_t* given = nullptr;
  Check(mproc_process_options_create(&given), "options of a process");
  Options options(given);
  void* objects[] = {object, ready_.get(), begin_.get(), through_.get()};
  Check(mproc_process_options_set_module(options.get(), settings_.module.c_str()), "module");
  Check(mproc_process_options_set_function(options.get(), function, &task, sizeof task), "function");
  Check(mproc_process_options_set_objects(options.get(), objects, 4), "objects");
  mproc_process_t* made = nullptr;
  Check(mproc_process_create(options.get(), &made), "making a process");
  members_.emplace_back(made);
  Check(mproc_process_start(made), "starting a process");
}

uint64_t Crew::Begin() {
  for (size_t i = 0; i < members_.size(); i++)
    Check(mproc_semaphore_acquire(ready_.get(), kWaitLimit), "waiting for the processes");
  uint64_t now = Now();
  Check(mproc_event_set(begin_.get()), "beginning");
  return now;
}

void Crew::AwaitThrough(size_t count) {
  for (size_t i = 0; i < count; i++)
    Check(mproc_semaphore_acquire(through_.get(), kWaitLimit), "waiting for a process to be through");
}

}  // namespace mproc::cli
