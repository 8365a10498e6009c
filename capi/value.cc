// SPDX-License-Identifier: MIT
#include <mproc/value.h>

#include <bit>
#include <limits>

#include "capi/value_handles.hh"

using namespace mproc;
using namespace mproc::capi;
using Node = task::ValueReader::Node;

namespace {

template <typename Body>
int32_t GuardValue(mproc_value_t* handle, Body&& body) {
  return GuardTask([&]() -> Status { return On<ValueHandles>(handle, body); });
}

// Adds a part to a value.
template <typename Part>
int32_t GuardPart(mproc_value_t* handle, Part&& part) {
  return GuardValue(handle, [&](task::Value& value) { return value.Write(part); });
}

// Runs `body` on one node of a whole value.
template <typename Body>
int32_t GuardNode(mproc_value_t* handle, uint64_t node, Body&& body) {
  return GuardValue(handle, [&](task::Value& value) -> Status {
    auto reader = value.Read();
    if (!reader.ok()) return reader.status();
    if (node >= (*reader)->size()) return BadArgument("the value has no such node");
    return body(**reader, (*reader)->node(node));
  });
}

Status WrongKind(const char* wanted) {
  return Status(MPROC_ERROR_WRONG_KIND, std::string("this part of the value is not ") + wanted);
}

// Runs `body` on a node of the kind that a call is for.
template <typename Body>
int32_t GuardKind(mproc_value_t* handle, uint64_t node, int32_t kind, const char* wanted, Body&& body) {
  return GuardNode(handle, node, [&](const task::ValueReader& reader, const Node& at) -> Status {
    if (at.kind != kind) return WrongKind(wanted);
    return body(reader, at);
  });
}

Status OutIsNull() { return BadArgument("where to write the answer is null"); }

}  // namespace

mproc_status_t mproc_value_create(mproc_value_t** value) {
  return GuardCreate<ValueHandles, task::Value>("values", value);
}

mproc_status_t mproc_value_destroy(mproc_value_t* value) {
  return GuardDestroy<ValueHandles, task::Value>(value);
}

mproc_status_t mproc_value_clear(mproc_value_t* value) {
  return GuardValue(value, [](task::Value& v) { return v.Clear(), Status(); });
}

mproc_status_t mproc_value_put_nil(mproc_value_t* value) {
  return GuardPart(value, [](task::ValueWriter& to) { return to.PutNil(); });
}

mproc_status_t mproc_value_put_bool(mproc_value_t* value, int32_t truth) {
  return GuardPart(value, [&](task::ValueWriter& to) { return to.PutBool(truth != 0); });
}

mproc_status_t mproc_value_put_int(mproc_value_t* value, int64_t number) {
  return GuardPart(value, [&](task::ValueWriter& to) { return to.PutInt(number); });
}

mproc_status_t mproc_value_put_uint(mproc_value_t* value, uint64_t number) {
  return GuardPart(value, [&](task::ValueWriter& to) { return to.PutUint(number); });
}

mproc_status_t mproc_value_put_double(mproc_value_t* value, double number) {
  return GuardPart(value, [&](task::ValueWriter& to) { return to.PutDouble(number); });
}

mproc_status_t mproc_value_put_string(mproc_value_t* value, const char* text, size_t size) {
  return GuardPart(value, [&](task::ValueWriter& to) {
    if (!text && size) return BadArgument("text is null, size is not 0");
    return to.PutString(AsText(AsBytes(text, size)));
  });
}

mproc_status_t mproc_value_put_bytes(mproc_value_t* value, const void* data, size_t size) {
  return GuardPart(value, [&](task::ValueWriter& to) {
    if (!data && size) return BadArgument("data is null, size is not 0");
    return to.PutBytes(AsBytes(data, size));
  });
}

mproc_status_t mproc_value_put_array(mproc_value_t* value, int32_t type, const void* elements,
                                     uint64_t count) {
  return GuardPart(value, [&](task::ValueWriter& to) {
    if (!elements && count) return BadArgument("elements is null, count is not 0");
    return to.PutArray(type, elements, count);
  });
}

mproc_status_t mproc_value_begin_list(mproc_value_t* value) {
  return GuardPart(value, [](task::ValueWriter& to) { return to.Begin(MPROC_VALUE_LIST); });
}

mproc_status_t mproc_value_begin_map(mproc_value_t* value) {
  return GuardPart(value, [](task::ValueWriter& to) { return to.Begin(MPROC_VALUE_MAP); });
}

mproc_status_t mproc_value_end(mproc_value_t* value) {
  return GuardPart(value, [](task::ValueWriter& to) { return to.End(); });
}

mproc_status_t mproc_value_encode(mproc_value_t* value, const void** data, size_t* size) {
  return GuardValue(value, [&](task::Value& v) {
    if (!data || !size) return OutIsNull();
    auto bytes = v.Bytes();
    if (!bytes.ok()) return bytes.status();
    *data = bytes->data();
    *size = bytes->size();
    return Status();
  });
}

mproc_status_t mproc_value_decode(mproc_value_t* value, const void* data, size_t size) {
  return GuardValue(value, [&](task::Value& v) {
    if (!data && size) return BadArgument("data is null, size is not 0");
    return v.Decode(AsBytes(data, size), false);
  });
}

mproc_status_t mproc_value_decode_borrowed(mproc_value_t* value, const void* data, size_t size) {
  return GuardValue(value, [&](task::Value& v) {
    if (!data && size) return BadArgument("data is null, size is not 0");
    return v.Decode(AsBytes(data, size), true);
  });
}

