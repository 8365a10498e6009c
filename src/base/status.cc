// SPDX-License-Identifier: MIT
#include "base/status.hh"

#include <cerrno>
#include <system_error>

namespace mproc {

const char* StatusName(int32_t code) {
  switch (code) {
#define MPROC_STATUS_CASE(name, number, text) \
  case number:                                \
    return "MPROC_" #name;
    MPROC_STATUS_MAP(MPROC_STATUS_CASE)
#undef MPROC_STATUS_CASE
    default:
      return "unknown";
  }
}

const char* StatusText(int32_t code) {
  switch (code) {
#define MPROC_STATUS_CASE(name, number, text) \
  case number:                                \
    return text;
    MPROC_STATUS_MAP(MPROC_STATUS_CASE)
#undef MPROC_STATUS_CASE
    default:
      return "this number is no status";
  }
}

Status Status::System(const std::string& what, int os_code) {
  int32_t code = MPROC_ERROR_SYSTEM;
  if (os_code == ENOMEM) code = MPROC_ERROR_OUT_OF_MEMORY;
  if (os_code == ENOSPC) code = MPROC_ERROR_OUT_OF_MEMORY;
  if (os_code == EMFILE || os_code == ENFILE || os_code == ETOOMANYREFS) code = MPROC_ERROR_DESCRIPTOR_LIMIT;
  if (os_code == ENOSYS) code = MPROC_ERROR_UNSUPPORTED;
  return Status(code, what + ": " + std::generic_category().message(os_code), os_code);
}

std::string Status::message() const { return message_ ? *message_ : StatusText(code_); }

}  // namespace mproc
