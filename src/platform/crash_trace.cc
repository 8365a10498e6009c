// SPDX-License-Identifier: MIT
// Rules of the handler:
// 1. It uses system calls, a stack of its own and static memory. It allocates nothing and takes no lock but
//    the unwinder's, which has none since libgcc 12 with glibc 2.35.
// 2. What is written is valid after every store: a count follows the entry it counts. So a trace that is
//    cut off by SIGKILL or a second fault is a shorter trace.
// 3. A fault inside a step (broken stack, lost mapping) abandons that step and no other.
// 4. Whatever happens, the default action of the signal follows, at the instruction where it struck.
#include "platform/crash_trace.hh"

#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <iterator>

#include "platform/crash_area.hh"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MPROC_CRASH_TRACE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MPROC_CRASH_TRACE 0
#endif
#endif
#ifndef MPROC_CRASH_TRACE
#define MPROC_CRASH_TRACE 1
#endif

namespace mproc::platform {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
constexpr size_t kStackSize = 64 * 1024;
constexpr size_t kMapsReadLimit = 8 << 20;
constexpr int kMaxUnmatchedFrames = 64;

// Mappings noted when the trace was installed, for a worker that has no /proc.
struct NotedMapping {
  uint64_t start;
  uint64_t end;
  uint64_t file_offset;
  char path[232];
};
constexpr size_t kMaxNotedMappings = 32;

struct State {
  char* area;
  size_t size;
  pid_t pid;
  NotedMapping* noted;
  size_t noted_count;
};

// Of the fault being recorded; the thread in `owner` is the only one to touch it.
struct Recording {
  siginfo_t* info;
  ucontext_t* context;
  uintptr_t pc;
  uintptr_t registers_pc;
  uintptr_t registers_sp;
  uint32_t frame_count;  // Kept here as well: the area can be written by others.
  uint32_t map_count;
  size_t covered_frames;
  bool abandoned_step;
};

State g_state;
Recording g_recording;
std::atomic<pid_t> g_owner;
std::atomic<int> g_step;
std::atomic<bool> g_in_step;
sigjmp_buf g_next_step;

CrashAreaHeader* AreaHeader() { return reinterpret_cast<CrashAreaHeader*>(g_state.area); }
uint64_t* AreaFrames() { return reinterpret_cast<uint64_t*>(g_state.area + sizeof(CrashAreaHeader)); }

#if defined(__x86_64__)
constexpr bool kKnowsRegisters = true;
uintptr_t GetPc(const ucontext_t& c) { return static_cast<uintptr_t>(c.uc_mcontext.gregs[REG_RIP]); }
uintptr_t GetSp(const ucontext_t& c) { return static_cast<uintptr_t>(c.uc_mcontext.gregs[REG_RSP]); }
void SetPcAndSp(ucontext_t* c, uintptr_t pc, uintptr_t sp) {
  c->uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(pc);
  c->uc_mcontext.gregs[REG_RSP] = static_cast<greg_t>(sp);
}
void ReturnFromCall(ucontext_t* c) {
  const uintptr_t sp = GetSp(*c);
  uintptr_t return_address;
  std::memcpy(&return_address, reinterpret_cast<const void*>(sp), sizeof return_address);
  SetPcAndSp(c, return_address, sp + sizeof return_address);
}
#elif defined(__aarch64__)
constexpr bool kKnowsRegisters = true;
uintptr_t GetPc(const ucontext_t& c) { return c.uc_mcontext.pc; }
uintptr_t GetSp(const ucontext_t& c) { return c.uc_mcontext.sp; }
void SetPcAndSp(ucontext_t* c, uintptr_t pc, uintptr_t sp) {
  c->uc_mcontext.pc = pc;
  c->uc_mcontext.sp = sp;
}
void ReturnFromCall(ucontext_t* c) { SetPcAndSp(c, c->uc_mcontext.regs[30], GetSp(*c)); }
#else
constexpr bool kKnowsRegisters = false;
uintptr_t GetPc(const ucontext_t&) { return 0; }
uintptr_t GetSp(const ucontext_t&) { return 0; }
void SetPcAndSp(ucontext_t*, uintptr_t, uintptr_t) {}
void ReturnFromCall(ucontext_t*) {}
#endif

bool AddFrame(uintptr_t pc) {
  const size_t capacity =
      std::min(kMaxCrashFrames, (g_state.size - sizeof(CrashAreaHeader)) / 4 / sizeof(uint64_t));
  if (g_recording.frame_count >= capacity) return false;
  AreaFrames()[g_recording.frame_count++] = pc;
  __atomic_store_n(&AreaHeader()->frame_count, g_recording.frame_count, __ATOMIC_RELEASE);
  return true;
}

void WriteSignal() {
  const siginfo_t& info = *g_recording.info;
  CrashAreaHeader* header = AreaHeader();
  *header = {};
  header->signal = info.si_signo;
  header->code = info.si_code;
  if (info.si_code > 0) header->address = reinterpret_cast<uintptr_t>(info.si_addr);
  if (info.si_code <= 0) header->sender = info.si_pid;
  if (kKnowsRegisters) AddFrame(g_recording.pc);
  __atomic_store_n(&header->state, kCrashBegun, __ATOMIC_RELEASE);
}

struct Walk {
  bool matched;        // Past the handler and the signal trampoline.
  uintptr_t start;     // Where the interrupted code is found.
  int frames_allowed;  // Before the match.
};

_Unwind_Reason_Code OnFrame(_Unwind_Context* context, void* data) {
  auto* walk = static_cast<Walk*>(data);
  const uintptr_t pc = _Unwind_GetIP(context);
  if (walk->matched) return pc != 0 && AddFrame(pc) ? _URC_NO_REASON : _URC_END_OF_STACK;
  walk->matched = pc == walk->start;
  return --walk->frames_allowed > 0 ? _URC_NO_REASON : _URC_END_OF_STACK;
}

void WriteFrames() {
  const siginfo_t& info = *g_recording.info;
  const bool memory_fault = (info.si_signo == SIGSEGV || info.si_signo == SIGBUS) && info.si_code > 0;
  Walk walk{!kKnowsRegisters, g_recording.pc, kMaxUnmatchedFrames};
  if (kKnowsRegisters && memory_fault && reinterpret_cast<uintptr_t>(info.si_addr) == g_recording.pc) {
    // A call through a bad pointer: there is no code to unwind from, so go back to the caller first.
    ReturnFromCall(g_recording.context);
    walk.start = GetPc(*g_recording.context);
    AddFrame(walk.start);
  }
  _Unwind_Backtrace(&OnFrame, &walk);
}

void RestoreRegisters() {
  SetPcAndSp(g_recording.context, g_recording.registers_pc, g_recording.registers_sp);
}

// Adds a mapping if one of the frames lies in it.
void AddMapping(const CrashAreaMapping& mapping, const char* path, size_t* used) {
  size_t covered = 0;
  for (size_t i = 0; i < g_recording.frame_count; ++i) {
    const uint64_t pc = InstructionOfFrame(i, AreaFrames()[i]);
    if (pc >= mapping.start && pc < mapping.end) ++covered;
  }
  const size_t entry_size = sizeof(CrashAreaMapping) + PaddedPathSize(mapping.path_size);
  if (covered == 0 || entry_size > g_state.size - *used) return;
  std::memcpy(g_state.area + *used, &mapping, sizeof mapping);
  std::memcpy(g_state.area + *used + sizeof mapping, path, mapping.path_size);
  *used += entry_size;
  g_recording.covered_frames += covered;
  __atomic_store_n(&AreaHeader()->map_count, ++g_recording.map_count, __ATOMIC_RELEASE);
}

uint64_t ParseHex(const char** cursor, const char* end) {
  uint64_t value = 0;
  for (; *cursor < end; ++*cursor) {
    const char c = **cursor;
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) break;
    value = value * 16 + static_cast<uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return value;
}

// "start-end perms offset device inode   path"
void AddMapsLine(const char* line, const char* end, bool cut, size_t* used) {
  CrashAreaMapping mapping{};
  const char* cursor = line;
  mapping.start = ParseHex(&cursor, end);
  if (cursor < end) ++cursor;
  mapping.end = ParseHex(&cursor, end);
  for (int field = 1; field <= 4; ++field) {
    while (cursor < end && *cursor != ' ') ++cursor;
    while (cursor < end && *cursor == ' ') ++cursor;
    if (field == 2) mapping.file_offset = ParseHex(&cursor, end);
  }
  while (cursor < end && *cursor != ' ') ++cursor;
  while (cursor < end && *cursor == ' ') ++cursor;
  mapping.path_size = cut ? 0 : static_cast<size_t>(end - cursor);
  AddMapping(mapping, cursor, used);
}

bool AddMapsOfProc(size_t* used) {
  const long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return false;
  char chunk[4096];
  char line[768];
  size_t length = 0;
  bool cut = false;
  for (size_t total = 0; total < kMapsReadLimit;) {
    if (g_recording.covered_frames >= g_recording.frame_count) break;
    const long got = syscall(SYS_read, fd, chunk, sizeof chunk);
    if (got <= 0) break;
    total += static_cast<size_t>(got);
    for (const char* c = chunk; c < chunk + got; ++c) {
      if (*c == '\n') {
        AddMapsLine(line, line + length, cut, used);
        length = 0;
        cut = false;
      } else if (length < sizeof line) {
        line[length++] = *c;
      } else {
        cut = true;
      }
    }
  }
  syscall(SYS_close, fd);
  return true;
}

void WriteMappings() {
  size_t used = sizeof(CrashAreaHeader) + g_recording.frame_count * sizeof(uint64_t);
  if (AddMapsOfProc(&used)) return;
  for (size_t i = 0; i < g_state.noted_count; ++i) {
    const NotedMapping& noted = g_state.noted[i];
    AddMapping({noted.start, noted.end, noted.file_offset, std::strlen(noted.path)}, noted.path, &used);
  }
}

void Complete() {
  if (!g_recording.abandoned_step) __atomic_store_n(&AreaHeader()->state, kCrashComplete, __ATOMIC_RELEASE);
}

void Record(siginfo_t* info, ucontext_t* context) {
  static void (*const kSteps[])() = {WriteSignal, WriteFrames, RestoreRegisters, WriteMappings, Complete};
  g_recording = {};
  g_recording.info = info;
  g_recording.context = context;
  g_recording.pc = g_recording.registers_pc = GetPc(*context);
  g_recording.registers_sp = GetSp(*context);
  for (g_step = 0; g_step < static_cast<int>(std::size(kSteps)); ++g_step) {
    if (sigsetjmp(g_next_step, 0) == 0) {
      g_in_step = true;
      kSteps[g_step]();
    } else {
      g_recording.abandoned_step = true;
    }
    g_in_step = false;
  }
}

// Leaves the process to die of the signal as soon as the handler returns.
void TakeDefaultAction(int signal_number, siginfo_t* info, pid_t thread) {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  sigaction(signal_number, &action, nullptr);
  const bool strikes_again =
      info->si_code > 0 && (signal_number == SIGSEGV || signal_number == SIGFPE || signal_number == SIGILL ||
                            (signal_number == SIGBUS && info->si_code != BUS_MCEERR_AO));
  if (strikes_again) return;
  // Blocked until the return restores the mask, so that a core file shows the place of the first signal.
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal_number);
  sigprocmask(SIG_BLOCK, &only, nullptr);
  const pid_t pid = getpid();
  if (syscall(SYS_rt_tgsigqueueinfo, pid, thread, signal_number, info) != 0) {
    syscall(SYS_tgkill, pid, thread, signal_number);
  }
}

