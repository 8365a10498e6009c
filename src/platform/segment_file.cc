// SPDX-License-Identifier: MIT
//
// Who uses a segment
//
// Each process that has it holds a shared lock (flock) on a description of its own, which the system takes
// away with the process. A file on which an exclusive lock can be had has no users, and is swept: by the
// launcher when a child of its own or its host has ended, and by each program when it makes or attaches its
// first one, so that nothing stays even if host and launcher were killed together. A name that is wanted is
// looked at alone, and as a leftover counts only a file that has both its names: others are Python's.
//
// To know which files are ours, each has a second name in a directory of this user's, "mproc-<uid>", made of
// a number and the name: "4242-1:name". The file is made there, locked and given its size, and only then
// linked to its real name: so nobody sees half a segment, and whatever a kill leaves is swept. A sweeper that
// comes between the making and the locking takes it for a leftover; then linking fails, and all is done
// again.
//
// A name is taken away only by who has a lock on the directory and has seen that the name is that file's, so
// that no name of a fresh segment is lost to a late sweeper. The directory goes with its last entry.
//
// Who wants the name of a file that is being swept waits for the sweeper: it has the file locked for itself
// alone, which users never have.
#include "platform/segment_file.hh"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <new>
#include <vector>

#include "base/clock.hh"
#include "base/step.hh"
#include "platform/cancellation.hh"
#include "platform/file_pages.hh"
#include "platform/memory_left.hh"

