// SPDX-License-Identifier: MIT
#include "capi/start_options.hh"

#include <cstring>
#include <string>

#include "capi/handle_calls.hh"
#include "capi/module_entry.hh"
#include "capi/self_table.hh"
#include "capi/table_handles.hh"
#include "start/method.hh"
#include "worker/worker_main.hh"
#include "worker/worker_state.hh"

namespace mproc::capi {

Status SetStartMethod(start::Options& options, int32_t method) {
  if (method < 0 || method >= start::kStartMethods) {
    return BadArgument("the start method is none of the numbers named for it");
  }
  options.start_method = method;
  options.names_start_method = true;
  return Status();
}

Status SetModule(start::Options& options, const char* path) {
  if (!path || !*path) return BadArgument("the path of the module is empty");
  options.module = path;
  options.command.clear();
  return Status();
}

Status SetCommand(start::Options& options, const char* const* argv, size_t argc) {
  constexpr size_t kMost = 65536;
  if (!argv || argc == 0 || argc > kMost) return BadArgument("a command has 1 to 65536 arguments");
  std::vector<std::string> command;
  for (size_t i = 0; i < argc; i++) {
    if (!argv[i]) return BadArgument("an argument of the command is null");
    command.emplace_back(argv[i]);
  }
  if (command[0].empty()) return BadArgument("the program of the command is empty");
  options.command = std::move(command);
  options.module.clear();
  return Status();
}

Status SetEnvironment(start::Options& options, const char* name, const char* value) {
  if (!name || !*name || std::strchr(name, '='))
    return BadArgument("the name of a variable is not empty and has no '='");
  std::erase_if(options.environment, [&](const auto& entry) { return entry.first == name; });
  options.environment.emplace_back(name, value ? std::optional<std::string>(value) : std::nullopt);
  return Status();
}

Status SetDirectory(start::Options& options, const char* path) {
  if (!path || !*path) return BadArgument("the path of the directory is empty");
  options.directory = path;
  return Status();
}

Status SetTable(start::Options& options, mproc_table_t* table) {
  return On<TableHandles>(table, [&](task::Table& t) {
    options.table = t;
    return Status();
  });
}

Status SetWorkerProgram(start::Options& options, const char* path) {
  if (!path || !*path) return BadArgument("the path of mproc-worker is empty");
  options.worker_program = path;
  return Status();
}

Status CompleteStart(start::Options* options, const char* what) {
  if (worker::HasSelfMark()) {
    worker::RefuseSelf();
    return Status(MPROC_ERROR_NOT_SERVED,
                  "this run of the program is a worker: call mproc_worker_main at the top of main");
  }
  if (worker::IsStarting()) {
    return Status(MPROC_ERROR_NOT_SERVED, std::string("this worker is still being started, and its ") + what +
                                              " would start others, too: make it in a task, or when the "
                                              "first one runs");
  }
  if (!options->names_start_method) options->start_method = start::DefaultStartMethod();
  options->call_entry = CallModuleEntry;
  if (options->module.empty() && options->command.empty() && !(options->of_host() && options->table)) {
    auto self = SelfTable();
    if (!self && !options->of_host()) {
      return Status(MPROC_ERROR_NOT_SERVED,
                    std::string("the ") + what +
                        " would be this program, which has not called "
                        "mproc_worker_main; call it at the top of main, or name a module");
    }
    if (self && !options->table) options->table = *self;
  }
  return Status();
}

}  // namespace mproc::capi
