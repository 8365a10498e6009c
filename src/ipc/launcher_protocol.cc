// SPDX-License-Identifier: MIT
#include "ipc/launcher_protocol.hh"

#include <cerrno>
#include <cstring>

#include "platform/memory_file.hh"

namespace mproc::ipc {
namespace {

void AppendNumber(std::vector<std::byte>* bytes, uint32_t number) {
  size_t at = bytes->size();
  bytes->resize(at + sizeof number);
  memcpy(bytes->data() + at, &number, sizeof number);
}

bool AppendString(std::vector<std::byte>* bytes, const std::string& text) {
  if (text.find('\0') != std::string::npos) return false;
  auto* begin = reinterpret_cast<const std::byte*>(text.c_str());
  bytes->insert(bytes->end(), begin, begin + text.size() + 1);
  return true;
}

// Takes numbers and strings off the front of bytes that are not trusted.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  bool Number(uint32_t* number) {
    if (rest_.size() < sizeof *number) return false;
    memcpy(number, rest_.data(), sizeof *number);
    rest_ = rest_.subspan(sizeof *number);
    return true;
  }
  bool String(std::string* text) {
    if (rest_.empty()) return false;
    auto* begin = reinterpret_cast<const char*>(rest_.data());
    auto* end = static_cast<const char*>(memchr(begin, '\0', rest_.size()));
    if (!end) return false;
    text->assign(begin, end);
    rest_ = rest_.subspan(static_cast<size_t>(end - begin) + 1);
    return true;
  }
  bool Strings(uint32_t count, std::vector<std::string>* strings) {
    if (count > rest_.size()) return false;  // each takes a byte at least
    strings->reserve(count);
    for (uint32_t i = 0; i < count; i++) {
      if (!String(&strings->emplace_back())) return false;
    }
    return true;
  }
  bool AtEnd() const { return rest_.empty(); }

 private:
  ByteView rest_;
};

void Mark(ControlHead* head, bool there, ControlPart part) {
  if (there) head->present = static_cast<uint16_t>(head->present | part);
}

ControlHead StartHead(uint64_t child, std::optional<uint32_t> umask, const StartFds& fds) {
  ControlHead head = MakeHead(ControlType::kStart, child);
  Mark(&head, fds.directory >= 0, kPartDirectory);
  Mark(&head, fds.output >= 0, kPartOutput);
  Mark(&head, fds.error >= 0, kPartError);
  Mark(&head, fds.channel >= 0, kPartChannel);
  Mark(&head, umask.has_value(), kPartUmask);
  head.first = static_cast<int32_t>(umask.value_or(0));
  return head;
}

}  // namespace

ControlHead MakeHead(ControlType type, uint64_t child) {
  ControlHead head{};
  head.version = kControlVersion;
  head.type = static_cast<uint8_t>(type);
  head.child = child;
  return head;
}

std::vector<std::byte> EncodeHead(const ControlHead& head) {
  std::vector<std::byte> bytes(sizeof head);
  memcpy(bytes.data(), &head, sizeof head);
  return bytes;
}

Result<std::vector<std::byte>> EncodeText(const ProgramText& text) {
  std::vector<std::byte> bytes;
  bool fine = text.arguments.size() <= kMaxStrings && text.environment.size() <= kMaxStrings;
  if (!fine) return Status(MPROC_ERROR_TOO_LARGE, "too many arguments or environment variables");
  AppendNumber(&bytes, static_cast<uint32_t>(text.arguments.size()));
  AppendNumber(&bytes, static_cast<uint32_t>(text.environment.size()));
  fine = AppendString(&bytes, text.program);
  for (const std::string& s : text.arguments) fine = fine && AppendString(&bytes, s);
  for (const std::string& s : text.environment) fine = fine && AppendString(&bytes, s);
  if (!fine) {
    return Status(MPROC_ERROR_INVALID_ARGUMENT, "an argument or environment variable has a zero byte in it");
  }
  if (bytes.size() > kMaxBody) {
    return Status(MPROC_ERROR_TOO_LARGE, "arguments and environment are too large for a program");
  }
  return bytes;
}

std::optional<ProgramText> DecodeText(ByteView bytes) {
  Reader reader(bytes);
  ProgramText text;
  uint32_t arguments = 0, environment = 0;
  bool fine = reader.Number(&arguments) && reader.Number(&environment) && reader.String(&text.program) &&
              reader.Strings(arguments, &text.arguments) && reader.Strings(environment, &text.environment) &&
              reader.AtEnd();
  if (!fine) return std::nullopt;
  return text;
}

Result<ControlMessage> EncodeStart(uint64_t child, const ProgramText& text, std::optional<uint32_t> umask,
                                   const StartFds& fds, bool fork) {
  auto body = EncodeText(text);
  if (!body.ok()) return body.status();
  ControlHead head = StartHead(child, umask, fds);
  head.body_size = body->size();
  Mark(&head, fork, kPartFork);
  ControlMessage message;
  if (body->size() > kMaxInlineBody) {
    auto file = platform::MakeMemoryFile("mproc-start", *body);
    if (!file.ok()) return file.status();
    message.body = std::move(*file);
    Mark(&head, true, kPartBody);
    message.bytes = EncodeHead(head);
  } else {
    message.bytes = EncodeHead(head);
    message.bytes.insert(message.bytes.end(), body->begin(), body->end());
  }
  return message;
}

ControlMessage EncodeFork(uint64_t child, uint32_t umask, const StartFds& fds) {
  ControlMessage message;
  message.bytes = EncodeHead(StartHead(child, umask, fds));
  return message;
}

std::vector<int> FdsInOrder(const ControlMessage& message, const StartFds& fds) {
  std::vector<int> order;
  for (int fd : {message.body.get(), fds.directory, fds.output, fds.error, fds.channel}) {
    if (fd >= 0) order.push_back(fd);
  }
  return order;
}

std::optional<ControlHead> PeekHead(ByteView bytes) {
  ControlHead head;
  if (bytes.size() < sizeof head) return std::nullopt;
  memcpy(&head, bytes.data(), sizeof head);
  return head;
}

std::optional<ControlReceived> DecodeControl(platform::Message* message) {
  auto head = PeekHead(message->bytes);
  if (!head || head->version != kControlVersion) return std::nullopt;
  ControlReceived received;
  received.head = *head;
  received.body = ByteView(message->bytes).subspan(sizeof *head);
  auto type = static_cast<ControlType>(head->type);
  bool body_inline = type == ControlType::kStart && !(head->present & kPartBody);
  if (received.body.size() != (body_inline ? head->body_size : 0)) return std::nullopt;
  if (head->body_size > kMaxBody) return std::nullopt;

  platform::UniqueFd* const slots[] = {&received.body_file, &received.directory, &received.output,
                                       &received.error,     &received.channel,   &received.process};
  size_t next = 0;
  for (size_t i = 0; i < std::size(slots); i++) {
    if (!(head->present & (1 << i))) continue;
    if (next == message->fds.size()) {
      if (type == ControlType::kStart) return std::nullopt;
      break;
    }
    *slots[i] = std::move(message->fds[next++]);
  }
  bool exact = next == message->fds.size() && !message->fds_lost;
  if (type == ControlType::kStart && !exact) return std::nullopt;
  message->fds.clear();
  return received;
}

}  // namespace mproc::ipc
