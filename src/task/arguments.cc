// SPDX-License-Identifier: MIT
#include "task/arguments.hh"

#include <mproc/value.h>

#include <cstring>

namespace mproc::task {
namespace {

constexpr size_t kHead = 1 + sizeof(uint64_t);  // of a list, bytes or a string: the tag and a count

void PutHead(int32_t kind, uint64_t count, std::vector<std::byte>* to) {
  to->push_back(static_cast<std::byte>(kind));
  ByteView bytes = AsBytes(&count, sizeof count);
  to->insert(to->end(), bytes.begin(), bytes.end());
}

// Takes a head off the front; false if there is none.
bool TakeHead(ByteView* from, int32_t* kind, uint64_t* count) {
  if (from->size() < kHead) return false;
  *kind = static_cast<int32_t>((*from)[0]);
  std::memcpy(count, from->data() + 1, sizeof *count);
  *from = from->subspan(kHead);
  return true;
}

}  // namespace

void PackArguments(const void* const* arguments, const size_t* sizes, size_t count,
                   std::vector<std::byte>* to) {
  PutHead(MPROC_VALUE_LIST, count, to);
  for (size_t i = 0; i < count; i++) {
    ByteView argument = sizes ? AsBytes(arguments[i], sizes[i]) : ByteView();
    PutHead(MPROC_VALUE_BYTES, argument.size(), to);
    to->insert(to->end(), argument.begin(), argument.end());
  }
}

Result<ByteView> ArgumentAt(ByteView list, uint64_t index) {
  int32_t kind = 0;
  uint64_t count = 0;
  if (!TakeHead(&list, &kind, &count) || kind != MPROC_VALUE_LIST) {
    return Status(MPROC_ERROR_BAD_VALUE, "the input is no list of arguments");
  }
  if (index >= count) {
    return Status(MPROC_ERROR_NO_VALUE, "the input has " + std::to_string(count) + " arguments");
  }
  for (uint64_t i = 0;; i++) {
    uint64_t size = 0;
    if (list.empty()) return Status(MPROC_ERROR_BAD_VALUE, "the list of arguments ends too early");
    kind = static_cast<int32_t>(list[0]);
    if (kind != MPROC_VALUE_BYTES && kind != MPROC_VALUE_STRING) {
      return Status(
          MPROC_ERROR_WRONG_KIND,
          "argument " + std::to_string(i) + " is neither bytes nor a string: decode the input as a value");
    }
    if (!TakeHead(&list, &kind, &size) || size > list.size()) {
      return Status(MPROC_ERROR_BAD_VALUE, "the list of arguments ends too early");
    }
    if (i == index) return list.first(size);
    list = list.subspan(size);
  }
}

}  // namespace mproc::task
