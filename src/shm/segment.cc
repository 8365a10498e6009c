// SPDX-License-Identifier: MIT
#include "shm/segment.hh"

#include <algorithm>

#include "platform/fork_lock.hh"
#include "platform/fork_mark.hh"
#include "shm/memory.hh"

namespace mproc::shm {
namespace {

platform::ForkMutex g_mutex;

// The segments of this process. What a forked child inherits of it belongs to the parent, and its descriptors
// are closed there: it is only kept.
struct Mine {
  const uint32_t epoch;
  const Mine* const inherited;
  std::vector<Segment*> open;
  std::vector<platform::SegmentFile> kept;  // made here, no handle is left
};

// Under g_mutex.
Mine& OfThisProcess() {
  static Mine* g_mine = nullptr;
  if (!g_mine || g_mine->epoch != platform::ForkEpoch())
    g_mine = new Mine{platform::ForkEpoch(), g_mine, {}, {}};
  return *g_mine;
}

}  // namespace

Segment::Segment(platform::SegmentFile file, platform::MappedRegion memory, bool maker)
    : Object(kKind), file_(std::move(file)), memory_(std::move(memory)), keeps_(maker) {
  std::lock_guard lock(g_mutex);
  OfThisProcess().open.push_back(this);
}

Segment::~Segment() {
  {
    std::lock_guard lock(g_mutex);
    Mine& mine = OfThisProcess();
    std::erase(mine.open, this);
    if (keeps_) mine.kept.push_back(std::move(file_));
    if (keeps_) return;
  }
  platform::CloseSegmentFile(std::move(file_));
}

Result<std::shared_ptr<Segment>> Segment::Make(Result<platform::SegmentFile> file, bool maker) {
  if (!file.ok()) return file.status();
  auto memory = platform::MappedRegion::Map(file->fd.get(), 0, file->size);
  if (!memory.ok()) {
    if (maker) (void)platform::UnlinkSegmentFile(*file);
    return memory.status();
  }
  return std::shared_ptr<Segment>(new Segment(std::move(*file), std::move(*memory), maker));
}

Result<std::shared_ptr<Segment>> Segment::Create(const std::string& name, size_t size,
                                                 platform::Pages pages) {
  if (size > kLargest) return Status(MPROC_ERROR_TOO_LARGE, "a segment has at most 2^46 bytes");
  return Make(platform::CreateSegmentFile(name, size, pages), true);
}

Result<std::shared_ptr<Segment>> Segment::Attach(const std::string& name) {
  return Make(platform::AttachSegmentFile(name), false);
}

Result<std::shared_ptr<Segment>> Segment::Adopt(platform::UniqueFd fd) {
  return Make(platform::AdoptSegmentFile(std::move(fd)), false);
}

Status Segment::Unlink() {
  Status unlinked = platform::UnlinkSegmentFile(file_);
  std::lock_guard lock(g_mutex);
  if (unlinked.ok() || unlinked.code() == MPROC_ERROR_NOT_FOUND) keeps_ = false;
  return unlinked;
}

void Segment::LetAllGo() {
  std::vector<platform::SegmentFile> kept;
  {
    std::lock_guard lock(g_mutex);
    Mine& mine = OfThisProcess();
    for (Segment* segment : mine.open) {
      segment->keeps_ = false;
      platform::LetSegmentFileGo(segment->file_);
    }
    kept.swap(mine.kept);
  }
  for (auto& file : kept) platform::CloseSegmentFile(std::move(file));
}

}  // namespace mproc::shm
