// SPDX-License-Identifier: MIT
#include <mproc/status.h>

#include <string>

#include "capi/guard.hh"

namespace mproc::capi {
namespace {

struct LastError {
  std::string message;
  int os_code = 0;
};
thread_local LastError t_last;

}  // namespace

int32_t Report(const Status& status) {
  try {
    t_last.message = status.message();
    t_last.os_code = status.os_code();
  } catch (...) {
    t_last.message.clear();
  }
  return status.code();
}

int32_t ReportUnexpected(const char* what) {
  return Report(Status(MPROC_ERROR_INTERNAL, std::string("a defect of the library: ") + what));
}

}  // namespace mproc::capi

using namespace mproc;

const char* mproc_status_name(mproc_status_t status) { return StatusName(status); }  // wall: cannot throw
const char* mproc_status_text(mproc_status_t status) { return StatusText(status); }  // wall: cannot throw
const char* mproc_last_error_message(void) { return capi::t_last.message.c_str(); }  // wall: cannot throw
int32_t mproc_last_error_os_code(void) { return capi::t_last.os_code; }              // wall: cannot throw
const char* mproc_version_string(void) { return MPROC_VERSION; }                     // wall: cannot throw
uint32_t mproc_version_number(void) { return MPROC_VERSION_NUMBER; }                 // wall: cannot throw
int64_t mproc_forever(void) { return MPROC_FOREVER; }                                // wall: cannot throw
