// SPDX-License-Identifier: MIT
// A pool of worker processes for the functions of one list.
#ifndef MPROC_CPP_POOL_HPP
#define MPROC_CPP_POOL_HPP

#include <mproc/map.h>
#include <mproc/pool.h>
#include <mproc/cpp/functions.hpp>
#include <mproc/cpp/future.hpp>

#include <ranges>

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
  pool_options& queue_limits(uint64_t tasks, uint64_t bytes) {
    return set(mproc_pool_options_set_queue_limits(handle(), tasks, bytes));
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
    detail::arguments_of<Function> arguments(std::forward<Args>(args)...);
    auto bytes = std::apply([](const auto&... each) { return detail::encode(each...); }, arguments);
    mproc_future_t* made = nullptr;
    for (;;) {
      mproc_status_t status = mproc_pool_submit(handle(), Functions::template id<Function>(), bytes.data(),
                                                bytes.size(), MPROC_FOREVER, &made);
      if (status == MPROC_ERROR_INTERRUPTED) continue;
      detail::check(status);
      return future<detail::result_of<Function>>(made);
    }
  }

  // Calls a function for every element of a range, in other processes; a function of several parameters gets
  // tuples of them. `chunk` elements travel together; the default is good for short functions.
  template <auto Function, std::ranges::input_range Range>
  map_future<detail::result_of<Function>> map_async(Range&& range, int64_t chunk = MPROC_CHUNK_AUTO) {
    std::vector<std::byte> bytes;
    std::vector<size_t> sizes;
    for (auto&& element : range) {
      std::vector<std::byte> one = encode_element<Function>(element);
      bytes.insert(bytes.end(), one.begin(), one.end());
      sizes.push_back(one.size());
    }
    std::vector<const void*> items(sizes.size());
    const std::byte* at = bytes.data();
    for (size_t i = 0; i < items.size(); at += sizes[i++]) items[i] = at;
    mproc_future_t* made = nullptr;
    detail::check(mproc_pool_map_async(handle(), Functions::template id<Function>(), items.data(),
                                       sizes.data(), items.size(), chunk, MPROC_MAP_STOP_CHUNK, nullptr,
                                       nullptr, nullptr, &made));
    return map_future<detail::result_of<Function>>(made);
  }

  // The same, and waits for the results. Arrays of plain types are worked on where they lie.
  template <auto Function, std::ranges::input_range Range>
  auto map(Range&& range, int64_t chunk = MPROC_CHUNK_AUTO) {
    using arguments = detail::arguments_of<Function>;
    using result = detail::result_of<Function>;
    using element = std::remove_cv_t<std::ranges::range_value_t<Range>>;
    if constexpr (std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range> &&
                  std::is_same_v<arguments, std::tuple<element>> && detail::is_plain<element> &&
                  is_array_result<result>) {
      std::vector<result> results(std::ranges::size(range));
      mproc_future_t* made = nullptr;
      detail::check(mproc_pool_map_array_async(
          handle(), Functions::template id<Function>(), std::ranges::data(range), sizeof(element),
          results.size(), results.data(), sizeof(result), chunk, nullptr, nullptr, nullptr, &made));
      map_future<void>(made).get();
      return results;
    } else {
      return map_async<Function>(std::forward<Range>(range), chunk).get();
    }
  }

  // Waits until every worker is ready; throws the reason if they cannot start.
  void wait_ready() { detail::check(mproc_pool_wait_ready(handle(), MPROC_FOREVER)); }
  // No more tasks; those that are queued still run.
  void close() { detail::check(mproc_pool_close(handle())); }
  // Ends queued and running tasks.
  void terminate() { detail::check(mproc_pool_terminate(handle())); }
  // After close or terminate: waits until all tasks and workers have ended.
  void join() { detail::check(mproc_pool_join(handle(), MPROC_FOREVER)); }
  mproc_pool_t* handle() const { return handle_.get(); }

 private:
  struct destroy {
    void operator()(mproc_pool_t* pool) const { mproc_pool_destroy(pool); }
  };

  template <typename R>
  static constexpr bool is_array_result = detail::is_plain<R> && !std::is_same_v<R, bool>;

  template <auto Function, typename Element>
  static std::vector<std::byte> encode_element(Element&& element) {
    using arguments = detail::arguments_of<Function>;
    if constexpr (std::tuple_size_v<arguments> == 1) {
      std::tuple_element_t<0, arguments> argument(std::forward<Element>(element));
      return detail::encode(argument);
    } else {
      arguments all(std::forward<Element>(element));
      return std::apply([](const auto&... each) { return detail::encode(each...); }, all);
    }
  }

  std::unique_ptr<mproc_pool_t, destroy> handle_;
};

}  // namespace mproc

#endif
