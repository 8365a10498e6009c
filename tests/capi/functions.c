// SPDX-License-Identifier: MIT
// A module that behaves in every way a test needs, well and badly. Not linked with libmproc.
#include "functions.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <mproc/call.h>
#include <mproc/log.h>
#include <mproc/value.h>
#include <mproc/worker.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

void __lsan_disable(void) __attribute__((weak));

// Ends the process. What a fork has inherited from its host hangs on stacks that it has not got, which the
// sanitizer would take for leaks.
static _Noreturn void Exit(int code) {
  if (mproc_worker_start_method() != MPROC_START_FORK || !__lsan_disable) exit(code);
  fflush(NULL);
  _exit(code);
}

static int64_t Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void Rest(int64_t ms) {
  struct timespec span = {ms / 1000, ms % 1000 * 1000000};
  while (ms > 0 && nanosleep(&span, &span) != 0 && errno == EINTR) {
  }
}

// A thread cannot be killed: it ends when it is told to.
static bool LetGo(mproc_call_t* call) {
  return mproc_worker_start_method() == MPROC_START_THREADS && mproc_call_cancelled(call);
}

// Sleeps. A thread whose task is to stop does not mind before it must have been let go.
static void Sleep(mproc_call_t* call, int64_t ms) {
  if (mproc_worker_start_method() != MPROC_START_THREADS) return Rest(ms);
  for (int64_t end = Now() + ms * 1000000; Now() < end && !LetGo(call);) Rest(1);
  if (LetGo(call)) Rest(1000);
}

static int64_t Number(const void* input, size_t size) {
  int64_t number = 0;
  if (size >= sizeof number) memcpy(&number, input, sizeof number);
  return number;
}

static Work WorkOf(const void* input, size_t size) {
  Work work = {0, 0};
  if (size >= sizeof work) memcpy(&work, input, sizeof work);
  return work;
}

static int32_t Give(mproc_call_t* call, int64_t value) {
  return mproc_call_reply(call, &value, sizeof value);
}

static int32_t GiveReport(mproc_call_t* call, int64_t value, int64_t begin) {
  Report report = {.value = value, .begin = begin, .pid = getpid()};
  report.thread = syscall(SYS_gettid);
  report.number = mproc_call_worker_number(call);
  snprintf(report.name, sizeof report.name, "%s", mproc_call_worker_name(call));
  report.end = Now();
  return mproc_call_reply(call, &report, sizeof report);
}

static void Begin(int64_t cell) {
  Board* board = TheBoard();
  atomic_store(&board->pid[cell], (int32_t)getpid());
  atomic_fetch_add(&board->begun[cell], 1);
}
static void End(int64_t cell) { atomic_fetch_add(&TheBoard()->ended[cell], 1); }

#define FUNCTION(name) \
  static int32_t Run_##name(mproc_call_t* call, const void* input, size_t size, void* user_data)
#define UNUSED (void)call, (void)input, (void)size, (void)user_data

FUNCTION(noop) {
  UNUSED;
  return 0;
}

FUNCTION(echo) {
  UNUSED;
  return mproc_call_reply(call, input, size);
}

FUNCTION(sleep) {
  UNUSED;
  int64_t begin = Now();
  Work work = WorkOf(input, size);
  Sleep(call, work.ms);
  return GiveReport(call, work.value, begin);
}

FUNCTION(add100) {
  UNUSED;
  int64_t begin = Now();
  Work work = WorkOf(input, size);
  Sleep(call, work.ms);
  return GiveReport(call, work.value + 100, begin);
}

FUNCTION(pow10) {
  UNUSED;
  int64_t begin = Now(), value = 1;
  Work work = WorkOf(input, size);
  Sleep(call, work.ms);
  for (int i = 0; i < 10; i++) value *= work.value;
  return GiveReport(call, value, begin);
}

FUNCTION(fail) {
  UNUSED;
  return mproc_call_fail(call, (int32_t)Number(input, size), "TestError", "it failed as it was told to",
                         "in fail\nin functions.c");
}

