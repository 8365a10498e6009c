// SPDX-License-Identifier: MIT
#include <mproc/call.h>
#include <mproc/starmap.h>

#include <cstring>

#include "capi/guard.hh"
#include "task/arguments.hh"
#include "worker/call.hh"

using namespace mproc;
using namespace mproc::capi;

namespace {

Status NoBlock() { return Status(MPROC_ERROR_WRONG_KIND, "the payload of this task is not a block"); }

worker::Call* CallOf(mproc_call_t* call) { return reinterpret_cast<worker::Call*>(call); }

}  // namespace

mproc_status_t mproc_call_reply(mproc_call_t* call, const void* data, size_t size) {
  if (call && (data || !size) && CallOf(call)->ReplyInPlace(data, size)) return MPROC_OK;
  return GuardTask([&] {
    if (!call) return BadArgument("call is null");
    if (!data && size) return BadArgument("data is null, size is not 0");
    auto place = CallOf(call)->Value(size);
    if (!place.ok()) return place.status();
    if (size) std::memcpy(*place, data, size);
    return Status();
  });
}

mproc_status_t mproc_call_reply_alloc(mproc_call_t* call, size_t size, void** data) {
  return GuardTask([&] {
    if (!call || !data) return BadArgument("call or data is null");
    auto place = CallOf(call)->Value(size);
    if (!place.ok()) return place.status();
    *data = *place;
    return Status();
  });
}

mproc_status_t mproc_call_block(mproc_call_t* call, void** data, size_t* size) {
  return GuardTask([&]() -> Status {
    if (!call || !data || !size) return BadArgument("call, data or size is null");
    std::span<std::byte> block = CallOf(call)->block();
    if (block.empty()) return NoBlock();
    *data = block.data();
    *size = block.size();
    return Status();
  });
}

mproc_status_t mproc_call_reply_block(mproc_call_t* call, size_t offset, size_t size) {
  return GuardTask([&]() -> Status {
    if (!call) return BadArgument("call is null");
    size_t whole = CallOf(call)->block().size();
    if (whole == 0) return NoBlock();
    if (offset > whole || size > whole - offset) return BadArgument("the bytes are not all in the block");
    CallOf(call)->ReplyInBlock(offset, size);
    return Status();
  });
}

mproc_status_t mproc_call_bound(mproc_call_t* call, const void** data, size_t* size) {
  return GuardTask([&]() -> Status {
    if (!call || !data || !size) return BadArgument("call, data or size is null");
    ByteView bound = CallOf(call)->context().bound;
    *data = bound.data();
    *size = bound.size();
    return Status();
  });
}

int32_t mproc_call_fail(mproc_call_t* call, int32_t code, const char* type, const char* message,
                        const char* trace) {
  if (code == 0) code = -1;
  GuardTask([&] {
    if (!call) return BadArgument("call is null");
    CallOf(call)->Fail(code, type, message, trace);
    return Status();
  });
  return code;
}

uint64_t mproc_call_task_id(mproc_call_t* call) {  // wall: cannot throw
  return call ? CallOf(call)->task_id() : 0;
}

uint32_t mproc_call_function_id(mproc_call_t* call) {  // wall: cannot throw
  return call ? CallOf(call)->function() : 0;
}

uint32_t mproc_call_worker_number(mproc_call_t* call) {  // wall: cannot throw
  return call ? CallOf(call)->context().number : 0;
}

const char* mproc_call_worker_name(mproc_call_t* call) {  // wall: cannot throw
  return call ? CallOf(call)->context().name.c_str() : "";
}

mproc_status_t mproc_call_set_worker_state(mproc_call_t* call, void* state) {
  return GuardTask([&]() -> Status {
    if (!call) return BadArgument("call is null");
    CallOf(call)->SetState(state);
    return Status();
  });
}

void* mproc_call_worker_state(mproc_call_t* call) {  // wall: cannot throw
  return call ? CallOf(call)->context().state : nullptr;
}

int32_t mproc_call_cancelled(mproc_call_t* call) {  // wall: cannot throw
  return call && CallOf(call)->context().ShouldStop() ? 1 : 0;
}

int64_t mproc_call_time_left(mproc_call_t* call) {  // wall: cannot throw
  return call ? CallOf(call)->context().TimeLeft() : 0;
}

mproc_status_t mproc_call_progress(mproc_call_t* call, uint64_t done, uint64_t total) {
  if (!call) return GuardTask([] { return BadArgument("call is null"); });
  CallOf(call)->TellProgress(done, total);
  return MPROC_OK;
}

mproc_status_t mproc_call_log(mproc_call_t* call, int32_t level, const char* text, size_t size) {
  return GuardTask([&] {
    if (!call) return BadArgument("call is null");
    if (!text && size) return BadArgument("text is null, size is not 0");
    return CallOf(call)->Log(level, AsText(AsBytes(text, size)));
  });
}

int32_t mproc_call_log_level(mproc_call_t* call) {  // wall: cannot throw
  return call ? CallOf(call)->context().channel->log().level() : INT32_MAX;
}

// The output function of splitmix64, once for each number.
static uint64_t Mixed(uint64_t number) {
  number += 0x9e3779b97f4a7c15u;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
  number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
  return number ^ (number >> 31);
}

uint64_t mproc_random_seed(uint64_t seed, uint64_t stream) {  // wall: cannot throw
  return Mixed(Mixed(seed) + stream);
}

uint64_t mproc_call_item_index(mproc_call_t* call) {  // wall: cannot throw
  return call ? CallOf(call)->index() : 0;
}

mproc_status_t mproc_starmap_argument(const void* input, size_t size, uint64_t index, const void** data,
                                      size_t* argument_size) {
  return GuardTask([&]() -> Status {
    if ((!input && size) || !data || !argument_size) {
      return BadArgument("input, data or argument_size is null");
    }
    auto argument = task::ArgumentAt(AsBytes(input, size), index);
    if (!argument.ok()) return argument.status();
    *data = argument->data();
    *argument_size = argument->size();
    return Status();
  });
}
