// SPDX-License-Identifier: MIT
#include "worker/runner.hh"

#include <cxxabi.h>

#include <algorithm>
#include <exception>

#include "base/clock.hh"
#include "platform/streams.hh"
#include "task/chunk.hh"

namespace mproc::worker {
namespace {

task::TaskError OwnError(int32_t status, std::string message) {
  return {status, StatusName(status), std::move(message), ""};
}

std::string NameOfCurrentException() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (!type) return "exception";
  int status = 0;
  char* plain = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  std::string name = plain ? plain : type->name();
  free(plain);
  return name;
}

using Fate = ipc::WorkerChannel::Fate;

}  // namespace

int64_t Runner::Run(const ipc::TaskView& view, int64_t started) {
  context_->running = {view.position, started, view.frame.limit};
  ipc::FlightWriter flight = context_->channel->flight();
  flight.Begin(view.position, started, view.frame.task_id, view.frame.function, view.frame.index);
  if (view.frame.announced) context_->channel->Announce(view.position);
  ByteView input;
  task::TaskError error;
  const task::Function* function = nullptr;
  Ended ended;
  if (!FindInput(view, &input, &error) || !(function = FindFunction(view.frame.function, &error))) {
    ended = PutError(error);
  } else {
    switch (static_cast<task::Kind>(view.frame.kind)) {
      case task::Kind::kItems:
        ended = RunItems(view, *function, input);
        break;
      case task::Kind::kArray:
        ended = RunArray(view, *function, input);
        break;
      default:
        ended = RunSingle(view, *function, input);
        break;
    }
  }
  if (context_->bound.data()) {
    context_->bound = {};
    context_->objects = {};
  }
  if (context_->has_output) platform::FlushStandardStreams();
  int64_t now = NowNs();
  int64_t elapsed = std::max<int64_t>(0, now - started);
  flight.End(view.position, elapsed);
  context_->channel->Publish(view.position, ended.status, ended.size, static_cast<uint64_t>(elapsed));
  return now;
}

bool Runner::RunAlone(uint32_t id, ByteView input, std::vector<std::byte>* value, task::TaskError* error) {
  const task::Function* function = FindFunction(id, error);
  if (!function) return false;
  context_->running = {};
  task::ItemResultsWriter room;
  Call call(context_, {}, id, Call::Sink::kItems);
  call.SetItems(&room);
  call.BeginItem(0, nullptr);
  if (!CallFunction(*function, &call, input)) {
    *error = std::move(call.error());
    return false;
  }
  if (value) value->assign(room.place(), room.place() + call.value_size());
  return true;
}

void Runner::Hear() {
  platform::Message message;
  while (platform::ReceiveMessage(context_->socket, false, &message) == platform::Receive::kMessage) {
    auto head = ipc::HeadOf(message);
    if (!head) continue;
    Status taken = Heed(*head, &message);
    (void)taken;  // if the block is lost, its task will say so
  }
}

Status Runner::Heed(const ipc::MessageHead& head, platform::Message* message) {
  bounds_.Heed(head, message);
  Status taken = blocks_.Take(head, message);
  if (blocks_.Lost(head.number)) context_->channel->TellLost();
  return taken;
}

bool Runner::FindInput(const ipc::TaskView& view, ByteView* input, task::TaskError* error) {
  if (view.block == 0) {
    *input = ByteView(view.data, view.size);
    return true;
  }
  platform::Message message;
  while (!blocks_.Knows(view.block) && !blocks_.Lost(view.block)) {
    if (platform::ReceiveMessage(context_->socket, true, &message) != platform::Receive::kMessage) break;
    auto head = ipc::HeadOf(message);
    if (!head) continue;
    Status taken = Heed(*head, &message);
    if (!taken.ok() && head->number == view.block) {
      *error = OwnError(taken.code(), taken.message());
      return false;
    }
  }
  const std::byte* at = blocks_.Find(view.block, view.offset, view.size);
  if (!at) {
    *error = OwnError(MPROC_ERROR_DESCRIPTOR_LIMIT,
                      "the payload's shared memory could not be received: raise the limit of open files");
    return false;
  }
  *input = ByteView(at, view.size);
  return true;
}

const task::Function* Runner::NoFunction(uint32_t id, task::TaskError* error) {
  *error = OwnError(MPROC_ERROR_UNKNOWN_FUNCTION,
                    "the worker's function table has no function of id " + std::to_string(id));
  return nullptr;
}

const task::Function* Runner::FindBound(uint32_t id, task::TaskError* error) {
  BoundFunctions::Bound* bound = bounds_.Find(id);
  if (!bound || !blocks_.Knows(bound->block)) {  // the host told before it gave the task
    Hear();
    bound = bounds_.Find(id);
  }
  if (!bound) {
    *error = OwnError(MPROC_ERROR_UNKNOWN_FUNCTION,
                      "the worker was told of no bound function of id " + std::to_string(id));
    return nullptr;
  }
  const std::byte* bytes = blocks_.Find(bound->block, bound->note.offset, bound->note.size);
  if (!bytes) {
    *error =
        OwnError(MPROC_ERROR_DESCRIPTOR_LIMIT,
                 "the bound function's shared memory could not be received: raise the limit of open files");
    return nullptr;
  }
  context_->bound = {bytes, bound->note.size};
  context_->objects = bound->objects;
  return FindFunction(bound->note.function, error);
}

