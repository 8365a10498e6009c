// SPDX-License-Identifier: MIT
// Shared memory with a name, by which processes find it that were given nothing, in other languages, too.
#pragma once

#include <list>

#include "object/object.hh"
#include "platform/file_region.hh"
#include "platform/segment_file.hh"

namespace mproc::shm {

// It lives until its name is taken away, or until every process has ended or let it go that made or attached
// it. Name and mapping never change, so any thread; what is in it is the users' to keep apart.
class Segment final : public object::Object {
 public:
  static constexpr object::Kind kKind = object::Kind::kSegment;

  // An empty name: any that is free.
  static Result<std::shared_ptr<Segment>> Create(const std::string& name, size_t size, platform::Pages pages);
  static Result<std::shared_ptr<Segment>> Attach(const std::string& name);
  static Result<std::shared_ptr<Segment>> Adopt(platform::UniqueFd fd);
  ~Segment() override;

  std::vector<int> Descriptors() const override { return {file().fd.get()}; }
  std::byte* data() const { return memory_.data(); }
  size_t bytes() const { return memory_.size(); }
  const std::string& name() const { return file().name; }
  // Of one that was made here: this process is its user to the end, with a handle or without.
  void Keep();
  // The memory stays. NOT_FOUND: the name is gone, or another segment's.
  Status Unlink();

  // Removes what nobody uses, of this user's.
  static void SweepAll() { platform::SweepSegmentFiles(); }
  // At the end of the process, or of its runtime: from now on it counts as a user of none, and what nobody
  // else uses goes. Handles keep their memory.
  static void LetAllGo();

 private:
  Segment(std::list<platform::SegmentFile> file, platform::MappedRegion memory);
  static Result<std::shared_ptr<Segment>> Make(Result<platform::SegmentFile> file);
  const platform::SegmentFile& file() const { return file_.front(); }

  std::list<platform::SegmentFile> file_;  // one, constant until the end
  const platform::MappedRegion memory_;
  bool kept_ = false;  // guarded by the list of all segments
};

}  // namespace mproc::shm