namespace mproc::platform {
namespace {

constexpr char kPlace[] = "/dev/shm";
constexpr size_t kLongestName = 200;
constexpr int kTries = 1000;
constexpr int64_t kNamePatience = 1'000'000'000;  // of who wants a name, or wants it gone
constexpr int64_t kSweepPatience = 100'000'000;

std::string DirectoryName() { return "mproc-" + std::to_string(geteuid()); }

bool IsSame(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// What the name stands for, if anything.
bool Look(int directory, const std::string& name, struct stat* info) {
  return fstatat(directory, name.c_str(), info, AT_SYMLINK_NOFOLLOW) == 0;
}

bool HasName(int directory, const std::string& name, const struct stat& file) {
  struct stat named;
  return Look(directory, name, &named) && IsSame(named, file);
}

bool Lock(int fd, int kind) { return flock(fd, kind | LOCK_NB) == 0; }

// Until others may have done what they are at.
void Rest() {
  timespec pause{0, 500'000};
  nanosleep(&pause, nullptr);
}

// A forked child gets nothing of it: it would be one more user, or keep the directory locked.
Result<GuardedFd> OpenGuarded(int directory, const std::string& name, int flags) {
  NoForks no_forks;
  auto fd =
      TakeFd(openat(directory, name.c_str(), flags | O_CLOEXEC | O_NONBLOCK, 0600), "opening shared memory");
  if (!fd.ok()) return fd.status();
  return GuardedFd(std::move(*fd));
}

// The place of all segments, and the directory of this user's.
struct Places {
  GuardedFd all, ours;
};

// Without `make`, NOT_FOUND if there is no such directory.
Result<Places> OpenPlaces(bool make) {
  auto all = OpenGuarded(AT_FDCWD, kPlace, O_RDONLY | O_DIRECTORY);
  if (!all.ok()) return all.status();
  if (make && mkdirat(all->get(), DirectoryName().c_str(), 0700) != 0 && errno != EEXIST)
    return Status::System("making the directory of shared memory", errno);
  if (make) MPROC_STEP();
  auto ours = OpenGuarded(all->get(), DirectoryName(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!ours.ok()) return ours.status().os_code() == ENOENT ? Status(MPROC_ERROR_NOT_FOUND) : ours.status();
  struct stat info;
  if (fstat(ours->get(), &info) != 0 || info.st_uid != geteuid() || (info.st_mode & 077) != 0) {
    return Status(MPROC_ERROR_SYSTEM, std::string(kPlace) + "/" + DirectoryName() +
                                          " is not this user's alone; remove it, or give it the mode 0700");
  }
  return Places{std::move(*all), std::move(*ours)};
}

// The same with the directory locked, which is no longer than a few calls. BUSY: another process has been
// stopped over it.
Result<Places> LockPlaces(bool make, int64_t patience) {
  Deadline deadline = Deadline::After(patience);
  for (;;) {
    auto places = OpenPlaces(make);
    if (!places.ok() && (!make || places.status().code() != MPROC_ERROR_NOT_FOUND)) return places;
    struct stat info;  // of a directory that has been removed meanwhile nothing is to be locked
    if (places.ok() && Lock(places->ours.get(), LOCK_EX) && fstat(places->ours.get(), &info) == 0 &&
        info.st_nlink > 0) {
      return places;
    }
    if (deadline.Passed()) return Status(MPROC_ERROR_BUSY, "another process keeps the names of segments");
    Rest();
  }
}

std::vector<std::string> EntriesOf(int directory) {
  std::vector<std::string> names;
  auto own = OpenGuarded(directory, ".", O_RDONLY | O_DIRECTORY);
  DIR* list = own.ok() ? fdopendir(own->get()) : nullptr;
  if (!list) return names;
  while (const dirent* entry = readdir(list)) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  NoForks no_forks;
  own->Release().Release();
  closedir(list);
  return names;
}

std::string NameIn(const std::string& entry) {
  size_t colon = entry.find(':');
  return colon == std::string::npos ? std::string() : entry.substr(colon + 1);
}

// Under the directory's lock: takes away the name if it is this file's. False if it was not.
bool RemoveName(const Places& places, const std::string& name, const struct stat& file) {
  return HasName(places.all.get(), name, file) && unlinkat(places.all.get(), name.c_str(), 0) == 0;
}

void RemoveDirectory(const Places& places) {
  (void)unlinkat(places.all.get(), DirectoryName().c_str(), AT_REMOVEDIR);  // fails unless it is empty
}

// Under the directory's lock.
void SweepEntry(const Places& places, const std::string& entry) {
  auto fd = OpenGuarded(places.ours.get(), entry, O_RDWR | O_NOFOLLOW);
  if (!fd.ok() || !Lock(fd->get(), LOCK_EX)) return;
  struct stat file;
  if (fstat(fd->get(), &file) != 0) return;
  RemoveName(places, NameIn(entry), file);
  MPROC_STEP();
  unlinkat(places.ours.get(), entry.c_str(), 0);
}

Status CheckName(const std::string& name) {
  bool good = !name.empty() && name.size() <= kLongestName && name != "." && name != ".." &&
              name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
  if (good) return Status();
  return Status(MPROC_ERROR_INVALID_ARGUMENT, "a name has 1 to 200 bytes, and no slash");
}

// Under the directory's lock: takes away what is left of the file's names. False if its name was not its own.
bool RemoveNames(const Places& places, const SegmentFile& file, const struct stat& info) {
  bool removed = RemoveName(places, file.name, info);
  MPROC_STEP();
  std::vector<std::string> entries{file.entry};
  if (file.entry.empty()) entries = EntriesOf(places.ours.get());
  for (const std::string& entry : entries) {
    struct stat other;
    if (Look(places.ours.get(), entry, &other) && IsSame(other, info))
      unlinkat(places.ours.get(), entry.c_str(), 0);
  }
  MPROC_STEP();
  RemoveDirectory(places);
  return removed;
}

// Takes the file's names away if it is one of ours that nobody uses; leaves it locked then. Others' are not
// locked at all: who attaches them at this moment would find them so. False if there was nothing to do.
Result<bool> RemoveLeftover(const SegmentFile& file, int64_t patience) {
  struct stat info;
  if (fstat(file.fd.get(), &info) != 0 || info.st_nlink < (file.entry.empty() ? 2 : 1)) return false;
  if (!Lock(file.fd.get(), LOCK_EX)) return false;
  auto places = LockPlaces(false, patience);
  if (places.ok()) return RemoveNames(*places, file, info);
  if (places.status().code() == MPROC_ERROR_NOT_FOUND) return false;  // others have removed all there was
  return places.status();
}

// Why the name could not be had: EXISTS; NOT_READY: that is over, or about to be; BUSY, and other troubles.
Status WhyTaken(const Places& places, const std::string& name) {
  const Status exists(MPROC_ERROR_EXISTS, "there is shared memory of this name: " + name);
  const Status again(MPROC_ERROR_NOT_READY);
  auto fd = OpenGuarded(places.all.get(), name, O_RDWR | O_NOFOLLOW);
  if (!fd.ok()) return fd.status().os_code() == ENOENT ? again : exists;
  SegmentFile old{std::move(*fd), name, 0, ""};
  struct stat file;
  if (fstat(old.fd.get(), &file) != 0) return exists;
  auto removed = RemoveLeftover(old, kNamePatience);
  if (!removed.ok()) return removed.status();
  if (*removed || !HasName(places.all.get(), name, file)) return again;
  // A sweeper has it. (How many names it has tells nothing now: one that goes counts for none before it has
  // gone.)
  if (!Lock(old.fd.get(), LOCK_SH)) {
    Rest();
    return again;
  }
  // It has a user, or had one until now. A sweeper that came by during this look took that for one, too.
  (void)flock(old.fd.get(), LOCK_UN);
  removed = RemoveLeftover(old, kNamePatience);
  if (!removed.ok()) return removed.status();
  return *removed || !HasName(places.all.get(), name, file) ? again : exists;
}

std::string FreshNumber() {
  static std::atomic<uint64_t> g_next{1};
  return std::to_string(getpid()) + "-" + std::to_string(g_next.fetch_add(1));
}
// Not to be guessed from the last one: other users' files have such names, too.
std::string AnyName() { return "mproc-" + FreshNumber() + "-" + std::to_string(NowNs() % 1'000'000'000); }

// One try. NOT_READY: somebody was faster; again.
Result<SegmentFile> TryCreate(const std::string& name, size_t size, Pages pages) {
  auto places = OpenPlaces(true);
  if (!places.ok()) {
    return places.status().code() == MPROC_ERROR_NOT_FOUND ? Status(MPROC_ERROR_NOT_READY) : places.status();
  }
  std::string entry = FreshNumber() + ":" + name;
  auto fd = OpenGuarded(places->ours.get(), entry, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (!fd.ok()) {
    int why = fd.status().os_code();
    return why == ENOENT || why == EEXIST ? Status(MPROC_ERROR_NOT_READY) : fd.status();
  }
  MPROC_STEP();
  if (!Lock(fd->get(), LOCK_SH)) return Status(MPROC_ERROR_NOT_READY);
  MPROC_STEP();
  Status made = GiveFileSize(fd->get(), size);
  if (made.ok() && pages == Pages::kReserved) made = TakeFilePages(fd->get(), 0, size);
  MPROC_STEP();
  if (made.ok() && linkat(places->ours.get(), entry.c_str(), places->all.get(), name.c_str(), 0) != 0) {
    int why = errno;
    made = Status::System("naming shared memory", why);
    if (why == ENOENT) made = Status(MPROC_ERROR_NOT_READY);
    if (why == EEXIST) made = Status(MPROC_ERROR_EXISTS);
  }
  MPROC_STEP();
  if (made.ok()) return SegmentFile{std::move(*fd), name, size, std::move(entry)};
  unlinkat(places->ours.get(), entry.c_str(), 0);
  if (made.code() == MPROC_ERROR_EXISTS) made = WhyTaken(*places, name);
  RemoveDirectory(*places);
  return made;
}

// The name of an open file, as the system tells its path.
std::string NameOf(int fd) {
  char path[PATH_MAX];
  ssize_t n = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  std::string name(path, n > 0 ? static_cast<size_t>(n) : 0);
  const std::string gone = " (deleted)", place = std::string(kPlace) + "/", ours = DirectoryName() + "/";
  if (name.ends_with(gone)) name.resize(name.size() - gone.size());
  if (!name.starts_with(place)) return "";
  name.erase(0, place.size());
  return name.starts_with(ours) ? NameIn(name) : name;
}

// Checks and uses an open file.
Result<SegmentFile> Use(GuardedFd fd, std::string name) {
  struct stat file;
  if (fstat(fd.get(), &file) != 0 || !S_ISREG(file.st_mode) || file.st_size <= 0)
    return Status(MPROC_ERROR_PROTOCOL, "this is no shared memory, or has no size");
  return SegmentFile{std::move(fd), std::move(name), static_cast<size_t>(file.st_size), ""};
}

}  // namespace

Result<SegmentFile> CreateSegmentFile(const std::string& name, size_t size, Pages pages) {
  if (Status good = name.empty() ? Status() : CheckName(name); !good.ok()) return good;
  if (pages == Pages::kReserved && !CanBeHad(size)) {
    return Status(MPROC_ERROR_OUT_OF_MEMORY,
                  "there is no memory for " + std::to_string(size) + " bytes of shared memory");
  }
  CancellationOff no_cancel;
  for (int i = 0; i < kTries; i++) {
    auto made = TryCreate(name.empty() ? AnyName() : name, size, pages);
    bool again = !made.ok() && (made.status().code() == MPROC_ERROR_NOT_READY ||
                                (name.empty() && made.status().code() == MPROC_ERROR_EXISTS));
    if (!again) return made;
  }
  return Status(MPROC_ERROR_BUSY, "other processes make and remove shared memory all the time");
}

Result<SegmentFile> AttachSegmentFile(const std::string& name) {
  if (Status good = CheckName(name); !good.ok()) return good;
  CancellationOff no_cancel;
  auto all = OpenGuarded(AT_FDCWD, kPlace, O_RDONLY | O_DIRECTORY);
  if (!all.ok()) return all.status();
  for (Deadline deadline = Deadline::After(kNamePatience); !deadline.Passed(); Rest()) {
    auto fd = OpenGuarded(all->get(), name, O_RDWR | O_NOFOLLOW);
    if (!fd.ok()) {
      if (fd.status().os_code() != ENOENT) return fd.status();
      return Status(MPROC_ERROR_NOT_FOUND, "there is no shared memory of this name: " + name);
    }
    SegmentFile found{std::move(*fd), name, 0, ""};
    auto removed = RemoveLeftover(found, kSweepPatience);
    if (!removed.ok() && removed.status().code() != MPROC_ERROR_BUSY) return removed.status();
    if (!removed.ok() || *removed) continue;
    // Who sweeps it at this moment has it locked; and after that the name may be another file's.
    struct stat file;
    if (Lock(found.fd.get(), LOCK_SH) && fstat(found.fd.get(), &file) == 0 &&
        HasName(all->get(), name, file)) {
      return Use(std::move(found.fd), name);
    }
  }
  return Status(MPROC_ERROR_NOT_FOUND, "the shared memory of this name is being removed: " + name);
}

Result<SegmentFile> AdoptSegmentFile(UniqueFd fd) {
  CancellationOff no_cancel;
  std::string name = NameOf(fd.get());
  if (name.empty()) return Status(MPROC_ERROR_PROTOCOL, "this is no named shared memory");
  auto own = OpenGuarded(AT_FDCWD, "/proc/self/fd/" + std::to_string(fd.get()), O_RDWR);
  if (!own.ok()) return own.status();
  if (!Lock(own->get(), LOCK_SH)) return Status(MPROC_ERROR_PROTOCOL, "shared memory that is locked");
  return Use(std::move(*own), std::move(name));
}

Status UnlinkSegmentFile(const SegmentFile& file) {
  CancellationOff no_cancel;
  struct stat own;
  if (fstat(file.fd.get(), &own) != 0) return Status::System("looking at shared memory", errno);
  auto places = LockPlaces(true, kNamePatience);
  if (!places.ok()) return places.status();
  if (RemoveNames(*places, file, own)) return Status();
  return Status(MPROC_ERROR_NOT_FOUND, "the name was taken away before: " + file.name);
}

// Its descriptor may be on its way to another process, with the lock: so a description of its own tells
// whether others use it.
void CloseSegmentFile(SegmentFile file) try {
  CancellationOff no_cancel;
  auto own = OpenGuarded(AT_FDCWD, "/proc/self/fd/" + std::to_string(file.fd.get()), O_RDWR);
  file.fd.Reset();
  if (!own.ok()) return;
  file.fd = std::move(*own);
  (void)RemoveLeftover(file, kSweepPatience);
} catch (const std::bad_alloc&) {
  // A sweep finds it.
}

bool HasLostItsName(const SegmentFile& file) {
  struct stat info;
  return fstat(file.fd.get(), &info) == 0 && info.st_nlink < 2;
}

void LetSegmentFileGo(const SegmentFile& file) {
  CancellationOff no_cancel;
  (void)flock(file.fd.get(), LOCK_UN);
  (void)RemoveLeftover(file, kSweepPatience);
  (void)flock(file.fd.get(), LOCK_UN);
}

void SweepSegmentFiles() {
  CancellationOff no_cancel;
  auto places = LockPlaces(false, kSweepPatience);
  if (!places.ok()) return;
  for (const std::string& entry : EntriesOf(places->ours.get())) SweepEntry(*places, entry);
  RemoveDirectory(*places);
}

}  // namespace mproc::platform