void OnSignal(int signal_number, siginfo_t* info, void* context) {
  const auto thread = static_cast<pid_t>(syscall(SYS_gettid));
  // In a child forked from the worker the area is not ours.
  if (g_state.area != nullptr && g_state.pid == getpid()) {
    pid_t owner = 0;
    if (g_owner.compare_exchange_strong(owner, thread)) {
      Record(info, static_cast<ucontext_t*>(context));
    } else if (owner == thread) {
      if (g_in_step) siglongjmp(g_next_step, 1);
    } else {
      // Another thread was first and will end the process; two seconds are for the case that it cannot.
      const timespec pause{0, 5'000'000};
      for (int i = 0; i < 400; ++i) syscall(SYS_nanosleep, &pause, nullptr);
    }
  }
  TakeDefaultAction(signal_number, info, thread);
}

void InstallStack() {
  stack_t present{};
  if (sigaltstack(nullptr, &present) != 0) return;
  if ((present.ss_flags & SS_DISABLE) == 0 && present.ss_size >= kStackSize) return;
  const auto guard = static_cast<size_t>(getauxval(AT_PAGESZ));
  void* memory = mmap(nullptr, guard + kStackSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t own{};
  own.ss_sp = static_cast<char*>(memory) + guard;
  own.ss_size = kStackSize;
  if (mprotect(own.ss_sp, kStackSize, PROT_READ | PROT_WRITE) != 0 || sigaltstack(&own, nullptr) != 0) {
    munmap(memory, guard + kStackSize);
  }
}

int NoteMappings(dl_phdr_info* info, size_t, void*) {
  const char* path = info->dlpi_name;
  const auto* program = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  if ((path == nullptr || *path == '\0') && g_state.noted_count == 0 && program != nullptr) path = program;
  for (int i = 0; i < info->dlpi_phnum && g_state.noted_count < kMaxNotedMappings; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    NotedMapping& noted = g_state.noted[g_state.noted_count++];
    noted.start = info->dlpi_addr + segment.p_vaddr;
    noted.end = noted.start + segment.p_memsz;
    noted.file_offset = segment.p_offset;
    if (path != nullptr && std::strlen(path) < sizeof noted.path) std::strcpy(noted.path, path);
  }
  return 0;
}

void NoteMappingsWithoutProc() {
  // The link alone tells it; to look behind it would make the kernel build the entries of this process.
  char link[16];
  if (g_state.noted != nullptr || readlink("/proc/self", link, sizeof link) > 0) return;
  void* memory = mmap(nullptr, kMaxNotedMappings * sizeof(NotedMapping), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  g_state.noted = static_cast<NotedMapping*>(memory);
  dl_iterate_phdr(&NoteMappings, nullptr);
}

// The unwinder prepares itself on its first use, in older versions with malloc.
_Unwind_Reason_Code OnWarmUpFrame(_Unwind_Context* context, void* count) {
  const bool more = _Unwind_GetIP(context) != 0 && --*static_cast<int*>(count) > 0;
  return more ? _URC_NO_REASON : _URC_END_OF_STACK;
}

void InstallHandlers() {
  int warm_up_frames = 3;
  _Unwind_Backtrace(&OnWarmUpFrame, &warm_up_frames);
  struct sigaction action {};
  action.sa_sigaction = &OnSignal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  // Faults stay open, for rule 3; all else waits.
  sigfillset(&action.sa_mask);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigdelset(&action.sa_mask, fault);
  for (const int signal_number : kSignals) {
    struct sigaction present {};
    if (sigaction(signal_number, nullptr, &present) != 0) continue;
    if ((present.sa_flags & SA_SIGINFO) != 0 || present.sa_handler != SIG_DFL) continue;
    sigaction(signal_number, &action, nullptr);
  }
}

}  // namespace

bool HasCrashTrace() { return MPROC_CRASH_TRACE != 0; }

void InstallCrashTrace(void* area, size_t size) {
  if (!HasCrashTrace()) return;
  g_state.area = nullptr;
  if (area == nullptr || size < kMinCrashAreaSize) return;
  if (reinterpret_cast<uintptr_t>(area) % alignof(CrashAreaHeader) != 0) return;
  g_owner = 0;
  g_state.size = size;
  g_state.pid = getpid();
  InstallStack();
  NoteMappingsWithoutProc();
  g_state.area = static_cast<char*>(area);
  InstallHandlers();
}

}  // namespace mproc::platform
