// SPDX-License-Identifier: MIT
#include <mproc/segment.h>

#include "capi/new_segment.hh"

using namespace mproc;
using namespace mproc::capi;
using shm::Segment;

mproc_status_t mproc_segment_create(const char* name, size_t size, uint32_t flags,
                                    mproc_segment_t** segment) {
  return Guard([&]() -> Status {
    if (!segment) return BadArgument("segment is null");
    if (size == 0) return BadArgument("size is 0");
    if (flags > MPROC_MEMORY_LATER) return BadArgument("no such flag");
    auto pages = flags & MPROC_MEMORY_LATER ? platform::Pages::kLater : platform::Pages::kReserved;
    return GiveOutNewSegment(
        name, size, pages, [](std::byte*) {}, segment);
  });
}

mproc_status_t mproc_segment_attach(const char* name, mproc_segment_t** segment) {
  return Guard([&]() -> Status {
    if (!name) return BadArgument("name is null");
    if (!segment) return BadArgument("segment is null");
    if (Status ensured = EnsureSweeper(); !ensured.ok()) return ensured;
    return GiveOutObject(Segment::Attach(name), segment);
  });
}

mproc_status_t mproc_segment_data(mproc_segment_t* segment, void** data, size_t* size) {
  return GuardObject<Segment>(segment, [&](Segment& s) {
    if (data) *data = s.data();
    if (size) *size = s.bytes();
    return Status();
  });
}

mproc_status_t mproc_segment_name(mproc_segment_t* segment, const char** name) {
  return GuardObject<Segment>(segment, [&](Segment& s) {
    if (!name) return BadArgument("name is null");
    *name = s.name().c_str();
    return Status();
  });
}

mproc_status_t mproc_segment_unlink(mproc_segment_t* segment) {
  return GuardObject<Segment>(segment, [&](Segment& s) { return s.Unlink(); });
}

mproc_status_t mproc_segment_destroy(mproc_segment_t* segment) {
  return GuardDestroyObject<Segment>(segment);
}
