// SPDX-License-Identifier: MIT
// Owners for the handles of the C API, and its errors as exceptions. Within the program only.
#ifndef MPROC_CLI_HANDLES_HH
#define MPROC_CLI_HANDLES_HH

#include <mproc/mproc.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace mproc::cli {

template <typename T, mproc_status_t (*kFree)(T*)>
struct Freed {
  void operator()(T* handle) const { kFree(handle); }
};
using OptionsPtr =
    std::unique_ptr<mproc_pool_options_t, Freed<mproc_pool_options_t, mproc_pool_options_destroy>>;
using PoolPtr = std::unique_ptr<mproc_pool_t, Freed<mproc_pool_t, mproc_pool_destroy>>;
using BlockPtr = std::unique_ptr<mproc_block_t, Freed<mproc_block_t, mproc_block_destroy>>;
using TaskOptionsPtr =
    std::unique_ptr<mproc_task_options_t, Freed<mproc_task_options_t, mproc_task_options_destroy>>;
using FuturePtr = std::unique_ptr<mproc_future_t, Freed<mproc_future_t, mproc_future_release>>;
using ImapPtr = std::unique_ptr<mproc_imap_t, Freed<mproc_imap_t, mproc_imap_destroy>>;

// A call of the library that failed: what was tried, and the library's words on it.
class Failure : public std::runtime_error {
 public:
  Failure(mproc_status_t status, const std::string& what) : std::runtime_error(what), status_(status) {}
  mproc_status_t status() const { return status_; }

 private:
  mproc_status_t status_;
};

// Throws Failure unless `status` is OK. To be called right after the call it judges.
inline void Check(mproc_status_t status, const char* tried) {
  if (status == MPROC_OK) return;
  std::string said = mproc_last_error_message();
  throw Failure(status, std::string(tried) + ": " + (said.empty() ? mproc_status_text(status) : said));
}

inline OptionsPtr MakeOptions() {
  mproc_pool_options_t* options = nullptr;
  Check(mproc_pool_options_create(&options), "options");
  return OptionsPtr(options);
}

// Names, the default one first.
inline std::vector<std::string> StartMethods() {
  std::vector<std::string> names;
  int32_t method = 0;
  for (size_t i = 0; mproc_start_method_list(i, &method) == MPROC_OK; i++)
    names.emplace_back(mproc_start_method_name(method));
  return names;
}

inline TaskOptionsPtr MakeTaskOptions() {
  mproc_task_options_t* options = nullptr;
  Check(mproc_task_options_create(&options), "options");
  return TaskOptionsPtr(options);
}

inline PoolPtr MakePool(const OptionsPtr& options) {
  mproc_pool_t* pool = nullptr;
  Check(mproc_pool_create(options.get(), &pool), "starting the pool");
  return PoolPtr(pool);
}

}  // namespace mproc::cli

#endif
