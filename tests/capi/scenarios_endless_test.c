// SPDX-License-Identifier: MIT
// Scenario S16: a short task beside a map of endless ones, ended from elsewhere.
#include "scenarios.h"

// ---- S16: endless tasks, ended from elsewhere

enum { kFinite = 100 };  // its cell

typedef struct {
  mproc_pool_t* pool;
  mproc_future_t *finite, *map;
} Endless;

static void StartEndless(Endless* endless) {
  static Work works[10];
  const void* items[10];
  size_t sizes[10];
  endless->pool = ReadyPool(5);
  WarmUp(endless->pool, 5);
  endless->finite = SubmitWork(endless->pool, fn_gate, 0, kFinite);
  NEED_SOON(Begun(kFinite) == 1);
  for (int i = 0; i < 10; i++) {
    works[i] = (Work){0, i};
    items[i] = &works[i];
    sizes[i] = sizeof works[i];
  }
  NEED_OK(mproc_pool_map_async(endless->pool, fn_gate, items, sizes, 10, 1, MPROC_MAP_STOP_CHUNK, NULL, NULL,
                               NULL, &endless->map));
  NEED_SOON(CountBegun(0, 4) == 4);
  // None but items 0 to 3 can run until the finite task has ended: give the others time to do so wrongly.
  TestRest(2 * kUnit);
  CHECK_EQ(CountBegun(0, 10), 4);
  int64_t freed = TestNow();
  OpenGate(kFinite);
  Report report = TakeReport(endless->finite);
  CHECK_SOON(Begun(4) == 1);
  CHECK(TestNow() - freed < Promptly());
  CHECK_EQ(atomic_load(&g_board->pid[4]), report.pid);
  TestRest(kUnit);
  CHECK_EQ(CountBegun(0, 10), 5);
  CHECK_STATUS(mproc_future_ready(endless->map), MPROC_ERROR_NOT_READY);
}
static void EndEndless(Endless* endless, int64_t begin) {
  CHECK_STATUS(mproc_future_error(endless->map), MPROC_ERROR_CANCELLED);
  CHECK_EQ(Info(endless->map, MPROC_FUTURE_INFO_CAUSE), MPROC_CAUSE_TERMINATE);
  CHECK_OK(mproc_pool_join(endless->pool, TestLong()));
  CHECK(TestNow() - begin < Promptly());
  CHECK_EQ(CountBegun(0, 10), 5);
  Release(endless->map);
  CHECK_OK(mproc_pool_destroy(endless->pool));
}

static _Atomic int64_t g_terminated;

static void* TerminateLater(void* pool) {
  TestRest(kUnit);
  atomic_store(&g_terminated, TestNow());
  CHECK_OK(mproc_pool_terminate(pool));
  return NULL;
}
static void TerminatedByThread(void) {
  Endless endless;
  pthread_t thread;
  StartEndless(&endless);
  NEED(pthread_create(&thread, NULL, TerminateLater, endless.pool) == 0);
  CHECK_OK(mproc_future_wait(endless.map, TestLong()));
  CHECK(atomic_load(&g_terminated) != 0);
  EndEndless(&endless, atomic_load(&g_terminated));
  pthread_join(thread, NULL);
}

static atomic_int g_signals;
static void OnSignal(int number) {
  (void)number;
  atomic_fetch_add(&g_signals, 1);
}
static void TerminatedBySignal(void) {
  Endless endless;
  struct sigaction action = {.sa_handler = OnSignal, .sa_flags = SA_RESTART};
  NEED(sigaction(SIGUSR1, &action, NULL) == 0);
  StartEndless(&endless);
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  struct itimerspec when = {{0, kUnit}, {0, kUnit}};  // one between two sleeps ends none
  NEED(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &when, NULL) == 0);
  // The waiting main program gets its turn after the handler, and decides to end.
  CHECK_STATUS(mproc_future_wait(endless.map, TestLong()), MPROC_ERROR_INTERRUPTED);
  CHECK(atomic_load(&g_signals) >= 1);
  int64_t begin = TestNow();
  CHECK_OK(mproc_pool_terminate(endless.pool));
  timer_delete(timer);
  WaitEnd(endless.map);
  EndEndless(&endless, begin);
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"S16 endless map, terminated by a thread", TerminatedByThread, 0},
      {"S16 endless map, terminated on a signal", TerminatedBySignal, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
