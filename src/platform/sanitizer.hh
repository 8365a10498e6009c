// SPDX-License-Identifier: MIT
// Whether the program runs under a thread sanitizer, be it ours or the host's.
#pragma once

extern "C" __attribute__((weak, visibility("default"))) void __tsan_init();

namespace mproc::platform {

inline bool HasThreadSanitizer() { return &__tsan_init != nullptr; }

}  // namespace mproc::platform
