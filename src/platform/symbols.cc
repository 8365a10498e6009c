// SPDX-License-Identifier: MIT
#include "platform/symbols.hh"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "platform/fd.hh"

namespace mproc::platform {
namespace {

constexpr size_t kMaxName = 512;
constexpr size_t kSymbolsPerRead = 2048;
constexpr int kMaxBackReferences = 20;
constexpr int kMaxPackExpansions = 1;

// A regular file, open for reading; each read is charged to a budget.
class InputFile {
 public:
  explicit InputFile(uint64_t* bytes_left) : bytes_left_(bytes_left) {}

  bool Open(const std::string& path) {
    struct stat about;
    if (path.find('\0') != std::string::npos) return false;
    // Looked at before it is opened: to open a device can have effects. O_NONBLOCK is for the fifo that
    // takes the file's place in between.
    if (stat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) return false;
    fd_.Reset(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd_ || fstat(fd_.get(), &about) != 0 || !S_ISREG(about.st_mode) || about.st_size < 0) return false;
    size_ = static_cast<uint64_t>(about.st_size);
    return true;
  }

  bool Contains(uint64_t offset, uint64_t length) const {
    return offset <= size_ && length <= size_ - offset;
  }

  bool Read(uint64_t offset, void* to, size_t length) {
    if (!Contains(offset, length) || length > *bytes_left_) return false;
    *bytes_left_ -= length;
    auto* cursor = static_cast<char*>(to);
    while (length > 0) {
      const ssize_t got = pread(fd_.get(), cursor, length, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      cursor += got;
      offset += static_cast<uint64_t>(got);
      length -= static_cast<size_t>(got);
    }
    return true;
  }

 private:
  UniqueFd fd_;
  uint64_t size_ = 0;
  uint64_t* bytes_left_;
};

struct Best {
  bool found = false;
  Elf64_Sym symbol{};
};

struct Lookup {
  uint64_t address = 0;  // As the file counts, not as the process did.
  SymbolQuery* query = nullptr;
  Best best;
};

class ElfFile {
 public:
  explicit ElfFile(uint64_t* bytes_left) : file_(bytes_left) {}

  bool Open(const std::string& path);
  bool ToAddress(uint64_t file_offset, uint64_t* address) const;
  void SearchTables(uint32_t section_type, std::vector<Lookup>* lookups);

 private:
  void SearchTable(const Elf64_Shdr& table, std::vector<Lookup>* lookups);
  std::string NameAt(const Elf64_Shdr& strings, uint64_t offset);

