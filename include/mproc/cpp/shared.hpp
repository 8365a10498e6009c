// SPDX-License-Identifier: MIT
// What processes share, with types: mutexes for std::scoped_lock, semaphores, events, values and arrays,
// segments, queues, connections. Each owns its handle, or, made of a call, uses one that was bound to the
// function.
#ifndef MPROC_CPP_SHARED_HPP
#define MPROC_CPP_SHARED_HPP

#include <mproc/array.h>
#include <mproc/connection.h>
#include <mproc/event.h>
#include <mproc/object.h>
#include <mproc/queue.h>
#include <mproc/segment.h>
#include <mproc/semaphore.h>
#include <mproc/cpp/call.hpp>
#include <mproc/cpp/codec.hpp>
#include <mproc/cpp/error.hpp>
#include <mproc/cpp/future.hpp>

#include <chrono>
#include <optional>
#include <span>

namespace mproc {
namespace detail {

// Calls again what a signal has ended; true unless the time is up.
template <typename Call>
bool until_done(Call&& tried, mproc_status_t when_late = MPROC_ERROR_TIMED_OUT) {
  mproc_status_t status;
  do {
    status = tried();
  } while (status == MPROC_ERROR_INTERRUPTED);
  if (status == when_late) return false;
  check(status);
  return true;
}

// The same of a lock that may be robust.
template <typename Call>
bool until_acquired(Call&& tried, bool* owner_died) {
  return until_done([&]() -> mproc_status_t {
    mproc_status_t status = tried();
    if (status != MPROC_OK && status != MPROC_ERROR_OWNER_DIED) return status;
    *owner_died = status != MPROC_OK;
    return MPROC_OK;
  });
}

}  // namespace detail

// The base of all: movable, its handle is destroyed with it unless it belongs to a call. Since 0.1.
template <typename Handle>
class shared_object {
 public:
  shared_object(shared_object&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), owned_(other.owned_) {}
  shared_object& operator=(shared_object&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(owned_, other.owned_);
    return *this;
  }
  ~shared_object() {
    if (owned_) mproc_object_destroy(handle_);
  }
  Handle* handle() const { return handle_; }

 protected:
  explicit shared_object(Handle* made) : handle_(made), owned_(true) {}
  shared_object(const call& from, size_t index) : handle_(nullptr), owned_(false) {
    void* found = nullptr;
    detail::check(mproc_call_object(from.handle(), index, &found));
    handle_ = static_cast<Handle*>(found);
  }

 private:
  Handle* handle_;
  bool owned_;
};

// A lock of a kind MPROC_LOCK_, for std::scoped_lock and std::unique_lock. Since 0.1.
class mutex : public shared_object<mproc_lock_t> {
 public:
  explicit mutex(int32_t kind = MPROC_LOCK_PLAIN) : shared_object(make(kind)) {}
  mutex(const call& from, size_t index) : shared_object(from, index) {}

  void lock() { take(MPROC_FOREVER); }
  bool try_lock() { return take(0); }
  bool try_lock_for(std::chrono::nanoseconds limit) { return take(detail::limit_of(limit)); }
  void unlock() { detail::check(mproc_lock_release(handle())); }
  // Of a robust one: whether the last one that this object took came from a thread that had ended with it.
  bool owner_died() const { return owner_died_; }

 private:
  static mproc_lock_t* make(int32_t kind) {
    mproc_lock_t* made = nullptr;
    detail::check(mproc_lock_create(kind, &made));
    return made;
  }
  bool take(int64_t limit) {
    return detail::until_acquired([&] { return mproc_lock_acquire(handle(), limit); }, &owner_died_);
  }
  bool owner_died_ = false;
};

// A number to take from and to give to. Since 0.1.
class semaphore : public shared_object<mproc_semaphore_t> {
 public:
  explicit semaphore(int64_t value, int64_t bound = 0) : shared_object(make(value, bound)) {}
  semaphore(const call& from, size_t index) : shared_object(from, index) {}

  void acquire() { take(MPROC_FOREVER); }
  bool try_acquire() { return take(0); }
  bool try_acquire_for(std::chrono::nanoseconds limit) { return take(detail::limit_of(limit)); }
  void release(int64_t count = 1) { detail::check(mproc_semaphore_release(handle(), count)); }

