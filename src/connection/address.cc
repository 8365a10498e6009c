// SPDX-License-Identifier: MIT
#include "connection/address.hh"

#include <charconv>

namespace mproc::connection {
namespace {

using platform::StreamAddress;

Status Bad() {
  return Status(MPROC_ERROR_INVALID_ARGUMENT,
                "an address is unix:/path, abstract:name, tcp:host:port or tcp:[::1]:port");
}

}  // namespace

Result<StreamAddress> ParseAddress(std::string_view text) {
  size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) return Bad();
  std::string_view scheme = text.substr(0, colon), rest = text.substr(colon + 1);
  if (scheme == "unix") return StreamAddress{StreamAddress::kPath, std::string(rest), 0};
  if (scheme == "abstract") return StreamAddress{StreamAddress::kAbstract, std::string(rest), 0};
  size_t last = rest.rfind(':');
  if (scheme != "tcp" || last == std::string_view::npos) return Bad();
  std::string_view host = rest.substr(0, last), port = rest.substr(last + 1);
  uint16_t number = 0;
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) return Bad();
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return Bad();
  }
  return StreamAddress{StreamAddress::kTcp, std::string(host), number};
}

std::string TextOf(const StreamAddress& address) {
  if (address.kind == StreamAddress::kPath) return "unix:" + address.name;
  if (address.kind == StreamAddress::kAbstract) return "abstract:" + address.name;
  bool bracket = address.name.find(':') != std::string::npos;
  return "tcp:" + (bracket ? "[" + address.name + "]" : address.name) + ":" + std::to_string(address.port);
}

}  // namespace mproc::connection
