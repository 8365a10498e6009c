// SPDX-License-Identifier: MIT
// A pool in an epoll loop, beside a timer: results come to the loop's own thread, and nothing blocks it.
//   cc epoll_loop.c -o epoll_loop $(pkg-config --cflags --libs mproc) && ./epoll_loop ./module.so
#include <mproc/mproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { kSquare = 1, kTasks = 1000 };

static void Must(mproc_status_t status, const char* what) {
  if (status == MPROC_OK) return;
  fprintf(stderr, "%s: %s: %s\n", what, mproc_status_name(status), mproc_last_error_message());
  exit(1);
}

int main(int argc, char** argv) {
  if (argc != 2) return fprintf(stderr, "usage: epoll_loop MODULE\n"), 2;
  mproc_pool_options_t* options;
  mproc_pool_t* pool;
  Must(mproc_pool_options_create(&options), "options");
  Must(mproc_pool_options_set_module(options, argv[1]), "module");
  Must(mproc_pool_options_set_callbacks(options, MPROC_CALLBACKS_NEXT), "callbacks");
  Must(mproc_pool_create(options, &pool), "pool");
  mproc_pool_options_destroy(options);

  int32_t results;
  Must(mproc_pool_fd(pool, &results), "fd");
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  struct itimerspec every = {{0, 1000000}, {0, 1000000}};
  timerfd_settime(timer, 0, &every, NULL);
  int loop = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event on_results = {EPOLLIN, {.fd = results}}, on_timer = {EPOLLIN, {.fd = timer}};
  epoll_ctl(loop, EPOLL_CTL_ADD, results, &on_results);
  epoll_ctl(loop, EPOLL_CTL_ADD, timer, &on_timer);

  for (int64_t i = 1; i <= kTasks; i++) {
    Must(mproc_pool_submit_callback(pool, kSquare, &i, sizeof i, MPROC_FOREVER, NULL, NULL, NULL, NULL), "submit");
  }
  int ended = 0, ticks = 0;
  int64_t sum = 0;
  while (ended < kTasks || ticks == 0) {
    struct epoll_event events[2];
    int count = epoll_wait(loop, events, 2, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd == timer) {
        uint64_t expired;
        if (read(timer, &expired, sizeof expired) == sizeof expired) ticks++;
        continue;
      }
      mproc_future_t* future;
      while (mproc_pool_next(pool, 0, &future, NULL) == MPROC_OK) {
        int64_t square;
        size_t size;
        Must(mproc_future_copy_result(future, &square, sizeof square, &size), "result");
        mproc_future_release(future);
        sum += square;
        ended++;
      }
    }
  }
  printf("%d squares, sum %lld\n", ended, (long long)sum);
  close(loop);
  close(timer);
  close(results);
  return mproc_pool_destroy(pool) == MPROC_OK ? 0 : 1;
}