FUNCTION(refuse) {
  UNUSED;
  return (int32_t)Number(input, size);
}

FUNCTION(fail_quietly) {
  UNUSED;
  mproc_call_reply(call, "value", 5);
  mproc_call_fail(call, 0, NULL, "failed all the same", NULL);
  return 0;
}

FUNCTION(exit) {
  UNUSED;
  Exit((int)Number(input, size));
}

FUNCTION(abort) {
  UNUSED;
  abort();
}

// Found by name in the trace.
__attribute__((noinline, visibility("default"))) int CrashHereByName(volatile int* where) {
  *where = 42;
  return *where + 1;
}

FUNCTION(segv) {
  UNUSED;
  volatile int* volatile nowhere = NULL;
  return CrashHereByName(nowhere) + 1;
}

FUNCTION(raise) {
  UNUSED;
  kill(getpid(), (int)Number(input, size));
  return 0;
}

typedef struct Piece {
  struct Piece* next;
} Piece;

static Piece* TakePieces(size_t size, Piece* pieces) {
  for (Piece* piece; (piece = malloc(size));) {
    memset(piece, 1, size);
    piece->next = pieces;
    pieces = piece;
  }
  return pieces;
}

// Way 0: gives the memory back and fails with 12. 1: gives back a little, asks for a large reply and tells
// what that came to. 2: writes to what it did not get. 3: gives a small value with nothing left, for ever.
FUNCTION(hog) {
  UNUSED;
  int64_t way = Number(input, size);
  struct rlimit old, limit;
  unsigned long long pages = 0;
  FILE* file = fopen("/proc/self/statm", "re");
  if (!file || fscanf(file, "%llu", &pages) != 1) return 1;
  fclose(file);
  getrlimit(RLIMIT_AS, &old);
  limit.rlim_max = old.rlim_max;
  limit.rlim_cur = pages * (unsigned long long)sysconf(_SC_PAGESIZE) + (64 << 20);
  setrlimit(RLIMIT_AS, &limit);
  Piece* pieces = malloc(1 << 20);
  pieces->next = NULL;
  Piece* last = pieces;
  for (size_t piece = 1 << 20; piece >= 16; piece /= 4) pieces = TakePieces(piece, pieces);
  if (way == 2) {
    volatile char* missing = malloc(1 << 20);
    *missing = 1;
  }
  if (way == 3) return Give(call, way);
  int32_t status = 0;
  if (way == 1) {
    void* place = NULL;
    Piece* before = pieces;
    while (before->next != last) before = before->next;
    before->next = NULL;
    free(last);
    status = mproc_call_reply_alloc(call, 64 << 20, &place);
  }
  setrlimit(RLIMIT_AS, &old);
  for (Piece* next; pieces; pieces = next) {
    next = pieces->next;
    free(pieces);
  }
  return way == 0 ? 12 : Give(call, status);
}

FUNCTION(pid) {
  UNUSED;
  return Give(call, getpid());
}

FUNCTION(name) {
  UNUSED;
  const char* name = mproc_call_worker_name(call);
  return mproc_call_reply(call, name, strlen(name));
}

FUNCTION(spin) {
  UNUSED;
  Work work = WorkOf(input, size);
  signal(SIGTERM, SIG_IGN);
  Begin(work.value);
  while (!mproc_call_cancelled(call)) Rest(1);
  End(work.value);
  return 0;
}

// The same payload each time, or it says so.
FUNCTION(flaky) {
  UNUSED;
  Flaky flaky;
  if (size != sizeof flaky) return 1;
  memcpy(&flaky, input, sizeof flaky);
  for (size_t i = 0; i < sizeof flaky.filling; i++) {
    if (flaky.filling[i] != PatternAt(i)) return 2;
  }
  Begin(flaky.cell);
  uint32_t begun = atomic_load(&TheBoard()->begun[flaky.cell]);
  if (begun > flaky.times) return Give(call, begun);
  if (flaky.way == kFlakyExits) _exit(3);
  if (flaky.way == kFlakyFails) return 7;
  for (;;) Rest(1000);
}

