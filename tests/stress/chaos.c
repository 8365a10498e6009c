// SPDX-License-Identifier: MIT
// Everything at once, at random, for a while: some threads submit tasks that work, fail, crash and hang,
// cancel them, map, call all workers, make, resize, look into and end pools, kill and stop workers, kill the
// launcher, while callbacks submit and cancel, too. Every future must end once in a way that is open to it,
// every callback run once, and nothing be left. $MPROC_CHAOS_SECONDS says how long, $MPROC_CHAOS_SEED repeats
// what each thread did in a run.
#include "chaos_pools.h"

enum { kActors = 5, kHeld = 40 };

typedef struct {
  int number;
  pthread_t thread;
  uint64_t random;
  mproc_task_options_t* options;
  Thing held[kHeld];  // tasks that were not taken yet; those without a future are free
  int64_t done;
} Actor;

static int64_t g_end;
static atomic_int g_killed, g_launchers_killed;

static mproc_pool_t* AnyPool(Actor* actor) { return g_pools[Below(&actor->random, kPools)]; }
static bool Over(void) { return TestNow() >= g_end || !TicketsLeft(); }

// ---- callbacks: they count, and now and then submit and cancel

static void Chain(Ticket* ticket);

static void OnValue(mproc_future_t* future, void* ticket) {
  if (Outcome(future) != MPROC_OUTCOME_VALUE) g_wrong_calls++;
  Chain(ticket);
}
static void OnError(mproc_future_t* future, void* ticket) {
  if (Outcome(future) <= MPROC_OUTCOME_VALUE) g_wrong_calls++;
  Chain(ticket);
}
static void Chain(Ticket* ticket) {
  uint64_t random = (uint64_t)(ticket - g_tickets) * 77;
  Random(&random);
  atomic_fetch_add(&ticket->calls, 1);
  if (Below(&random, 4) == 0) CancelOffer(Random(&random));
  if (Below(&random, 3) != 0 || Over()) return;
  Order order = {Below(&random, 1000), Random(&random)};
  Ticket* next = NewTicket();
  atomic_store(&next->wanted, 1);
  int32_t status = mproc_pool_submit_callback(g_pools[Below(&random, kPools)], chaos_doze, &order,
                                              sizeof order, 0, OnValue, OnError, next, NULL);
  if (status != MPROC_OK) atomic_store(&next->wanted, 0);
  if (status != MPROC_OK && status != MPROC_ERROR_QUEUE_FULL && status != MPROC_ERROR_NOT_RUNNING) {
    g_wrong_calls++;
  }
}

// ---- single tasks

static const Kind* PickKind(Actor* actor, int pool) {
  uint32_t all = 0;
  for (int i = 0; i < kKindCount; i++) all += kKinds[i].weight;
  uint32_t pick = Below(&actor->random, all);
  int i = 0;
  for (; pick >= kKinds[i].weight; i++) pick -= kKinds[i].weight;
  if (kKinds[i].function == chaos_nest && TestUnderValgrind()) i = 0;  // where all workers run a module
  return kKinds[i].only == kAnyPool || kKinds[i].only == pool ? &kKinds[i] : &kKinds[0];
}

