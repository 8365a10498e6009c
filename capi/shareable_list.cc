// SPDX-License-Identifier: MIT
#include "shm/shareable_list.hh"

#include <mproc/shareable_list.h>

#include <bit>

#include "capi/new_segment.hh"
#include "capi/value_handles.hh"

using namespace mproc;
using namespace mproc::capi;
using shm::ListItem;
using shm::Segment;
using shm::ShareableList;
using task::ValueReader;
using Kind = shm::ListItem::Kind;

namespace {

Result<ListItem> ItemOf(const ValueReader& reader, const ValueReader::Node& node) {
  ListItem item;
  switch (node.kind) {
    case MPROC_VALUE_NIL:
      return item;
    case MPROC_VALUE_BOOL:
      item.kind = Kind::kBool;
      item.number = node.at != 0;
      return item;
    case MPROC_VALUE_UINT:
      if (node.at > INT64_MAX) break;
      [[fallthrough]];
    case MPROC_VALUE_INT:
      item.kind = Kind::kInt;
      item.number = static_cast<int64_t>(node.at);
      return item;
    case MPROC_VALUE_DOUBLE:
      item.kind = Kind::kDouble;
      item.real = std::bit_cast<double>(node.at);
      return item;
    case MPROC_VALUE_STRING:
    case MPROC_VALUE_BYTES: {
      ByteView bytes = reader.BytesOf(node);
      item.kind = node.kind == MPROC_VALUE_STRING ? Kind::kText : Kind::kBytes;
      item.bytes.assign(bytes.begin(), bytes.end());
      return item;
    }
    default:
      break;
  }
  return Status(MPROC_ERROR_WRONG_KIND,
                "an item is nil, a boolean, an integer below 2^63, a double, a string or bytes");
}

Result<std::vector<ListItem>> ItemsOf(task::Value& value) {
  auto reader = value.Read();
  if (!reader.ok()) return reader.status();
  const auto& root = (*reader)->node(0);
  if (root.kind != MPROC_VALUE_LIST) return Status(MPROC_ERROR_WRONG_KIND, "the value is no list");
  std::vector<ListItem> items;
  for (uint64_t i = 0; i < root.count; i++) {
    auto item = ItemOf(**reader, (*reader)->node(root.at + i));
    if (!item.ok()) return item.status();
    items.push_back(std::move(*item));
  }
  return items;
}

Status PutItem(task::Value* value, const ListItem& item) {
  value->Clear();
  return value->Write([&](task::ValueWriter& to) -> Status {
    switch (item.kind) {
      case Kind::kBool:
        return to.PutBool(item.number != 0);
      case Kind::kInt:
        return to.PutInt(item.number);
      case Kind::kDouble:
        return to.PutDouble(item.real);
      case Kind::kText:
        return to.PutString(AsText(item.bytes));
      case Kind::kBytes:
        return to.PutBytes(item.bytes);
      default:
        return to.PutNil();
    }
  });
}

template <typename Body>
int32_t GuardList(mproc_segment_t* segment, Body&& body) {
  return GuardObject<Segment>(segment, [&](Segment& s) -> Status {
    return body(ShareableList({s.data(), s.bytes()}));
  });
}

}  // namespace

mproc_status_t mproc_shareable_list_create(const char* name, mproc_value_t* list, mproc_segment_t** segment) {
  return Guard([&]() -> Status {
    if (!segment) return BadArgument("segment is null");
    std::vector<ListItem> items;
    Status read = On<ValueHandles>(list, [&](task::Value& value) -> Status {
      auto of = ItemsOf(value);
      if (of.ok()) items = std::move(*of);
      return of.ok() ? shm::CheckItems(items) : of.status();
    });
    if (!read.ok()) return read;
    return GiveOutNewSegment(
        name, shm::SizeOfList(items), platform::Pages::kReserved,
        [&](std::byte* memory) { shm::WriteList(items, memory); }, segment);
  });
}

mproc_status_t mproc_shareable_list_count(mproc_segment_t* segment, uint64_t* count) {
  return GuardList(segment, [&](const ShareableList& list) -> Status {
    if (!count) return BadArgument("count is null");
    auto counted = list.Count();
    if (counted.ok()) *count = *counted;
    return counted.status();
  });
}

mproc_status_t mproc_shareable_list_get(mproc_segment_t* segment, uint64_t index, mproc_value_t* value) {
  return GuardList(segment, [&](const ShareableList& list) -> Status {
    auto item = list.Get(index);
    if (!item.ok()) return item.status();
    return On<ValueHandles>(value, [&](task::Value& v) { return PutItem(&v, *item); });
  });
}

mproc_status_t mproc_shareable_list_set(mproc_segment_t* segment, uint64_t index, mproc_value_t* value) {
  return GuardList(segment, [&](ShareableList list) -> Status {
    return On<ValueHandles>(value, [&](task::Value& v) -> Status {
      auto reader = v.Read();
      if (!reader.ok()) return reader.status();
      auto item = ItemOf(**reader, (*reader)->node(0));
      if (!item.ok()) return item.status();
      if (Status good = shm::CheckItems({*item}); !good.ok()) return good;
      return list.Set(index, *item);
    });
  });
}