FUNCTION(time_left) {
  UNUSED;
  return Give(call, mproc_call_time_left(call));
}

FUNCTION(spin_for) {
  UNUSED;
  Work work = WorkOf(input, size);
  Begin(work.value);
  Rest(work.ms);
  End(work.value);
  return Give(call, 1);
}

FUNCTION(big) {
  UNUSED;
  size_t count = (size_t)Number(input, size);
  unsigned char* bytes = malloc(count + 1);
  for (size_t i = 0; bytes && i < count; i++) bytes[i] = PatternAt(i);
  int32_t status = bytes ? mproc_call_reply(call, bytes, count) : 1;
  free(bytes);
  return status;
}

FUNCTION(big_in_place) {
  UNUSED;
  size_t count = (size_t)Number(input, size);
  void* place = NULL;
  int32_t status = mproc_call_reply_alloc(call, count, &place);
  for (size_t i = 0; status == 0 && i < count; i++) ((unsigned char*)place)[i] = PatternAt(i);
  return status;
}

FUNCTION(replies) {
  UNUSED;
  void* place = NULL;
  int32_t status = mproc_call_reply(call, "the first and longest of the values", 35);
  if (status == 0) status = mproc_call_reply_alloc(call, 100000, &place);
  if (status == 0) memset(place, 'x', 100000);
  return status ? status : mproc_call_reply(call, "last", 4);
}

FUNCTION(bad_replies) {
  UNUSED;
  int32_t got[3] = {mproc_call_reply(call, NULL, 5), mproc_call_reply_alloc(call, 5, NULL),
                    mproc_call_reply(call, NULL, 0)};
  return mproc_call_reply(call, got, sizeof got);
}

FUNCTION(resize) {
  UNUSED;
  static const char bytes[64];
  return mproc_call_reply(call, bytes, (size_t)Number(input, size));
}

static void AwaitGate(mproc_call_t* call, int64_t cell) {
  Board* board = TheBoard();
  Begin(cell);
  while (!atomic_load(&board->open[cell]) && !atomic_load(&board->all_open) && !LetGo(call)) Rest(1);
  End(cell);
}

FUNCTION(gate) {
  UNUSED;
  int64_t begin = Now();
  Work work = WorkOf(input, size);
  AwaitGate(call, work.value);
  return GiveReport(call, work.value, begin);
}

FUNCTION(grow) {
  UNUSED;
  int64_t begin = Now();
  Work work = WorkOf(input, size);
  size_t bytes = (size_t)work.ms << 20;
  char* kept = malloc(bytes);
  if (!kept) return mproc_call_fail(call, 12, "OutOfMemory", "malloc gave nothing", NULL);
  for (size_t i = 0; i < bytes; i += 4096) ((volatile char*)kept)[i] = 1;
  AwaitGate(call, work.value);
  return GiveReport(call, work.value, begin);
}

FUNCTION(tell) {
  UNUSED;
  Told told = {0, 0, 0};
  if (size == sizeof told) memcpy(&told, input, sizeof told);
  int32_t status = mproc_call_progress(call, told.done, told.total);
  AwaitGate(call, told.cell);
  return status;
}

FUNCTION(log) {
  UNUSED;
  static char text[20000];
  Lines lines = {0, 0, 0, 0, 0};
  int64_t dropped = 0;
  if (size == sizeof lines) memcpy(&lines, input, sizeof lines);
  for (int64_t i = 0; i < lines.count; i++) {
    int length = snprintf(text, sizeof text, "line %lld", (long long)i);
    memset(text + length, '.', (size_t)lines.filling);
    dropped += mproc_call_log(call, (int32_t)lines.level, text, (size_t)(length + lines.filling)) != MPROC_OK;
  }
  if (lines.then == kThenCrash) raise(SIGKILL);
  if (lines.then == kThenFail) return mproc_call_fail(call, 7, "Failed", "as asked", NULL);
  if (lines.then == kThenWait) AwaitGate(call, lines.cell);
  return Give(call, dropped);
}

