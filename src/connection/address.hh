// SPDX-License-Identifier: MIT
// Addresses as users write them: "unix:/path", "abstract:name", "tcp:host:port", "tcp:[::1]:port".
#pragma once

#include <string>
#include <string_view>

#include "base/status.hh"
#include "platform/stream_address.hh"

namespace mproc::connection {

Result<platform::StreamAddress> ParseAddress(std::string_view text);
std::string TextOf(const platform::StreamAddress& address);

}  // namespace mproc::connection