static void SetOptions(Actor* actor, Thing* thing) {
  mproc_task_options_t* o = actor->options;
  bool tight = thing->kind->needs_limit || Below(&actor->random, 16) == 0;
  bool limit = tight || Below(&actor->random, 4) == 0;
  int64_t span = tight ? (1 + Below(&actor->random, 20)) * MPROC_MILLISECOND : TestLong();
  bool by_deadline = !thing->kind->needs_limit && Below(&actor->random, 2);
  bool called = Below(&actor->random, 2), followed = Below(&actor->random, 8) == 0;
  int32_t priority = Below(&actor->random, 8) ? 0 : (int32_t)Below(&actor->random, 5) - 2;
  thing->limited = limit;
  thing->retried = Below(&actor->random, 8) == 0;
  CHECK_OK(mproc_task_options_set_time_limit(o, limit && !by_deadline ? span : MPROC_FOREVER));
  CHECK_OK(mproc_task_options_set_deadline(o, limit && by_deadline ? span : MPROC_FOREVER));
  CHECK_OK(mproc_task_options_set_grace(o, Below(&actor->random, 5) * MPROC_MILLISECOND));
  CHECK_OK(mproc_task_options_set_retry(o, thing->retried ? 2 : 0, MPROC_RETRY_ON_LOST | MPROC_RETRY_ON_ERROR,
                                        MPROC_MILLISECOND));
  CHECK_OK(mproc_task_options_set_priority(o, priority));
  CHECK_OK(
      mproc_task_options_set_callbacks(o, called ? OnValue : NULL, called ? OnError : NULL, thing->ticket));
  CHECK_OK(mproc_task_options_set_progress_callback(o, followed ? OnProgress : NULL, thing->ticket));
  atomic_store(&thing->ticket->wanted, called);
  atomic_store(&thing->ticket->follows, followed);
}

// Submits a task of any kind that is for pool `which`; `thing` has no future if there was no room.
static void SubmitAny(Actor* actor, mproc_pool_t* pool, int which, Thing* thing) {
  *thing = (Thing){.kind = PickKind(actor, which), .ticket = NewTicket()};
  thing->order = (Order){Below(&actor->random, 1000000), Random(&actor->random)};
  const void* data = &thing->order;
  thing->size = sizeof thing->order;
  if (thing->kind->function == chaos_log) thing->order.number = thing->ticket - g_tickets;
  if (thing->kind->function == chaos_echo) {
    thing->offset = Below(&actor->random, 1000);
    thing->size = Below(&actor->random, Below(&actor->random, 8) ? 200 : kPatternBytes - 1000);
    data = g_pattern + thing->offset;
  }
  SetOptions(actor, thing);
  int32_t status =
      mproc_pool_submit_with(pool, thing->kind->function, data, thing->size, actor->options, &thing->future);
  if (CHECK_OK(status)) return;
  atomic_store(&thing->ticket->wanted, 0);
  atomic_store(&thing->ticket->follows, 0);
  thing->future = NULL;
}
static void Take(Actor* actor, Thing* thing) {
  if (!thing->future) return;
  WaitEnd(thing->future);
  CheckEnd(thing);
  Release(thing->future);
  thing->future = NULL;
  actor->done++;
}

static Thing* AnyHeld(Actor* actor) { return &actor->held[Below(&actor->random, kHeld)]; }

static void SubmitOne(Actor* actor) {
  Thing* thing = AnyHeld(actor);
  Take(actor, thing);
  int pool = (int)Below(&actor->random, kPools);
  SubmitAny(actor, g_pools[pool], pool, thing);
  if (thing->future && Below(&actor->random, 4) == 0) {
    OfferFuture(Random(&actor->random), thing->future, thing->ticket);
  }
}
static void TakeOne(Actor* actor) { Take(actor, AnyHeld(actor)); }
static void CancelOne(Actor* actor) { CancelOffer(Random(&actor->random)); }
static void ForgetOne(Actor* actor) {  // its callback still runs
  Thing* thing = AnyHeld(actor);
  if (thing->future) Release(thing->future);
  thing->future = NULL;
}
static void WaitAny(Actor* actor) {
  mproc_future_t* futures[kHeld];
  size_t index = kHeld;
  int count = 0;
  for (int i = 0; i < kHeld; i++) count += (futures[i] = actor->held[i].future) != NULL;
  if (count == 0) return;
  CHECK_OK(mproc_future_wait_any(futures, kHeld, TestLong(), &index));
  if (CHECK(index < kHeld && futures[index])) Take(actor, &actor->held[index]);
}

// ---- maps

