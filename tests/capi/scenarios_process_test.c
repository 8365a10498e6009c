// SPDX-License-Identifier: MIT
// Scenarios of processes: S5, S9, S18, S30, S31.
#include "processes.h"

enum { kMany = 10 };

static mproc_process_t* StartWithObject(uint32_t function, int64_t number, void* object) {
  mproc_process_options_t* options = ProcessOptions(function, &number, sizeof number);
  NEED_OK(mproc_process_options_set_objects(options, &object, 1));
  return StartWith(options);
}
static int32_t Line(uint32_t index) { return atomic_load(&g_board->pid[kList + 1 + index]); }

// ---- S5: who is whose parent

static void ParentsAndChildren(void) {
  char own[32], parent[64];
  mproc_process_t* process = StartNumber(process_who, 0);
  snprintf(own, sizeof own, ",%lld,", (long long)PidOf(process));
  snprintf(parent, sizeof parent, ",%d,MainProcess,", (int)getpid());
  const char* told = TakeMessage(process);
  CHECK_HAS(told, own);
  CHECK_HAS(told, parent);
}

// ---- S9: one lock, ten processes with two lines each

static void LinesOfEachTogether(void) {
  mproc_process_t* processes[kMany];
  mproc_lock_t* lock = NULL;
  NEED_OK(mproc_lock_create(MPROC_LOCK_PLAIN, &lock));
  int64_t begin = TestNow();
  for (int i = 0; i < kMany; i++) processes[i] = StartWithObject(process_two_lines, i, lock);
  for (int i = 0; i < kMany; i++) {
    for (int j = 0; j < i && !Threads(); j++) CHECK(PidOf(processes[i]) != PidOf(processes[j]));
  }
  for (int i = 0; i < kMany; i++) CHECK_EQ(TakeCode(processes[i]), 0);
  CHECK(TestNow() - begin >= kMany * 10 * MPROC_MILLISECOND);
  CHECK_EQ(Begun(kList), 2 * kMany);
  int seen[kMany] = {0};
  for (uint32_t i = 0; i < 2 * kMany; i += 2) {
    CHECK_EQ(Line(i), Line(i + 1));
    if (CHECK(Line(i) >= 0 && Line(i) < kMany)) seen[Line(i)]++;
  }
  for (int i = 0; i < kMany; i++) CHECK_EQ(seen[i], 1);
  CHECK_OK(mproc_lock_destroy(lock));
}

// ---- S18: what it is told

static void ToldByteByByte(void) {
  mproc_process_t* process = MakeWith(ProcessOptions(process_echo, "one, two; three=3", 17));
  int32_t daemon = 9;
  CHECK(strcmp(NameOf(process), "Process-1") == 0);
  CHECK_OK(mproc_process_is_daemon(process, &daemon));
  CHECK_EQ(daemon, 0);
  NEED_OK(mproc_process_start(process));
  CHECK(strcmp(TakeMessage(process), "17:one, two; three=3") == 0);
}

// ---- S30: a semaphore of three, ten processes

static void ThreeInside(void) {
  mproc_process_t* processes[kMany];
  mproc_semaphore_t *three = NULL, *bounded = NULL;
  NEED_OK(mproc_semaphore_create(3, 0, &three));
  for (int i = 0; i < kMany; i++) processes[i] = StartWithObject(process_enter, 0, three);
  for (int i = 0; i < kMany; i++) CHECK_EQ(TakeCode(processes[i]), 0);
  CHECK_EQ(Begun(2), 0);
  CHECK_EQ(Begun(3), 3);
  CHECK_OK(mproc_semaphore_destroy(three));
  NEED_OK(mproc_semaphore_create(1, 1, &bounded));
  CHECK_STATUS(mproc_semaphore_release(bounded, 1), MPROC_ERROR_RELEASED_TOO_OFTEN);
  CHECK_OK(mproc_semaphore_destroy(bounded));
}

// ---- S31: an event, a condition, a barrier

static void AllGoOn(void) {
  mproc_process_t* processes[4];
  mproc_event_t* event = NewEvent();
  for (int i = 0; i < 4; i++) processes[i] = StartWith(Waiting(event));
  NEED_SOON(Begun(0) == 4);
  CHECK_OK(mproc_event_set(event));
  for (int i = 0; i < 4; i++) CHECK_EQ(TakeCode(processes[i]), 0);
  CHECK_OK(mproc_event_destroy(event));

  mproc_condition_t* condition = NULL;
  NEED_OK(mproc_condition_create(NULL, &condition));
  for (int i = 0; i < 4; i++) processes[i] = StartWithObject(process_until, 0, condition);
  NEED_SOON(Begun(5) == 4);
  NEED_OK(mproc_condition_acquire(condition, TestLong()));
  OpenGate(5);
  CHECK_OK(mproc_condition_notify(condition, INT64_MAX));
  CHECK_OK(mproc_condition_release(condition));
  for (int i = 0; i < 4; i++) CHECK_EQ(TakeCode(processes[i]), 0);
  CHECK_OK(mproc_condition_destroy(condition));
}

static void RoundsOfFour(void) {
  enum { kRounds = 5 };
  mproc_process_t* processes[4];
  mproc_barrier_t* barrier = NULL;
  NEED_OK(mproc_barrier_create(4, &barrier));
  for (int i = 0; i < 4; i++) processes[i] = StartWithObject(process_rounds, kRounds, barrier);
  for (int i = 0; i < 4; i++) CHECK_EQ(TakeCode(processes[i]), 0);
  CHECK_EQ(Begun(kList), 4 * kRounds);
  for (int i = 0; i < 4 * kRounds; i++) CHECK_EQ(Line((uint32_t)i), i / 4);
  for (int i = 0; i < 3; i++) processes[i] = StartWithObject(process_meet, 0, barrier);
  NEED_SOON(Begun(6) == 3);
  CHECK_OK(mproc_barrier_abort(barrier));
  for (int i = 0; i < 3; i++) CHECK_EQ(TakeCode(processes[i]), 4);
  CHECK_OK(mproc_barrier_destroy(barrier));
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"S5 parents and children", ParentsAndChildren, 0},
      {"S9 lines of each together", LinesOfEachTogether, 0},
      {"S18 told byte by byte", ToldByteByByte, 0},
      {"S30 three inside", ThreeInside, 0},
      {"S31 all go on", AllGoOn, 0},
      {"S31 rounds of four", RoundsOfFour, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
