// SPDX-License-Identifier: MIT
// Segments: their names, who keeps them alive, and that they go with the last one, however it ended.
#include <sys/stat.h>

#include "shares.h"

static const char* NameFor(const char* what) {
  static char name[64];
  snprintf(name, sizeof name, "mproc-test-%d-%s", (int)getpid(), what);
  return name;
}
static int IsThere(const char* name) {
  char path[256];
  struct stat info;
  snprintf(path, sizeof path, "/dev/shm/%.200s", name);
  return stat(path, &info) == 0;
}
static mproc_segment_t* NewSegment(const char* name, size_t size) {
  mproc_segment_t* segment = NULL;
  NEED_OK(mproc_segment_create(name, size, MPROC_MEMORY_RESERVED, &segment));
  return segment;
}
static mproc_segment_t* Attach(const char* name) {
  mproc_segment_t* segment = NULL;
  NEED_OK(mproc_segment_attach(name, &segment));
  return segment;
}
static char* DataOf(mproc_segment_t* segment) {
  void* data = NULL;
  NEED_OK(mproc_segment_data(segment, &data, NULL));
  return data;
}
static const char* SegmentName(mproc_segment_t* segment) {
  const char* name = NULL;
  NEED_OK(mproc_segment_name(segment, &name));
  return name;
}
static void Close(mproc_segment_t* segment) { CHECK_OK(mproc_segment_destroy(segment)); }

// ---- names

static void MadeAttachedUnlinked(void) {
  const char* name = NameFor("one");
  size_t size = 0;
  mproc_segment_t *first = NewSegment(name, 10001), *second = Attach(name), *none = NULL;
  CHECK(strcmp(SegmentName(first), name) == 0 && strcmp(SegmentName(second), name) == 0);
  CHECK_OK(mproc_segment_data(second, NULL, &size));
  CHECK_EQ(size, 10001);
  for (size_t i = 0; i < size; i++) CHECK_EQ(DataOf(second)[i], 0);
  memcpy(DataOf(first) + 9998, "end", 3);
  CHECK(memcmp(DataOf(second) + 9998, "end", 3) == 0);
  CHECK_STATUS(mproc_segment_create(name, 1, 0, &none), MPROC_ERROR_EXISTS);
  Close(first);
  first = Attach(name);  // its maker lives
  CHECK(memcmp(DataOf(first) + 9998, "end", 3) == 0);
  CHECK_OK(mproc_segment_unlink(second));
  CHECK_STATUS(mproc_segment_unlink(second), MPROC_ERROR_NOT_FOUND);
  CHECK_STATUS(mproc_segment_attach(name, &none), MPROC_ERROR_NOT_FOUND);
  CHECK(memcmp(DataOf(first) + 9998, "end", 3) == 0);
  mproc_segment_t* next = NewSegment(name, 5);  // the name is free, and is not the first one's any more
  CHECK_STATUS(mproc_segment_unlink(first), MPROC_ERROR_NOT_FOUND);
  CHECK(IsThere(name));
  CHECK_EQ(DataOf(next)[0], 0);
  CHECK_OK(mproc_segment_unlink(next));
  CHECK(!IsThere(name) && !none);
  Close(first);
  Close(second);
  Close(next);
}

// Its maker has no handle any more, and others take its name away, as Python does, too.
static void MemoryGoesWithTheName(void) {
  enum { kRounds = 20 };
  int before = 0;
  for (int i = 0; i < kRounds; i++) {
    char path[256];
    const char* name = NameFor("gone");
    Close(NewSegment(name, 100));
    mproc_segment_t* other = Attach(name);
    if (i % 2 == 0) CHECK_OK(mproc_segment_unlink(other));
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    if (i % 2 == 1) CHECK_EQ(unlink(path), 0);
    Close(other);
    if (i == kRounds / 2) before = TestOpenDescriptors().count;
  }
  CHECK(TestOpenDescriptors().count <= before);
}

static void NamesOfItsOwn(void) {
  enum { kMany = 200 };
  mproc_segment_t* segments[kMany];
  for (int i = 0; i < kMany; i++) {
    segments[i] = NewSegment(NULL, 100);
    for (int k = 0; k < i; k++) CHECK(strcmp(SegmentName(segments[i]), SegmentName(segments[k])) != 0);
    CHECK(IsThere(SegmentName(segments[i])));
  }
  for (int i = 0; i < kMany; i++) {
    CHECK_OK(mproc_segment_unlink(segments[i]));
    Close(segments[i]);
  }
}

