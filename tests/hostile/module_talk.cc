// SPDX-License-Identifier: MIT
#include "module_talk.hh"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "ipc/layout.hh"
#include "ipc/message.hh"
#include "support/seccomp.hh"

namespace hostile {
namespace {

using mproc::ipc::ChannelMemory;
using mproc::ipc::kSlots;
using mproc::ipc::MessageHead;
using mproc::ipc::MessageType;
using mproc::ipc::ResultSlot;
using mproc::ipc::TurnOf;
using Random = std::mt19937_64;

constexpr int kSocket = 3;
constexpr uint32_t kStrange = 0x7ffffff0;  // no block of the worker's own has this number
constexpr int kAllSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

ChannelMemory* FindChannel() {
  static ChannelMemory* found = nullptr;
  FILE* maps = found ? nullptr : fopen("/proc/self/maps", "re");
  if (!maps) return found;
  char line[512];
  while (!found && fgets(line, sizeof line, maps)) {
    unsigned long begin = 0, end = 0;
    if (!strstr(line, "memfd:mproc-channel") || sscanf(line, "%lx-%lx", &begin, &end) != 2) continue;
    if (end - begin >= sizeof(ChannelMemory)) found = reinterpret_cast<ChannelMemory*>(begin);
  }
  fclose(maps);
  return found;
}

// Where the running task stands in the rings.
struct Spot {
  ChannelMemory* memory = nullptr;
  uint64_t task = 0;
  uint64_t result = 0;
  ResultSlot& slot() const { return memory->results[result % kSlots]; }
  void Publish() const { slot().turn.store(TurnOf(result, mproc::ipc::kPublished)); }
};

Spot FindSpot(mproc_call_t* call) {
  Spot spot;
  spot.memory = FindChannel();
  if (!spot.memory) _exit(9);
  uint64_t id = call ? mproc_call_task_id(call) : 0;
  for (auto& slot : spot.memory->tasks) {
    uint64_t turn = slot.turn.load();
    if (turn % 4 == mproc::ipc::kClaimed && slot.task_id == id) spot.task = turn / 4;
  }
  for (auto& slot : spot.memory->results) {
    uint64_t turn = slot.turn.load();
    if (turn % 4 == mproc::ipc::kPublished && turn / 4 + 1 > spot.result) spot.result = turn / 4 + 1;
  }
  return spot;
}

int64_t MsNow() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

void InThread(std::function<void()> body) {
  auto* owned = new std::function<void()>(std::move(body));
  pthread_t thread;
  auto run = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  if (pthread_create(&thread, nullptr, run, owned) == 0) pthread_detach(thread);
}

bool SendRaw(const void* bytes, size_t size, const std::vector<int>& fds = {}, bool wait = true) {
  alignas(cmsghdr) char control[CMSG_SPACE(256 * sizeof(int))] = {};
  iovec part{const_cast<void*>(bytes), size};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    memcpy(CMSG_DATA(rights), fds.data(), fds.size() * sizeof(int));
  }
  return sendmsg(kSocket, &header, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT)) >= 0;
}

bool SendHead(MessageType type, uint32_t number, uint64_t size, const std::vector<int>& fds = {},
              bool wait = true) {
  MessageHead head{static_cast<uint32_t>(type), number, size};
  return SendRaw(&head, sizeof head, fds, wait);
}

