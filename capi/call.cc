// SPDX-License-Identifier: MIT
#include <mproc/call.h>

#include <cstring>

#include "capi/guard.hh"
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

int32_t mproc_call_cancelled(mproc_call_t* call) {  // wall: cannot throw
  return call && CallOf(call)->context().ShouldStop() ? 1 : 0;
}

int64_t mproc_call_time_left(mproc_call_t* call) {  // wall: cannot throw
  return call ? CallOf(call)->context().TimeLeft() : 0;
}

uint64_t mproc_call_item_index(mproc_call_t* call) {  // wall: cannot throw
  return call ? CallOf(call)->index() : 0;
}
