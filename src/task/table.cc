// SPDX-License-Identifier: MIT
#include "task/table.hh"

#include <algorithm>

#include "task/archive.hh"
#include "task/kind.hh"

namespace mproc::task {
namespace {

constexpr size_t kMostFunctions = 65536;
constexpr size_t kLongestName = 255;
constexpr uint32_t kDenseIds = 1024;
constexpr uint32_t kAbiVersion = 1;

struct WireFunction {
  uint32_t id = 0;
  std::string name;
};

template <typename Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& archive, WireFunction& function) {
  archive(function.id, function.name);
}

}  // namespace

Status Table::Add(uint32_t id, std::string name, mproc_function_cb entry, void* user_data) {
  if (name.empty() || name.size() > kLongestName) {
    return Status(MPROC_ERROR_INVALID_ARGUMENT, "the name of a function has 1 to 255 bytes");
  }
  if (IsBound(id)) return Status(MPROC_ERROR_INVALID_ARGUMENT, "the id of a function is below 2^31");
  if (functions_.size() >= kMostFunctions) {
    return Status(MPROC_ERROR_TOO_LARGE, "a function table has at most 65536 functions");
  }
  if (const Function* other = Find(id)) {
    return Status(MPROC_ERROR_DUPLICATE, "function id " + std::to_string(id) + " of '" + name +
                                             "' is taken by '" + other->name + "'");
  }
  if (names_.contains(name)) {
    return Status(MPROC_ERROR_DUPLICATE, "the function name '" + name + "' is taken");
  }
  auto place = static_cast<uint32_t>(functions_.size());
  names_.emplace(name, place);
  sparse_.emplace(id, place);
  if (id < kDenseIds) {
    if (dense_.size() <= id) dense_.resize(id + 1);
    dense_[id] = place + 1;
  }
  functions_.push_back({id, std::move(name), entry, user_data});
  return Status();
}

const Function* Table::FindSparse(uint32_t id) const {
  auto found = sparse_.find(id);
  return found == sparse_.end() ? nullptr : &functions_[found->second];
}

const Function* Table::FindByName(const std::string& name) const {
  auto found = names_.find(name);
  return found == names_.end() ? nullptr : &functions_[found->second];
}

uint64_t Table::Fingerprint() const {
  std::vector<const Function*> sorted;
  for (const Function& function : functions_) sorted.push_back(&function);
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->id < b->id; });
  uint64_t hash = 0xcbf29ce484222325ull;  // FNV-1a
  auto mix = [&](const void* data, size_t size) {
    for (size_t i = 0; i < size; i++) {
      hash = (hash ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3ull;
    }
  };
  mix(&kAbiVersion, sizeof kAbiVersion);
  for (const Function* function : sorted) {
    mix(&function->id, sizeof function->id);
    mix(function->name.c_str(), function->name.size() + 1);
  }
  return hash;
}

std::vector<std::byte> Table::Encode() const {
  std::vector<WireFunction> wire;
  for (const Function& function : functions_) wire.push_back({function.id, function.name});
  return task::Encode(wire);
}

Result<Table> Table::Decode(ByteView bytes) {
  std::vector<WireFunction> wire;
  uint64_t count = 0;
  if (bytes.size() >= sizeof count) std::memcpy(&count, bytes.data(), sizeof count);
  if (count > kMostFunctions || !task::Decode(bytes, &wire)) {
    return Status(MPROC_ERROR_PROTOCOL, "the worker's function table cannot be read");
  }
  Table table;
  for (WireFunction& function : wire) {
    Status added = table.Add(function.id, std::move(function.name), nullptr, nullptr);
    if (!added.ok()) return added;
  }
  return table;
}

}  // namespace mproc::task
