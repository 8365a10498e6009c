// SPDX-License-Identifier: MIT
// Log records that functions write in workers, and what workers print, for callbacks of the pool in the host.
#ifndef MPROC_LOG_H
#define MPROC_LOG_H

#include <stddef.h>
#include <stdint.h>

// How much a record matters: the numbers of Python's logging. Any other number will do as well.
enum {
  MPROC_LOG_DEBUG = 10,
  MPROC_LOG_INFO = 20,
  MPROC_LOG_WARNING = 30,
  MPROC_LOG_ERROR = 40,
  MPROC_LOG_CRITICAL = 50
};

// Called with a record: `size` bytes of text, borrowed, zero-ended, whatever they are; the task and the
// worker that wrote it, task 0 in an initializer; the time, nanoseconds of the monotonic clock.
typedef void (*mproc_log_cb)(int32_t level, const char* text, size_t size, uint64_t task_id,
                             uint32_t worker_number, int64_t time, void* user_data);

// What a worker wrote.
enum { MPROC_OUTPUT_STANDARD = 1, MPROC_OUTPUT_ERROR = 2 };

// Called with a piece of what a worker wrote to its standard output or error, MPROC_OUTPUT_: `size` bytes of
// text, borrowed, zero-ended, whatever they are. A piece is some whole lines, but for what is longer than
// 64 KiB or was left without an end by its task.
typedef void (*mproc_output_cb)(int32_t stream, const char* text, size_t size, uint32_t worker_number,
                                void* user_data);

#endif
