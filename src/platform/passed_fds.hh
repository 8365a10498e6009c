// SPDX-License-Identifier: MIT
// Descriptors in the control part of what was received from a socket.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "platform/socket.hh"

namespace mproc::platform {

// Takes those of one control message, which is of SCM_RIGHTS. False: some were lost. Without memory none
// stays open; with room for kMaxFdsPerMessage more it needs none.
template <typename Fd>
bool TakePassedFds(const cmsghdr* control, std::vector<Fd>* fds) {
  bool all = true;
  std::array<UniqueFd, kMaxFdsPerMessage> came;  // owned before anything needs memory
  size_t count = std::min((control->cmsg_len - CMSG_LEN(0)) / sizeof(int), came.size());
  for (size_t i = 0; i < count; i++) {
    int fd;
    std::memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof fd);
    came[i].Reset(fd);
  }
  for (size_t i = 0; i < count; i++) {
    auto taken = TakeFd(came[i].Release(), "receiving a descriptor");
    if (taken.ok()) {
      fds->emplace_back(std::move(*taken));
    } else {
      all = false;
    }
  }
  return all;
}

}  // namespace mproc::platform