FUNCTION(mark) {
  UNUSED;
  Work work = WorkOf(input, size);
  Begin(work.value);
  Rest(work.ms);
  End(work.value);
  return Give(call, 2 * work.value + 1);
}

FUNCTION(about) {
  UNUSED;
  About about = {mproc_call_task_id(call),       mproc_call_item_index(call), mproc_call_function_id(call),
                 mproc_call_worker_number(call), mproc_call_cancelled(call),  (int32_t)getpid()};
  return mproc_call_reply(call, &about, sizeof about);
}

FUNCTION(checksum) {
  UNUSED;
  Sum sum = SumOf(input, size);
  return mproc_call_reply(call, &sum, sizeof sum);
}

static char g_kept[256];
static size_t g_kept_size;

FUNCTION(keep) {
  UNUSED;
  if (getenv(TEST_BOARD)) atomic_fetch_add(&TheBoard()->initialized, 1);
  if (size == 4 && memcmp(input, "fail", 4) == 0) {
    return mproc_call_fail(call, 5, "InitError", "no licence found", NULL);
  }
  if (size == 3 && memcmp(input, "die", 3) == 0) Exit(9);
  if (size == 4 && memcmp(input, "hang", 4) == 0) {
    for (;;) pause();
  }
  if (size == 4 && memcmp(input, "mend", 4) == 0) {  // fails first, and then waits for its gate once
    uint32_t run = atomic_load(&TheBoard()->initialized);
    if (run == 1) return mproc_call_fail(call, 5, "InitError", "not yet", NULL);
    while (run == 3 && !atomic_load(&TheBoard()->open[0])) usleep(1000);
  }
  g_kept_size = size < sizeof g_kept ? size : sizeof g_kept;
  memcpy(g_kept, input, g_kept_size);
  return 0;
}

FUNCTION(kept) {
  UNUSED;
  return mproc_call_reply(call, g_kept, g_kept_size);
}

FUNCTION(stubborn) {
  UNUSED;
  signal(SIGTERM, SIG_IGN);
  Begin(WorkOf(input, size).value);
  while (!LetGo(call)) Rest(5);
  return 0;
}

FUNCTION(square) {
  UNUSED;
  int64_t value = Number(input, size);
  if (value >= 0 && getenv(TEST_BOARD)) Begin(value);
  if (value < 0) return mproc_call_fail(call, (int32_t)-value, "TestError", "negative", NULL);
  return Give(call, value * value);
}

FUNCTION(lottery) {
  UNUSED;
  if (Number(input, size) == 13) kill(getpid(), SIGKILL);
  return Run_square(call, input, size, user_data);
}

FUNCTION(environment) {
  UNUSED;
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)size, (const char*)input);
  const char* value = getenv(name);
  return value ? mproc_call_reply(call, value, strlen(value)) : 1;
}

FUNCTION(descriptors) {
  UNUSED;
  int64_t count = -1;  // the listing itself
  DIR* list = opendir("/proc/self/fd");
  if (!list) return 1;
  for (struct dirent* entry; (entry = readdir(list));) count += entry->d_name[0] != '.';
  closedir(list);
  return Give(call, count);
}

FUNCTION(remember) {
  UNUSED;
  static _Thread_local int64_t state;  // a worker may be a thread
  state = Number(input, size);
  return mproc_call_cancelled(call) ? 1 : mproc_call_set_worker_state(call, &state);
}

FUNCTION(add_up) {
  UNUSED;
  int64_t* state = mproc_call_worker_state(call);
  return Give(call, state ? *state += Number(input, size) : -1);
}

FUNCTION(settle) {
  UNUSED;
  Work work = WorkOf(input, size);
  const int64_t* state = mproc_call_worker_state(call);
  Rest(work.ms);
  if (mproc_call_time_left(call) != MPROC_FOREVER) return 1;
  atomic_fetch_add(&TheBoard()->ended[work.value], (uint32_t)(state ? *state : 0));
  Begin(work.value);
  return 0;
}

