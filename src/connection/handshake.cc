// SPDX-License-Identifier: MIT
//
//   listener                       client
//   #CHALLENGE# M1         ->
//                          <-      answer to M1
//   #WELCOME#              ->                        or #FAILURE#, and that is the end
//                          <-      #CHALLENGE# M2
//   answer to M2           ->
//                          <-      #WELCOME#
//
// M is "{sha256}" and 40 random bytes, and the answer "{name}" and the digest of the whole M. Before Python
// 3.12 M was 20 random bytes and the answer bare HMAC-MD5; each is told from the other by its length.
#include "connection/handshake.hh"

#include <algorithm>
#include <string>

#include "platform/digest.hh"

namespace mproc::connection {
namespace {

constexpr std::string_view kChallenge = "#CHALLENGE#", kWelcome = "#WELCOME#", kFailure = "#FAILURE#";
constexpr std::string_view kOurs = "{sha256}";
constexpr size_t kRandom = 40, kOldChallenge = 20, kOldAnswer = 16;
constexpr uint64_t kMostBytes = 256;  // of a frame
constexpr int kSteps = 4;

struct Digest {
  std::string_view name;  // on the wire
  const char* known;      // to libcrypto
};
constexpr Digest kDigests[] = {{"md5", "MD5"},
                               {"sha256", "SHA256"},
                               {"sha384", "SHA384"},
                               {"sha3_256", "SHA3-256"},
                               {"sha3_384", "SHA3-384"}};

Status NotProven(const char* why) { return Status(MPROC_ERROR_AUTHENTICATION, why); }

// The digest that "{name}..." names, or null.
const Digest* DigestOf(std::string_view text) {
  if (text.empty() || text[0] != '{') return nullptr;
  size_t end = text.find('}');
  if (end == std::string_view::npos) return nullptr;
  for (const Digest& digest : kDigests) {
    if (digest.name == text.substr(1, end - 1)) return &digest;
  }
  return nullptr;
}

bool IsMd5(const Digest* digest) { return digest == &kDigests[0]; }

void Append(std::vector<std::byte>* bytes, ByteView more) {
  bytes->insert(bytes->end(), more.begin(), more.end());
}

}  // namespace

Key::~Key() { platform::Wipe(bytes_.data(), bytes_.size()); }

Handshake::Handshake(std::shared_ptr<Connection> connection, Terms terms, Role role)
    : connection_(std::move(connection)), terms_(std::move(terms)), role_(role) {
  connection_->SetMost(kMostBytes);
  connection_->TakeDescriptors(false);  // one who has proven nothing could fill our table
}

Status Handshake::Go(const Deadline& deadline) {
  while (step_ < kSteps) {
    Status done;
    switch (role_ == Role::kListener ? step_ : (step_ + 2) % kSteps) {
      case 0:
        done = Challenge();
        break;
      case 1:
        done = Verify(deadline);
        break;
      case 2:
        done = Answer(deadline);
        break;
      default:
        done = Welcomed(deadline);
    }
    if (!done.ok()) return done;
    step_++;
  }
  connection_->SetMost(kMostLong);
  connection_->TakeDescriptors(true);
  return Status();
}

// What is sent here is little, and the socket has room for all of it.
Status Handshake::Send(ByteView bytes) {
  Status sent = connection_->Send(bytes, Deadline::After(0));
  return sent.ok() ? sent : NotProven("the other side ended the handshake, or reads nothing");
}

Result<std::vector<std::byte>> Handshake::Receive(const Deadline& deadline) {
  auto message = connection_->Receive(deadline);
  if (message.ok()) return std::vector(message->bytes.view().begin(), message->bytes.view().end());
  switch (message.status().code()) {
    case MPROC_ERROR_END_OF_FILE:
    case MPROC_ERROR_PROTOCOL:
      return NotProven("the other side ended the handshake");
    case MPROC_ERROR_BAD_LENGTH:
      return NotProven("what came is too long for a handshake: does the other side have a key?");
    default:
      return message.status();
  }
}

Status Handshake::Challenge() {
  sent_.assign(kOurs.size() + kRandom, {});
  std::copy_n(AsBytes(kOurs).data(), kOurs.size(), sent_.data());
  if (!platform::FillRandom(sent_.data() + kOurs.size(), kRandom))
    return Status(MPROC_ERROR_UNSUPPORTED, "the system gives no random bytes");
  std::vector<std::byte> frame;
  Append(&frame, AsBytes(kChallenge));
  Append(&frame, sent_);
  return Send(frame);
}

Status Handshake::Verify(const Deadline& deadline) {
  auto answer = Receive(deadline);
  if (!answer.ok()) return answer.status();
  ByteView given = *answer;
  const Digest* digest = &kDigests[0];
  if (given.size() != kOldAnswer) {
    digest = DigestOf(AsText(given));
    if (digest) given = given.subspan(digest->name.size() + 2);
  }
  bool good = false;
  if (digest && !(terms_.refuse_md5 && IsMd5(digest))) {
    auto wanted = platform::Hmac(digest->known, terms_.key->view(), sent_);
    if (!wanted.ok()) return wanted.status();
    good = given.size() == wanted->size() && platform::EqualInConstantTime(given, *wanted);
  }
  if (good) return Send(AsBytes(kWelcome));
  (void)Send(AsBytes(kFailure));
  return NotProven("the other side has another key, or a digest that is refused here");
}

Status Handshake::Answer(const Deadline& deadline) {
  auto frame = Receive(deadline);
  if (!frame.ok()) return frame.status();
  std::string_view text = AsText(*frame);
  if (!text.starts_with(kChallenge)) return NotProven("the other side asks for no proof: has it no key?");
  text.remove_prefix(kChallenge.size());
  const Digest* digest = text.size() == kOldChallenge ? &kDigests[0] : DigestOf(text);
  if (!digest || text.size() < kOldChallenge) return NotProven("the other side asks for an unknown digest");
  if (terms_.refuse_md5 && IsMd5(digest)) return NotProven("the other side asks for MD5, which is refused");
  auto digested = platform::Hmac(digest->known, terms_.key->view(), AsBytes(text));
  if (!digested.ok()) return digested.status();
  std::vector<std::byte> answer;
  if (text.size() != kOldChallenge) Append(&answer, AsBytes("{" + std::string(digest->name) + "}"));
  Append(&answer, *digested);
  return Send(answer);
}

Status Handshake::Welcomed(const Deadline& deadline) {
  auto frame = Receive(deadline);
  if (!frame.ok()) return frame.status();
  return AsText(*frame) == kWelcome ? Status() : NotProven("the other side says that this key is wrong");
}

}  // namespace mproc::connection
