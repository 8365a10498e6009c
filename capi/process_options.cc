// SPDX-License-Identifier: MIT
#include <mproc/process_options.h>

#include <cstring>

#include "capi/passing.hh"
#include "capi/process_handles.hh"
#include "capi/start_options.hh"

using namespace mproc;
using namespace mproc::capi;
using process::Options;

namespace {

constexpr size_t kLongestName = 63;

template <typename Set>
int32_t GuardChange(mproc_process_options_t* options, Set&& set) {
  return GuardOn<ProcessOptionsHandles>(options, std::forward<Set>(set));
}

}  // namespace

mproc_status_t mproc_process_options_create(mproc_process_options_t** options) {
  return GuardCreate<ProcessOptionsHandles, Options>("option objects", options);
}

mproc_status_t mproc_process_options_destroy(mproc_process_options_t* options) {
  return GuardDestroy<ProcessOptionsHandles, Options>(options);
}

mproc_status_t mproc_process_options_set_function(mproc_process_options_t* options, uint32_t function_id,
                                                  const void* data, size_t size) {
  return GuardChange(options, [&](Options& o) {
    if (!data && size) return BadArgument("data is null, size is not 0");
    auto bytes = AsBytes(data, size);
    o.payload.assign(bytes.begin(), bytes.end());
    o.function = function_id;
    o.has_function = true;
    return Status();
  });
}

mproc_status_t mproc_process_options_set_objects(mproc_process_options_t* options, void* const* objects,
                                                 size_t count) {
  return GuardChange(options, [&](Options& o) -> Status {
    auto passed = PassAll(objects, count);
    if (!passed.ok()) return passed.status();
    o.objects = std::move(*passed);
    return Status();
  });
}

mproc_status_t mproc_process_options_set_name(mproc_process_options_t* options, const char* name) {
  return GuardChange(options, [&](Options& o) {
    if (!name || !*name || std::strlen(name) > kLongestName || std::strchr(name, '\n')) {
      return BadArgument("the name of a process has 1 to 63 bytes, none of them a line's end");
    }
    o.name = name;
    return Status();
  });
}

mproc_status_t mproc_process_options_set_daemon(mproc_process_options_t* options, int32_t daemon) {
  return GuardChange(options, [&](Options& o) {
    o.daemon = daemon != 0;
    o.sets_daemon = true;
    return Status();
  });
}

mproc_status_t mproc_process_options_set_start_method(mproc_process_options_t* options, int32_t method) {
  return GuardChange(options, [&](Options& o) { return SetStartMethod(o, method); });
}

mproc_status_t mproc_process_options_set_fork_with_threads(mproc_process_options_t* options, int32_t on) {
  return GuardChange(options, [&](Options& o) {
    o.fork_with_threads = on != 0;
    return Status();
  });
}

mproc_status_t mproc_process_options_set_module(mproc_process_options_t* options, const char* path) {
  return GuardChange(options, [&](Options& o) { return SetModule(o, path); });
}

mproc_status_t mproc_process_options_set_command(mproc_process_options_t* options, const char* const* argv,
                                                 size_t argc) {
  return GuardChange(options, [&](Options& o) {
    o.command_serves = false;
    return SetCommand(o, argv, argc);
  });
}

mproc_status_t mproc_process_options_set_table(mproc_process_options_t* options, mproc_table_t* table) {
  return GuardChange(options, [&](Options& o) { return SetTable(o, table); });
}

mproc_status_t mproc_process_options_set_environment(mproc_process_options_t* options, const char* name,
                                                     const char* value) {
  return GuardChange(options, [&](Options& o) { return SetEnvironment(o, name, value); });
}

mproc_status_t mproc_process_options_set_directory(mproc_process_options_t* options, const char* path) {
  return GuardChange(options, [&](Options& o) { return SetDirectory(o, path); });
}

mproc_status_t mproc_process_options_set_worker_program(mproc_process_options_t* options, const char* path) {
  return GuardChange(options, [&](Options& o) { return SetWorkerProgram(o, path); });
}