int Memory(uint64_t size, int seals, bool pages = true) {
  int fd = static_cast<int>(syscall(SYS_memfd_create, "hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (pages ? fallocate(fd, 0, 0, static_cast<off_t>(size)) : ftruncate(fd, static_cast<off_t>(size)))
    return fd;
  if (seals) fcntl(fd, F_ADD_SEALS, seals);
  return fd;
}

void SendBlock(uint32_t number, uint64_t said, int fd) {
  SendHead(MessageType::kBlock, number, said, {fd});
  close(fd);
}

void Tally(bool refused) {
  if (Note* note = FindNote()) (refused ? note->resisted : note->succeeded).fetch_add(1);
}

// A number that could do harm somewhere.
uint64_t Wild(Random& random, const Spot& spot) {
  switch (random() % 12) {
    case 0:
      return 0;
    case 1:
      return UINT64_MAX;
    case 2:
      return uint64_t{1} << (random() % 64);
    case 3:
      return (uint64_t{1} << (random() % 64)) - 1;
    case 4:
      return spot.task + random() % 8 - 4;
    case 5:
      return TurnOf(spot.task + random() % 300, static_cast<mproc::ipc::Turn>(random() % 4));
    case 6:
      return TurnOf(spot.result + random() % 300, static_cast<mproc::ipc::Turn>(random() % 4));
    case 7:
      return random() % 300;
    case 8:
      return random() % 5;
    case 9:
      return (random() % 5) << 32 | random() % 5;
    default:
      return random();
  }
}

void NoiseEverywhere(uint64_t seed, int64_t until) {
  Random random(seed);
  auto* bytes = reinterpret_cast<volatile unsigned char*>(FindChannel());
  while (MsNow() < until) {
    for (int i = 0; i < 4096; i++)
      bytes[random() % sizeof(ChannelMemory)] = static_cast<unsigned char>(random());
  }
}

// All memory that this worker and the host both map: the channel, and blocks of both.
std::vector<std::pair<uint64_t*, size_t>> SharedMappings() {
  std::vector<std::pair<uint64_t*, size_t>> found;
  FILE* maps = fopen("/proc/self/maps", "re");
  if (!maps) return found;
  char line[512];
  while (fgets(line, sizeof line, maps)) {
    unsigned long begin = 0, end = 0;
    char access[8] = "";
    if (!strstr(line, "memfd:mproc-") || sscanf(line, "%lx-%lx %7s", &begin, &end, access) != 3) continue;
    if (!strcmp(access, "rw-s")) found.emplace_back(reinterpret_cast<uint64_t*>(begin), (end - begin) / 8);
  }
  fclose(maps);
  return found;
}

void OverwriteEverything(const Spot& spot, uint64_t times, uint64_t seed) {
  auto mappings = SharedMappings();
  uint64_t word = seed * 2 + 1;
  for (uint64_t pass = 0; pass < times; pass++) {
    for (auto [words, count] : mappings) {
      for (size_t i = 0; i < count; i++) {
        word ^= word << 13, word ^= word >> 7, word ^= word << 17;
        static_cast<volatile uint64_t*>(words)[i] = word;
      }
    }
    uint64_t how = (pass + seed) % 4;
    // Every other time the host is made to believe that these are results, and half of these times of tasks
    // that it has given: then all but their sizes and places is true, and those may be.
    for (uint64_t i = 0; how % 2 && i < kSlots; i++) {
      ResultSlot& slot = spot.memory->results[(spot.result + i) % kSlots];
      if (how == 3) {
        slot.task = spot.task + i;
        slot.status = slot.status % 4 == 1;
        if (slot.block % 4) slot.block = 0;
        if (slot.offset % 4) slot.size %= 128;
      }
      slot.turn.store(TurnOf(spot.result + i, mproc::ipc::kPublished));
    }
    Note* note = FindNote();
    if (!note) continue;
    note->overwrites.fetch_add(1);
    if (mappings.size() > 1) note->blocks_overwritten.fetch_add(1);
  }
}

// Tries to take memory away from the host, by every name of it that there is.
void TryToShrink() {
  FILE* maps = fopen("/proc/self/maps", "re");
  if (!maps) return;
  char line[512];
  std::vector<std::string> paths;
  while (fgets(line, sizeof line, maps)) {
    if (!strstr(line, "memfd:mproc-")) continue;
    paths.push_back("/proc/self/map_files/" + std::string(line, strcspn(line, " ")));
  }
  fclose(maps);
  for (const auto& path : paths) {
    int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) continue;  // only root may
    Tally(ftruncate(fd, 0) != 0);
    Tally(ftruncate(fd, 1 << 30) != 0);
    Tally(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) != 0);
    Tally(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096) != 0);
    close(fd);
  }
}

}  // namespace

