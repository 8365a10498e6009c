// SPDX-License-Identifier: MIT
#include "cli/map_command.hh"

#include <cctype>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <system_error>

#include "cli/dump_on_signal.hh"
#include "cli/exit_code.hh"
#include "cli/map_input.hh"
#include "cli/map_run.hh"

namespace mproc::cli {

namespace {

constexpr size_t kBufferSize = 64 << 10;

// The loader looks for a bare name in its own places only; a file that is here is meant first.
std::string ModulePath(const std::string& module) {
  std::error_code error;
  if (!std::filesystem::exists(module, error)) return module;
  std::filesystem::path path = std::filesystem::absolute(module, error);
  return error ? module : path.string();
}

bool LooksLikeOption(const std::string& text) {
  return text.size() > 1 && text[0] == '-' && !std::isdigit(static_cast<unsigned char>(text[1]));
}

int CodeOf(mproc_status_t status) {
  bool usage = status == MPROC_ERROR_BAD_MODULE || status == MPROC_ERROR_UNKNOWN_FUNCTION ||
               status == MPROC_ERROR_INVALID_ARGUMENT;
  return usage ? kWrongUsage : kPoolFailed;
}

}  // namespace

MapCommand::MapCommand(CLI::App* app)
    : command_(app->add_subcommand("map", "Apply a function of a module to items, in worker processes")) {
  command_->add_option("MODULE", module_, "Shared library that exports mproc_module_main")->required();
  command_->add_option("FUNCTION", function_, "Name or number of a function in it")->required();
  // ITEM is no option of CLI11, which would take "[a,b]" apart: what remains are items, from the first on.
  command_->prefix_command();
  command_->add_option("--jobs,-j", workers_, "Number of workers (default: as many as CPUs may be used)")
      ->check(CLI::Range(1, 4096));
  command_->add_option("--chunk", chunk_, "Items a task; fewer when the input pauses")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command_->add_flag("--unordered", unordered_, "Print results as they come, not in the order of the input");
  command_->add_option("--timeout", timeout_, "Seconds that a task may run before its worker is killed")
      ->check(CLI::Range(1e-3, 1e9));
  command_
      ->add_option("--retries", retries_, "Times that a task is run again that failed, or whose worker ended")
      ->check(CLI::Range(0, 255));
  command_->add_flag("--progress", progress_, "Show a bar, if the standard error is a terminal");
  command_->add_option("--trace", trace_,
                       "Write which worker ran what and when, as JSON for ui.perfetto.dev");
  command_->add_option("--start-method", start_method_, "How workers are started")
      ->check(CLI::IsMember(StartMethods()))
      ->capture_default_str();
  command_->add_option("--name", name_, "Name of the pool, shown in the names of its workers")
      ->check([](const std::string& name) {
        return name.empty() || name.size() > 63 ? std::string("a name has 1 to 63 bytes") : std::string();
      })
      ->capture_default_str();
  command_->footer(
      std::string("Items are the arguments, else the lines of the standard input. Options stand before "
                  "the first ITEM,\n-- before items that begin with a dash. Prints one result a line; "
                  "an item that fails is told on the\nstandard error, and the others go on. "
                  "SIGUSR1 makes it tell there what each worker does.\n\n") +
      kExitCodeHelp);
}

std::vector<std::string> MapCommand::Items(std::vector<std::string> literal_items) const {
  std::vector<std::string> items = command_->remaining();
  if (!items.empty() && LooksLikeOption(items[0])) {
    throw CLI::ExtrasError("map", {items[0] + " (-- stands before items that begin with a dash)"});
  }
  items.insert(items.end(), std::make_move_iterator(literal_items.begin()),
               std::make_move_iterator(literal_items.end()));
  return items;
}

PoolPtr MapCommand::StartPool() const {
  OptionsPtr options = MakeOptions();
  Check(mproc_pool_options_set_module(options.get(), ModulePath(module_).c_str()), "module");
  if (workers_) Check(mproc_pool_options_set_workers(options.get(), workers_), "workers");
  Check(mproc_pool_options_set_name(options.get(), name_.c_str()), "name");
  int32_t method = 0;
  Check(mproc_start_method_find(start_method_.c_str(), &method), "start method");
  Check(mproc_pool_options_set_start_method(options.get(), method), "start method");
  // The thread that waits for SIGUSR1 holds nothing that a forked worker would need.
  Check(mproc_pool_options_set_fork_with_threads(options.get(), 1), "start method");
  if (!trace_.empty()) Check(mproc_pool_options_set_timing(options.get(), MPROC_TIMING_ALL), "timing");
  PoolPtr pool = MakePool(options);
  mproc_status_t status;
  while ((status = mproc_pool_wait_ready(pool.get(), MPROC_FOREVER)) == MPROC_ERROR_INTERRUPTED) {
  }
  Check(status, "starting the workers");
  return pool;
}

// A name goes before a number, if a function should be called "7".
uint32_t MapCommand::FindFunction(const PoolPtr& pool) const {
  uint32_t id = 0;
  mproc_status_t status = mproc_pool_find_function(pool.get(), function_.c_str(), &id);
  if (status == MPROC_OK) return id;
  const char* end = function_.data() + function_.size();
  auto [stop, error] = std::from_chars(function_.data(), end, id);
  if (error == std::errc() && stop == end) return id;  // submitting tells if there is none
  if (status == MPROC_ERROR_UNKNOWN_FUNCTION) {
    throw Failure(status, "the module " + module_ + " has no function \"" + function_ + "\"");
  }
  Check(status, "finding the function");
  return id;
}

MapRun::Settings MapCommand::SettingsFor(const PoolPtr& pool) const {
  MapRun::Settings settings;
  settings.function = FindFunction(pool);
  settings.chunk = chunk_;
  settings.unordered = unordered_;
  if (timeout_ > 0) settings.time_limit = static_cast<int64_t>(timeout_ * MPROC_SECOND);
  settings.retries = retries_;
  int32_t workers = 1;
  Check(mproc_pool_worker_count(pool.get(), &workers), "counting the workers");
  settings.workers = workers;
  return settings;
}

int MapCommand::Run(std::vector<std::string> literal_items) {
  std::vector<std::string> items = Items(std::move(literal_items));
  std::setvbuf(stdout, nullptr, _IOFBF, kBufferSize);
  uint64_t count = items.size();
  std::unique_ptr<ItemSource> source;
  if (items.empty()) {
    source = std::make_unique<LineSource>(std::cin.rdbuf());
  } else {
    source = std::make_unique<ArgumentSource>(std::move(items));
  }
  try {
    std::unique_ptr<TraceFile> trace;
    if (!trace_.empty()) trace = std::make_unique<TraceFile>(trace_, function_);
    DumpOnSignal dump;
    PoolPtr pool = StartPool();
    dump.SetPool(pool.get());
    ProgressBar bar(progress_);
    MapRun::Settings settings = SettingsFor(pool);
    settings.items = count;
    settings.trace = trace.get();
    settings.bar = &bar;
    MapRun run(pool.get(), source.get(), settings);
    bool abandoned = false;
    int code = run.Run(&abandoned);
    pool.reset();
    if (trace && !trace->Finish()) {
      std::fprintf(stderr, "mproc: the trace %s cannot be written\n", trace_.c_str());
      code = kPoolFailed;
    }
    bar.Clear();
    if (abandoned) std::_Exit(code);
    return code;
  } catch (const Failure& failure) {
    std::fprintf(stderr, "mproc: %s\n", failure.what());
    return CodeOf(failure.status());
  }
}

}  // namespace mproc::cli
