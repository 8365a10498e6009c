// SPDX-License-Identifier: MIT
// Which worker ran what and when, as JSON that Perfetto (ui.perfetto.dev) and chrome://tracing show. One
// thread.
#ifndef MPROC_CLI_TRACE_FILE_HH
#define MPROC_CLI_TRACE_FILE_HH

#include <mproc/mproc.h>

#include <cstdio>
#include <memory>
#include <set>
#include <string>

#include "cli/map_window.hh"

namespace mproc::cli {

class TraceFile {
 public:
  // Spans have the name of the function. Throws Failure if the file cannot be opened.
  TraceFile(const std::string& path, const std::string& function);
  // A batch that has ended, of a pool that times all.
  void Add(const Batch& batch);
  // Ends the file; false if it could not be written.
  bool Finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void Write(const std::string& event);

  std::unique_ptr<std::FILE, Close> file_;
  const std::string function_;
  std::set<int64_t> workers_;  // by number
  bool first_ = true;
};

}  // namespace mproc::cli

#endif
