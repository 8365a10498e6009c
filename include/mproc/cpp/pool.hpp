// SPDX-License-Identifier: MIT
// A pool of worker processes for the functions of one list.
#ifndef MPROC_CPP_POOL_HPP
#define MPROC_CPP_POOL_HPP

#include <mproc/pool.h>
#include <mproc/worker_options.h>
#include <mproc/cpp/calls.hpp>

#include <chrono>

namespace mproc {

// How a pool is made. Each call returns the options, so that they can be written one after the other; what is
// not here goes through handle(). Since 0.1.
class pool_options {
 public:
  pool_options() {
    mproc_pool_options_t* made = nullptr;
    detail::check(mproc_pool_options_create(&made));
    handle_.reset(made);
  }

  pool_options& workers(int32_t count) { return set(mproc_pool_options_set_workers(handle(), count)); }
  pool_options& name(const std::string& text) {
    return set(mproc_pool_options_set_name(handle(), text.c_str()));
  }
  // Workers load this module, whose mproc_module_main adds the same list. Else they are this program.
  pool_options& module(const std::string& path) {
    return set(mproc_pool_options_set_module(handle(), path.c_str()));
  }
  // MPROC_START_. With fork and threads, too, the program calls serve() of its functions first, or has a
  // module.
  pool_options& start_method(int32_t method) {
    return set(mproc_pool_options_set_start_method(handle(), method));
  }
  pool_options& queue_limits(uint64_t tasks, uint64_t bytes) {
    return set(mproc_pool_options_set_queue_limits(handle(), tasks, bytes));
  }
  // When a worker is replaced: after so many tasks, above so many bytes of its own, so long after its start.
  pool_options& worker_tasks(int64_t tasks) {
    return set(mproc_pool_options_set_worker_tasks(handle(), tasks));
  }
  pool_options& worker_memory(int64_t bytes) {
    return set(mproc_pool_options_set_worker_memory(handle(), bytes));
  }
  pool_options& worker_age(std::chrono::nanoseconds age) {
    return set(mproc_pool_options_set_worker_age(handle(), age.count()));
  }
  // When a worker without tasks ends, and how many stay.
  pool_options& worker_idle(std::chrono::nanoseconds idle, int32_t least = 1) {
    return set(mproc_pool_options_set_worker_idle(handle(), idle.count()))
        .set(mproc_pool_options_set_least_workers(handle(), least));
  }
  // Log records of functions, of this level and more, come to `callback`.
  pool_options& log_callback(mproc_log_cb callback, void* user_data, int32_t least_level) {
    return set(mproc_pool_options_set_log_callback(handle(), callback, user_data, least_level));
  }
  // What workers print comes to `callback`.
  pool_options& output_callback(mproc_output_cb callback, void* user_data) {
    return set(mproc_pool_options_set_output_callback(handle(), callback, user_data));
  }
  mproc_pool_options_t* handle() const { return handle_.get(); }

 private:
  struct destroy {
    void operator()(mproc_pool_options_t* options) const { mproc_pool_options_destroy(options); }
  };
  pool_options& set(mproc_status_t status) {
    detail::check(status);
    return *this;
  }

  std::unique_ptr<mproc_pool_options_t, destroy> handle_;
};

// Thread-safe but for its construction, assignment and destruction, which ends the workers. Since 0.1.
template <typename Functions>
class pool {
 public:
  pool() : pool(pool_options()) {}
  explicit pool(const pool_options& options) {
    mproc_pool_t* made = nullptr;
    detail::check(mproc_pool_create(options.handle(), &made));
    handle_.reset(made);
  }

  // Queues a call; a full queue of bounded size is waited for.
  template <auto Function, typename... Args>
  future<detail::result_of<Function>> submit(Args&&... args) {
    return calls<Function>().submit(std::forward<Args>(args)...);
  }

  // Calls a function for every element of a range, in other processes; a function of several parameters gets
  // tuples of them. `chunk` elements travel together; the default is good for any function.
  template <auto Function, std::ranges::input_range Range>
  map_future<detail::result_of<Function>> map_async(Range&& range, int64_t chunk = MPROC_CHUNK_AUTO) {
    return calls<Function>().map_async(std::forward<Range>(range), chunk);
  }

  // The same, and waits for the results. Arrays of plain types are worked on where they lie.
  template <auto Function, std::ranges::input_range Range>
  auto map(Range&& range, int64_t chunk = MPROC_CHUNK_AUTO) {
    return calls<Function>().map(std::forward<Range>(range), chunk);
  }

  // The same lazily: reads the range as its results are read, so that it may be a stream or without end. A
  // range that is no temporary is used where it is.
  template <auto Function, std::ranges::input_range Range>
  imap_results<detail::result_of<Function>> imap(Range&& range, const imap_options& how = {}) {
    return calls<Function>().imap(std::forward<Range>(range), how);
  }

  // Binds the first arguments of a function: what is returned has the calls above for the others. The values
  // travel to each worker once, but are decoded for every call.
  template <auto Function, typename... Args>
  bound_function<Function, sizeof...(Args)> bind(Args&&... args) {
    return {handle(), Functions::template id<Function>(), std::forward<Args>(args)...};
  }

  // The same, with handles of objects that the function finds by their places (shared.hpp).
  template <auto Function, typename... Args>
  bound_function<Function, sizeof...(Args)> bind_with(std::initializer_list<void*> objects, Args&&... args) {
    return {handle(), Functions::template id<Function>(), objects, std::forward<Args>(args)...};
  }

  // Changes the number of workers; does not wait.
  void resize(int32_t workers) { detail::check(mproc_pool_resize(handle(), workers)); }
  // Waits until every worker is ready; throws the reason if they cannot start.
  void wait_ready() { detail::check(mproc_pool_wait_ready(handle(), MPROC_FOREVER)); }
  // No more tasks; those that are queued still run.
  void close() { detail::check(mproc_pool_close(handle())); }
  // Ends queued and running tasks.
  void terminate() { detail::check(mproc_pool_terminate(handle())); }
  // After close or terminate: waits until all tasks and workers have ended.
  void join() { detail::check(mproc_pool_join(handle(), MPROC_FOREVER)); }
  // What everybody does now, as text for people.
  std::string dump() const {
    std::string text(4096, '\0');
    size_t size = 0;
    mproc_status_t status;
    while ((status = mproc_pool_dump(handle(), text.data(), text.size(), &size)) ==
           MPROC_ERROR_BUFFER_TOO_SMALL) {
      text.resize(size + 4096);  // it may grow meanwhile
    }
    detail::check(status);
    text.resize(size);
    return text;
  }
  mproc_pool_t* handle() const { return handle_.get(); }

 private:
  struct destroy {
    void operator()(mproc_pool_t* pool) const { mproc_pool_destroy(pool); }
  };

  template <auto Function>
  detail::calls<Function, 0> calls() {
    return {handle(), Functions::template id<Function>()};
  }

  std::unique_ptr<mproc_pool_t, destroy> handle_;
};

}  // namespace mproc

#endif