void Runner::FailByException(Call* call) {
  try {
    throw;
  } catch (const std::exception& thrown) {
    call->Fail(-1, NameOfCurrentException().c_str(), thrown.what(), nullptr);
  } catch (...) {
    call->Fail(-1, NameOfCurrentException().c_str(), "a C++ exception left the function", nullptr);
  }
}

bool Runner::Failed(const task::Function& function, Call* call, int32_t code) {
  if (!call->failed()) {
    call->Fail(code, "", ("function '" + function.name + "' returned " + std::to_string(code)).c_str(),
               nullptr);
  } else if (code != 0) {
    call->error().code = code;
  }
  return false;
}

Runner::Ended Runner::PutBytes(task::Answer answer, ByteView bytes) {
  auto place = context_->channel->Reserve(context_->socket, bytes.size(), Fate::kCopied);
  if (!place.ok()) return PutNoRoom(place.status());
  if (!bytes.empty()) std::memcpy(*place, bytes.data(), bytes.size());
  return {static_cast<uint32_t>(answer), bytes.size()};
}

Runner::Ended Runner::PutItems() {
  auto place = context_->channel->Reserve(context_->socket, items_.size(), Fate::kCopied);
  if (!place.ok()) return PutNoRoom(place.status());
  items_.Write(*place);
  return {static_cast<uint32_t>(task::Answer::kValue), items_.size()};
}

Runner::Ended Runner::PutNoRoom(const Status& why) {
  auto small = task::EncodeError({why.code(), "", "no shared memory for the result", ""});
  auto slot = context_->channel->Reserve(context_->socket, small.size(), Fate::kCopied);
  std::memcpy(*slot, small.data(), small.size());
  return {static_cast<uint32_t>(task::Answer::kError), small.size()};
}

Runner::Ended Runner::PutError(const task::TaskError& error) {
  return PutBytes(task::Answer::kError, task::EncodeError(error));
}

Runner::Ended Runner::RunSingle(const ipc::TaskView& view, const task::Function& function, ByteView input) {
  Call call(context_, view.frame, function.id, Call::Sink::kChannel);
  call.SetRoom(0, ipc::kInlineBytes);
  call.BeginItem(view.frame.index, context_->channel->SlotRoom());
  if (static_cast<task::Kind>(view.frame.kind) == task::Kind::kBlock) {
    if (auto memory = blocks_.Hold(view.block)) call.SetBlock({memory->data(), memory->size()});
  }
  if (!CallFunction(function, &call, input)) return PutError(call.error());
  if (call.in_block()) {
    context_->channel->PlaceElsewhere(context_->socket, call.offset());
    return {static_cast<uint32_t>(task::Answer::kInPlace), call.value_size()};
  }
  if (!call.replied()) return PutBytes(task::Answer::kValue, {});
  return {static_cast<uint32_t>(task::Answer::kValue), call.value_size()};
}

Runner::Ended Runner::RunItems(const ipc::TaskView& view, const task::Function& function, ByteView input) {
  task::ItemReader reader;
  if (!reader.Open(input)) {
    return PutError(OwnError(MPROC_ERROR_PROTOCOL, "the chunk cannot be read"));
  }
  Call call(context_, view.frame, function.id, Call::Sink::kItems);
  call.SetItems(&items_);
  items_.Clear();
  ByteView item;
  for (uint64_t index = reader.head().first; reader.Next(&item); index++) {
    call.SetRoom(0, items_.room());
    call.BeginItem(index, items_.place());
    if (CallFunction(function, &call, item)) {
      items_.Add(call.value_size());
    } else {
      items_.AddFailed(task::EncodeError(call.error()));
      if (!reader.head().keep_going) break;
    }
  }
  Ended ended = PutItems();
  items_.Shrink();
  return ended;
}

Runner::Ended Runner::RunArray(const ipc::TaskView& view, const task::Function& function, ByteView input) {
  task::ChunkHead head;
  if (input.size() < sizeof head) {
    return PutError(OwnError(MPROC_ERROR_PROTOCOL, "the chunk cannot be read"));
  }
  std::memcpy(&head, input.data(), sizeof head);
  input = input.subspan(sizeof head);
  task::ChunkResultHead result{0, 0};
  size_t outputs = sizeof result + head.count * head.output_stride;
  auto place = context_->channel->Reserve(context_->socket, outputs, Fate::kCopied);
  if (!place.ok()) return PutError(OwnError(place.status().code(), place.status().message()));
  std::byte* at = *place + sizeof result;
  Call call(context_, view.frame, function.id, Call::Sink::kPlace);
  const size_t taken = head.input_stride, given = head.output_stride;
  call.SetRoom(given, given);
  const std::byte* from = input.data();
  for (; result.done < head.count; result.done++, from += taken, at += given) {
    call.BeginItem(head.first + result.done, at);
    if (!CallFunction(function, &call, ByteView(from, taken))) {
      result.failed = 1;
      break;
    }
    if (!call.replied() && given) {
      call.Fail(MPROC_ERROR_NO_VALUE, "", "the function gave no value for an item of an array map", nullptr);
      result.failed = 1;
      break;
    }
  }
  if (result.failed) {
    auto error = task::EncodeError(call.error());
    std::vector<std::byte> all(*place, at);
    std::memcpy(all.data(), &result, sizeof result);
    all.insert(all.end(), error.begin(), error.end());
    return PutBytes(task::Answer::kValue, all);
  }
  std::memcpy(*place, &result, sizeof result);
  return {static_cast<uint32_t>(task::Answer::kValue), outputs};
}

}  // namespace mproc::worker
