// SPDX-License-Identifier: MIT
// A pool in a GLib main loop, as GTK programs have one: a source on the pool's descriptor runs the callbacks.
//   cc glib_loop.c -o glib_loop $(pkg-config --cflags --libs mproc glib-2.0) && ./glib_loop ./module.so
#include <glib-unix.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <mproc/mproc.h>

enum { kSquare = 1, kTasks = 1000 };

typedef struct {
  mproc_pool_t* pool;
  GMainLoop* loop;
  int ended;
  gint64 sum;
} Program;

static void Must(mproc_status_t status, const char* what) {
  if (status != MPROC_OK) {
    g_error("%s: %s: %s", what, mproc_status_name(status), mproc_last_error_message());
  }
}

// Runs on the thread of the loop, inside mproc_pool_dispatch.
static void OnSquare(mproc_future_t* future, void* user_data) {
  Program* program = user_data;
  int64_t square;
  size_t size;
  Must(mproc_future_copy_result(future, &square, sizeof square, &size), "result");
  program->sum += square;
  if (++program->ended == kTasks) g_main_loop_quit(program->loop);
}

static void OnError(mproc_future_t* future, void* user_data) {
  (void)user_data;
  const char* text = "";
  mproc_future_error_message(future, &text);
  g_error("a task failed: %s", text);
}

static gboolean OnReadable(gint fd, GIOCondition condition, gpointer data) {
  (void)fd, (void)condition;
  Program* program = data;
  Must(mproc_pool_dispatch(program->pool, 100, NULL), "dispatch");  // the rest in the next turn
  return G_SOURCE_CONTINUE;
}

int main(int argc, char** argv) {
  if (argc != 2) return g_printerr("usage: glib_loop MODULE\n"), 2;
  Program program = {.loop = g_main_loop_new(NULL, FALSE)};
  mproc_pool_options_t* options;
  Must(mproc_pool_options_create(&options), "options");
  Must(mproc_pool_options_set_module(options, argv[1]), "module");
  Must(mproc_pool_options_set_callbacks(options, MPROC_CALLBACKS_DISPATCH), "callbacks");
  Must(mproc_pool_create(options, &program.pool), "pool");
  mproc_pool_options_destroy(options);

  int32_t fd;
  Must(mproc_pool_fd(program.pool, &fd), "fd");
  guint source = g_unix_fd_add(fd, G_IO_IN, OnReadable, &program);
  for (int64_t i = 1; i <= kTasks; i++) {
    Must(mproc_pool_submit_callback(program.pool, kSquare, &i, sizeof i, MPROC_FOREVER, OnSquare, OnError,
                                    &program, NULL),
         "submit");
  }
  g_main_loop_run(program.loop);
  g_print("%d squares, sum %" G_GINT64_FORMAT "\n", program.ended, program.sum);
  g_source_remove(source);
  g_close(fd, NULL);
  g_main_loop_unref(program.loop);
  return mproc_pool_destroy(program.pool) == MPROC_OK ? 0 : 1;
}
