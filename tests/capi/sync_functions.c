// SPDX-License-Identifier: MIT
// The module of the tests of objects.
#include "sync_functions.h"

#include <signal.h>
#include <time.h>

#include "functions.h"
#include "module.h"

static void Pause(void) {
  struct timespec span = {0, 200000};
  nanosleep(&span, NULL);
}
static int32_t Give(mproc_call_t* call, int64_t number) {
  return mproc_call_reply(call, &number, sizeof number);
}

static int32_t Do_count(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_lock_t* lock = ObjectAt(call, 0);
  Board* board = TheBoard();
  (void)user_data;
  for (int64_t i = NumberIn(input, size); i > 0; i--) {
    TRY(mproc_lock_acquire(lock, MPROC_FOREVER));
    uint32_t seen = atomic_load_explicit(&board->ended[0], memory_order_relaxed);
    if (i % 50 == 0) Pause();
    atomic_store_explicit(&board->ended[0], seen + 1, memory_order_relaxed);
    TRY(mproc_lock_release(lock));
  }
  return 0;
}

static int32_t Do_enter(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_semaphore_t* semaphore = ObjectAt(call, 0);
  Board* board = TheBoard();
  (void)user_data;
  for (int64_t i = NumberIn(input, size); i > 0; i--) {
    TRY(mproc_semaphore_acquire(semaphore, MPROC_FOREVER));
    uint32_t inside = atomic_fetch_add(&board->begun[1], 1) + 1, most = atomic_load(&board->begun[2]);
    while (inside > most && !atomic_compare_exchange_weak(&board->begun[2], &most, inside)) {
    }
    Pause();
    atomic_fetch_sub(&board->begun[1], 1);
    TRY(mproc_semaphore_release(semaphore, 1));
  }
  return 0;
}

static int32_t Do_await(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_event_t* event = ObjectAt(call, 0);
  (void)input, (void)size, (void)user_data;
  atomic_fetch_add(&TheBoard()->begun[3], 1);
  return mproc_event_wait(event, MPROC_FOREVER);
}

static int32_t Do_meet(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_barrier_t* barrier = ObjectAt(call, 0);
  Board* board = TheBoard();
  int64_t parties = 0, wrong = 0, index = 0;
  (void)user_data;
  TRY(mproc_barrier_state(barrier, &parties, NULL, NULL));
  for (int64_t round = 1; round <= NumberIn(input, size); round++) {
    atomic_fetch_add(&board->begun[4], 1);
    TRY(mproc_barrier_wait(barrier, MPROC_FOREVER, NULL, NULL, &index));
    wrong += atomic_load(&board->begun[4]) != (uint32_t)(round * parties) || index < 0 || index >= parties;
    TRY(mproc_barrier_wait(barrier, MPROC_FOREVER, NULL, NULL, NULL));
  }
  return Give(call, wrong);
}

static int32_t GateIsOpen(void* board) { return (int32_t)atomic_load(&((Board*)board)->open[5]); }
static int32_t Do_until(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_condition_t* condition = ObjectAt(call, 0);
  Board* board = TheBoard();
  (void)input, (void)size, (void)user_data;
  TRY(mproc_condition_acquire(condition, MPROC_FOREVER));
  atomic_fetch_add(&board->begun[5], 1);
  TRY(mproc_condition_wait_for(condition, GateIsOpen, board, MPROC_FOREVER));
  if (!GateIsOpen(board)) return 1;
  return mproc_condition_release(condition);
}

static int32_t Do_die(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  (void)input, (void)size, (void)user_data;
  TRY(mproc_lock_acquire(ObjectAt(call, 0), MPROC_FOREVER));
  raise(SIGKILL);
  return 0;
}

static int32_t Do_wrong(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  void* none = NULL;
  int64_t got[2];
  (void)input, (void)size, (void)user_data;
  got[0] = mproc_lock_acquire(ObjectAt(call, 0), 0);
  got[1] = mproc_call_object(call, 1, &none);
  return mproc_call_reply(call, got, sizeof got);
}

static int32_t Do_hold(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_lock_t* lock = ObjectAt(call, 0);
  (void)input, (void)size, (void)user_data;
  TRY(mproc_lock_acquire(lock, MPROC_FOREVER));
  TRY(mproc_event_wait(ObjectAt(call, 1), MPROC_FOREVER));
  TRY(mproc_lock_release(lock));
  return Give(call, getpid());
}

MODULE_OF(SYNC_FUNCTIONS)