static void MapSome(Actor* actor) {
  enum { kItems = 200 };
  int64_t output[kItems];
  Order orders[kItems];
  mproc_future_t* map = NULL;
  Ticket* ticket = NewTicket();
  size_t count = Below(&actor->random, kItems);
  for (size_t i = 0; i < count; i++) orders[i] = (Order){(int64_t)i, 0}, output[i] = -1;
  atomic_store(&ticket->wanted, 1);
  if (!CHECK_OK(mproc_pool_map_array_async(AnyPool(actor), chaos_square, orders, sizeof *orders, count,
                                           output, sizeof *output, 1 + Below(&actor->random, 50), OnValue,
                                           OnError, ticket, &map))) {
    return;
  }
  if (Below(&actor->random, 2)) OfferFuture(Random(&actor->random), map, ticket);
  WaitEnd(map);
  bool good = Outcome(map) == MPROC_OUTCOME_VALUE;
  CHECK(good || Outcome(map) == MPROC_OUTCOME_WORKER_LOST || atomic_load(&ticket->asked));
  for (size_t i = 0; i < count; i++) {
    CHECK(output[i] == (int64_t)(i * i) || (!good && output[i] == -1));
  }
  CHECK_EQ(atomic_load(&ticket->calls), 1);
  Release(map);
  actor->done++;
}

static int32_t NextOrder(const void** data, size_t* size, void* user_data) {
  static _Thread_local Order order;
  order.number = (*(int64_t*)user_data)++;
  *data = &order;
  *size = sizeof order;
  return MPROC_ITEM_GIVEN;
}
// Some of the results of an endless iterable.
static void MapLazily(Actor* actor) {
  int64_t pulled = 0, wanted = Below(&actor->random, 100);
  mproc_imap_t* results = NULL;
  if (!CHECK_OK(mproc_pool_imap(AnyPool(actor), chaos_doze, NextOrder, &pulled, 1 + Below(&actor->random, 5),
                                0, 0, (int32_t)Below(&actor->random, 2), &results))) {
    return;
  }
  for (int64_t i = 0; i < wanted; i++) {
    const void* data = NULL;
    size_t size = 0;
    uint64_t index = 0;
    int64_t value = -1;
    int32_t status = mproc_imap_next(results, TestLong(), &data, &size, &index);
    if (status == MPROC_OK && CHECK_EQ(size, sizeof value)) memcpy(&value, data, size);
    CHECK(status == MPROC_ERROR_WORKER_LOST || (status == MPROC_OK && value == (int64_t)(index * index)));
  }
  CHECK_OK(mproc_imap_destroy(results));
  actor->done++;
}

// ---- all workers of a pool

// A call for each worker there is: in the order of their numbers, and none is called twice.
static void CallAll(Actor* actor) {
  mproc_future_t* future = NULL;
  size_t count = 0;
  uint32_t last = 0;
  CHECK_OK(mproc_pool_broadcast(AnyPool(actor), chaos_number, NULL, 0, &future));
  if (Below(&actor->random, 2)) WaitEnd(future);
  if (mproc_future_ready(future) == MPROC_OK) {
    CHECK_OK(mproc_future_item_count(future, &count));
    for (size_t i = 0; i < count; i++) {
      const void* data = NULL;
      size_t size = 0;
      uint32_t number = 0;
      int32_t status = mproc_future_item(future, i, &data, &size);
      if (status == MPROC_ERROR_WORKER_LOST) continue;
      if (CHECK_OK(status) && CHECK_EQ(size, sizeof number)) memcpy(&number, data, sizeof number);
      CHECK(number > last);
      last = number;
    }
  }
  Release(future);
  actor->done++;
}
static void Resize(Actor* actor) {
  CHECK_OK(mproc_pool_resize(AnyPool(actor), 1 + (int32_t)Below(&actor->random, kMostWorkers)));
}

// ---- pools that come and go