static void WrongSegments(void) {
  char much[202];
  mproc_segment_t* segment = NULL;
  mproc_event_t* event = NewEvent();
  memset(much, 'x', 201);
  much[201] = 0;
  const char* const kBad[] = {"", ".", "..", "/x", "a/b", much};
  for (size_t i = 0; i < sizeof kBad / sizeof kBad[0]; i++) {
    CHECK_STATUS(mproc_segment_create(kBad[i], 1, 0, &segment), MPROC_ERROR_INVALID_ARGUMENT);
    CHECK_STATUS(mproc_segment_attach(kBad[i], &segment), MPROC_ERROR_INVALID_ARGUMENT);
  }
  CHECK_STATUS(mproc_segment_create(NULL, 0, 0, &segment), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_segment_create(NULL, 1, 2, &segment), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_segment_create(NULL, 1, 0, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_segment_create(NULL, SIZE_MAX, 0, &segment), MPROC_ERROR_TOO_LARGE);
  CHECK_STATUS(mproc_segment_create(NULL, (size_t)1 << 45, 0, &segment), MPROC_ERROR_OUT_OF_MEMORY);
  CHECK_STATUS(mproc_segment_attach(NULL, &segment), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_segment_attach(NameFor("none"), &segment), MPROC_ERROR_NOT_FOUND);
  CHECK_STATUS(mproc_segment_attach("x", NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_segment_name((mproc_segment_t*)event, NULL), MPROC_ERROR_INVALID_HANDLE);
  CHECK(!segment);
  segment = NewSegment(NameFor("long"), 1);
  CHECK_STATUS(mproc_segment_name(segment, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_OK(mproc_segment_unlink(segment));
  Close(segment);
  CHECK_STATUS(mproc_segment_destroy(segment), MPROC_ERROR_STALE_HANDLE);
  CHECK_OK(mproc_segment_destroy(NULL));
  CHECK_OK(mproc_event_destroy(event));
}

// ---- who keeps it alive

// Another program, so to say: makes the segment, attaches it too if asked to, and stays.
typedef struct {
  pid_t pid, launcher;
} Host;
static Host StartHost(const char* name, int attaches) {
  int ends[2];
  Host host = {0, 0};
  NEED(pipe(ends) == 0);
  fflush(NULL);
  host.pid = fork();
  if (host.pid == 0) {
    int64_t launcher = 0;
    mproc_segment_t* segment = NULL;
    int32_t status =
        attaches ? mproc_segment_attach(name, &segment) : mproc_segment_create(name, 64, 0, &segment);
    if (status != MPROC_OK || mproc_runtime_launcher_pid(&launcher) != MPROC_OK) _exit(1);
    host.launcher = (pid_t)launcher;
    if (write(ends[1], &host.launcher, sizeof host.launcher) < 0) _exit(1);
    for (;;) pause();
  }
  close(ends[1]);
  NEED(read(ends[0], &host.launcher, sizeof host.launcher) == sizeof host.launcher);
  close(ends[0]);
  return host;
}
static void KillHost(Host host) {
  CHECK_EQ(TestKill(host.pid, SIGKILL), 0);
  CHECK_EQ(waitpid(host.pid, NULL, 0), host.pid);
}

static void GoesWithItsMaker(void) {
  enum { kMany = 100 };
  const char* name = NameFor("killed");
  char others[kMany][80];
  mproc_segment_t* segment = NULL;
  int left = 0;
  Host host = StartHost(name, 0);
  CHECK(IsThere(name));
  KillHost(host);
  CHECK_SOON(!IsThere(name));

  fflush(NULL);
  pid_t pid = fork();
  for (int i = 0; i < kMany; i++) {
    snprintf(others[i], sizeof others[i], "%s-%d", name, i);
    if (pid == 0) NEED_OK(mproc_segment_create(others[i], 64, 0, &segment));
  }
  if (pid == 0) kill(getpid(), SIGKILL);
  CHECK_EQ(waitpid(pid, NULL, 0), pid);
  CHECK_SOON(TestMarked(NULL, 0) == 0);  // its launcher has ended
  for (int i = 0; i < kMany; i++) left += IsThere(others[i]);
  CHECK_EQ(left, 0);
}

static void GoesWithItsLastUser(void) {
  const char* name = NameFor("shared");
  Host maker = StartHost(name, 0), user = StartHost(name, 1);
  mproc_segment_t* segment = Attach(name);
  KillHost(maker);
  CHECK_SOON(TestGone(maker.launcher));
  CHECK(IsThere(name));
  Close(segment);
  CHECK(IsThere(name));
  KillHost(user);
  CHECK_SOON(!IsThere(name));
}

// With host and launcher gone nobody is left to remove it but the next program that comes: this one, which
// has a fresh runtime in each round, and so no threads when it forks.
static void GoesWithTheNextOne(void) {
  const char* name = NameFor("twice");
  mproc_segment_t* segment = NULL;
  for (int round = 0; round < 3; round++) {
    Host host = StartHost(name, 0);
    CHECK_EQ(TestKill(host.pid, SIGSTOP), 0);  // it sees nothing of its launcher's end
    CHECK_EQ(TestKill(host.launcher, SIGKILL), 0);
    KillHost(host);  // other tests may sweep from here on
    if (round == 0) CHECK_STATUS(mproc_segment_attach("none of this name", &segment), MPROC_ERROR_NOT_FOUND);
    if (round == 1) CHECK_STATUS(mproc_segment_attach(name, &segment), MPROC_ERROR_NOT_FOUND);
    if (round == 2) {
      segment = NewSegment(name, 1);
      CHECK_OK(mproc_segment_unlink(segment));
      Close(segment);
    }
    CHECK(!IsThere(name));
    NEED_OK(mproc_runtime_finish(TestLong()));
  }
}

static void GoesWithTheRuntime(void) {
  const char* name = NameFor("ended");
  mproc_segment_t *closed = NewSegment(name, 64), *open = NewSegment(NULL, 64);
  char other[256];
  snprintf(other, sizeof other, "%s", SegmentName(open));
  Close(closed);
  CHECK(IsThere(name) && IsThere(other));
  NEED_OK(mproc_runtime_finish(TestLong()));
  CHECK(!IsThere(name) && !IsThere(other));
  memcpy(DataOf(open), "kept", 4);  // the handle's memory stays
  Close(open);
}

// A worker that is killed, or ends, takes what it made with it.
static void GoesWithItsWorker(void) {
  if (TestStart() > MPROC_START_FORKSERVER) TestSkip("it would have a launcher of its own");
  const char* name = NameFor("worker");
  mproc_process_t* process = StartSharing(share_make_segment, name, strlen(name) + 1, NULL, 0);
  NEED_SOON(Begun(3) > 0);
  CHECK(IsThere(name));
  CHECK_OK(mproc_process_kill(process));
  CHECK_EQ(TakeCode(process), -SIGKILL);
  CHECK_SOON(!IsThere(name));
}

// What a kill leaves half made is gone with the next one; nobody else loses its segment meanwhile.
static void ManyMakeAndDie(void) {
  enum { kHosts = 3, kRounds = 8 };
  const char* name = NameFor("storm");
  pid_t hosts[kHosts];
  for (int round = 0; round < kRounds; round++) {
    for (int i = 0; i < kHosts; i++) {
      fflush(NULL);
      hosts[i] = fork();
      if (hosts[i] != 0) continue;
      for (uint64_t seed = (uint64_t)(round * kHosts + i);; seed = seed * 6364136223846793005u + 1) {
        mproc_segment_t* segment = NULL;
        int32_t status =
            seed >> 63 ? mproc_segment_create(name, 4096, 0, &segment) : mproc_segment_attach(name, &segment);
        if (status == MPROC_OK) {
          if (seed >> 62 & 1) mproc_segment_unlink(segment);
          mproc_segment_destroy(segment);
        } else if (status != MPROC_ERROR_EXISTS && status != MPROC_ERROR_NOT_FOUND) {
          printf("  %s: %s\n", mproc_status_name(status), mproc_last_error_message());
          _exit(1);
        }
      }
    }
    TestRest((int64_t)(20 + round * 7) * MPROC_MILLISECOND);
    for (int i = 0; i < kHosts; i++) {
      int status = 0;
      TestKill(hosts[i], SIGKILL);
      CHECK_EQ(waitpid(hosts[i], &status, 0), hosts[i]);
      CHECK(WIFSIGNALED(status));
    }
  }
  CHECK_SOON(!IsThere(name));
}

// ---- Python

static int RunPython(const char* what, const char* name) {
  int status = 0;
  if (!TEST_PYTHON[0]) TestSkip("there is no python3");
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    execl(TEST_PYTHON, "python3", TEST_SCRIPTS "/segment_peer.py", what, name, NULL);
    _exit(127);
  }
  NEED(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
static void PutItems(mproc_value_t* value, const char* text) {
  NEED_OK(mproc_value_begin_list(value));
  NEED_OK(mproc_value_put_int(value, -7));
  NEED_OK(mproc_value_put_double(value, 2.5));
  NEED_OK(mproc_value_put_bool(value, 1));
  NEED_OK(mproc_value_put_string(value, text, strlen(text)));
  NEED_OK(mproc_value_put_bytes(value, "\1\2\3", 3));
  NEED_OK(mproc_value_put_nil(value));
  NEED_OK(mproc_value_put_string(value, "", 0));
  NEED_OK(mproc_value_put_string(value, "12345678", 8));
  NEED_OK(mproc_value_end(value));
}
static mproc_value_t* NewValue(void) {
  mproc_value_t* value = NULL;
  NEED_OK(mproc_value_create(&value));
  return value;
}
static mproc_segment_t* NewList(const char* name, const char* text) {
  mproc_segment_t* list = NULL;
  mproc_value_t* value = NewValue();
  PutItems(value, text);
  NEED_OK(mproc_shareable_list_create(name, value, &list));
  CHECK_OK(mproc_value_destroy(value));
  return list;
}

static void PythonSharesThem(void) {
  const char* name = NameFor("python");
  mproc_segment_t* segment = NewSegment(name, 10001);
  memcpy(DataOf(segment) + 9997, "ours", 4);
  CHECK_EQ(RunPython("memory", name), 0);  // sees that, and its size, and writes
  CHECK(memcmp(DataOf(segment), "theirs", 6) == 0);
  CHECK_OK(mproc_segment_unlink(segment));
  Close(segment);
}

static void PythonSharesLists(void) {
  const char* name = NameFor("list");
  const char* text = NULL;
  size_t size = 0;
  mproc_segment_t* list = NewList(name, "text");
  CHECK_EQ(RunPython("list", name), 0);  // compares every byte with its own, and sets some
  mproc_value_t* value = NewValue();
  NEED_OK(mproc_shareable_list_get(list, 3, value));
  NEED_OK(mproc_value_get_string(value, 0, &text, &size));
  CHECK(size == 7 && memcmp(text, "changed", 7) == 0);
  NEED_OK(mproc_shareable_list_get(list, 5, value));
  int64_t number = 0;
  CHECK_OK(mproc_value_get_int(value, 0, &number));
  CHECK_EQ(number, 99);
  CHECK_OK(mproc_value_destroy(value));
  CHECK_OK(mproc_segment_unlink(list));
  Close(list);
}

// ---- lists

static void ListsAreReplacedInPlace(void) {
  mproc_segment_t* list = NewList(NULL, "text");
  mproc_value_t *value = NewValue(), *item = NewValue();
  uint64_t count = 0;
  int32_t kind = 0;
  static const int32_t kKinds[] = {MPROC_VALUE_INT,    MPROC_VALUE_DOUBLE, MPROC_VALUE_BOOL,
                                   MPROC_VALUE_STRING, MPROC_VALUE_BYTES,  MPROC_VALUE_NIL,
                                   MPROC_VALUE_STRING, MPROC_VALUE_STRING};
  CHECK_OK(mproc_shareable_list_count(list, &count));
  CHECK_EQ(count, 8);
  for (uint64_t i = 0; i < count; i++) {
    NEED_OK(mproc_shareable_list_get(list, i, value));
    CHECK_OK(mproc_value_kind(value, 0, &kind));
    CHECK_EQ(kind, kKinds[i]);
  }
  NEED_OK(mproc_value_put_string(item, "too long", 8));
  CHECK_OK(mproc_shareable_list_set(list, 3, item));  // 8 bytes, exactly
  CHECK_OK(mproc_shareable_list_set(list, 0, item));  // where a number was
  NEED_OK(mproc_value_clear(item));
  NEED_OK(mproc_value_put_string(item, "too long!", 9));
  CHECK_STATUS(mproc_shareable_list_set(list, 3, item), MPROC_ERROR_TOO_LARGE);
  CHECK_OK(mproc_shareable_list_set(list, 7, item));  // has room for 16
  const char* text = NULL;
  size_t size = 0;
  NEED_OK(mproc_shareable_list_get(list, 3, value));
  NEED_OK(mproc_value_get_string(value, 0, &text, &size));
  CHECK(size == 8 && memcmp(text, "too long", 8) == 0);
  NEED_OK(mproc_value_clear(item));
  NEED_OK(mproc_value_put_int(item, 5));
  CHECK_OK(mproc_shareable_list_set(list, 7, item));
  CHECK_STATUS(mproc_shareable_list_set(list, 8, item), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_shareable_list_get(list, 8, value), MPROC_ERROR_INVALID_ARGUMENT);
  CHECK_STATUS(mproc_shareable_list_count(list, NULL), MPROC_ERROR_INVALID_ARGUMENT);
  NEED_OK(mproc_value_clear(item));
  CHECK_STATUS(mproc_shareable_list_set(list, 0, item), MPROC_ERROR_NOT_READY);
  PutItems(item, "a list");
  CHECK_STATUS(mproc_shareable_list_set(list, 0, item), MPROC_ERROR_WRONG_KIND);
  NEED_OK(mproc_value_clear(item));
  NEED_OK(mproc_value_put_uint(item, UINT64_MAX));
  CHECK_STATUS(mproc_shareable_list_set(list, 0, item), MPROC_ERROR_WRONG_KIND);
  mproc_segment_t* none = NULL;
  CHECK_STATUS(mproc_shareable_list_create(NULL, item, &none), MPROC_ERROR_WRONG_KIND);
  CHECK_OK(mproc_segment_unlink(list));
  Close(list);
  CHECK_OK(mproc_value_destroy(value));
  CHECK_OK(mproc_value_destroy(item));
}

// Any bytes may be taken for a list: it says so, and nothing is read beyond.
static void NonsenseIsNoList(void) {
  mproc_segment_t* list = NewList(NULL, "text");
  mproc_value_t *value = NewValue(), *item = NewValue();
  size_t size = 0;
  uint64_t count = 0;
  CHECK_OK(mproc_segment_data(list, NULL, &size));
  NEED_OK(mproc_value_put_string(item, "1234", 4));
  char* good = malloc(size);
  memcpy(good, DataOf(list), size);
  uint64_t random = 1;
  for (int round = 0; round < 20000; round++) {
    memcpy(DataOf(list), good, size);
    for (int i = 0; i < 3; i++) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      DataOf(list)[(random >> 33) % size] = (char)(random >> 20);
      if (random >> 60 == 0) memset(DataOf(list) + (random >> 33) % (size - 8), 0x7f, 8);
    }
    for (uint64_t i = 0; i < 9; i++) {
      (void)mproc_shareable_list_get(list, i, value);
      (void)mproc_shareable_list_set(list, i, item);
    }
  }
  static const int64_t kCounts[] = {-1, INT64_MIN, INT64_MAX, 9, 1000};
  for (size_t i = 0; i < sizeof kCounts / sizeof kCounts[0]; i++) {
    memcpy(DataOf(list), good, size);
    memcpy(DataOf(list), &kCounts[i], 8);
    if (kCounts[i] != 9) CHECK_STATUS(mproc_shareable_list_count(list, &count), MPROC_ERROR_PROTOCOL);
    CHECK_STATUS(mproc_shareable_list_get(list, 0, value), MPROC_ERROR_PROTOCOL);
  }
  free(good);
  CHECK_OK(mproc_segment_unlink(list));
  Close(list);
  mproc_segment_t* small = NewSegment(NULL, 1);
  CHECK_STATUS(mproc_shareable_list_count(small, &count), MPROC_ERROR_PROTOCOL);
  CHECK_OK(mproc_segment_unlink(small));
  Close(small);
  CHECK_OK(mproc_value_destroy(value));
  CHECK_OK(mproc_value_destroy(item));
}

int main(int argc, char** argv) {
  static const TestCase cases[] = {
      {"made, attached, unlinked", MadeAttachedUnlinked, 0},
      {"memory goes with the name", MemoryGoesWithTheName, 0},
      {"names of its own", NamesOfItsOwn, 0},
      {"wrong segments", WrongSegments, 0},
      {"goes with its maker", GoesWithItsMaker, 0},
      {"goes with its last user", GoesWithItsLastUser, 0},
      {"goes with the next one", GoesWithTheNextOne, 0},
      {"goes with the runtime", GoesWithTheRuntime, 0},
      {"goes with its worker", GoesWithItsWorker, 0},
      {"many make and die", ManyMakeAndDie, 0},
      {"Python shares them", PythonSharesThem, 0},
      {"Python shares lists", PythonSharesLists, 0},
      {"lists are replaced in place", ListsAreReplacedInPlace, 0},
      {"nonsense is no list", NonsenseIsNoList, 0},
  };
  return TEST_MAIN(argc, argv, cases);
}
