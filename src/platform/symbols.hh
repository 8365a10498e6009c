// SPDX-License-Identifier: MIT
// Names of functions from the symbol tables of ELF64 files, without debug information.
//
// Thread: any; one resolver belongs to one thread. Every call reads files and may take milliseconds.
// Files are read, not mapped: one that is cut short under a mapping would end this process with SIGBUS.
// Paths and contents are not trusted: sizes are checked, and the work of one resolver is bounded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mproc::platform {

struct SymbolQuery {
  uint64_t file_offset = 0;   // In: where in the file the instruction lies.
  uint64_t displacement = 0;  // Out: distance from the start of the function.
  std::string name;           // Out: demangled; empty if no function covers the offset.
};

class SymbolResolver {
 public:
  // Answers all queries about one file together, in one pass over each of its symbol tables. Whatever is
  // wrong with the file leaves names empty.
  void Resolve(const std::string& path, std::vector<SymbolQuery>* queries);

 private:
  static constexpr uint64_t kByteBudget = 128u << 20;
  uint64_t bytes_left_ = kByteBudget;
};

// "name+0x12" for one offset of one file, or "".
std::string ResolveSymbol(const std::string& path, uint64_t file_offset);

// The readable form of a linker name. A name that is not mangled, or whose readable form could be huge, is
// returned as it is; a result is never longer than about 500 bytes.
std::string DemangleSymbol(const std::string& linker_name);

}  // namespace mproc::platform
