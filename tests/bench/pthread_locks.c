// SPDX-License-Identifier: MIT
// W10 of `mproc bench` with mutexes of the C library that processes share: the same lines of JSON.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kTimes = 1000000, kRounds = 5 };

typedef struct {
  pthread_mutex_t mutex;
  _Alignas(64) atomic_int ready, begin;
} Shared;

static double Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}
static void Emit(const char* metric, double value) {
  printf(
      "{\"peer\": \"pthread\", \"workload\": \"W10\", \"metric\": \"%s\", \"value\": %.4g, \"unit\": "
      "\"ns\"}\n",
      metric, value);
  fflush(stdout);
}
static void Make(pthread_mutex_t* mutex, int recursive, int robust) {
  pthread_mutexattr_t how;
  pthread_mutexattr_init(&how);
  pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
  if (recursive) pthread_mutexattr_settype(&how, PTHREAD_MUTEX_RECURSIVE);
  if (robust) pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(mutex, &how);
  pthread_mutexattr_destroy(&how);
}
static void Use(pthread_mutex_t* mutex, int times) {
  for (int i = 0; i < times; i++) {
    pthread_mutex_lock(mutex);
    pthread_mutex_unlock(mutex);
  }
}

static void Uncontended(Shared* shared, const char* metric, int recursive, int robust) {
  double least = 1e9;
  Make(&shared->mutex, recursive, robust);
  for (int round = 0; round < kRounds; round++) {
    double begin = Now();
    Use(&shared->mutex, kTimes);
    double each = (Now() - begin) / kTimes;
    if (each < least) least = each;
  }
  Emit(metric, least);
}

static void Contended(Shared* shared, const char* metric, int robust) {
  Make(&shared->mutex, 0, robust);
  atomic_store(&shared->ready, 0);
  atomic_store(&shared->begin, 0);
  for (int i = 0; i < 2; i++) {
    if (fork() != 0) continue;
    atomic_fetch_add(&shared->ready, 1);
    while (!atomic_load(&shared->begin)) usleep(100);
    Use(&shared->mutex, kTimes);
    _exit(0);
  }
  while (atomic_load(&shared->ready) < 2) usleep(1000);
  double begin = Now();
  atomic_store(&shared->begin, 1);
  while (wait(NULL) > 0) {
  }
  Emit(metric, (Now() - begin) / (2.0 * kTimes));
}

int main(void) {
  Shared* shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 1;
  Uncontended(shared, "lock", 0, 0);
  Uncontended(shared, "recursive", 1, 0);
  Uncontended(shared, "robust", 0, 1);
  Contended(shared, "contended_lock", 0);
  Contended(shared, "contended_robust", 1);
  return 0;
}