FUNCTION(burn) {
  UNUSED;
  while (!mproc_call_cancelled(call)) {
  }
  return 0;
}

FUNCTION(terms) {
  UNUSED;
  struct rlimit limit;
  cpu_set_t set;
  Terms terms = {.first_cpu = -1};
  getrlimit(RLIMIT_AS, &limit);
  terms.memory = (int64_t)limit.rlim_cur;
  getrlimit(RLIMIT_NOFILE, &limit);
  terms.files = (int64_t)limit.rlim_cur;
  terms.nice = getpriority(PRIO_PROCESS, 0);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  terms.cpus = CPU_COUNT(&set);
  for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
    if (CPU_ISSET(cpu, &set)) terms.first_cpu = cpu;
  }
  return mproc_call_reply(call, &terms, sizeof terms);
}

FUNCTION(orphan) {
  UNUSED;
  int ends[2], gate[2];
  int64_t orphan = 0;
  if (pipe(ends) != 0 || pipe(gate) != 0) return 1;
  pid_t child = fork();
  if (child == 0) {
    pid_t grandchild = fork();
    if (grandchild == 0) {  // ends when the gate is closed
      close(gate[1]);
      char byte;
      _exit((int)read(gate[0], &byte, 1));
    }
    orphan = grandchild;
    _exit(write(ends[1], &orphan, sizeof orphan) != sizeof orphan);
  }
  if (child < 0 || read(ends[0], &orphan, sizeof orphan) != sizeof orphan) return 2;
  waitpid(child, NULL, 0);
  close(ends[0]), close(ends[1]), close(gate[0]), close(gate[1]);
  return Give(call, orphan);
}

FUNCTION(print) {
  UNUSED;
  printf("%.*s", (int)size, (const char*)input);
  return 0;
}

// Ends no line after the last one.
FUNCTION(say) {
  UNUSED;
  const Say* say = input;
  FILE* stream = say->stream == MPROC_OUTPUT_STANDARD ? stdout : stderr;
  if (say->then == kThenNothing) return system("echo said by a child") == 0 ? MPROC_OK : MPROC_ERROR_SYSTEM;
  for (int64_t i = 0; i < say->count; i++) fprintf(stream, "%sline %" PRId64, i ? "\n" : "", i);
  if (say->then == kThenCrash || say->then == kThenWait) fputc('\n', stream);
  if (say->then == kThenCrash) abort();
  if (say->then == kThenFail) return mproc_call_fail(call, 7, "Said", "enough", NULL);
  if (say->then == kThenWait) AwaitGate(call, 0);
  return MPROC_OK;
}

FUNCTION(pile) {
  UNUSED;
  return Give(call, input ? (int64_t)((uintptr_t)input % 16) : -1);
}

FUNCTION(interruptible) {
  UNUSED;
  Work work = WorkOf(input, size);
  signal(SIGTERM, SIG_IGN);
  Begin(work.value);
  Rest(work.ms);
  End(work.value);
  return Give(call, work.value);
}

// Adds the ints of a list up and writes the answer into `value`. The first status that is not OK.
static mproc_status_t Total(mproc_value_t* value, const void* input, size_t size) {
  uint64_t count = 0, entry = 0;
  int64_t total = 0, number = 0;
  mproc_status_t status = mproc_value_decode_borrowed(value, input, size);
  if (status == MPROC_OK) status = mproc_value_count(value, 0, &count);
  for (uint64_t i = 0; status == MPROC_OK && i < count; i++) {
    status = mproc_value_list_at(value, 0, i, &entry);
    if (status == MPROC_OK) status = mproc_value_get_int(value, entry, &number);
    total += number;
  }
  if (status == MPROC_OK) status = mproc_value_begin_map(value);
  if (status == MPROC_OK) status = mproc_value_put_string(value, "count", 5);
  if (status == MPROC_OK) status = mproc_value_put_uint(value, count);
  if (status == MPROC_OK) status = mproc_value_put_string(value, "total", 5);
  if (status == MPROC_OK) status = mproc_value_put_int(value, total);
  return status == MPROC_OK ? mproc_value_end(value) : status;
}

