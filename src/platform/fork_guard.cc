// SPDX-License-Identifier: MIT
//
// The table has a bit for each descriptor number. It is read by the fork handler, where no lock may be taken,
// so it consists of atomics only, and its parts, once made, stay. A descriptor that arrives in a message
// while another thread forks may be missed: the child then holds it, and the launcher and the workers do not
// rely on the end of sockets alone.
#include "platform/fork_guard.hh"

#include <array>
#include <atomic>
#include <cstdint>
#include <new>

#include "platform/socket.hh"

namespace mproc::platform {
namespace {

constexpr int kBits = 64;
constexpr int kWords = 64;  // 4096 descriptors a part
constexpr int kParts = 256;
constexpr int kPerPart = kBits * kWords;

struct Part {
  std::array<std::atomic<uint64_t>, kWords> words{};
};

constinit std::array<std::atomic<Part*>, kParts> g_parts{};
constinit std::atomic<uint32_t> g_epoch{0};  // of the process whose descriptors the table holds

std::atomic<uint64_t>* WordOf(int fd, bool make) {
  if (fd < 0 || fd >= kPerPart * kParts) return nullptr;
  std::atomic<Part*>& slot = g_parts[static_cast<size_t>(fd / kPerPart)];
  Part* part = slot.load(std::memory_order_acquire);
  if (!part) {
    if (!make) return nullptr;
    Part* fresh = new (std::nothrow) Part;
    if (!fresh) return nullptr;
    if (slot.compare_exchange_strong(part, fresh)) {
      part = fresh;
    } else {
      delete fresh;
    }
  }
  return &part->words[static_cast<size_t>(fd % kPerPart / kBits)];
}

uint64_t BitOf(int fd) { return uint64_t{1} << (fd % kBits); }

void CloseAll() {
  for (int p = 0; p < kParts; p++) {
    Part* part = g_parts[static_cast<size_t>(p)].load(std::memory_order_relaxed);
    if (!part) continue;
    for (int w = 0; w < kWords; w++) {
      uint64_t bits = part->words[static_cast<size_t>(w)].exchange(0, std::memory_order_relaxed);
      for (; bits != 0; bits &= bits - 1) {
        int bit = __builtin_ctzll(bits);
        UniqueFd closing(p * kPerPart + w * kBits + bit);
      }
    }
  }
}

Result<GuardedEnds> GuardEnds(Result<std::pair<UniqueFd, UniqueFd>> ends) {
  if (!ends.ok()) return ends.status();
  return GuardedEnds(GuardedFd(std::move(ends->first)), GuardedFd(std::move(ends->second)));
}

}  // namespace

constinit ForkMutex NoForks::g_mutex;

Status StartForkGuard() {
  Status status = CheckForkWatch();
  if (!status.ok()) return status;
  CloseInheritedFds();
  if (!OnForkInChild(CloseInheritedFds)) return Status(MPROC_ERROR_INTERNAL, "no room for a handler");
  return Status();
}

void CloseInheritedFds() {
  uint32_t now = ForkEpoch();
  uint32_t before = g_epoch.exchange(now, std::memory_order_acq_rel);
  if (before != 0 && before != now) CloseAll();
}

void GuardFd(int fd) {
  if (auto* word = WordOf(fd, true)) word->fetch_or(BitOf(fd), std::memory_order_relaxed);
}

void UnguardFd(int fd) {
  if (auto* word = WordOf(fd, false)) word->fetch_and(~BitOf(fd), std::memory_order_relaxed);
}

Result<GuardedFd> DuplicateGuarded(int fd) {
  NoForks no_forks;
  auto copy = DuplicateFd(fd);
  if (!copy.ok()) return copy.status();
  return GuardedFd(std::move(*copy));
}

Result<GuardedEnds> MakeGuardedSocketPair() {
  NoForks no_forks;
  return GuardEnds(MakeSocketPair());
}

Result<GuardedEnds> MakeGuardedPipe(Writes writes) {
  NoForks no_forks;
  return GuardEnds(MakePipe(writes));
}

}  // namespace mproc::platform
