// SPDX-License-Identifier: MIT
// The messages between a host's runtime and its launcher process, and how they look on the socket. Values.
//
//   host -> launcher   kStart (with descriptors), kSignal, kFinish
//   launcher -> host   kStarted (with a pidfd where there are such), kFailed, kExited
//
// and between a launcher and its template processes, which fork workers (kStart without a program):
//
//   launcher -> template   kStart
//   template -> launcher   kLoaded, once; kStarted, by the worker or its template or both; kFailed
//
// Each message has a fixed head. That of kStart is followed by the strings of the program to start; when
// they are long they lie in a memory file that comes with the message instead. Descriptors follow the order
// of the bits in Head::present. Both sides are on one machine, so numbers have its form; a launcher of
// another version than the library's is noticed by Head::version. Nothing is believed that was not checked
// against the size of the message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hh"
#include "platform/socket.hh"

namespace mproc::ipc {

enum class ControlType : uint8_t {
  kStart = 1,
  kSignal = 2,
  kFinish = 3,
  kStarted = 4,
  kFailed = 5,
  kExited = 6,
  kLoaded = 7,
};

// Which optional parts a message has; the descriptors among them come in this order.
enum ControlPart : uint16_t {
  kPartBody = 1 << 0,       // the strings are in this memory file
  kPartDirectory = 1 << 1,  // working directory of the child
  kPartOutput = 1 << 2,     // its descriptor 1
  kPartError = 1 << 3,      // its descriptor 2
  kPartChannel = 1 << 4,    // its descriptor 3
  kPartProcess = 1 << 5,    // a pidfd
  kPartUmask = 1 << 6,      // no descriptor: `first` holds a umask
  kPartFork = 1 << 7,       // nor this: the program is a template, which is to fork the child
};
inline constexpr uint16_t kDescriptorParts = kPartUmask - 1;

struct ControlHead {
  uint8_t version;
  uint8_t type;      // ControlType
  uint16_t present;  // of ControlPart
  int32_t first;     // kStart: umask; kSignal: signal; kStarted, kExited: pid; kFailed: errno
  uint64_t child;
  uint64_t body_size;  // kStart: bytes of the strings
  int32_t code;        // kExited: exit code; kLoaded: status
  int32_t signal;      // kExited: signal
};
static_assert(sizeof(ControlHead) == 32);

inline constexpr uint8_t kControlVersion = 1;
inline constexpr size_t kMaxInlineBody = 8 * 1024;    // longer ones would soon fill the socket
inline constexpr size_t kMaxBody = size_t{16} << 20;  // above what the system lets a program be given
inline constexpr size_t kMaxStrings = size_t{1} << 20;

// What to start, in words.
struct ProgramText {
  std::string program;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
};

// A message ready to be sent.
struct ControlMessage {
  std::vector<std::byte> bytes;
  platform::UniqueFd body;  // sent as the first descriptor if valid
};

// The descriptors of a start request; -1 where there is none.
struct StartFds {
  int directory = -1;
  int output = -1;
  int error = -1;
  int channel = -1;
};

// INVALID_ARGUMENT for a string with a NUL in it, TOO_LARGE, or why no memory file could be had. With `fork`
// the text says of which template the child is to be forked.
Result<ControlMessage> EncodeStart(uint64_t child, const ProgramText& text, std::optional<uint32_t> umask,
                                   const StartFds& fds, bool fork = false);
// A request to a template: a child with these descriptors.
ControlMessage EncodeFork(uint64_t child, uint32_t umask, const StartFds& fds);
// The descriptors of a start request in the order of the message.
std::vector<int> FdsInOrder(const ControlMessage& message, const StartFds& fds);

std::vector<std::byte> EncodeHead(const ControlHead& head);
ControlHead MakeHead(ControlType type, uint64_t child);

// The strings alone: what follows the head or stands in the memory file.
Result<std::vector<std::byte>> EncodeText(const ProgramText& text);
std::optional<ProgramText> DecodeText(ByteView bytes);

// A received message, taken apart.
struct ControlReceived {
  ControlHead head;
  ByteView body;  // within the message
  // By the bits of `present`; invalid where there is none.
  platform::UniqueFd body_file, directory, output, error, channel, process;
};

// Nothing if the message is not what its head says, or of another version. Descriptors are taken out of
// `message`; missing ones (receiver out of descriptors) make it fail for kStart, not for kStarted.
std::optional<ControlReceived> DecodeControl(platform::Message* message);
// Only the head, if there is one at all: to answer a message that cannot be decoded.
std::optional<ControlHead> PeekHead(ByteView bytes);

}  // namespace mproc::ipc
