// SPDX-License-Identifier: MIT
// Runs a fuzzer's function over its corpus without a fuzzer: each file, everything it begins with, and what
// becomes of it when one byte is another. The bytes end where the next page must not be read.
// replay DIRECTORY; the last line is "N passed, N failed", a file counting as one.
#include <sys/mman.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "input.hh"

namespace {

constexpr size_t kPage = 4096;
constexpr size_t kMost = 64 * kPage;
constexpr size_t kVariants = 600;  // of one file

uint8_t* MakeRoom() {
  void* at = mmap(nullptr, kMost + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(at != MAP_FAILED && mprotect(static_cast<uint8_t*>(at) + kMost, kPage, PROT_NONE) == 0);
  return static_cast<uint8_t*>(at) + kMost;
}

void Run(const std::vector<uint8_t>& bytes) {
  static uint8_t* const end = MakeRoom();
  uint8_t* begin = end - bytes.size();
  if (!bytes.empty()) std::memcpy(begin, bytes.data(), bytes.size());
  LLVMFuzzerTestOneInput(begin, bytes.size());
}

void RunWithNeighbours(const std::vector<uint8_t>& bytes) {
  Run(bytes);
  size_t step = bytes.size() * 4 / kVariants + 1;
  for (size_t i = 0; i < bytes.size(); i += step) {
    Run({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(i)});
    for (uint8_t other : {0x00, 0x01, 0xff}) {
      auto changed = bytes;
      changed[i] = static_cast<uint8_t>(other == 1 ? bytes[i] + 1 : other);
      Run(changed);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry.path());
  std::ranges::sort(files);
  int passed = 0, failed = 0;
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
    if (!file || bytes.size() > kMost) {
      std::printf("cannot be read, or is too long: %s\n", path.c_str());
      failed++;
      continue;
    }
    std::fprintf(stderr, "%s\n", path.filename().c_str());  // the last one told is the one that crashed
    RunWithNeighbours(bytes);
    passed++;
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed || !passed;
}
