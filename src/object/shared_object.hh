// SPDX-License-Identifier: MIT
// Objects that are shared memory of their own, whose start says what it is. The memory has no name.
//
// The words in that memory are written by every process that has it, and such a process may be killed between
// any two stores. So no object has a state from which the others could not go on, and nothing that is read
// there is trusted as an index, a length or a count that was not checked.
#pragma once

#include <atomic>

#include "object/object.hh"
#include "platform/shared_memory.hh"

namespace mproc::object {

struct alignas(64) ObjectHead {
  uint32_t magic;
  uint32_t version;
  uint32_t kind;
  uint32_t options;  // of the kind; constant
  uint64_t size;     // of head and body, exactly as asked
};

// Owns one mapping. Immutable, so any thread.
class SharedObject : public Object {
 public:
  // To be passed on; the receiver adopts it.
  int fd() const { return memory_.fd(); }
  size_t size() const { return memory_.size(); }
  std::vector<int> Descriptors() const override { return {fd()}; }

 protected:
  // With memory that Allocate or Receive gave.
  SharedObject(Kind kind, platform::SharedMemory memory);

  // Fresh memory, zero but for its head.
  static Result<platform::SharedMemory> Allocate(Kind kind, size_t size, uint32_t options,
                                                 platform::Pages pages = platform::Pages::kReserved);
  // The same at the beginning of a file of so many bytes; the others have no pages.
  static Result<platform::SharedMemory> AllocateSparse(Kind kind, size_t size, size_t file_size);
  // That of another process; PROTOCOL if it is no object of this kind, WRONG_KIND if it is another object.
  static Result<platform::SharedMemory> Receive(Kind kind, size_t size, platform::UniqueFd fd);
  // The same if objects of the kind differ in size: all that is there, at least `size`.
  static Result<platform::SharedMemory> ReceiveAny(Kind kind, size_t size, platform::UniqueFd fd);

  const ObjectHead& head() const { return *reinterpret_cast<const ObjectHead*>(memory_.data()); }
  template <typename T>
  T* body() const {
    return reinterpret_cast<T*>(memory_.data() + sizeof(ObjectHead));
  }
  size_t body_size() const { return body_size_; }

 private:
  platform::SharedMemory memory_;
  const size_t body_size_;  // a copy: no peer can change it here
};

}  // namespace mproc::object
