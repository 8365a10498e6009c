// SPDX-License-Identifier: MIT
// What the test module and the programs that use it agree on: function ids, payloads, and a board in shared
// memory on which functions leave traces that outlive their workers, and wait for gates.
#ifndef MPROC_TESTS_FUNCTIONS_H
#define MPROC_TESTS_FUNCTIONS_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// X(id, name, what it takes and does)
#define TEST_FUNCTIONS(X)                                                                                   \
  X(1, noop, "nothing, gives nothing")                                                                      \
  X(2, echo, "bytes, gives them back")                                                                      \
  X(3, sleep, "Work: sleeps, gives a Report with the value")                                                \
  X(4, add100, "Work: sleeps, gives a Report with value + 100")                                             \
  X(5, pow10, "Work: sleeps, gives a Report with value to the power of 10")                                 \
  X(6, fail, "int64: fails with that code and all details")                                                 \
  X(7, refuse, "int64: returns that number")                                                                \
  X(8, fail_quietly, "details an error, replies, and returns 0")                                            \
  X(9, exit, "int64: ends the process with that exit code")                                                 \
  X(10, abort, "aborts")                                                                                    \
  X(11, segv, "writes through a null pointer, in CrashHereByName")                                          \
  X(12, raise, "int64: sends itself that signal; gives nothing")                                            \
  X(13, hog, "int64 way: takes all memory that it may have, then see functions.c")                          \
  X(14, pid, "gives its process id as an int64")                                                            \
  X(15, name, "gives the name of its worker")                                                               \
  X(16, spin, "Work: value is a cell; runs until it is cancelled, not minding SIGTERM")                     \
  X(17, big, "int64: replies that many bytes of the pattern")                                               \
  X(18, big_in_place, "int64: the same by mproc_call_reply_alloc")                                          \
  X(19, replies, "replies three times; the last one is 'last'")                                             \
  X(20, bad_replies, "gives what three wrong calls of mproc_call_reply return, as int32 each")              \
  X(21, resize, "int64: replies that many bytes; fails with what that returned")                            \
  X(22, gate, "Work: value is a cell; marks it begun, waits for its gate, marks it ended")                  \
  X(23, mark, "Work: value is a cell; marks it begun, sleeps, marks it ended, gives 2*value+1")             \
  X(24, about, "gives an About of its call")                                                                \
  X(25, checksum, "bytes: gives a Sum of them")                                                             \
  X(26, keep, "bytes: keeps them; 'fail' fails, 'die' exits with 9, 'hang' never ends")                     \
  X(27, kept, "gives the bytes kept last in this process")                                                  \
  X(28, stubborn, "Work: value is a cell; ignores SIGTERM and never ends")                                  \
  X(29, square, "int64: marks that cell; fails with -value if negative, else gives the square")             \
  X(30, lottery, "int64: as square, but kills its process at 13")                                           \
  X(31, environment, "a name: gives its value")                                                             \
  X(32, descriptors, "gives the number of its open descriptors as an int64")                                \
  X(33, print, "bytes: prints them to stdout with printf, no flush")                                        \
  X(34, pile, "bytes: gives the address of its input modulo 16, and whether it is null, as int64")          \
  X(35, interruptible, "Work: value is a cell; marks it begun, sleeps that long, not minding SIGTERM")      \
  X(36, total, "a value, list of ints: gives the value {'count': uint, 'total': int}")                      \
  X(37, stamp, "a block: adds 1 to its first and its last byte, and gives the payload in place")            \
  X(38, overwrite, "bytes: writes to them")                                                                 \
  X(39, hold, "Work at the front of a block: as gate, gives nothing")                                       \
  X(40, no_block, "gives what four wrong calls about its block return, as int32 each")                      \
  X(41, flaky, "Flaky: ends so many times in that way, then gives how often it was begun")                  \
  X(42, time_left, "gives mproc_call_time_left as an int64")                                                \
  X(43, spin_for, "Work: value is a cell; runs that long, never minding a cancel, then gives 1")            \
  X(44, orphan, "makes a process that outlives its parent for a moment, gives its process id as an int64")  \
  X(45, power, "a value, list of base, exponent, perhaps {'plus': int}: gives an int64")                    \
  X(46, grow, "Work: keeps ms MiB more for good, marks the cell begun, waits for its gate, gives a Report") \
  X(47, tell, "Told: tells that progress, then as gate; gives nothing")                                     \
  X(48, log, "Lines: writes so many log records 'line N' of that level; gives how many were dropped")       \
  X(49, draw, "anything: gives mproc_random_seed of 2026 and the index of the item as an int64")            \
  X(50, remember, "int64: makes that number the state of its worker")                                       \
  X(51, add_up, "int64: adds that to the state, gives the sum; -1 without a state")                         \
  X(52, settle, "Work: sleeps, adds the state to `ended` of the cell and 1 to `begun`")                     \
  X(53, burn, "uses CPU time until it is cancelled")                                                        \
  X(54, terms, "gives the Terms that its process lives by")                                                 \
  X(55, say, "Say: writes so many lines 'line N' there, then what Lines say, or by a child of its own")

