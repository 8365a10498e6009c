// SPDX-License-Identifier: MIT
// Encoded values of any origin, by the public calls. What decodes is read whole, each part by every call, and
// written again: that gives the same bytes, since a value has one encoding only.
#include <mproc/value.h>

#include <string>

#include "input.hh"
#include "task/value.hh"

namespace {

mproc_value_t* Make() {
  mproc_value_t* value = nullptr;
  REQUIRE(mproc_value_create(&value) == MPROC_OK);
  return value;
}

// Reads every byte, so that a checker sees those that are not there.
void Touch(const void* data, size_t size) {
  volatile unsigned sum = 0;
  for (size_t i = 0; i < size; i++) sum = sum + static_cast<const unsigned char*>(data)[i];
}

// Another reader of UTF-8 than the library's: what it reads is checked by the value of each character.
bool WellFormed(const char* text, size_t size) {
  for (size_t i = 0; i < size;) {
    auto lead = static_cast<unsigned char>(text[i++]);
    size_t more = lead < 0x80 ? 0 : lead < 0xc0 ? 9 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf8 ? 3 : 9;
    if (more > size - i) return false;
    uint32_t character = more ? lead & (0x3fu >> more) : lead;
    for (size_t k = 0; k < more; k++) {
      auto next = static_cast<unsigned char>(text[i++]);
      if ((next & 0xc0) != 0x80) return false;
      character = character << 6 | (next & 0x3f);
    }
    static constexpr uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    bool surrogate = character >= 0xd800 && character <= 0xdfff;
    if (character < kLeast[more] || character > 0x10ffff || surrogate) return false;
  }
  return true;
}

// Each call but those of its kind refuses a node.
void CheckCalls(mproc_value_t* value, uint64_t node, int32_t kind) {
  int32_t truth = 0, element = 0;
  int64_t number = 0;
  uint64_t natural = 0, count = 0, key = 0, entry = 0;
  double real = 0;
  const char* text = nullptr;
  const void* data = nullptr;
  size_t size = 0;
  auto fits = [&](int32_t status, bool mine) {
    REQUIRE(status == (mine ? MPROC_OK : MPROC_ERROR_WRONG_KIND));
  };
  bool is_int = kind == MPROC_VALUE_INT, is_uint = kind == MPROC_VALUE_UINT;
  fits(mproc_value_get_bool(value, node, &truth), kind == MPROC_VALUE_BOOL);
  REQUIRE(truth == 0 || truth == 1);
  int32_t as_int = mproc_value_get_int(value, node, &number);
  int32_t as_uint = mproc_value_get_uint(value, node, &natural);
  REQUIRE(as_int == MPROC_OK || !is_int);
  REQUIRE(as_uint == MPROC_OK || !is_uint);
  REQUIRE(is_int || is_uint || (as_int == MPROC_ERROR_WRONG_KIND && as_uint == MPROC_ERROR_WRONG_KIND));
  if (as_int == MPROC_OK && as_uint == MPROC_OK)
    REQUIRE(number >= 0 && natural == static_cast<uint64_t>(number));
  fits(mproc_value_get_double(value, node, &real), kind == MPROC_VALUE_DOUBLE);
  fits(mproc_value_get_string(value, node, &text, &size), kind == MPROC_VALUE_STRING);
  fits(mproc_value_get_bytes(value, node, &data, &size), kind == MPROC_VALUE_BYTES);
  fits(mproc_value_get_array(value, node, &element, &data, &count), kind == MPROC_VALUE_ARRAY);
  if (kind != MPROC_VALUE_LIST) fits(mproc_value_list_at(value, node, 0, &entry), false);
  if (kind != MPROC_VALUE_MAP) {
    fits(mproc_value_map_at(value, node, 0, &key, &entry), false);
    fits(mproc_value_map_find(value, node, "", 0, &entry), false);
  }
}

void CopyScalar(mproc_value_t* from, uint64_t node, int32_t kind, mproc_value_t* to) {
  int32_t truth = 0;
  int64_t number = 0;
  uint64_t natural = 0, count = 0;
  double real = 0;
  const char* text = nullptr;
  const void* data = nullptr;
  size_t size = 0;
  int32_t element = 0;
  int32_t put = MPROC_ERROR_WRONG_KIND;
  switch (kind) {
    case MPROC_VALUE_NIL:
      put = mproc_value_put_nil(to);
      break;
    case MPROC_VALUE_BOOL:
      mproc_value_get_bool(from, node, &truth);
      put = mproc_value_put_bool(to, truth);
      break;
    case MPROC_VALUE_INT:
      mproc_value_get_int(from, node, &number);
      put = mproc_value_put_int(to, number);
      break;
    case MPROC_VALUE_UINT:
      mproc_value_get_uint(from, node, &natural);
      put = mproc_value_put_uint(to, natural);
      break;
    case MPROC_VALUE_DOUBLE:
      mproc_value_get_double(from, node, &real);
      put = mproc_value_put_double(to, real);
      break;
    case MPROC_VALUE_STRING:
      mproc_value_get_string(from, node, &text, &size);
      REQUIRE(WellFormed(text, size));
      put = mproc_value_put_string(to, text, size);
      break;
    case MPROC_VALUE_BYTES:
      mproc_value_get_bytes(from, node, &data, &size);
      Touch(data, size);
      put = mproc_value_put_bytes(to, data, size);
      break;
    case MPROC_VALUE_ARRAY:
      mproc_value_get_array(from, node, &element, &data, &count);
      Touch(data, count * mproc::task::ElementSize(element));
      put = mproc_value_put_array(to, element, data, count);
      break;
    default:
      break;
  }
  REQUIRE(put == MPROC_OK);
}

// Returns how many nodes there were.
uint64_t Copy(mproc_value_t* from, uint64_t node, mproc_value_t* to) {
  int32_t kind = -1;
  REQUIRE(mproc_value_kind(from, node, &kind) == MPROC_OK);
  CheckCalls(from, node, kind);
  if (kind != MPROC_VALUE_LIST && kind != MPROC_VALUE_MAP) {
    CopyScalar(from, node, kind, to);
    return 1;
  }
  bool is_map = kind == MPROC_VALUE_MAP;
  uint64_t count = 0, nodes = 1, key = 0, entry = 0;
  REQUIRE(mproc_value_count(from, node, &count) == MPROC_OK);
  REQUIRE((is_map ? mproc_value_begin_map(to) : mproc_value_begin_list(to)) == MPROC_OK);
  for (uint64_t i = 0; i < count; i++) {
    if (!is_map) {
      REQUIRE(mproc_value_list_at(from, node, i, &entry) == MPROC_OK && entry > node);
      nodes += Copy(from, entry, to);
      continue;
    }
    REQUIRE(mproc_value_map_at(from, node, i, &key, &entry) == MPROC_OK && key > node && entry == key + 1);
    const char* text = nullptr;
    size_t size = 0;
    uint64_t found = 0;
    if (i < 16 && mproc_value_get_string(from, key, &text, &size) == MPROC_OK) {
      REQUIRE(mproc_value_map_find(from, node, text, size, &found) == MPROC_OK && found == entry);
    }
    nodes += Copy(from, key, to);
    nodes += Copy(from, entry, to);
  }
  REQUIRE((is_map ? mproc_value_map_at(from, node, count, &key, &entry)
                  : mproc_value_list_at(from, node, count, &entry)) == MPROC_ERROR_INVALID_ARGUMENT);
  REQUIRE(mproc_value_end(to) == MPROC_OK);
  return nodes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static mproc_value_t* const value = Make();
  static mproc_value_t* const copy = Make();
  int32_t status = mproc_value_decode_borrowed(value, data, size);
  REQUIRE(mproc_value_decode(copy, data, size) == status);
  int32_t kind = 0;
  if (status != MPROC_OK) {
    REQUIRE(status == MPROC_ERROR_BAD_VALUE || status == MPROC_ERROR_TOO_DEEP ||
            (!data && status == MPROC_ERROR_INVALID_ARGUMENT));
    REQUIRE(mproc_value_kind(value, 0, &kind) == MPROC_ERROR_NOT_READY);
    return 0;
  }
  REQUIRE(mproc_value_clear(copy) == MPROC_OK);
  uint64_t nodes = Copy(value, 0, copy);
  REQUIRE(nodes <= size);
  REQUIRE(mproc_value_kind(value, nodes, &kind) == MPROC_ERROR_INVALID_ARGUMENT);
  const void* encoded = nullptr;
  size_t length = 0;
  REQUIRE(mproc_value_encode(copy, &encoded, &length) == MPROC_OK);
  REQUIRE(length == size && std::memcmp(encoded, data, size) == 0);
  REQUIRE(mproc_value_clear(value) == MPROC_OK && mproc_value_clear(copy) == MPROC_OK);
  return 0;
}
