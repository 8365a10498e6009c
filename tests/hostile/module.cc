// SPDX-License-Identifier: MIT
// A module that does not keep to the rules: it finds the channel of its worker in memory and lies in it, and
// speaks on the worker's socket. Decent functions, to see that others are served, are in it as well.
#include <mproc/mproc.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "module_calls.hh"
#include "module_talk.hh"

using namespace hostile;

namespace {

template <typename T>
T As(const void* input, size_t size) {
  T value{};
  memcpy(&value, input, size < sizeof value ? size : sizeof value);
  return value;
}

int32_t EchoIt(mproc_call_t* call, const void* input, size_t size, void*) {
  return mproc_call_reply(call, input, size);
}

int32_t SleepABit(mproc_call_t* call, const void* input, size_t size, void*) {
  usleep(As<Sleep>(input, size).ms * 1000);
  size_t head = size < sizeof(Sleep) ? size : sizeof(Sleep);
  return mproc_call_reply(call, static_cast<const char*>(input) + head, size - head);
}

int32_t UntilStopped(mproc_call_t* call, const void* input, size_t size, void*) {
  bool deaf = size == 4 && memcmp(input, "deaf", 4) == 0;
  if (deaf) signal(SIGTERM, SIG_IGN);
  if (size == 4 && memcmp(input, "soft", 4) == 0) signal(SIGTERM, SIG_IGN);
  while (deaf || !mproc_call_cancelled(call)) usleep(500);
  return 0;
}

int32_t TellAbout(mproc_call_t* call, const void*, size_t, void*) {
  About about{};
  about.pid = getpid();
  about.ppid = getppid();
  about.uid = getuid();
  about.euid = geteuid();
  about.gid = getgid();
  for (int fd = 0; fd < 3; fd++) about.standard[fd] = fcntl(fd, F_GETFD) >= 0;
  struct stat null {
  }, input{};
  about.null_input = stat("/dev/null", &null) == 0 && fstat(0, &input) == 0 && null.st_rdev == input.st_rdev;
  sigset_t blocked;
  sigprocmask(SIG_BLOCK, nullptr, &blocked);
  struct sigaction action {};
  sigaction(SIGALRM, nullptr, &action);
  about.pending_alarm = sigismember(&blocked, SIGALRM) == 1 || action.sa_handler == SIG_IGN;
  about.number = mproc_call_worker_number(call);
  return mproc_call_reply(call, &about, sizeof about);
}

int32_t SetOpenFiles(mproc_call_t* call, const void* input, size_t size, void*) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  uint64_t before = limit.rlim_cur;
  limit.rlim_cur = As<uint64_t>(input, size);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return errno;
  return mproc_call_reply(call, &before, sizeof before);
}

int32_t RefuseMemory(mproc_call_t* call, const void* input, size_t size, void*) {
  if (!DenyMemory(static_cast<int>(As<uint64_t>(input, size)))) return errno;
  return mproc_call_reply(call, nullptr, 0);
}

int32_t MakeBytes(mproc_call_t* call, const void* input, size_t size, void*) {
  void* data = nullptr;
  size_t count = As<uint64_t>(input, size);
  if (int32_t bad = mproc_call_reply_alloc(call, count, &data)) return bad;
  for (size_t i = 0; i < count; i++)
    static_cast<unsigned char*>(data)[i] = static_cast<unsigned char>(i % 251);
  return 0;
}

int32_t SumBytes(mproc_call_t* call, const void* input, size_t size, void*) {
  uint64_t sum = 0;
  for (size_t i = 0; i < size; i++) sum += static_cast<const unsigned char*>(input)[i];
  return mproc_call_reply(call, &sum, sizeof sum);
}

int32_t FailIfOdd(mproc_call_t* call, const void* input, size_t size, void*) {
  uint64_t number = As<uint64_t>(input, size);
  if (number % 2) return mproc_call_fail(call, 7, "Odd", "an odd number", nullptr);
  return mproc_call_reply(call, input, size);
}

int32_t GiveNothing(mproc_call_t*, const void*, size_t, void*) { return 0; }

int32_t DoubleIt(mproc_call_t* call, const void* input, size_t size, void*) {
  uint64_t twice = As<uint64_t>(input, size) * 2;
  return mproc_call_reply(call, &twice, sizeof twice);
}

