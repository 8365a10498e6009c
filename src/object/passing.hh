// SPDX-License-Identifier: MIT
// How objects are told of on their way: a note on each, one after another, and all their descriptors in the
// same order. Tasks, processes, items of queues and messages carry them so.
#pragma once

#include <span>
#include <vector>

#include "base/bytes.hh"
#include "object/message.hh"

namespace mproc::object {

struct ObjectNote {
  uint32_t kind;
  uint32_t descriptors;
};

// Appends the object's note and its descriptors, which stay its own.
void Tell(const PassedObject& object, std::vector<std::byte>* notes, std::vector<int>* fds);

// How many descriptors belong to the objects of these notes; SIZE_MAX: one of them has none, which cannot be.
size_t CountDescriptors(ByteView notes);

// The objects of these notes, with room for the descriptors that they have; and those, which needs no memory.
std::vector<ReceivedObject> ReadNotes(ByteView notes);
void GiveDescriptors(std::span<platform::UniqueFd> fds, std::vector<ReceivedObject>* objects);
// Both; the descriptors are as many as the objects have.
std::vector<ReceivedObject> TakeObjects(ByteView notes, std::span<platform::UniqueFd> fds);

}  // namespace mproc::object
