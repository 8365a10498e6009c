// SPDX-License-Identifier: MIT
// What the scenarios share: whole programs' worth of behaviour that users of process pools rely on, each as
// one case, run with every start method, threads too: S17. D is the unit of sleep. That tasks took time is
// told by clocks, that they ran at the same time by the times in their reports; upper bounds are there only
// where something must be prompt, and wide.
#ifndef MPROC_TESTS_SCENARIOS_H
#define MPROC_TESTS_SCENARIOS_H

#include <pthread.h>

#include "host.h"

enum { kD = 300 };  // ms
static const int64_t kUnit = kD * MPROC_MILLISECOND;

// What is prompt takes less than that, also where other programs have the CPUs.
static inline int64_t Promptly(void) { return 3 * MPROC_SECOND * TestSlowness(); }

static inline bool Overlap(const Report* a, const Report* b) {
  return a->begin < b->end && b->begin < a->end;
}
static inline bool EndsWith(const char* text, const char* end) {
  return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}
// How many of these are running at once, at the most.
static inline int MostAtOnce(const Report* reports, int count) {
  int most = 0;
  for (int i = 0; i < count; i++) {
    int here = 0;
    for (int k = 0; k < count; k++) {
      here += reports[k].begin <= reports[i].begin && reports[i].begin < reports[k].end;
    }
    if (here > most) most = here;
  }
  return most;
}
// Where a task ran: never on the main thread, which runs the case.
static inline void CheckWorker(const Report* report) {
  CHECK((report->pid == getpid()) == (TestStart() == MPROC_START_THREADS));
  CHECK(report->thread != getpid());
}

// ---- what callbacks saw

typedef struct {
  atomic_int values, errors;
  atomic_int elsewhere;  // called in another process or on another thread than the first
  atomic_int early;      // called before `ended` was set
  atomic_int ended;
  int64_t first[64];  // values in order of arrival
  pid_t pid;
  pthread_t thread;
  int32_t outcome, cause, code;  // of the last error
} Calls;

static inline void Note(Calls* calls) {
  if (atomic_load(&calls->values) + atomic_load(&calls->errors) == 0) calls->thread = pthread_self();
  if (getpid() != calls->pid || !pthread_equal(calls->thread, pthread_self())) calls->elsewhere++;
  if (!atomic_load(&calls->ended)) calls->early++;
}
static inline void OnValue(mproc_future_t* future, void* user_data) {
  Calls* calls = user_data;
  Note(calls);
  int at = atomic_load(&calls->values);
  const void* data = NULL;
  size_t size = 0;
  if (mproc_future_result(future, &data, &size) == MPROC_OK && at < 64) memcpy(&calls->first[at], data, 8);
  atomic_fetch_add(&calls->values, 1);
}
static inline void OnError(mproc_future_t* future, void* user_data) {
  Calls* calls = user_data;
  Note(calls);
  calls->outcome = Outcome(future);
  calls->cause = (int32_t)Info(future, MPROC_FUTURE_INFO_CAUSE);
  calls->code = (int32_t)Info(future, MPROC_FUTURE_INFO_ERROR_CODE);
  atomic_fetch_add(&calls->errors, 1);
}

#endif
