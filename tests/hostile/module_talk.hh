// SPDX-License-Identifier: MIT
// The hostile module's hands: what it does to the channel and to the socket of its worker.
#pragma once

#include <mproc/mproc.h>

#include "module_calls.hh"

namespace hostile {

// The memory that the host looks at, or null.
Note* FindNote();
// Tells the host that this worker is not to be trusted from now on.
void Confess(mproc_call_t* call);

void PublishLie(mproc_call_t* call, const Lie& lie);
void PublishChunk(mproc_call_t* call, const ChunkLie& lie);
// A result in a block that does not exist.
void PublishPointer(mproc_call_t* call);
void DoScribble(mproc_call_t* call, const Scribble& scribble);
void Say(Words words, uint64_t seed);
// A hello that announces `size` bytes (0: as many as there are) with a table of `count` functions.
void SayHello(uint64_t size, uint64_t count);
// From now on fallocate and memfd_create fail in this process.
bool DenyMemory(int error);

}  // namespace hostile
