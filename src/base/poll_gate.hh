// SPDX-License-Identifier: MIT
// Whether it still pays to look for news before sleeping. After the second failure in a row 2^k chances are
// left out, up to a cap. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>

namespace mproc {

class PollGate {
 public:
  explicit PollGate(uint32_t cap) : cap_(cap) {}
  bool Open() {
    if (skip_ == 0) return true;
    skip_--;
    return false;
  }
  void Succeeded() { failures_ = 0; }
  // As if it had never failed.
  void Reset() { failures_ = skip_ = 0; }
  void Failed() {
    if (++failures_ >= 2) skip_ = std::min(cap_, uint32_t{1} << std::min(failures_ - 2, 16u));
  }

 private:
  uint32_t cap_;
  uint32_t failures_ = 0;
  uint32_t skip_ = 0;
};

}  // namespace mproc