enum {
#define TEST_FUNCTION_ID(id, name, what) fn_##name = id,
  TEST_FUNCTIONS(TEST_FUNCTION_ID)
#undef TEST_FUNCTION_ID
};

typedef struct {
  int64_t ms, value;
} Work;

typedef struct {
  int64_t value, begin, end;  // times: CLOCK_MONOTONIC, ns
  int64_t pid, thread, number;
  char name[64];
} Report;

typedef struct {
  int64_t memory, files, nice, cpus, first_cpu;
} Terms;

typedef struct {
  uint64_t task, item;
  uint32_t function, number;
  int32_t cancelled, pid;
} About;

typedef struct {
  int64_t cell;
  uint64_t done, total;
} Told;

enum { kThenReturn, kThenCrash, kThenFail, kThenWait };
typedef struct {
  int64_t count, level, then;
  int64_t cell;     // of kThenWait: a gate
  int64_t filling;  // bytes to be added to each
} Lines;

enum { kThenNothing = kThenWait + 1 };  // by a child
typedef struct {
  int64_t stream, count, then;
} Say;

enum { kFlakyExits, kFlakyFails, kFlakyHangs };
typedef struct {
  int64_t way, times, cell;
  unsigned char filling[200];
} Flaky;

typedef struct {
  uint64_t size, sum;
} Sum;

// FNV-1a.
static inline Sum SumOf(const void* data, size_t size) {
  Sum sum = {size, UINT64_C(14695981039346656037)};
  const unsigned char* bytes = data;
  for (size_t i = 0; i < size; i++) sum.sum = (sum.sum ^ bytes[i]) * UINT64_C(1099511628211);
  return sum;
}

static inline unsigned char PatternAt(uint64_t i) {
  return (unsigned char)((i * 131) ^ (i >> 8) ^ (i >> 16));
}

enum { kCells = 1 << 18 };
#define TEST_BOARD "MPROC_TEST_BOARD"

typedef struct {
  _Atomic uint32_t all_open;       // every gate
  _Atomic uint32_t initialized;    // how often keep has run
  _Atomic uint32_t open[kCells];   // gates
  _Atomic uint32_t begun[kCells];  // how often
  _Atomic uint32_t ended[kCells];
  _Atomic int32_t pid[kCells];  // who began it last
} Board;

// The board at `path`; null without one.
static inline Board* MapBoard(const char* path, int create) {
  int fd = path ? open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_EXCL : 0), 0600) : -1;
  if (fd < 0) return NULL;
  void* memory = MAP_FAILED;
  if (!create || ftruncate(fd, sizeof(Board)) == 0) {
    memory = mmap(NULL, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  close(fd);
  return memory == MAP_FAILED ? NULL : memory;
}

// The board, for functions.
static inline Board* TheBoard(void) {
  static _Atomic(Board*) shared;  // by workers that are threads
  Board* board = atomic_load(&shared);
  if (!board) atomic_store(&shared, board = MapBoard(getenv(TEST_BOARD), 0));
  if (!board) abort();
  return board;
}

#endif