Note* FindNote() {
  static Note* note = nullptr;
  const char* path = getenv(kNoteVariable);
  if (note || !path) return note;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* at = mmap(nullptr, sizeof(Note), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (at != MAP_FAILED) note = static_cast<Note*>(at);
  return note;
}

void Confess(mproc_call_t* call) {
  Note* note = FindNote();
  if (note) note->hostile_pids[mproc_call_worker_number(call) % 4096].store(static_cast<uint32_t>(getpid()));
}

void PublishLie(mproc_call_t* call, const Lie& lie) {
  Spot spot = FindSpot(call);
  ResultSlot& slot = spot.slot();
  slot.task = spot.task;
  slot.size = 8;
  slot.offset = 0;
  slot.block = 0;
  slot.status = 0;
  slot.elapsed = 1000;
  memset(slot.data, 0x5a, sizeof slot.data);
  if (lie.in_block) {
    SendBlock(kStrange, 8192, Memory(8192, kAllSeals));
    slot.block = kStrange;
    slot.size = 4096;
  }
  uint64_t base = 0;
  switch (lie.field) {
    case kTask:
      base = spot.task;
      slot.task = lie.value + (lie.relative ? base : 0);
      break;
    case kSize:
      slot.size = lie.value + (lie.relative ? slot.size : 0);
      break;
    case kOffset:
      slot.offset = lie.value;
      break;
    case kBlock:
      slot.block = static_cast<uint32_t>(lie.value);
      break;
    case kStatus:
      slot.status = static_cast<uint32_t>(lie.value);
      break;
    case kElapsed:
      slot.elapsed = static_cast<uint32_t>(lie.value);
      break;
    case kTurn:
      base = TurnOf(spot.result, mproc::ipc::kPublished);
      slot.turn.store(lie.value + (lie.relative ? base : 0));
      return;
    default:
      break;
  }
  spot.Publish();
}

void PublishPointer(mproc_call_t* call) {
  Spot spot = FindSpot(call);
  ResultSlot& slot = spot.slot();
  slot.task = spot.task;
  slot.size = 16;
  slot.offset = 0;
  slot.block = kStrange + 1;
  slot.status = 0;
  spot.Publish();
}

void PublishChunk(mproc_call_t* call, const ChunkLie& lie) {
  Spot spot = FindSpot(call);
  ResultSlot& slot = spot.slot();
  Random random(lie.seed);
  uint64_t words[10] = {lie.count, 0};  // of items: count, failed, size of each, 0, places, bytes
  size_t size = sizeof words;
  switch (static_cast<ChunkWords>(lie.words)) {
    case kCountHuge:
      words[0] = uint64_t{1} << 63;
      break;
    case kCountMore:
      words[0] = lie.count + 1;
      break;
    case kCountLess:
      words[0] = lie.count - 1;
      break;
    case kItemHuge:
      words[2] = uint64_t{1} << 63;
      break;
    case kItemNegative:
      words[2] = UINT64_MAX;  // of many sizes: then come the ends
      words[4] = 8;
      words[5] = 4;
      words[6] = words[7] = 8;
      break;
    case kErrorGarbage:
      words[0] = lie.array ? 0 : 1;
      words[1] = 1;
      for (int i = 2; i < 10; i++) words[i] = UINT64_MAX;
      if (!lie.array) words[2] = 40, words[4] = 0;
      break;
    case kErrorHuge:  // the count of a text within the error
      words[0] = lie.array ? 0 : 1;
      words[1] = 1;
      words[2] = lie.array ? 0 : 40;
      words[lie.array ? 3 : 5] = uint64_t{0x20000000} << 32;
      words[lie.array ? 4 : 6] = words[lie.array ? 5 : 7] = uint64_t{1} << 60;
      break;
    case kShort:
      size = 7;
      break;
    case kNothing:
      size = 0;
      break;
    default:
      for (auto& word : words) word = Wild(random, spot);
      size = random() % (sizeof words + 1);
      break;
  }
  memcpy(slot.data, words, size);
  slot.task = spot.task;
  slot.size = size;
  slot.offset = 0;
  slot.block = 0;
  slot.status = 0;
  slot.elapsed = 1000;
  spot.Publish();
}

void DoScribble(mproc_call_t* call, const Scribble& scribble) {
  Spot spot = FindSpot(call);
  ChannelMemory* memory = spot.memory;
  Random random(scribble.seed);
  switch (static_cast<Place>(scribble.place)) {
    case kTaskTurns:
      for (auto& slot : memory->tasks) slot.turn.store(scribble.value);
      break;
    case kResultTurns:
      for (uint64_t i = 0; i < kSlots; i++) {
        memory->results[i].turn.store(scribble.value == UINT64_MAX ? TurnOf(i, mproc::ipc::kPublished)
                                                                   : scribble.value);
      }
      break;
    case kWorkerBell:
      memory->worker_bell.store(static_cast<uint32_t>(scribble.value));
      break;
    case kHostBell:
      memory->host_bell.store(static_cast<uint32_t>(scribble.value));
      break;
    case kPassed:
      memory->passed.store(scribble.value);
      break;
    case kOrder:
      memory->order.store(static_cast<uint32_t>(scribble.value));
      memory->cancelled.store(scribble.value);
      memory->flight.begun.store(scribble.value);
      for (auto& run : memory->runs) run.begun_at.store(static_cast<int64_t>(scribble.value));
      break;
    case kPolling:
      memory->polling.store(static_cast<uint32_t>(scribble.value));
      memory->may_poll.store(static_cast<uint32_t>(scribble.value));
      memory->worker_cpu.store(static_cast<uint32_t>(scribble.value));
      memory->host_cpu.store(static_cast<uint32_t>(scribble.value));
      break;
    case kConsumed:
      memory->consumed.store(scribble.value);
      break;
    case kMagic:
      memory->magic = scribble.value;
      memory->version = memory->slots = static_cast<uint32_t>(scribble.value);
      break;
    case kTrace:
      for (auto& byte : memory->trace) byte = static_cast<std::byte>(random());
      if (scribble.value) memcpy(memory->trace, &scribble.value, sizeof scribble.value);
      break;
    case kAllWords: {
      auto* words = reinterpret_cast<volatile uint64_t*>(memory);
      for (size_t i = 0; i < sizeof *memory / sizeof *words; i++) words[i] = random();
      break;
    }
    case kPlausible: {
      auto* words = reinterpret_cast<volatile uint64_t*>(memory);
      uint64_t part = 1 + random() % 16;
      for (size_t i = 0; i < sizeof *memory / sizeof *words; i++) {
        if (random() % part == 0) words[i] = Wild(random, spot);
      }
      break;
    }
    case kPassedForEver: {
      int64_t until = MsNow() + scribble.ms;
      InThread([memory, until] {
        // As often as possible, so that the host finds it changed at every look.
        setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), -20);
        while (MsNow() < until) {
          for (int i = 0; i < 100000; i++) memory->passed.fetch_add(1);
        }
      });
      break;
    }
    case kBytesForEver: {
      int64_t until = MsNow() + scribble.ms;
      uint64_t seed = scribble.seed;
      InThread([seed, until] { NoiseEverywhere(seed, until); });
      break;
    }
    case kFlight: {
      auto fill = [&](void* part, size_t size) {
        auto* words = static_cast<volatile uint64_t*>(part);
        for (size_t i = 0; i < size / sizeof *words; i++)
          words[i] = scribble.seed ? random() : scribble.value;
      };
      fill(&memory->flight, sizeof memory->flight);
      fill(memory->runs, sizeof memory->runs);
      fill(memory->notes, sizeof memory->notes);
      fill(&memory->log, sizeof memory->log);
      break;
    }
    case kSegments:
      OverwriteEverything(spot, scribble.value, scribble.seed);
      break;
    case kHoles:
      Tally(madvise(memory, (sizeof *memory + 4095) & ~size_t{4095}, MADV_REMOVE) != 0);
      break;
    default:
      break;
  }
}