  InputFile file_;
  std::vector<Elf64_Phdr> segments_;
  std::vector<Elf64_Shdr> sections_;
};

bool ElfFile::Open(const std::string& path) {
  constexpr unsigned char kByteOrder = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
  Elf64_Ehdr header;
  if (!file_.Open(path) || !file_.Read(0, &header, sizeof header)) return false;
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != kByteOrder || (header.e_type != ET_EXEC && header.e_type != ET_DYN) ||
      header.e_phentsize != sizeof(Elf64_Phdr) || header.e_shentsize != sizeof(Elf64_Shdr)) {
    return false;
  }
  // The counts have 16 bits and the file must be that large, so these vectors stay below 8 MiB.
  const size_t segment_bytes = header.e_phnum * sizeof(Elf64_Phdr);
  const size_t section_bytes = header.e_shnum * sizeof(Elf64_Shdr);
  if (!file_.Contains(header.e_phoff, segment_bytes) || !file_.Contains(header.e_shoff, section_bytes)) {
    return false;
  }
  segments_.resize(header.e_phnum);
  sections_.resize(header.e_shnum);
  return file_.Read(header.e_phoff, segments_.data(), segment_bytes) &&
         file_.Read(header.e_shoff, sections_.data(), section_bytes);
}

bool ElfFile::ToAddress(uint64_t file_offset, uint64_t* address) const {
  for (const Elf64_Phdr& segment : segments_) {
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    if (file_offset < segment.p_offset || file_offset - segment.p_offset >= segment.p_filesz) continue;
    *address = file_offset - segment.p_offset + segment.p_vaddr;
    return true;
  }
  return false;
}

// Of two functions at one address the later start wins, then the global name over local aliases.
bool IsBetter(const Elf64_Sym& candidate, const Best& best) {
  if (!best.found) return true;
  if (candidate.st_value != best.symbol.st_value) return candidate.st_value > best.symbol.st_value;
  return ELF64_ST_BIND(candidate.st_info) == STB_GLOBAL && ELF64_ST_BIND(best.symbol.st_info) != STB_GLOBAL;
}

void Consider(const Elf64_Sym& symbol, std::vector<Lookup>* lookups) {
  const unsigned type = ELF64_ST_TYPE(symbol.st_info);
  if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol.st_shndx == SHN_UNDEF) return;
  auto lookup = std::lower_bound(lookups->begin(), lookups->end(), symbol.st_value,
                                 [](const Lookup& a, uint64_t value) { return a.address < value; });
  for (; lookup != lookups->end() && lookup->address - symbol.st_value < symbol.st_size; ++lookup) {
    if (lookup->query->name.empty() && IsBetter(symbol, lookup->best)) lookup->best = {true, symbol};
  }
}

void ElfFile::SearchTables(uint32_t section_type, std::vector<Lookup>* lookups) {
  for (const Elf64_Shdr& section : sections_) {
    if (section.sh_type == section_type) SearchTable(section, lookups);
  }
}

void ElfFile::SearchTable(const Elf64_Shdr& table, std::vector<Lookup>* lookups) {
  if (table.sh_entsize != sizeof(Elf64_Sym) || table.sh_link >= sections_.size()) return;
  const Elf64_Shdr& strings = sections_[table.sh_link];
  if (strings.sh_type != SHT_STRTAB || !file_.Contains(table.sh_offset, table.sh_size)) return;

  std::vector<Elf64_Sym> chunk(kSymbolsPerRead);
  uint64_t left = table.sh_size / sizeof(Elf64_Sym);
  for (uint64_t offset = table.sh_offset; left > 0;) {
    const size_t count = std::min<uint64_t>(left, kSymbolsPerRead);
    if (!file_.Read(offset, chunk.data(), count * sizeof(Elf64_Sym))) break;
    for (size_t i = 0; i < count; ++i) Consider(chunk[i], lookups);
    offset += count * sizeof(Elf64_Sym);
    left -= count;
  }
  for (Lookup& lookup : *lookups) {
    if (!lookup.best.found) continue;
    lookup.query->name = DemangleSymbol(NameAt(strings, lookup.best.symbol.st_name));
    lookup.query->displacement = lookup.address - lookup.best.symbol.st_value;
    lookup.best = {};
  }
}

std::string ElfFile::NameAt(const Elf64_Shdr& strings, uint64_t offset) {
  if (offset >= strings.sh_size || !file_.Contains(strings.sh_offset, strings.sh_size)) return "";
  std::string name(std::min<uint64_t>(strings.sh_size - offset, kMaxName), '\0');
  if (!file_.Read(strings.sh_offset + offset, name.data(), name.size())) return "";
  return name.substr(0, name.find('\0'));
}

// References back into a name multiply: 300 bytes can stand for gigabytes. With 20 of them and one pack the
// readable form stays below some megabytes; in ordinary C++ one name in a thousand has more.
bool IsSafeToDemangle(const std::string& name) {
  int references = 0;
  int packs = 0;
  for (size_t i = 0; i + 1 < name.size(); ++i) {
    const char pair[] = {name[i], name[i + 1], '\0'};
    if (std::strcmp(pair, "Dp") == 0 || std::strcmp(pair, "sp") == 0 || std::strcmp(pair, "sZ") == 0) ++packs;
    if (pair[0] != 'S' && pair[0] != 'T') continue;
    const size_t end = name.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", i + 1);
    if (end != std::string::npos && name[end] == '_') ++references;
  }
  return references <= kMaxBackReferences && packs <= kMaxPackExpansions;
}

}  // namespace

void SymbolResolver::Resolve(const std::string& path, std::vector<SymbolQuery>* queries) {
  ElfFile elf(&bytes_left_);
  for (SymbolQuery& query : *queries) query.name.clear();
  if (!elf.Open(path)) return;
  std::vector<Lookup> lookups;
  for (SymbolQuery& query : *queries) {
    Lookup lookup;
    lookup.query = &query;
    if (elf.ToAddress(query.file_offset, &lookup.address)) lookups.push_back(lookup);
  }
  if (lookups.empty()) return;
  std::sort(lookups.begin(), lookups.end(),
            [](const Lookup& a, const Lookup& b) { return a.address < b.address; });
  elf.SearchTables(SHT_SYMTAB, &lookups);
  const bool all_found = std::none_of(lookups.begin(), lookups.end(),
                                      [](const Lookup& lookup) { return lookup.query->name.empty(); });
  if (!all_found) elf.SearchTables(SHT_DYNSYM, &lookups);
}

std::string ResolveSymbol(const std::string& path, uint64_t file_offset) {
  std::vector<SymbolQuery> queries(1);
  queries[0].file_offset = file_offset;
  SymbolResolver().Resolve(path, &queries);
  if (queries[0].name.empty()) return "";
  char displacement[24];
  std::snprintf(displacement, sizeof displacement, "+0x%llx",
                static_cast<unsigned long long>(queries[0].displacement));
  return queries[0].name + displacement;
}

std::string DemangleSymbol(const std::string& linker_name) {
  std::string name = linker_name;
  if (name.size() < kMaxName && name.starts_with("_Z") && IsSafeToDemangle(name)) {
    int status = -1;
    const std::unique_ptr<char, decltype(&std::free)> readable(
        abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
    if (status == 0 && readable) name.assign(readable.get(), strnlen(readable.get(), kMaxName));
  }
  if (name.size() >= kMaxName) name.replace(kMaxName - 16, std::string::npos, "...");
  return name;
}

}  // namespace mproc::platform
