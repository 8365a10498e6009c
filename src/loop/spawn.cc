// SPDX-License-Identifier: MIT
#include "loop/spawn.hh"

#include <uv.h>

#include <new>
#include <utility>

namespace mproc::loop {
namespace {

// The strings as exec takes them; they belong to `strings`.
std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

struct ChildProcess::Handle {
  uv_process_t process;
  ExitCallback on_exit;

  static void OnExit(uv_process_t* process, int64_t code, int signal) {
    if (auto* self = static_cast<Handle*>(process->data)) {
      ExitCallback on_exit = std::move(self->on_exit);
      on_exit(static_cast<int>(code), signal);
    }
  }
  static void OnClosed(uv_handle_t* handle) { delete reinterpret_cast<Handle*>(handle); }
};

Status ChildProcess::Start(Loop& loop, const SpawnOptions& options, ExitCallback on_exit) {
  Close();
  std::vector<char*> arguments = Pointers(options.arguments);
  std::vector<char*> environment = Pointers(options.environment);
  std::vector<uv_stdio_container_t> descriptors(options.descriptors.size());
  for (size_t i = 0; i < descriptors.size(); i++) {
    int fd = options.descriptors[i];
    descriptors[i].flags = fd >= 0 ? UV_INHERIT_FD : UV_IGNORE;
    descriptors[i].data.fd = fd;
  }
  uv_process_options_t how{};
  how.exit_cb = Handle::OnExit;
  how.file = options.program.c_str();
  how.args = arguments.data();
  how.env = environment.data();
  how.stdio = descriptors.data();
  how.stdio_count = static_cast<int>(descriptors.size());

  auto* handle = new (std::nothrow) Handle{{}, std::move(on_exit)};
  if (!handle) return Status(MPROC_ERROR_OUT_OF_MEMORY);
  int error = uv_spawn(loop.raw(), &handle->process, &how);
  handle->process.data = handle;
  handle_ = handle;
  if (error == 0) return Status();
  Close();  // a handle that did not start is on the loop all the same
  return LoopError("starting a program", error);
}

pid_t ChildProcess::pid() const { return handle_ ? uv_process_get_pid(&handle_->process) : 0; }

bool ChildProcess::Signal(int signo) { return handle_ && uv_process_kill(&handle_->process, signo) == 0; }

void ChildProcess::Close() {
  if (!handle_) return;
  Handle* handle = std::exchange(handle_, nullptr);
  handle->process.data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle->process), Handle::OnClosed);
}

}  // namespace mproc::loop