void SayHello(uint64_t size, uint64_t count) {
  struct {
    MessageHead head;
    uint64_t count;
  } hello{{static_cast<uint32_t>(MessageType::kHello), 1, size ? size : sizeof(uint64_t)}, count};
  SendRaw(&hello, sizeof hello);
}

void SayLastCall(uint32_t number, uint64_t size) {
  struct {
    MessageHead head;
    char bytes[8];
  } call{{static_cast<uint32_t>(MessageType::kLastCall), number, size}, "forged!"};
  SendRaw(&call, sizeof call);
}

void FillSocket() {
  int memory = Memory(4096, kAllSeals);
  while (SendHead(MessageType::kBlock, kStrange + 1, 4096, {memory}, false) &&
         SendHead(MessageType::kDropBlock, kStrange + 1, 0, {}, false)) {
  }
  close(memory);
}

void Say(Words words, uint64_t seed) {
  Random random(seed);
  constexpr uint32_t kOther = kStrange + 2;
  switch (words) {
    case kRandomMessages:
      for (int i = 0; i < 20; i++) {
        std::vector<uint64_t> noise(random() % 64);
        for (auto& word : noise) word = random() % 3 ? random() : random() % 8;
        size_t size = noise.size() * 8;
        if (size) size -= random() % 8;
        SendRaw(noise.data(), size, {}, false);
      }
      break;
    case kDropsForEver:
    case kHelloPartsForEver:
      for (int i = 0; i < 2; i++) {
        InThread([words] {
          bool drops = words == kDropsForEver;
          MessageType type = drops ? MessageType::kDropBlock : MessageType::kHelloPart;
          while (SendHead(type, drops ? kOther : 0, drops ? 0 : 1000)) {
          }
        });
      }
      usleep(20000);
      break;
    case kClosed:
      close(kSocket);
      break;
    case kShut:
      shutdown(kSocket, SHUT_RDWR);
      break;
    case kLastCallWhole:
      SayLastCall(0, 8);
      break;
    case kLastCallLong:
      SayLastCall(0, uint64_t{1} << 40);
      break;
    case kLastCallOdd:
      SayLastCall(2, 8);
      break;
    case kLastCallHalf:
      SayLastCall(0, 1000);
      break;
    case kFullSocket:
      FillSocket();
      break;
    case kBlockUnsealed:
      SendBlock(kStrange + 1, 4096, Memory(4096, 0));
      break;
    case kBlockShort:
      SendBlock(kStrange + 1, 1 << 20, Memory(4096, kAllSeals));
      break;
    case kBlockEmpty:
      SendBlock(kStrange + 1, 0, Memory(4096, kAllSeals));
      break;
    case kBlockHuge:
      SendBlock(kStrange + 1, uint64_t{1} << 63, Memory(4096, kAllSeals));
      break;
    case kBlockNumberZero:
      SendBlock(0, 4096, Memory(4096, kAllSeals));
      break;
    case kBlockTwice:
      SendBlock(kStrange + 1, 4096, Memory(4096, kAllSeals));
      SendBlock(kStrange + 1, 4096, Memory(4096, kAllSeals));
      break;
    case kBlockPipe: {
      int ends[2];
      if (pipe2(ends, O_CLOEXEC) != 0) break;
      SendBlock(kStrange + 1, 4096, ends[0]);
      close(ends[1]);
      break;
    }
    case kBlockDevice:
      SendBlock(kStrange + 1, 4096, open("/dev/zero", O_RDWR | O_CLOEXEC));
      break;
    case kBlockDirectory:
      SendBlock(kStrange + 1, 4096, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      break;
    case kBlockNothing:
      SendHead(MessageType::kBlock, kStrange + 1, 4096);
      break;
    case kBlockMany: {
      int memory = Memory(4096, kAllSeals);
      SendHead(MessageType::kBlock, kStrange + 1, 4096, std::vector<int>(253, memory));
      break;
    }
    case kBlockReadOnly:
      SendBlock(kStrange + 1, 4096, Memory(4096, kAllSeals | F_SEAL_WRITE));
      break;
    case kBlockFlood:
      InThread([] {
        int memory = Memory(4096, kAllSeals);
        for (uint32_t i = 0; i < 5000; i++) {
          if (!SendHead(MessageType::kBlock, kStrange / 2 + i, 4096, {memory})) return;
        }
      });
      usleep(20000);
      break;
    case kBlockSparse:
      SendBlock(kStrange + 1, uint64_t{1} << 40, Memory(uint64_t{1} << 40, kAllSeals, false));
      break;
    case kTruncate:
      TryToShrink();
      break;
    case kFlood: {
      int null = open("/dev/null", O_RDWR | O_CLOEXEC);
      // Who is not root shares a bound on descriptors under way with all processes of the user.
      for (int i = 0; i < (geteuid() == 0 ? 200 : 2); i++) {
        uint32_t type = static_cast<uint32_t>(random() % 9);
        SendHead(static_cast<MessageType>(type), kOther, random(), std::vector<int>(253, null), false);
      }
      break;
    }
    case kSecondHello:
      SayHello(0, 0);
      SayHello(16, 1);
      break;
    case kRefusal: {
      struct {
        MessageHead head;
        char text[16];
      } refusal{{static_cast<uint32_t>(MessageType::kRefused), 12345, 0}, "no way"};
      SendRaw(&refusal, sizeof refusal);
      break;
    }
    default:
      break;
  }
}

bool DenyMemory(int error) { return mproc::test::Deny({{SYS_fallocate, error}, {SYS_memfd_create, error}}); }

}  // namespace hostile
