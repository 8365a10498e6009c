// SPDX-License-Identifier: MIT
// Makes system calls fail in this process and all that it starts, as an old kernel or a sandbox would. For a
// forked child of a test only: there is no way back.
#pragma once

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <vector>

namespace mproc::test {

inline constexpr int kPidfdSendSignal = 424;
inline constexpr int kPidfdOpen = 434;
inline constexpr int kClone3 = 435;
inline constexpr int kCloseRange = 436;

// Lets a call fail with `error`; if `argument` is not -1 only where (low half of it & mask) == value.
struct Denied {
  long call;
  int error;
  int argument = -1;
  uint32_t mask = ~0U;
  uint32_t value = 0;
};

// False if this system has no such filters; then nothing is changed.
inline bool Deny(const std::vector<Denied>& calls) {
  std::vector<sock_filter> program;
  auto load = [&program](size_t offset) {
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)));
  };
  for (const Denied& one : calls) {
    load(offsetof(seccomp_data, nr));
    uint32_t nr = static_cast<uint32_t>(one.call);
    uint32_t fail = SECCOMP_RET_ERRNO | static_cast<uint32_t>(one.error);
    if (one.argument < 0) {
      program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1));
    } else {
      program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 4));
      load(offsetof(seccomp_data, args) + sizeof(uint64_t) * static_cast<size_t>(one.argument));
      program.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, one.mask));
      program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, one.value, 0, 1));
    }
    program.push_back(BPF_STMT(BPF_RET | BPF_K, fail));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

}  // namespace mproc::test
