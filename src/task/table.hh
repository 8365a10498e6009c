// SPDX-License-Identifier: MIT
// The function table: what can be called, by id and by name. A value; not to be changed by two threads.
#pragma once

#include <mproc/table.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.hh"
#include "base/status.hh"

namespace mproc::task {

struct Function {
  uint32_t id = 0;
  std::string name;
  mproc_function_cb entry = nullptr;
  void* user_data = nullptr;
};

class Table {
 public:
  Status Add(uint32_t id, std::string name, mproc_function_cb entry, void* user_data);
  // Null if there is none. Stays valid until the next Add.
  const Function* Find(uint32_t id) const {
    if (id < dense_.size()) return dense_[id] ? &functions_[dense_[id] - 1] : nullptr;
    return FindSparse(id);
  }
  const Function* FindByName(const std::string& name) const;
  size_t size() const { return functions_.size(); }
  const std::vector<Function>& functions() const { return functions_; }
  // Of ids, names and the ABI; independent of addresses and of the order of Add.
  uint64_t Fingerprint() const;

  // Ids and names, as a worker reports them.
  std::vector<std::byte> Encode() const;
  static Result<Table> Decode(ByteView bytes);

 private:
  const Function* FindSparse(uint32_t id) const;

  std::vector<Function> functions_;
  std::vector<uint32_t> dense_;                    // place in functions_ + 1, for small ids
  std::unordered_map<uint32_t, uint32_t> sparse_;  // the same for all ids
  std::unordered_map<std::string, uint32_t> names_;
};

}  // namespace mproc::task
