// SPDX-License-Identifier: MIT
// System calls for code that runs in a child sharing its parent's memory: no wrapper of the C library that
// keeps state, nothing that a sanitizer instruments. Numbers that old headers lack.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

// For every function that runs in such a child.
#if defined(__clang__)
#define MPROC_IN_CHILD __attribute__((noinline, no_sanitize("address", "thread", "undefined", "memory")))
#else
#define MPROC_IN_CHILD \
  __attribute__((noinline, no_sanitize_address, no_sanitize_thread, no_sanitize_undefined))
#endif
