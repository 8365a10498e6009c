// SPDX-License-Identifier: MIT
// What the chaos counts: a ticket for everything that is submitted, on which each callback makes its mark,
// and the rules of how a task may end.
#ifndef MPROC_TESTS_CHAOS_H
#define MPROC_TESTS_CHAOS_H

#include <pthread.h>

#include "chaos_tasks.h"
#include "host.h"

// The pools of the whole run.
enum { kSelf, kForkserver, kFork, kShortLived, kPools, kAnyPool };
enum { kTickets = 1 << 22, kOffers = 64, kPatternBytes = 300000 };

// A generator of its own for each thread.
static inline uint32_t Random(uint64_t* state) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(*state >> 33);
}
static inline uint32_t Below(uint64_t* state, uint32_t limit) { return Random(state) % limit; }

// ---- tickets

typedef struct {
  _Atomic uint8_t wanted, calls;  // callbacks that must run, that ran
  _Atomic uint8_t follows, told;  // progress must be told, and was
  _Atomic uint8_t records;        // of the log
  _Atomic uint8_t asked;          // somebody may have cancelled it
} Ticket;

static Ticket g_tickets[kTickets];
static atomic_uint g_ticket_count;
static atomic_int g_wrong_calls;  // callbacks that saw what they must not

static inline bool TicketsLeft(void) { return atomic_load(&g_ticket_count) < kTickets - 10000; }
static inline Ticket* NewTicket(void) { return &g_tickets[atomic_fetch_add(&g_ticket_count, 1)]; }

// Progress is not told once the end was.
static inline void OnProgress(mproc_future_t* future, uint64_t done, uint64_t total, void* user_data) {
  Ticket* ticket = user_data;
  (void)future;
  if (done > total || atomic_load(&ticket->calls)) g_wrong_calls++;
  atomic_store(&ticket->told, 1);
}
static inline void CheckTickets(void) {
  uint32_t count = atomic_load(&g_ticket_count), wrong = 0;
  for (uint32_t i = 0; i < count; i++) {
    const Ticket* ticket = &g_tickets[i];
    wrong += atomic_load(&ticket->calls) != atomic_load(&ticket->wanted) ||
             atomic_load(&ticket->told) != atomic_load(&ticket->follows);
  }
  CHECK_EQ(wrong, 0);
  CHECK_EQ(g_wrong_calls, 0);
}

// ---- futures that are offered to whoever wants to cancel one

typedef struct {
  mproc_future_t* future;
  Ticket* ticket;
} Offer;
static Offer g_offers[kOffers];
static pthread_mutex_t g_offers_lock = PTHREAD_MUTEX_INITIALIZER;

// Puts an offer in the place of another one, which is the caller's then.
static inline Offer Exchange(uint32_t place, Offer offer) {
  pthread_mutex_lock(&g_offers_lock);
  Offer old = g_offers[place % kOffers];
  g_offers[place % kOffers] = offer;
  pthread_mutex_unlock(&g_offers_lock);
  return old;
}
static inline void OfferFuture(uint32_t place, mproc_future_t* future, Ticket* ticket) {
  CHECK_OK(mproc_future_retain(future));
  Offer old = Exchange(place, (Offer){future, ticket});
  if (old.future) CHECK_OK(mproc_future_release(old.future));
}
static inline void CancelOffer(uint32_t place) {
  Offer offer = Exchange(place, (Offer){NULL, NULL});
  if (!offer.future) return;
  atomic_store(&offer.ticket->asked, 1);
  int32_t status = place % 2 ? mproc_future_cancel(offer.future)
                             : mproc_future_cancel_running(offer.future, place % 3 * MPROC_MILLISECOND);
  CHECK(status == MPROC_OK || status == MPROC_ERROR_ALREADY_STARTED);
  CHECK_OK(mproc_future_release(offer.future));
}

// ---- how tasks end

typedef struct {
  const char* name;
  uint32_t function;
  uint32_t weight;
  int32_t end;       // MPROC_OUTCOME_ if nobody interferes
  bool needs_limit;  // it would never end by itself
  int only;          // the pool that may have it, kAnyPool
} Kind;

static const Kind kKinds[] = {
    {"square", chaos_square, 40, MPROC_OUTCOME_VALUE, false, kAnyPool},
    {"doze", chaos_doze, 20, MPROC_OUTCOME_VALUE, false, kAnyPool},
    {"echo", chaos_echo, 10, MPROC_OUTCOME_VALUE, false, kAnyPool},
    {"fail", chaos_fail, 8, MPROC_OUTCOME_ERROR, false, kAnyPool},
    {"leak", chaos_leak, 8, MPROC_OUTCOME_VALUE, false, kAnyPool},
    {"crash", chaos_crash, 3, MPROC_OUTCOME_WORKER_LOST, false, kAnyPool},
    {"linger", chaos_linger, 4, MPROC_OUTCOME_VALUE, false, kAnyPool},
    {"hang", chaos_hang, 2, MPROC_OUTCOME_TIMED_OUT, true, kAnyPool},
    {"log", chaos_log, 10, MPROC_OUTCOME_VALUE, false, kAnyPool},
    {"swell", chaos_swell, 20, MPROC_OUTCOME_VALUE, false, kShortLived},
    {"nest", chaos_nest, 1, MPROC_OUTCOME_VALUE, false, kSelf},
};
enum { kKindCount = sizeof kKinds / sizeof *kKinds };

typedef struct {
  const Kind* kind;
  mproc_future_t* future;
  Ticket* ticket;
  Order order;
  bool limited;   // by a time limit or a deadline
  bool retried;   // it may run more than once
  bool doomed;    // its pool is ended before its tasks are
  size_t offset;  // echo: of what was sent
  size_t size;
} Thing;

static unsigned char g_pattern[kPatternBytes];

static inline bool IsRight(const Thing* thing) {
  const void* data = NULL;
  size_t size = 0;
  if (mproc_future_result(thing->future, &data, &size) != MPROC_OK) return false;
  if (thing->kind->function == chaos_echo) {
    return size == thing->size && memcmp(data, g_pattern + thing->offset, size) == 0;
  }
  int64_t value = 0;
  if (size == sizeof value) memcpy(&value, data, size);
  return size == sizeof value && value == thing->order.number * thing->order.number;
}
// Checks that an ended task ended in one of the ways that are open to it.
static inline void CheckEnd(const Thing* thing) {
  int32_t outcome = Outcome(thing->future);
  bool good = outcome == thing->kind->end || outcome == MPROC_OUTCOME_WORKER_LOST ||
              (outcome == MPROC_OUTCOME_TIMED_OUT && thing->limited) ||
              (outcome == MPROC_OUTCOME_ERROR && thing->kind->function == chaos_swell) ||
              (outcome == MPROC_OUTCOME_CANCELLED && (thing->doomed || atomic_load(&thing->ticket->asked)));
  if (!good) {
    TestFail(__FILE__, __LINE__, "a task '%s' ended as %d: %s", thing->kind->name, (int)outcome,
             Message(thing->future));
  }
  if (outcome == MPROC_OUTCOME_VALUE) CHECK(IsRight(thing));
  if (atomic_load(&thing->ticket->wanted)) CHECK_EQ(atomic_load(&thing->ticket->calls), 1);
  CHECK_EQ(atomic_load(&thing->ticket->told), atomic_load(&thing->ticket->follows));
  int records = atomic_load(&thing->ticket->records);
  if (outcome == MPROC_OUTCOME_VALUE && thing->kind->function == chaos_log) {
    CHECK(records == kRecords || (thing->retried && records > kRecords));
  }
}

#endif
