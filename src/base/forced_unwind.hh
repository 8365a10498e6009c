// SPDX-License-Identifier: MIT
// For functions with a handler of abi::__forced_unwind, which pthread_exit and pthread_cancel throw. There is
// no object that the handler's reference could be bound to, which the sanitizer of undefined behaviour minds;
// and its checks are those of the function into which this one is inlined.
#pragma once

#include <cxxabi.h>

#ifdef __SANITIZE_ADDRESS__  // the two are used together; the other one alone cannot be told
#define MPROC_HANDLES_FORCED_UNWIND [[gnu::noinline, gnu::no_sanitize("null")]]
#else
#define MPROC_HANDLES_FORCED_UNWIND
#endif
