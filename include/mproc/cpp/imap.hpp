// SPDX-License-Identifier: MIT
// Lazy maps: the results of a range that is read as they are.
#ifndef MPROC_CPP_IMAP_HPP
#define MPROC_CPP_IMAP_HPP

#include <mproc/imap.h>
#include <mproc/cpp/codec.hpp>
#include <mproc/cpp/error.hpp>
#include <mproc/cpp/future.hpp>

#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <variant>
#if __has_include(<cxxabi.h>)
#include <cxxabi.h>
#endif

namespace mproc {

// How a lazy map goes; the fields are those of mproc_pool_imap. Since 0.1.
struct imap_options {
  int64_t chunk = MPROC_CHUNK_AUTO;
  uint64_t window_items = 0;
  uint64_t window_bytes = 0;
  bool unordered = false;
  bool keep_going = false;
};

namespace detail {

// The range that items are pulled from, as the C interface sees it.
class item_feed {
 public:
  virtual ~item_feed() = default;
  static int32_t pull(const void** data, size_t* size, void* feed) {
    auto& self = *static_cast<item_feed*>(feed);
    try {
      if (!self.next()) return MPROC_ITEM_END;
      *data = self.bytes_.data();
      *size = self.bytes_.size();
      return MPROC_ITEM_GIVEN;
#if __has_include(<cxxabi.h>)
    } catch (abi::__forced_unwind&) {
      throw;
#endif
    } catch (...) {
      self.thrown_ = std::current_exception();
      return -1;
    }
  }
  void rethrow() {
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
  }

 protected:
  virtual bool next() = 0;
  std::vector<std::byte> bytes_;

 private:
  std::exception_ptr thrown_;
};

template <typename Range, typename Encode>
class range_feed : public item_feed {
 public:
  range_feed(Range&& range, Encode encode) : range_(std::forward<Range>(range)), encode_(encode) {}

 private:
  bool next() override {
    if (at_) {
      ++*at_;
    } else {
      at_.emplace(std::ranges::begin(range_));
    }
    if (*at_ == std::ranges::end(range_)) return false;
    bytes_ = encode_(**at_);
    return true;
  }

  Range range_;  // or a reference to the caller's
  Encode encode_;
  std::optional<std::ranges::iterator_t<Range>> at_;
};

}  // namespace detail

// The results of a lazy map, as a range to go through once. Its source is read on the thread that reads this,
// never far ahead of it. Destroying it drops what is under way. Movable, but not while it is gone through.
// Since 0.1.
template <typename R>
class imap_results {
 public:
  using value_type = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

  imap_results(mproc_pool_t* pool, uint32_t function, std::unique_ptr<detail::item_feed> feed,
               const imap_options& how)
      : feed_(std::move(feed)) {
    mproc_imap_t* made = nullptr;
    int32_t flags = (how.unordered ? MPROC_IMAP_UNORDERED : 0) | (how.keep_going ? MPROC_IMAP_KEEP_GOING : 0);
    detail::check(mproc_pool_imap(pool, function, detail::item_feed::pull, feed_.get(), how.chunk,
                                  how.window_items, how.window_bytes, flags, &made));
    handle_.reset(made);
  }

  // Waits for the next result; nothing when there are no more. Throws task_error of an item that ended
  // without a value, and what its range threw when it was read; it may be called again after either.
  std::optional<value_type> next() {
    const void* data = nullptr;
    size_t size = 0;
    for (;;) {
      mproc_status_t status = mproc_imap_next(handle(), MPROC_FOREVER, &data, &size, &index_);
      switch (status) {
        case MPROC_ERROR_INTERRUPTED:
          continue;
        case MPROC_ERROR_END:
          return std::nullopt;
        case MPROC_ERROR_ITERABLE:
          feed_->rethrow();
          break;
        case MPROC_ERROR_TASK:
        case MPROC_ERROR_CANCELLED:
        case MPROC_ERROR_WORKER_LOST:
        case MPROC_ERROR_NOT_RUN:
          throw task_error(handle(), status);
      }
      detail::check(status);
      if constexpr (std::is_void_v<R>) {
        return std::monostate();
      } else {
        return detail::decode_as<R>(data, size);
      }
    }
  }
  // Which element of the source the last result, or task_error, belongs to, from 0.
  uint64_t index() const { return index_; }
  mproc_imap_t* handle() const { return handle_.get(); }

  class iterator {
   public:
    using value_type = typename imap_results::value_type;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    iterator() = default;
    explicit iterator(imap_results* results) : results_(results), value_(results->next()) {}
    const value_type& operator*() const { return *value_; }
    iterator& operator++() {
      value_ = results_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !value_; }

   private:
    imap_results* results_ = nullptr;
    std::optional<value_type> value_;
  };
  iterator begin() { return iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  struct destroy {
    void operator()(mproc_imap_t* imap) const { mproc_imap_destroy(imap); }
  };

  std::unique_ptr<detail::item_feed> feed_;  // outlives the handle, which pulls from it
  std::unique_ptr<mproc_imap_t, destroy> handle_;
  uint64_t index_ = 0;
};

}  // namespace mproc

#endif
