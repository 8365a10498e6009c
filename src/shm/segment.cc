// SPDX-License-Identifier: MIT
#include "shm/segment.hh"

#include <algorithm>
#include <vector>

#include "platform/fork_lock.hh"
#include "platform/fork_mark.hh"
#include "shm/memory.hh"

namespace mproc::shm {
namespace {

platform::ForkMutex g_mutex;

// The segments of this process. What a forked child inherits of it belongs to the parent, and its descriptors
// are closed there: it is only held.
struct Mine {
  const uint32_t epoch;
  const Mine* const inherited;
  std::vector<Segment*> open;
  std::list<platform::SegmentFile> kept;  // made here, no handle is left
};

constexpr int kLooks = 2;  // at those kept, for each segment that comes or goes

// Under g_mutex.
Mine& OfThisProcess() {
  static Mine* g_mine = nullptr;
  if (!g_mine || g_mine->epoch != platform::ForkEpoch())
    g_mine = new Mine{platform::ForkEpoch(), g_mine, {}, {}};
  return *g_mine;
}

// Moves those that others have taken the name of, and with it the use of keeping them, to `nameless`. Looks
// at some in turn. Under g_mutex.
void DropNameless(Mine* mine, std::list<platform::SegmentFile>* nameless) {
  auto& kept = mine->kept;
  for (int i = 0; i < kLooks && !kept.empty(); i++) {
    bool lost = platform::HasLostItsName(kept.front());
    auto& to = lost ? *nameless : kept;
    to.splice(to.end(), kept, kept.begin());
  }
}

void CloseAll(std::list<platform::SegmentFile> files) {
  for (auto& file : files) platform::CloseSegmentFile(std::move(file));
}

}  // namespace

Segment::Segment(std::list<platform::SegmentFile> file, platform::MappedRegion memory)
    : Object(kKind), file_(std::move(file)), memory_(std::move(memory)) {
  std::list<platform::SegmentFile> nameless;
  {
    std::lock_guard lock(g_mutex);
    Mine& mine = OfThisProcess();
    mine.open.push_back(this);
    DropNameless(&mine, &nameless);
  }
  CloseAll(std::move(nameless));
}

Segment::~Segment() {
  std::list<platform::SegmentFile> unused;
  {
    std::lock_guard lock(g_mutex);
    Mine& mine = OfThisProcess();
    std::erase(mine.open, this);
    DropNameless(&mine, &unused);
    auto& to = kept_ ? mine.kept : unused;
    to.splice(to.end(), file_);
  }
  CloseAll(std::move(unused));
}

Result<std::shared_ptr<Segment>> Segment::Make(Result<platform::SegmentFile> file) {
  if (!file.ok()) return file.status();
  auto memory = platform::MappedRegion::Map(file->fd.get(), 0, file->size);
  if (!memory.ok()) {
    platform::CloseSegmentFile(std::move(*file));
    return memory.status();
  }
  std::list<platform::SegmentFile> own;
  own.push_back(std::move(*file));
  return std::shared_ptr<Segment>(new Segment(std::move(own), std::move(*memory)));
}

Result<std::shared_ptr<Segment>> Segment::Create(const std::string& name, size_t size,
                                                 platform::Pages pages) {
  if (size > kLargest) return Status(MPROC_ERROR_TOO_LARGE, "a segment has at most 2^46 bytes");
  return Make(platform::CreateSegmentFile(name, size, pages));
}

Result<std::shared_ptr<Segment>> Segment::Attach(const std::string& name) {
  return Make(platform::AttachSegmentFile(name));
}

Result<std::shared_ptr<Segment>> Segment::Adopt(platform::UniqueFd fd) {
  return Make(platform::AdoptSegmentFile(std::move(fd)));
}

void Segment::Keep() {
  std::lock_guard lock(g_mutex);
  kept_ = true;
}

Status Segment::Unlink() {
  Status unlinked = platform::UnlinkSegmentFile(file());
  std::lock_guard lock(g_mutex);
  if (unlinked.ok() || unlinked.code() == MPROC_ERROR_NOT_FOUND) kept_ = false;
  return unlinked;
}

void Segment::LetAllGo() {
  std::list<platform::SegmentFile> kept;
  {
    std::lock_guard lock(g_mutex);
    Mine& mine = OfThisProcess();
    for (Segment* segment : mine.open) {
      segment->kept_ = false;
      platform::LetSegmentFileGo(segment->file());
    }
    kept.swap(mine.kept);
  }
  CloseAll(std::move(kept));
}

}  // namespace mproc::shm
