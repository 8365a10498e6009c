// SPDX-License-Identifier: MIT
#include "platform/symbols.hh"

#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <random>

namespace mproc::platform {

// Looked up in the test program itself.
[[gnu::noinline]] int FunctionToBeFound(int value) {
  volatile int kept = value;
  return kept + 1;
}

namespace {

constexpr uint64_t kTextOffset = 0x40;     // Where the code of the small file starts, in the file
constexpr uint64_t kTextAddress = 0x5040;  // and in memory.

// The smallest file the resolver reads: one segment, .symtab, .dynsym and a string table for both.
struct SmallElf {
  Elf64_Ehdr header{};
  Elf64_Phdr segment{};
  Elf64_Shdr sections[4]{};
  Elf64_Sym symbols[6]{};
  Elf64_Sym dynamic_symbols[1]{};
  char names[128]{};
};

Elf64_Sym Symbol(SmallElf* elf, const char* name, int type, int binding, uint64_t value, uint64_t size) {
  size_t end = 1;
  while (elf->names[end] != '\0') end += std::strlen(elf->names + end) + 1;
  std::strcpy(elf->names + end, name);
  Elf64_Sym symbol{};
  symbol.st_name = static_cast<Elf64_Word>(end);
  symbol.st_info = static_cast<unsigned char>(ELF64_ST_INFO(binding, type));
  symbol.st_shndx = 1;
  symbol.st_value = kTextAddress + value;
  symbol.st_size = size;
  return symbol;
}

SmallElf MakeSmallElf() {
  SmallElf elf;
  std::memcpy(elf.header.e_ident, ELFMAG, SELFMAG);
  elf.header.e_ident[EI_CLASS] = ELFCLASS64;
  elf.header.e_ident[EI_DATA] = ELFDATA2LSB;
  elf.header.e_type = ET_DYN;
  elf.header.e_phoff = offsetof(SmallElf, segment);
  elf.header.e_phentsize = sizeof(Elf64_Phdr);
  elf.header.e_phnum = 1;
  elf.header.e_shoff = offsetof(SmallElf, sections);
  elf.header.e_shentsize = sizeof(Elf64_Shdr);
  elf.header.e_shnum = 4;
  elf.segment.p_type = PT_LOAD;
  elf.segment.p_flags = PF_R | PF_X;
  elf.segment.p_offset = kTextOffset;
  elf.segment.p_vaddr = kTextAddress;
  elf.segment.p_filesz = elf.segment.p_memsz = 0x200;

  elf.symbols[0] = Symbol(&elf, "first", STT_FUNC, STB_LOCAL, 0x00, 0x10);
  elf.symbols[1] = Symbol(&elf, "alias", STT_FUNC, STB_WEAK, 0x20, 0x10);
  elf.symbols[2] = Symbol(&elf, "second", STT_FUNC, STB_GLOBAL, 0x20, 0x10);
  elf.symbols[3] = Symbol(&elf, "data", STT_OBJECT, STB_GLOBAL, 0x40, 0x10);
  elf.symbols[4] = Symbol(&elf, "_ZN4city5houseEi", STT_FUNC, STB_GLOBAL, 0x60, 0x20);
  elf.symbols[5] = Symbol(&elf, "elsewhere", STT_FUNC, STB_GLOBAL, 0x80, 0x10);
  elf.symbols[5].st_shndx = SHN_UNDEF;
  elf.dynamic_symbols[0] = Symbol(&elf, "exported", STT_FUNC, STB_GLOBAL, 0x80, 0x10);

  elf.sections[1].sh_type = SHT_SYMTAB;
  elf.sections[1].sh_offset = offsetof(SmallElf, symbols);
  elf.sections[1].sh_size = sizeof elf.symbols;
  elf.sections[2].sh_type = SHT_DYNSYM;
  elf.sections[2].sh_offset = offsetof(SmallElf, dynamic_symbols);
  elf.sections[2].sh_size = sizeof elf.dynamic_symbols;
  for (int table : {1, 2}) {
    elf.sections[table].sh_entsize = sizeof(Elf64_Sym);
    elf.sections[table].sh_link = 3;
  }
  elf.sections[3].sh_type = SHT_STRTAB;
  elf.sections[3].sh_offset = offsetof(SmallElf, names);
  elf.sections[3].sh_size = sizeof elf.names;
  return elf;
}

class SymbolsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "symbolsXXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/object";
  }

  void TearDown() override {
    if (file_ >= 0) close(file_);
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }

  void Write(const void* bytes, size_t size) {
    if (file_ < 0) file_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_EQ(pwrite(file_, bytes, size, 0), static_cast<ssize_t>(size));
    ASSERT_EQ(ftruncate(file_, static_cast<off_t>(size)), 0);
  }
  void Write(const SmallElf& elf) { Write(&elf, sizeof elf); }

  std::string At(uint64_t offset) { return ResolveSymbol(path_, kTextOffset + offset); }

  // Several offsets at once, as a trace asks.
  void ResolveAll() {
    std::vector<SymbolQuery> queries(16);
    for (size_t i = 0; i < queries.size(); ++i) queries[i].file_offset = kTextOffset + i * 16;
    SymbolResolver().Resolve(path_, &queries);
  }

  std::string folder_;
  std::string path_;
  int file_ = -1;
};

TEST_F(SymbolsTest, FindsTheFunctionThatCoversTheOffset) {
  Write(MakeSmallElf());
  EXPECT_EQ(At(0x00), "first+0x0");
  EXPECT_EQ(At(0x0f), "first+0xf");
  EXPECT_EQ(At(0x10), "");
  EXPECT_EQ(At(0x61), "city::house(int)+0x1");
}