 private:
  static mproc_semaphore_t* make(int64_t value, int64_t bound) {
    mproc_semaphore_t* made = nullptr;
    detail::check(mproc_semaphore_create(value, bound, &made));
    return made;
  }
  bool take(int64_t limit) {
    return detail::until_done([&] { return mproc_semaphore_acquire(handle(), limit); });
  }
};

// A flag to wait for. Since 0.1.
class event : public shared_object<mproc_event_t> {
 public:
  event() : shared_object(make()) {}
  event(const call& from, size_t index) : shared_object(from, index) {}

  void set() { detail::check(mproc_event_set(handle())); }
  void clear() { detail::check(mproc_event_clear(handle())); }
  void wait() { wait_until_set(MPROC_FOREVER); }
  bool wait_for(std::chrono::nanoseconds limit) { return wait_until_set(detail::limit_of(limit)); }

 private:
  static mproc_event_t* make() {
    mproc_event_t* made = nullptr;
    detail::check(mproc_event_create(&made));
    return made;
  }
  bool wait_until_set(int64_t limit) {
    return detail::until_done([&] { return mproc_event_wait(handle(), limit); });
  }
};

// Items that all have, with a recursive lock of their own: std::scoped_lock works with it. Since 0.1.
template <typename T>
class shared_array : public shared_object<mproc_array_t> {
  static_assert(std::is_trivially_copyable_v<T>, "only what can be copied byte by byte can be shared");

 public:
  explicit shared_array(size_t count) : shared_object(make(count)) { find(); }
  shared_array(const call& from, size_t index) : shared_object(from, index) { find(); }

  std::span<T> items() const { return items_; }
  size_t size() const { return items_.size(); }
  T& operator[](size_t at) const { return items_[at]; }
  void lock() { take(MPROC_FOREVER); }
  bool try_lock() { return take(0); }
  void unlock() { detail::check(mproc_array_release(handle())); }
  // Whether the lock, when this object took it last, came from a thread that had ended with it.
  bool owner_died() const { return owner_died_; }

 private:
  bool take(int64_t limit) {
    return detail::until_acquired([&] { return mproc_array_acquire(handle(), limit); }, &owner_died_);
  }
  static mproc_array_t* make(size_t count) {
    mproc_array_t* made = nullptr;
    detail::check(mproc_array_create(MPROC_TYPE_BYTES, sizeof(T), count, nullptr, &made));
    return made;
  }
  void find() {
    size_t size = 0, count = 0;
    void* data = nullptr;
    detail::check(mproc_array_shape(handle(), nullptr, &size, &count));
    detail::check(size == sizeof(T) ? mproc_array_data(handle(), &data) : MPROC_ERROR_WRONG_KIND);
    items_ = {static_cast<T*>(data), count};
  }
  std::span<T> items_;
  bool owner_died_ = false;
};

// One item that all have. Since 0.1.
template <typename T>
class shared_value : public shared_array<T> {
 public:
  explicit shared_value(const T& value = T()) : shared_array<T>(1) { this->items()[0] = value; }
  shared_value(const call& from, size_t index) : shared_array<T>(from, index) {}
  T& get() const { return this->items()[0]; }
};

// Shared memory with a name. Since 0.1.
class segment : public shared_object<mproc_segment_t> {
 public:
  // Without a name: under any that is free.
  static segment create(size_t size, const char* name = nullptr, uint32_t flags = MPROC_MEMORY_RESERVED) {
    mproc_segment_t* made = nullptr;
    detail::check(mproc_segment_create(name, size, flags, &made));
    return segment(made);
  }
  static segment attach(const char* name) {
    mproc_segment_t* made = nullptr;
    detail::check(mproc_segment_attach(name, &made));
    return segment(made);
  }
  segment(const call& from, size_t index) : shared_object(from, index) {}

  std::span<std::byte> bytes() const {
    void* data = nullptr;
    size_t size = 0;
    detail::check(mproc_segment_data(handle(), &data, &size));
    return {static_cast<std::byte*>(data), size};
  }
  const char* name() const {
    const char* text = nullptr;
    detail::check(mproc_segment_name(handle(), &text));
    return text;
  }
  // Takes the name away; false if it was gone.
  bool unlink() {
    mproc_status_t status = mproc_segment_unlink(handle());
    if (status != MPROC_ERROR_NOT_FOUND) detail::check(status);
    return status == MPROC_OK;
  }

