// SPDX-License-Identifier: MIT
// Message sockets (SOCK_SEQPACKET pairs) that carry bytes and descriptors between our processes.
#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <vector>

#include "base/bytes.hh"
#include "platform/fd.hh"

namespace mproc::platform {

inline constexpr size_t kMaxMessage = 32 * 1024;  // bytes of one message; larger things go in memory files
inline constexpr size_t kMaxFdsPerMessage = 253;  // the kernel's SCM_MAX_FD

struct Credentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

struct Message {
  std::vector<std::byte> bytes;
  std::vector<UniqueFd> fds;
  bool fds_lost = false;  // the receiver had no room for all descriptors (MSG_CTRUNC)
  std::optional<Credentials> sender;
};

enum class Receive { kMessage, kNothing, kEnd };

// Two connected ends, close-on-exec, non-blocking as asked per call.
enum class PairOf { kMessages, kStreams };
Result<std::pair<UniqueFd, UniqueFd>> MakeSocketPair(PairOf kind = PairOf::kMessages);

// Sends one message; waits for room if `wait`, else QUEUE_FULL. A closed peer is SYSTEM with EPIPE; never a
// signal.
Status SendMessage(int socket, ByteView bytes, std::span<const int> fds, bool wait, bool credentials = false);

// Takes one message. Errors of the socket count as its end.
Receive ReceiveMessage(int socket, bool wait, Message* message);

// The message that ReceiveMessage would take, with duplicates of its descriptors; it stays. Waits for it.
Receive PeekMessage(int socket, Message* message);

// The first bytes of that message, which stays; how many, -1 if there is none. Does not wait.
ssize_t PeekBytes(int socket, void* bytes, size_t size);

// Ends what this side sends: the peer reads what is under way, and then the end.
void EndSending(int socket);

// True if the descriptor is a message socket of a local pair.
bool IsMessageSocket(int fd);

// Lets the socket say who sends (fills Message::sender).
Status AskForCredentials(int socket);

}  // namespace mproc::platform