int32_t ThrowIt(mproc_call_t*, const void* input, size_t size, void*) {
  if (size == 0) throw 5;
  throw std::runtime_error(std::string(static_cast<const char*>(input), size));
}

__attribute__((no_sanitize("undefined"))) int32_t After(uint32_t then) {
  switch (then) {
    case kExit:
      _exit(3);
    case kAbort:
      abort();
    case kStay:
      for (;;) pause();
    case kCrash:
      *static_cast<volatile int*>(nullptr) = 1;
      break;
    default:
      break;
  }
  return 0;
}

int32_t TellALie(mproc_call_t* call, const void* input, size_t size, void*) {
  Confess(call);
  auto lie = As<Lie>(input, size);
  PublishLie(call, lie);
  return After(lie.then);
}

int32_t ScribbleIt(mproc_call_t* call, const void* input, size_t size, void*) {
  Confess(call);
  auto scribble = As<Scribble>(input, size);
  DoScribble(call, scribble);
  return After(scribble.then);
}

int32_t SpeakUp(mproc_call_t* call, const void* input, size_t size, void*) {
  Confess(call);
  auto speak = As<Speak>(input, size);
  Say(static_cast<Words>(speak.words), speak.seed);
  if (speak.point) PublishPointer(call);
  return After(speak.then);
}

int32_t LieInChunk(mproc_call_t* call, const void* input, size_t size, void*) {
  Confess(call);
  auto lie = As<ChunkLie>(input, size);
  PublishChunk(call, lie);
  return After(kStay);
}

// What the environment asks for before the hello: "WORDS" every time, "WORDS:N" for the first N starts.
void AtStart() {
  const char* wanted = getenv(kStartVariable);
  if (!wanted || !*wanted) return;
  std::string text = wanted;
  size_t colon = text.find(':');
  uint32_t times = colon == std::string::npos ? UINT32_MAX : static_cast<uint32_t>(atoi(wanted + colon + 1));
  Note* note = FindNote();
  if (note && note->tries.fetch_add(1) >= times) return;
  text = text.substr(0, colon);
  if (text == "crash") After(kCrash);
  if (text == "exit") After(kExit);
  if (text == "hang") After(kStay);
  if (text == "results") {
    Scribble scribble{kResultTurns, kReturn, UINT64_MAX, 1, 0};
    DoScribble(nullptr, scribble);
    return After(kStay), void();
  }
  if (text == "words") {
    Scribble scribble{kAllWords, kReturn, 0, 7, 0};
    DoScribble(nullptr, scribble);
    return After(kStay), void();
  }
  if (text == "hello") {
    SayHello(UINT64_MAX, 0);
    return After(kStay), void();
  }
  if (text == "hello-count") {
    SayHello(0, uint64_t{1} << 63);
    return After(kStay), void();
  }
  Say(static_cast<Words>(atoi(text.c_str())), 5);
  After(kStay);
}

}  // namespace

MPROC_MODULE_ENTRY mproc_status_t mproc_module_main(mproc_table_t* table) {
  AtStart();
  struct {
    uint32_t id;
    const char* name;
    mproc_function_cb function;
  } all[] = {{kEcho, "echo", EchoIt},
             {kSleep, "sleep", SleepABit},
             {kUntilStopped, "until", UntilStopped},
             {kAbout, "about", TellAbout},
             {kOpenFiles, "files", SetOpenFiles},
             {kRefuse, "refuse", RefuseMemory},
             {kMake, "make", MakeBytes},
             {kSum, "sum", SumBytes},
             {kFailOdd, "fail-odd", FailIfOdd},
             {kForget, "forget", GiveNothing},
             {kTwice, "twice", DoubleIt},
             {kThrow, "throw", ThrowIt},
             {kLie, "lie", TellALie},
             {kScribble, "scribble", ScribbleIt},
             {kSpeak, "speak", SpeakUp},
             {kChunkLie, "chunk-lie", LieInChunk}};
  for (const auto& one : all) {
    if (mproc_status_t bad = mproc_table_add(table, one.id, one.name, one.function, nullptr)) return bad;
  }
  return MPROC_OK;
}
