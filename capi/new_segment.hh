// SPDX-License-Identifier: MIT
// How a segment is made for a caller.
#pragma once

#include "capi/object_handles.hh"
#include "capi/sweeper.hh"
#include "shm/segment.hh"

namespace mproc::capi {

// Makes one, has `fill` write into it and gives out a handle. If there is none to be had, it goes again. A
// null name: any that is free.
template <typename Handle, typename Fill>
Status GiveOutNewSegment(const char* name, size_t size, platform::Pages pages, Fill&& fill, Handle** handle) {
  if (name && !*name) return BadArgument("name is empty; null stands for any name");
  if (Status ensured = EnsureSweeper(); !ensured.ok()) return ensured;
  auto made = shm::Segment::Create(name ? name : "", size, pages);
  if (!made.ok()) return made.status();
  fill((*made)->data());
  Status given = GiveOutObject(std::shared_ptr<object::Object>(*made), handle);
  if (given.ok()) (*made)->Keep();
  return given;
}

}  // namespace mproc::capi
