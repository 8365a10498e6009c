// SPDX-License-Identifier: MIT
// Both steps of giving a task to a channel.
#pragma once

#include <span>

#include "ipc/channel.hh"

namespace test {

inline mproc::Result<uint64_t> FillAndPublish(mproc::ipc::HostChannel& channel, int socket,
                                              const mproc::ipc::TaskFrame& frame,
                                              std::span<const mproc::ByteView> payload) {
  auto position = channel.Fill(socket, frame, payload);
  if (position.ok()) channel.Publish();
  return position;
}

}  // namespace test