TEST_F(SymbolsTest, PrefersTheGlobalNameAndIgnoresData) {
  Write(MakeSmallElf());
  EXPECT_EQ(At(0x24), "second+0x4");
  EXPECT_EQ(At(0x44), "");
}

TEST_F(SymbolsTest, SearchesTheDynamicTableLast) {
  Write(MakeSmallElf());
  EXPECT_EQ(At(0x88), "exported+0x8");
}

TEST_F(SymbolsTest, KnowsNothingOutsideTheCodeSegment) {
  SmallElf elf = MakeSmallElf();
  Write(elf);
  EXPECT_EQ(ResolveSymbol(path_, 0), "");
  EXPECT_EQ(ResolveSymbol(path_, UINT64_MAX), "");
  elf.segment.p_flags = PF_R;
  Write(elf);
  EXPECT_EQ(At(0), "");
}

TEST_F(SymbolsTest, AnswersManyQueriesInAnyOrder) {
  Write(MakeSmallElf());
  std::vector<SymbolQuery> queries(3);
  queries[0].file_offset = kTextOffset + 0x70;
  queries[1].file_offset = kTextOffset + 0x01;
  queries[2].file_offset = kTextOffset + 0x70;
  SymbolResolver().Resolve(path_, &queries);
  EXPECT_EQ(queries[0].name, "city::house(int)");
  EXPECT_EQ(queries[0].displacement, 0x10u);
  EXPECT_EQ(queries[1].name, "first");
  EXPECT_EQ(queries[2].name, "city::house(int)");
}

TEST_F(SymbolsTest, FindsAFunctionOfThisProgram) {
  struct Search {
    uint64_t address;
    uint64_t file_offset;
  } search{reinterpret_cast<uint64_t>(&FunctionToBeFound), 0};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        auto* wanted = static_cast<Search*>(data);
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& segment = info->dlpi_phdr[i];
          const uint64_t start = info->dlpi_addr + segment.p_vaddr;
          if (segment.p_type != PT_LOAD || wanted->address - start >= segment.p_filesz) continue;
          wanted->file_offset = wanted->address - start + segment.p_offset;
        }
        return 1;  // The program itself comes first.
      },
      &search);
  if (access("/proc/self/exe", R_OK) != 0) GTEST_SKIP() << "no /proc";
  EXPECT_EQ(FunctionToBeFound(1), 2);
  EXPECT_EQ(ResolveSymbol("/proc/self/exe", search.file_offset),
            "mproc::platform::FunctionToBeFound(int)+0x0");
}

TEST_F(SymbolsTest, ReadsRegularFilesOnly) {
  EXPECT_EQ(At(0), "");
  EXPECT_EQ(ResolveSymbol("", 0), "");
  EXPECT_EQ(ResolveSymbol(folder_, 0), "");
  EXPECT_EQ(ResolveSymbol("/dev/zero", 0), "");
  EXPECT_EQ(ResolveSymbol(std::string("/dev/null\0x", 11), 0), "");
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(At(0), "");
}

TEST_F(SymbolsTest, SurvivesEveryTruncation) {
  const SmallElf elf = MakeSmallElf();
  for (size_t size = sizeof elf; size-- > 0;) {
    Write(&elf, size);
    ResolveAll();
  }
}

TEST_F(SymbolsTest, SurvivesEveryDamagedByte) {
  const SmallElf good = MakeSmallElf();
  for (size_t i = 0; i < sizeof good; ++i) {
    for (const int value : {0x00, 0x01, 0x7f, 0xff}) {
      SmallElf bad = good;
      reinterpret_cast<unsigned char*>(&bad)[i] = static_cast<unsigned char>(value);
      Write(bad);
      ResolveAll();
    }
  }
}

TEST_F(SymbolsTest, SurvivesRandomDamage) {
  std::mt19937 random(7);
  const SmallElf good = MakeSmallElf();
  for (int round = 0; round < 2000; ++round) {
    SmallElf bad = good;
    for (unsigned n = 1 + random() % 16; n > 0; --n) {
      // Whole words, so that sizes and offsets become huge.
      uint64_t word = static_cast<uint64_t>(random()) << 32 | random();
      if (random() % 2) word = random() % 4096;
      std::memcpy(reinterpret_cast<char*>(&bad) + 16 + random() % (sizeof bad - 24), &word, sizeof word);
    }
    Write(bad);
    ResolveAll();
  }
}

TEST_F(SymbolsTest, LimitsTheWorkForHugeTables) {
  SmallElf elf = MakeSmallElf();
  elf.sections[1].sh_size = uint64_t{1} << 40;
  Write(elf);
  // A sparse file, so that the table is there.
  ASSERT_EQ(truncate(path_.c_str(), off_t{1} << 41), 0);
  EXPECT_EQ(At(0x10), "");
}

TEST(DemangleSymbol, MakesNamesReadable) {
  EXPECT_EQ(DemangleSymbol("main"), "main");
  EXPECT_EQ(DemangleSymbol("_Z3runv"), "run()");
  EXPECT_EQ(DemangleSymbol("_Zwrong"), "_Zwrong");
  EXPECT_EQ(DemangleSymbol(""), "");
}

TEST(DemangleSymbol, RefusesNamesThatWouldGrowWithoutLimit) {
  // Each step is a pair of two of the step before.
  std::string name = "_Z1fSt4pairIiiE";
  for (int i = 0; i < 36; ++i) {
    const std::string last = {'S', "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i], '_'};
    name += "S_I" + last + last + "E";
  }
  EXPECT_EQ(DemangleSymbol(name), name);
  EXPECT_LE(DemangleSymbol("_Z" + std::string(100000, 'S')).size(), 512u);
  EXPECT_LE(DemangleSymbol(std::string(100000, 'x')).size(), 512u);
}

}  // namespace
}  // namespace mproc::platform