 private:
  explicit segment(mproc_segment_t* made) : shared_object(made) {}
};

// A queue of values. Since 0.1.
template <typename T>
class queue : public shared_object<mproc_queue_t> {
 public:
  // Full with so many items or bytes; 0: no limit.
  explicit queue(uint64_t most_items = 0, uint64_t most_bytes = 0)
      : shared_object(make(most_items, most_bytes)) {}
  queue(const call& from, size_t index) : shared_object(from, index) {}

  void put(const T& value) { put_within(value, MPROC_FOREVER); }
  bool try_put(const T& value) { return put_within(value, 0); }
  bool put_for(const T& value, std::chrono::nanoseconds limit) {
    return put_within(value, detail::limit_of(limit));
  }
  T get() { return std::move(*get_within(MPROC_FOREVER)); }
  std::optional<T> try_get() { return get_within(0); }
  std::optional<T> get_for(std::chrono::nanoseconds limit) { return get_within(detail::limit_of(limit)); }
  void task_done() { detail::check(mproc_queue_task_done(handle())); }
  void join() {
    detail::until_done([&] { return mproc_queue_join(handle(), MPROC_FOREVER); });
  }

 private:
  static mproc_queue_t* make(uint64_t most_items, uint64_t most_bytes) {
    mproc_queue_t* made = nullptr;
    detail::check(mproc_queue_create(most_items, most_bytes, MPROC_QUEUE_BYTES, &made));
    return made;
  }
  bool put_within(const T& value, int64_t limit) {
    auto bytes = detail::encode(value);
    return detail::until_done([&] { return mproc_queue_put(handle(), bytes.data(), bytes.size(), limit); },
                              MPROC_ERROR_QUEUE_FULL);
  }
  std::optional<T> get_within(int64_t limit) {
    mproc_message_t* taken = nullptr;
    if (!detail::until_done([&] { return mproc_queue_get(handle(), limit, &taken); },
                            MPROC_ERROR_QUEUE_EMPTY))
      return std::nullopt;
    std::unique_ptr<mproc_message_t, mproc_status_t (*)(mproc_message_t*)> message(taken,
                                                                                   mproc_message_destroy);
    void* data = nullptr;
    size_t size = 0;
    detail::check(mproc_message_data(taken, &data, &size));
    return detail::decode_as<T>(data, size);
  }
};

// One end of a pipe, for messages of bytes. Since 0.1.
class connection : public shared_object<mproc_connection_t> {
 public:
  explicit connection(mproc_connection_t* owned) : shared_object(owned) {}
  connection(const call& from, size_t index) : shared_object(from, index) {}
  // Both ends; if it is not duplex the first one receives.
  static std::pair<connection, connection> pipe(bool duplex = true) {
    mproc_connection_t *first = nullptr, *second = nullptr;
    detail::check(mproc_pipe_create(duplex, &first, &second));
    return {connection(first), connection(second)};
  }

  void send(std::span<const std::byte> bytes) {
    detail::until_done(
        [&] { return mproc_connection_send(handle(), bytes.data(), bytes.size(), MPROC_FOREVER); });
  }
  // None at the end of file.
  std::optional<std::vector<std::byte>> receive() {
    mproc_message_t* came = nullptr;
    if (!detail::until_done([&] { return mproc_connection_receive(handle(), MPROC_FOREVER, &came); },
                            MPROC_ERROR_END_OF_FILE)) {
      return std::nullopt;
    }
    void* data = nullptr;
    size_t size = 0;
    mproc_message_data(came, &data, &size);
    auto* from = static_cast<const std::byte*>(data);
    std::vector<std::byte> bytes(from, from + size);
    mproc_message_destroy(came);
    return bytes;
  }
  bool poll(std::chrono::nanoseconds limit = {}) {
    return detail::until_done([&] { return mproc_connection_poll(handle(), detail::limit_of(limit)); });
  }
};

}  // namespace mproc

#endif