static void LifeOfAPool(Actor* actor) {
  enum { kTasks = 12 };
  Thing things[kTasks];
  uint32_t way = Below(&actor->random, 4);
  mproc_pool_t* pool = CreateWith(LoggedOptions(1 + (int32_t)Below(&actor->random, 2), kPools));
  for (int i = 0; i < kTasks; i++) SubmitAny(actor, pool, kAnyPool, &things[i]);
  if (way == 0) CHECK_OK(mproc_pool_terminate(pool));
  if (way == 1) CHECK_OK(mproc_pool_close(pool));
  if (way <= 1) CHECK_OK(mproc_pool_join(pool, TestLong()));
  if (way <= 2) CHECK_OK(mproc_pool_destroy(pool));
  for (int i = 0; i < kTasks; i++) {
    things[i].doomed = way % 2 == 0;
    Take(actor, &things[i]);
  }
  if (way == 3) CHECK_OK(mproc_pool_destroy(pool));
}

// ---- violence

// A worker of the run's pools that serves: five that die at their start would rightly break a pool.
static pid_t AnyVictim(Actor* actor) {
  mproc_pool_t* pool = AnyPool(actor);
  int32_t places = 0;
  CHECK_OK(mproc_pool_worker_count(pool, &places));
  int32_t place = (int32_t)Below(&actor->random, (uint32_t)places);
  int64_t state = WorkerInfo(pool, place, MPROC_WORKER_INFO_STATE);
  pid_t pid = WorkerPid(pool, place);
  return pid > 1 && (state == MPROC_WORKER_STATE_IDLE || state == MPROC_WORKER_STATE_BUSY) ? pid : 0;
}
static void KillWorker(Actor* actor) {
  pid_t victim = AnyVictim(actor);
  if (victim && TestKill(victim, SIGKILL) == 0) atomic_fetch_add(&g_killed, 1);
}
static void StopWorker(Actor* actor) {
  pid_t victim = AnyVictim(actor);
  if (!victim || TestKill(victim, SIGSTOP) != 0) return;
  TestRest(Below(&actor->random, 5) * MPROC_MILLISECOND);
  TestKill(victim, SIGCONT);
}
// Not before everything that died with the last one is there again: a start that a launcher took with it
// counts as failed.
static void KillLauncher(Actor* actor) {
  static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
  int64_t launcher = 0;
  (void)actor;
  if (pthread_mutex_trylock(&one) != 0) return;
  CHECK_SOON(AllServe());
  CHECK_OK(mproc_runtime_launcher_pid(&launcher));
  if (launcher > 1 && TestKill((pid_t)launcher, SIGKILL) == 0) atomic_fetch_add(&g_launchers_killed, 1);
  CHECK_SOON(AllServe());
  pthread_mutex_unlock(&one);
}

static void LookAround(Actor* actor) { LookInto(AnyPool(actor), &actor->random); }
static void Rest(Actor* actor) { TestRest(Below(&actor->random, 2000) * INT64_C(1000)); }

// ---- the run

typedef struct {
  void (*act)(Actor*);
  uint32_t weight;
} Action;
static const Action kActions[] = {
    {SubmitOne, 500}, {TakeOne, 100},   {CancelOne, 60},   {ForgetOne, 20},  {WaitAny, 50},
    {MapSome, 40},    {MapLazily, 20},  {Rest, 100},       {LookAround, 20}, {KillWorker, 10},
    {StopWorker, 5},  {LifeOfAPool, 3}, {KillLauncher, 1}, {CallAll, 20},    {Resize, 10},
};
enum { kActionCount = sizeof kActions / sizeof *kActions };

static void* Act(void* argument) {
  Actor* actor = argument;
  uint32_t all = 0;
  for (int i = 0; i < kActionCount; i++) all += kActions[i].weight;
  while (!Over()) {
    uint32_t pick = Below(&actor->random, all);
    int i = 0;
    for (; pick >= kActions[i].weight; i++) pick -= kActions[i].weight;
    kActions[i].act(actor);
  }
  for (int i = 0; i < kHeld; i++) Take(actor, &actor->held[i]);
  return NULL;
}

