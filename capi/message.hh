// SPDX-License-Identifier: MIT
// The handles of messages.
#pragma once

#include <mproc/message.h>

#include <mutex>
#include <utility>

#include "capi/handle_calls.hh"
#include "object/message.hh"

namespace mproc::capi {

struct HeldMessage {
  std::mutex mutex;  // several threads may take objects
  object::Message message;
};
using MessageHandles = Handles<HeldMessage, 11>;

// Gives out a message that `receive` fills. The handle is made first: where there is none to be had, nothing
// is received and so nothing lost.
template <typename Receive>
Status GiveOutMessage(mproc_message_t** handle, Receive&& receive) {
  auto held = std::make_shared<HeldMessage>();
  mproc_message_t* made = nullptr;
  if (Status given = GiveOut<MessageHandles>(held, "messages", &made); !given.ok()) return given;
  struct Unused {  // for exceptions, too
    mproc_message_t* made;
    std::shared_ptr<HeldMessage>* held;
    ~Unused() {
      if (made) (void)MessageHandles::Get().Take(made, held);
    }
  } unused{made, &held};
  Status received = receive(&held->message);
  if (received.ok()) *handle = std::exchange(unused.made, nullptr);
  return received;
}

}  // namespace mproc::capi
