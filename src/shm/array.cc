// SPDX-License-Identifier: MIT
//
// Shape and kind of lock stand in the shared memory for those that adopt it; each process checks them against
// the size of the memory, which is sealed, and keeps a copy. So a peer can change the items, but not where
// they are.
#include "shm/array.hh"

#include <cstring>

#include "shm/memory.hh"

namespace mproc::shm {
namespace {

template <typename T>
void CopyAtomically(void* to, const void* from, size_t count) {
  auto* target = static_cast<T*>(to);
  auto* source = static_cast<const T*>(from);
  for (size_t i = 0; i < count; i++) {
    T item;
    __atomic_load(source + i, &item, __ATOMIC_RELAXED);
    __atomic_store(target + i, &item, __ATOMIC_RELAXED);
  }
}

bool IsAligned(const void* address, size_t size) { return reinterpret_cast<uintptr_t>(address) % size == 0; }

// One side is shared; the caller's may lie anywhere.
void CopyItems(void* to, const void* from, size_t size, size_t count) {
  bool whole = size <= 8 && (size & (size - 1)) == 0 && IsAligned(to, size) && IsAligned(from, size);
  switch (whole ? size : 0) {
    case 2:
      return CopyAtomically<uint16_t>(to, from, count);
    case 4:
      return CopyAtomically<uint32_t>(to, from, count);
    case 8:
      return CopyAtomically<uint64_t>(to, from, count);
    default:
      std::memcpy(to, from, size * count);
  }
}

Status CheckShape(const ArrayShape& shape) {
  size_t known = SizeOfType(shape.type);
  if (shape.type != 0 && (known == 0 || shape.item_size != known)) {
    return Status(MPROC_ERROR_INVALID_ARGUMENT, "no type, or items of another size than the type's");
  }
  if (shape.item_size == 0 || shape.count == 0)
    return Status(MPROC_ERROR_INVALID_ARGUMENT, "an array has at least one item, of at least one byte");
  size_t size;
  if (__builtin_mul_overflow(shape.item_size, shape.count, &size) || size > kLargest)
    return Status(MPROC_ERROR_TOO_LARGE, "an array has at most 2^46 bytes");
  return Status();
}

}  // namespace

size_t SizeOfType(int32_t type) {
  switch (type) {
    case 'c':
    case 'b':
    case 'B':
      return 1;
    case 'h':
    case 'H':
      return sizeof(short);
    case 'i':
    case 'I':
      return sizeof(int);
    case 'u':
      return sizeof(wchar_t);
    case 'l':
    case 'L':
      return sizeof(long);
    case 'q':
    case 'Q':
      return sizeof(long long);
    case 'f':
      return sizeof(float);
    case 'd':
      return sizeof(double);
    default:
      return 0;
  }
}

Array::Array(platform::SharedMemory memory, const ArrayShape& shape, ArrayLock lock,
             std::shared_ptr<sync::Lock> given)
    : SharedObject(kKind, std::move(memory)), shape_(shape), lock_(lock), given_(std::move(given)) {}

Result<std::shared_ptr<Array>> Array::Create(const ArrayShape& shape, ArrayLock lock,
                                             std::shared_ptr<sync::Lock> given) {
  if (Status good = CheckShape(shape); !good.ok()) return good;
  auto memory = Allocate(kKind, kDataOffset + shape.item_size * shape.count, 0);
  if (!memory.ok()) return memory.status();
  std::shared_ptr<Array> made(new Array(std::move(*memory), shape, lock, std::move(given)));
  auto* head = made->body<Head>();
  head->type = shape.type;
  head->lock = static_cast<uint32_t>(lock);
  head->item_size = shape.item_size;
  head->count = shape.count;
  return made;
}

Result<std::shared_ptr<Array>> Array::Adopt(object::ReceivedFds fds) {
  auto memory = ReceiveAny(kKind, kDataOffset, std::move(fds[0]));
  if (!memory.ok()) return memory.status();
  auto* head = reinterpret_cast<const Head*>(memory->data() + sizeof(object::ObjectHead));
  ArrayShape shape{head->type, head->item_size, head->count};
  auto lock = static_cast<ArrayLock>(head->lock);
  size_t room = memory->size() - sizeof(object::ObjectHead) - kDataOffset;
  if (!CheckShape(shape).ok() || shape.item_size * shape.count > room)
    return Status(MPROC_ERROR_PROTOCOL, "the array is not as large as it says");
  if (lock > ArrayLock::kGiven || fds.size() != (lock == ArrayLock::kGiven ? 2 : 1))
    return Status(MPROC_ERROR_PROTOCOL, "the array came without its lock, or with one that is not its own");
  std::shared_ptr<sync::Lock> given;
  if (lock == ArrayLock::kGiven) {
    auto adopted = sync::Lock::Adopt(std::move(fds[1]));
    if (!adopted.ok()) return adopted.status();
    given = std::move(*adopted);
  }
  return std::shared_ptr<Array>(new Array(std::move(*memory), shape, lock, std::move(given)));
}

std::vector<int> Array::Descriptors() const {
  std::vector<int> fds{fd()};
  if (given_) fds.push_back(given_->fd());
  return fds;
}

std::byte* Array::data() const { return body<std::byte>() + kDataOffset; }

sync::LockMemory& Array::lock() const { return given_ ? given_->memory() : body<Head>()->own_lock; }

sync::LockOptions Array::lock_options() const {
  return given_ ? given_->options() : sync::LockOptions{true, true};
}

void Array::Read(size_t first, size_t count, void* items) const {
  CopyItems(items, data() + first * shape_.item_size, shape_.item_size, count);
}

void Array::Write(size_t first, size_t count, const void* items) {
  CopyItems(data() + first * shape_.item_size, items, shape_.item_size, count);
}

}  // namespace mproc::shm
