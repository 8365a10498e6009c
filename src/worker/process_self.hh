// SPDX-License-Identifier: MIT
// Who this process is among those that start one another, or this thread, if it is a process by start
// method threads: its name, its place, whose child it is. Any thread.
//
// A module may be linked with a libmproc that is not the one in mproc-worker, so a process that
// is no worker writes it into its environment, too, for the process that is named there.
#pragma once

#include <cstdint>
#include <string>

namespace mproc::worker {

struct ProcessSelf {
  std::string name = "MainProcess";
  std::string place;   // "2", or "2:1" for the first child of that; empty: no process of ours started it
  int64_t parent = 0;  // 0: none that is known
  std::string parent_name;
  bool daemon = false;
};

// By value: a thread may become another one.
ProcessSelf Self();
// The number of the next child that it makes, from 1; a forked process begins anew.
uint32_t NextChild();

// Says who this process is, or, unless it owns the process, this thread while the returned object lives.
class SelfMark {
 public:
  SelfMark(ProcessSelf self, bool owns_process);
  ~SelfMark();
  SelfMark(const SelfMark&) = delete;
  SelfMark& operator=(const SelfMark&) = delete;

 private:
  const bool owns_process_;
};

}  // namespace mproc::worker