FUNCTION(stamp) {
  UNUSED;
  void* block = NULL;
  size_t whole = 0;
  int32_t status = mproc_call_block(call, &block, &whole);
  if (status != MPROC_OK) return status;
  unsigned char* bytes = block;
  bytes[0]++, bytes[whole - 1]++;
  return mproc_call_reply_block(call, (size_t)((const unsigned char*)input - bytes), size);
}

FUNCTION(overwrite) {
  UNUSED;
  *(volatile unsigned char*)(uintptr_t)input = 1;
  return (int32_t)(size == 0);
}

FUNCTION(hold) {
  UNUSED;
  Work work = WorkOf(input, sizeof work < size ? sizeof work : size);
  AwaitGate(call, work.value);
  return 0;
}

FUNCTION(no_block) {
  UNUSED;
  void* block = NULL;
  size_t whole = 0;
  int32_t got[4] = {mproc_call_block(call, &block, &whole), mproc_call_reply_block(call, 0, 0),
                    mproc_call_reply_block(call, whole, 1), mproc_call_reply_block(call, SIZE_MAX, 2)};
  return mproc_call_reply(call, got, sizeof got);
}

FUNCTION(total) {
  UNUSED;
  mproc_value_t* value = NULL;
  const void* data;
  size_t bytes;
  mproc_status_t status = mproc_value_create(&value);
  if (status == MPROC_OK) status = Total(value, input, size);
  if (status == MPROC_OK) status = mproc_value_encode(value, &data, &bytes);
  if (status == MPROC_OK) status = mproc_call_reply(call, data, bytes);
  if (status != MPROC_OK)
    mproc_call_fail(call, status, mproc_status_name(status), mproc_last_error_message(), NULL);
  mproc_value_destroy(value);
  return status;
}

// The value of an argument list as for power. The first status that is not OK.
static mproc_status_t Power(mproc_value_t* value, const void* input, size_t size, int64_t* power) {
  uint64_t count = 0, node = 0, plus = 0;
  int64_t base = 0, exponent = 0, more = 0;
  mproc_status_t status = mproc_value_decode_borrowed(value, input, size);
  if (status == MPROC_OK) status = mproc_value_count(value, 0, &count);
  if (status == MPROC_OK) status = mproc_value_list_at(value, 0, 0, &node);
  if (status == MPROC_OK) status = mproc_value_get_int(value, node, &base);
  if (status == MPROC_OK) status = mproc_value_list_at(value, 0, 1, &node);
  if (status == MPROC_OK) status = mproc_value_get_int(value, node, &exponent);
  if (status == MPROC_OK && count > 2) {
    status = mproc_value_list_at(value, 0, 2, &node);
    if (status == MPROC_OK) status = mproc_value_map_find(value, node, "plus", 4, &plus);
    if (status == MPROC_OK) status = mproc_value_get_int(value, plus, &more);
  }
  for (*power = 1; exponent > 0; exponent--) *power *= base;
  *power += more;
  return status;
}

FUNCTION(draw) {
  UNUSED;
  return Give(call, (int64_t)mproc_random_seed(2026, mproc_call_item_index(call)));
}

FUNCTION(power) {
  UNUSED;
  mproc_value_t* value = NULL;
  int64_t power = 0;
  mproc_status_t status = mproc_value_create(&value);
  if (status == MPROC_OK) status = Power(value, input, size, &power);
  mproc_value_destroy(value);
  return status == MPROC_OK ? Give(call, power) : status;
}

MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) {
  mproc_status_t status = MPROC_OK;
#define TEST_FUNCTION_ADD(id, name, what) \
  if (status == MPROC_OK) status = mproc_table_add(table, id, #name, Run_##name, NULL);
  TEST_FUNCTIONS(TEST_FUNCTION_ADD)
#undef TEST_FUNCTION_ADD
  return status;
}