mproc_status_t mproc_value_kind(mproc_value_t* value, uint64_t node, int32_t* kind) {
  return GuardNode(value, node, [&](const task::ValueReader&, const Node& at) {
    if (!kind) return OutIsNull();
    *kind = at.kind;
    return Status();
  });
}

mproc_status_t mproc_value_count(mproc_value_t* value, uint64_t node, uint64_t* count) {
  return GuardNode(value, node, [&](const task::ValueReader&, const Node& at) {
    if (!count) return OutIsNull();
    if (at.kind < MPROC_VALUE_STRING) return WrongKind("a string, bytes, a list, a map or an array");
    *count = at.count;
    return Status();
  });
}

mproc_status_t mproc_value_get_bool(mproc_value_t* value, uint64_t node, int32_t* truth) {
  return GuardKind(value, node, MPROC_VALUE_BOOL, "a boolean", [&](const task::ValueReader&, const Node& at) {
    if (!truth) return OutIsNull();
    *truth = at.at != 0;
    return Status();
  });
}

mproc_status_t mproc_value_get_int(mproc_value_t* value, uint64_t node, int64_t* number) {
  return GuardNode(value, node, [&](const task::ValueReader&, const Node& at) {
    if (!number) return OutIsNull();
    bool fits = at.kind == MPROC_VALUE_INT ||
                (at.kind == MPROC_VALUE_UINT && at.at <= uint64_t{std::numeric_limits<int64_t>::max()});
    if (!fits) return WrongKind("an integer of this range");
    *number = static_cast<int64_t>(at.at);
    return Status();
  });
}

mproc_status_t mproc_value_get_uint(mproc_value_t* value, uint64_t node, uint64_t* number) {
  return GuardNode(value, node, [&](const task::ValueReader&, const Node& at) {
    if (!number) return OutIsNull();
    bool fits =
        at.kind == MPROC_VALUE_UINT || (at.kind == MPROC_VALUE_INT && static_cast<int64_t>(at.at) >= 0);
    if (!fits) return WrongKind("an integer of this range");
    *number = at.at;
    return Status();
  });
}

mproc_status_t mproc_value_get_double(mproc_value_t* value, uint64_t node, double* number) {
  return GuardKind(value, node, MPROC_VALUE_DOUBLE, "a double",
                   [&](const task::ValueReader&, const Node& at) {
                     if (!number) return OutIsNull();
                     *number = std::bit_cast<double>(at.at);
                     return Status();
                   });
}

mproc_status_t mproc_value_get_string(mproc_value_t* value, uint64_t node, const char** text, size_t* size) {
  return GuardKind(value, node, MPROC_VALUE_STRING, "a string",
                   [&](const task::ValueReader& reader, const Node& at) {
                     if (!text || !size) return OutIsNull();
                     auto bytes = AsText(reader.BytesOf(at));
                     *text = bytes.data();
                     *size = bytes.size();
                     return Status();
                   });
}

mproc_status_t mproc_value_get_bytes(mproc_value_t* value, uint64_t node, const void** data, size_t* size) {
  return GuardKind(value, node, MPROC_VALUE_BYTES, "bytes",
                   [&](const task::ValueReader& reader, const Node& at) {
                     if (!data || !size) return OutIsNull();
                     ByteView bytes = reader.BytesOf(at);
                     *data = bytes.data();
                     *size = bytes.size();
                     return Status();
                   });
}

mproc_status_t mproc_value_get_array(mproc_value_t* value, uint64_t node, int32_t* type,
                                     const void** elements, uint64_t* count) {
  return GuardKind(value, node, MPROC_VALUE_ARRAY, "an array",
                   [&](const task::ValueReader& reader, const Node& at) {
                     if (!type || !elements || !count) return OutIsNull();
                     *type = at.element;
                     *elements = reader.BytesOf(at).data();
                     *count = at.count;
                     return Status();
                   });
}

mproc_status_t mproc_value_list_at(mproc_value_t* value, uint64_t node, uint64_t index, uint64_t* entry) {
  return GuardKind(value, node, MPROC_VALUE_LIST, "a list", [&](const task::ValueReader&, const Node& at) {
    if (!entry) return OutIsNull();
    if (index >= at.count) return BadArgument("the list has no entry of this index");
    *entry = at.at + index;
    return Status();
  });
}

mproc_status_t mproc_value_map_at(mproc_value_t* value, uint64_t node, uint64_t index, uint64_t* key,
                                  uint64_t* entry) {
  return GuardKind(value, node, MPROC_VALUE_MAP, "a map", [&](const task::ValueReader&, const Node& at) {
    if (!key || !entry) return OutIsNull();
    if (index >= at.count) return BadArgument("the map has no pair of this index");
    *key = at.at + 2 * index;
    *entry = *key + 1;
    return Status();
  });
}

mproc_status_t mproc_value_map_find(mproc_value_t* value, uint64_t node, const char* key, size_t size,
                                    uint64_t* entry) {
  return GuardKind(value, node, MPROC_VALUE_MAP, "a map",
                   [&](const task::ValueReader& reader, const Node& at) {
                     if (!entry) return OutIsNull();
                     if (!key && size) return BadArgument("key is null, size is not 0");
                     uint64_t found = reader.Find(at, AsText(AsBytes(key, size)));
                     if (found == 0) return Status(MPROC_ERROR_NO_VALUE, "the map has no such key");
                     *entry = found;
                     return Status();
                   });
}
