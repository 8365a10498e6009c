// SPDX-License-Identifier: MIT
// The handles of messages.
#pragma once

#include <mproc/message.h>

#include <mutex>

#include "capi/handle_calls.hh"
#include "object/message.hh"

namespace mproc::capi {

struct HeldMessage {
  std::mutex mutex;  // several threads may take objects
  object::Message message;
};
using MessageHandles = Handles<HeldMessage, 11>;

inline Status GiveOutMessage(object::Message message, mproc_message_t** handle) {
  auto held = std::make_shared<HeldMessage>();
  held->message = std::move(message);
  return GiveOut<MessageHandles>(std::move(held), "messages", handle);
}

}  // namespace mproc::capi
