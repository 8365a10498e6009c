// SPDX-License-Identifier: MIT
#include "shm/array.hh"

#include <mproc/array.h>

#include "base/clock.hh"
#include "capi/object_handles.hh"
#include "capi/sync_status.hh"

using namespace mproc;
using namespace mproc::capi;
using shm::Array;
using shm::ArrayLock;
using sync::Lock;

namespace {

Status Create(const shm::ArrayShape& asked, ArrayLock kind, mproc_lock_t* lock, mproc_array_t** array) {
  if (!array) return BadArgument("array is null");
  shm::ArrayShape shape = asked;
  if (shape.item_size == 0) shape.item_size = shm::SizeOfType(shape.type);
  auto make = [&](std::shared_ptr<Lock> given) {
    return GiveOutObject(Array::Create(shape, kind, std::move(given)), array);
  };
  if (!lock) return make(nullptr);
  return OnObject<Lock>(lock,
                        [&](Lock& l) { return make(std::static_pointer_cast<Lock>(l.shared_from_this())); });
}

// Runs `body` with the array's lock held, if it has one.
template <typename Body>
mproc_status_t GuardItems(mproc_array_t* array, size_t first, size_t count, const void* items, int64_t limit,
                          Body&& body) {
  return GuardObject<Array>(array, [&](Array& a) -> Status {
    if (!items && count) return BadArgument("items is null");
    if (first > a.shape().count || count > a.shape().count - first)
      return BadArgument("the array has not so many items");
    if (a.lock_kind() == ArrayLock::kNone) {
      body(a);
      return Status();
    }
    Status acquired = StatusOf(a.lock().Acquire(a.lock_options(), Deadline::After(limit)));
    if (!acquired.ok() && acquired.code() != MPROC_ERROR_OWNER_DIED) return acquired;
    body(a);
    Status released = StatusOf(a.lock().Release(a.lock_options()));
    return released.ok() ? acquired : released;
  });
}

Status NoLock() { return Status(MPROC_ERROR_UNSUPPORTED, "the array was made without a lock"); }

}  // namespace

mproc_status_t mproc_array_create(int32_t type, size_t item_size, size_t count, mproc_lock_t* lock,
                                  mproc_array_t** array) {
  return Guard([&] {
    return Create({type, item_size, count}, lock ? ArrayLock::kGiven : ArrayLock::kOwn, lock, array);
  });
}

mproc_status_t mproc_array_create_raw(int32_t type, size_t item_size, size_t count, mproc_array_t** array) {
  return Guard([&] { return Create({type, item_size, count}, ArrayLock::kNone, nullptr, array); });
}

mproc_status_t mproc_array_shape(mproc_array_t* array, int32_t* type, size_t* item_size, size_t* count) {
  return GuardObject<Array>(array, [&](Array& a) {
    if (type) *type = a.shape().type;
    if (item_size) *item_size = a.shape().item_size;
    if (count) *count = a.shape().count;
    return Status();
  });
}

mproc_status_t mproc_array_data(mproc_array_t* array, void** data) {
  return GuardObject<Array>(array, [&](Array& a) {
    if (!data) return BadArgument("data is null");
    *data = a.data();
    return Status();
  });
}

mproc_status_t mproc_array_get(mproc_array_t* array, size_t first, size_t count, void* items, int64_t limit) {
  return GuardItems(array, first, count, items, limit, [&](Array& a) { a.Read(first, count, items); });
}

mproc_status_t mproc_array_set(mproc_array_t* array, size_t first, size_t count, const void* items,
                               int64_t limit) {
  return GuardItems(array, first, count, items, limit, [&](Array& a) { a.Write(first, count, items); });
}

mproc_status_t mproc_array_acquire(mproc_array_t* array, int64_t limit) {
  return GuardObject<Array>(array, [&](Array& a) {
    if (a.lock_kind() == ArrayLock::kNone) return NoLock();
    return StatusOf(a.lock().Acquire(a.lock_options(), Deadline::After(limit)));
  });
}

mproc_status_t mproc_array_release(mproc_array_t* array) {
  return GuardObject<Array>(array, [&](Array& a) {
    if (a.lock_kind() == ArrayLock::kNone) return NoLock();
    return StatusOf(a.lock().Release(a.lock_options()));
  });
}

mproc_status_t mproc_array_lock(mproc_array_t* array, mproc_lock_t** lock) {
  return GuardObject<Array>(array, [&](Array& a) -> Status {
    if (!lock) return BadArgument("lock is null");
    if (!a.given_lock()) return Status(MPROC_ERROR_NOT_FOUND, "no lock was given to the array");
    return GiveOutObject(std::shared_ptr<object::Object>(a.given_lock()), lock);
  });
}

mproc_status_t mproc_array_destroy(mproc_array_t* array) { return GuardDestroyObject<Array>(array); }
