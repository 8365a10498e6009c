// SPDX-License-Identifier: MIT
#include "cli/trace_file.hh"

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/handles.hh"

namespace mproc::cli {

namespace {

constexpr int kPool = 1;  // the one "process" of the trace; its threads are the workers

int64_t InfoOf(mproc_future_t* future, int32_t which) {
  int64_t value = 0;
  mproc_future_info(future, which, &value);
  return value;
}

double Microseconds(int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1000; }

std::string Text(const nlohmann::json& event) {
  return event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);  // names may be any bytes
}

}  // namespace

TraceFile::TraceFile(const std::string& path, const std::string& function)
    : file_(std::fopen(path.c_str(), "we")), function_(function) {
  if (!file_) {
    throw Failure(MPROC_ERROR_INVALID_ARGUMENT,
                  "the trace " + path + " cannot be written: " + std::strerror(errno));
  }
  std::fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[", file_.get());
  Write(Text({{"ph", "M"}, {"pid", kPool}, {"name", "process_name"}, {"args", {{"name", "mproc map"}}}}));
}

void TraceFile::Write(const std::string& event) {
  std::fprintf(file_.get(), "%s\n%s", first_ ? "" : ",", event.c_str());
  first_ = false;
}

void TraceFile::Add(const Batch& batch) {
  mproc_future_t* future = batch.future.get();
  int64_t begun = future ? InfoOf(future, MPROC_FUTURE_INFO_BEGUN_AT) : 0;
  if (begun == 0) return;  // no worker has seen it
  int64_t worker = InfoOf(future, MPROC_FUTURE_INFO_WORKER_NUMBER);
  if (workers_.insert(worker).second) {
    std::string name = "worker " + std::to_string(worker);
    Write(Text(
        {{"ph", "M"}, {"pid", kPool}, {"tid", worker}, {"name", "thread_name"}, {"args", {{"name", name}}}}));
  }
  nlohmann::json args = {{"item", batch.first + 1},
                         {"items", batch.items.size()},
                         {"end", mproc_status_name(mproc_future_error(future))},
                         {"waited_us", Microseconds(begun - InfoOf(future, MPROC_FUTURE_INFO_SUBMITTED_AT))}};
  Write(Text({{"ph", "X"},
              {"pid", kPool},
              {"tid", worker},
              {"name", function_},
              {"cat", "task"},
              {"ts", Microseconds(begun)},
              {"dur", Microseconds(InfoOf(future, MPROC_FUTURE_INFO_ELAPSED))},
              {"args", args}}));
}

bool TraceFile::Finish() {
  std::fputs("\n]}\n", file_.get());
  bool good = !std::ferror(file_.get());
  return std::fclose(file_.release()) == 0 && good;
}

}  // namespace mproc::cli
