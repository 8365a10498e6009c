// SPDX-License-Identifier: MIT
// A process that is not started, and its options.
#pragma once

#include "calls.hh"
#include "check.hh"

namespace hostile {

struct ProcessObjects {
  mproc_process_options_t* options = nullptr;
  mproc_process_t* process = nullptr;

  void Make() {
    CHECK_OK(mproc_process_options_create(&options));
    CHECK_OK(mproc_process_options_set_module(options, "/nowhere.so"));
    CHECK_OK(mproc_process_options_set_function(options, 1, nullptr, 0));
    CHECK_OK(mproc_process_create(options, &process));
  }
  // Null for kinds of other handles.
  void* Of(Kind kind) const {
    if (kind == Kind::kProcess) return process;
    return kind == Kind::kProcessOptions ? options : nullptr;
  }
  void StillWell() const {
    int32_t alive = 9;
    CHECK_OK(mproc_process_is_alive(process, &alive));
    CHECK_EQ(alive, 0);
    CHECK_OK(mproc_process_options_set_daemon(options, 1));
  }
  void Drop() {
    CHECK_OK(mproc_process_destroy(process));
    CHECK_OK(mproc_process_options_destroy(options));
  }
};

}  // namespace hostile
