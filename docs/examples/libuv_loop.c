// SPDX-License-Identifier: MIT
// A pool in a libuv loop: a uv_poll_t on the pool's descriptor. The library has a libuv of its own inside; the
// two know nothing of each other.
//   cc libuv_loop.c -o libuv_loop $(pkg-config --cflags --libs mproc libuv) && ./libuv_loop ./module.so
#include <mproc/mproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

enum { kSquare = 1, kTasks = 1000 };

typedef struct {
  mproc_pool_t* pool;
  uv_poll_t results;
  uv_process_t child;
  int ended;
  int64_t sum;
} Program;

static void Must(mproc_status_t status, const char* what) {
  if (status == MPROC_OK) return;
  fprintf(stderr, "%s: %s: %s\n", what, mproc_status_name(status), mproc_last_error_message());
  exit(1);
}

static void OnResults(uv_poll_t* handle, int status, int events) {
  (void)status, (void)events;
  Program* program = handle->data;
  mproc_future_t* future;
  while (mproc_pool_next(program->pool, 0, &future, NULL) == MPROC_OK) {
    int64_t square;
    size_t size;
    Must(mproc_future_copy_result(future, &square, sizeof square, &size), "result");
    mproc_future_release(future);
    program->sum += square;
    program->ended++;
  }
  if (program->ended == kTasks) uv_close((uv_handle_t*)handle, NULL);
}

// A child of the host's own libuv: the pool does not take its end away.
static void OnChildExit(uv_process_t* child, int64_t status, int signal) {
  (void)signal;
  printf("the child of the program ended with %lld\n", (long long)status);
  uv_close((uv_handle_t*)child, NULL);
}

int main(int argc, char** argv) {
  if (argc != 2) return fprintf(stderr, "usage: libuv_loop MODULE\n"), 2;
  Program program = {0};
  mproc_pool_options_t* options;
  Must(mproc_pool_options_create(&options), "options");
  Must(mproc_pool_options_set_module(options, argv[1]), "module");
  Must(mproc_pool_options_set_callbacks(options, MPROC_CALLBACKS_NEXT), "callbacks");
  Must(mproc_pool_create(options, &program.pool), "pool");
  mproc_pool_options_destroy(options);

  int32_t fd;
  Must(mproc_pool_fd(program.pool, &fd), "fd");
  uv_loop_t* loop = uv_default_loop();
  uv_poll_init(loop, &program.results, fd);
  program.results.data = &program;
  uv_poll_start(&program.results, UV_READABLE, OnResults);
  char* words[] = {"sh", "-c", "exit 3", NULL};
  uv_process_options_t child = {.exit_cb = OnChildExit, .file = words[0], .args = words};
  if (uv_spawn(loop, &program.child, &child) != 0) return 1;

  for (int64_t i = 1; i <= kTasks; i++) {
    Must(mproc_pool_submit_callback(program.pool, kSquare, &i, sizeof i, MPROC_FOREVER, NULL, NULL, NULL, NULL),
         "submit");
  }
  uv_run(loop, UV_RUN_DEFAULT);
  printf("%d squares, sum %lld\n", program.ended, (long long)program.sum);
  uv_loop_close(loop);
  close(fd);
  return mproc_pool_destroy(program.pool) == MPROC_OK ? 0 : 1;
}