static int64_t Given(const char* name, int64_t otherwise) {
  const char* text = getenv(name);
  return text ? strtoll(text, NULL, 10) : otherwise;
}

static void Chaos(void) {
  static Actor actors[kActors];
  int64_t seconds = Given("MPROC_CHAOS_SECONDS", 5), seed = Given("MPROC_CHAOS_SEED", TestNow() % 1000000007);
  printf("  seed %lld, %lld seconds\n", (long long)seed, (long long)seconds);
  memset(g_tickets, 0, sizeof g_tickets);
  for (size_t i = 0; i < kPatternBytes; i++) g_pattern[i] = PatternAt(i);
  MakePools();
  NEED_SOON(AllServe());
  g_end = TestNow() + seconds * MPROC_SECOND;
  for (int i = 0; i < kActors; i++) {
    actors[i].number = i;
    actors[i].random = (uint64_t)seed * 1000 + (uint64_t)i;
    NEED_OK(mproc_task_options_create(&actors[i].options));
    NEED(pthread_create(&actors[i].thread, NULL, Act, &actors[i]) == 0);
  }
  int64_t done = 0, early = 0;
  while (!Over()) {
    TestRest(10 * MPROC_MILLISECOND);
    if (!early && TestNow() > g_end - seconds * MPROC_SECOND * 3 / 4)
      early = TestStatusBytes(getpid(), "VmRSS:");
  }
  for (int i = 0; i < kActors; i++) {
    pthread_join(actors[i].thread, NULL);
    done += actors[i].done;
    CHECK_OK(mproc_task_options_destroy(actors[i].options));
  }
  for (uint32_t i = 0; i < kOffers; i++) CancelOffer(i);
  for (int i = 0; i < kPools; i++) CheckPool(i);
  int64_t more = TestStatusBytes(getpid(), "VmRSS:") - early;
  printf("  %lld taken, %u tickets, %d workers and %d launchers killed, %lld KiB more\n", (long long)done,
         atomic_load(&g_ticket_count), g_killed, g_launchers_killed, (long long)more / 1024);
  if (!TestSanitized()) CHECK(more < 32 << 20);
  CheckTickets();
  for (int i = 0; i < kPools; i++) CHECK_OK(mproc_pool_destroy(g_pools[i]));
}

// ---- the program as a worker

// Squares in a pool of its own.
static int32_t Nest(mproc_call_t* call, const void* input, size_t size, void* user_data) {
  mproc_pool_t* pool = NULL;
  mproc_pool_options_t* options = NULL;
  mproc_future_t* future = NULL;
  const void* data = NULL;
  size_t length = 0;
  (void)user_data;
  int32_t status = mproc_pool_options_create(&options);
  if (!status) status = mproc_pool_options_set_workers(options, 1);
  if (!status) status = mproc_pool_create(options, &pool);
  if (!status) status = mproc_pool_apply(pool, chaos_square, input, size, TestLong(), &future);
  if (!status) status = mproc_future_result(future, &data, &length);
  if (!status) status = mproc_call_reply(call, data, length);
  mproc_future_release(future);
  mproc_pool_destroy(pool);
  mproc_pool_options_destroy(options);
  return status;
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {{"chaos", Chaos, 300}};
  mproc_table_t* table = NULL;
  if (mproc_table_create(&table) != MPROC_OK || ChaosTable(table) != MPROC_OK ||
      mproc_table_add(table, chaos_nest, "nest", Nest, NULL) != MPROC_OK ||
      mproc_worker_main(table) != MPROC_OK) {
    return 2;
  }
  int result = TEST_MAIN(argc, argv, cases);
  return mproc_table_destroy(table) == MPROC_OK ? result : 1;
}
