// SPDX-License-Identifier: MIT
// The ways to call one function of a pool, all of its arguments given with each call or the first ones bound.
#ifndef MPROC_CPP_CALLS_HPP
#define MPROC_CPP_CALLS_HPP

#include <mproc/bound.h>
#include <mproc/map.h>
#include <mproc/object.h>
#include <mproc/cpp/functions.hpp>
#include <mproc/cpp/future.hpp>
#include <mproc/cpp/imap.hpp>

#include <initializer_list>
#include <ranges>

namespace mproc {
namespace detail {

// `Count` of the elements of a tuple from `First` on.
template <typename Tuple, size_t First, typename Places>
struct part_of;
template <typename Tuple, size_t First, size_t... Places>
struct part_of<Tuple, First, std::index_sequence<Places...>> {
  using type = std::tuple<std::tuple_element_t<First + Places, Tuple>...>;
};
template <typename Tuple, size_t First, size_t Count>
using part_of_t = typename part_of<Tuple, First, std::make_index_sequence<Count>>::type;

template <typename Tuple>
std::vector<std::byte> encode_tuple(const Tuple& values) {
  return std::apply([](const auto&... each) { return encode(each...); }, values);
}

// Calls of a function whose first `Bound` arguments are not given here. The pool must live.
template <auto Function, size_t Bound>
class calls {
  static constexpr size_t kAll = std::tuple_size_v<arguments_of<Function>>;
  static_assert(Bound <= kAll, "the function has fewer parameters than are bound");

 public:
  using arguments = part_of_t<arguments_of<Function>, Bound, kAll - Bound>;
  using result = result_of<Function>;

  calls(mproc_pool_t* pool, uint32_t id) : pool_(pool), id_(id) {}

  template <typename... Args>
  future<result> submit(Args&&... args) {
    auto bytes = encode_tuple(arguments(std::forward<Args>(args)...));
    mproc_future_t* made = nullptr;
    for (;;) {
      mproc_status_t status = mproc_pool_submit(pool_, id_, bytes.data(), bytes.size(), MPROC_FOREVER, &made);
      if (status == MPROC_ERROR_INTERRUPTED) continue;
      check(status);
      return future<result>(made);
    }
  }

  template <std::ranges::input_range Range>
  map_future<result> map_async(Range&& range, int64_t chunk = MPROC_CHUNK_AUTO) {
    std::vector<std::byte> bytes;
    std::vector<size_t> sizes;
    for (auto&& element : range) {
      std::vector<std::byte> one = encode_element(element);
      bytes.insert(bytes.end(), one.begin(), one.end());
      sizes.push_back(one.size());
    }
    std::vector<const void*> items(sizes.size());
    const std::byte* at = bytes.data();
    for (size_t i = 0; i < items.size(); at += sizes[i++]) items[i] = at;
    mproc_future_t* made = nullptr;
    check(mproc_pool_map_async(pool_, id_, items.data(), sizes.data(), items.size(), chunk,
                               MPROC_MAP_STOP_CHUNK, nullptr, nullptr, nullptr, &made));
    return map_future<result>(made);
  }

  template <std::ranges::input_range Range>
  auto map(Range&& range, int64_t chunk = MPROC_CHUNK_AUTO) {
    using element = std::remove_cv_t<std::ranges::range_value_t<Range>>;
    if constexpr (std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range> &&
                  std::is_same_v<arguments, std::tuple<element>> && is_plain<element> && is_array_result) {
      std::vector<result> results(std::ranges::size(range));
      mproc_future_t* made = nullptr;
      check(mproc_pool_map_array_async(pool_, id_, std::ranges::data(range), sizeof(element), results.size(),
                                       results.data(), sizeof(result), chunk, nullptr, nullptr, nullptr,
                                       &made));
      map_future<void>(made).get();
      return results;
    } else {
      return map_async(std::forward<Range>(range), chunk).get();
    }
  }

  template <std::ranges::input_range Range>
  imap_results<result> imap(Range&& range, const imap_options& how = {}) {
    auto encode = [](auto&& element) { return encode_element(std::forward<decltype(element)>(element)); };
    using feed = range_feed<Range, decltype(encode)>;
    return {pool_, id_, std::make_unique<feed>(std::forward<Range>(range), encode), how};
  }

 protected:
  mproc_pool_t* pool_;
  uint32_t id_;

 private:
  static constexpr bool is_array_result = is_plain<result> && !std::is_same_v<result, bool>;

  template <typename Element>
  static std::vector<std::byte> encode_element(Element&& element) {
    if constexpr (std::tuple_size_v<arguments> == 1) {
      std::tuple_element_t<0, arguments> argument(std::forward<Element>(element));
      return encode(argument);
    } else {
      return encode_tuple(arguments(std::forward<Element>(element)));
    }
  }
};

}  // namespace detail

// A function with its first arguments bound, to be called as through its pool, which must live as long. Calls
// that are under way when it is destroyed go on. Movable. Since 0.1.
template <auto Function, size_t Bound>
class bound_function : public detail::calls<Function, Bound> {
  using base = detail::calls<Function, Bound>;

 public:
  template <typename... Args>
  bound_function(mproc_pool_t* pool, uint32_t function, Args&&... args) : base(pool, 0) {
    using first = detail::part_of_t<detail::arguments_of<Function>, 0, Bound>;
    auto bytes = detail::encode_tuple(first(std::forward<Args>(args)...));
    detail::check(mproc_pool_bind(pool, function, bytes.data(), bytes.size(), &this->id_));
  }
  // The same, with handles of what its calls are to share (shared.hpp).
  template <typename... Args>
  bound_function(mproc_pool_t* pool, uint32_t function, std::initializer_list<void*> objects, Args&&... args)
      : base(pool, 0) {
    using first = detail::part_of_t<detail::arguments_of<Function>, 0, Bound>;
    auto bytes = detail::encode_tuple(first(std::forward<Args>(args)...));
    detail::check(mproc_pool_bind_objects(pool, function, bytes.data(), bytes.size(), objects.begin(),
                                          objects.size(), &this->id_));
  }
  bound_function(bound_function&& other) noexcept : base(other.pool_, std::exchange(other.id_, 0)) {}
  bound_function& operator=(bound_function&& other) noexcept {
    std::swap(this->pool_, other.pool_);
    std::swap(this->id_, other.id_);
    return *this;
  }
  ~bound_function() {
    if (this->id_) mproc_pool_unbind(this->pool_, this->id_);
  }
  uint32_t id() const { return this->id_; }  // for the C calls
};

}  // namespace mproc

#endif
