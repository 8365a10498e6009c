// SPDX-License-Identifier: MIT
#include "connection/handshake.hh"

#include "connection/address.hh"
#include "platform/digest.hh"
#include "wire.hh"

namespace mproc::connection {
namespace {

using namespace test;

const char kRefused[] = "MPROC_ERROR_AUTHENTICATION";

// One side of a handshake, and a hand at the other end.
class HandshakeTest : public WireTest {
 protected:
  void SetUp() override {
    if (!platform::Hmac("SHA256", AsBytes("k"), AsBytes("m")).ok()) GTEST_SKIP() << "there is no libcrypto";
    WireTest::SetUp();
  }
  void Begin(Handshake::Role role, bool refuse_md5 = false) {
    wire_.emplace();
    terms_ = {std::make_shared<const Key>(AsBytes("our key")), refuse_md5};
    handshake_.emplace(wire_->connection, terms_, role);
  }
  void End() {
    handshake_.reset();
    wire_.reset();
  }
  void TearDown() override {
    End();
    WireTest::TearDown();
  }
  std::string Go() { return StatusName(handshake_->Go(kNow).code()); }
  // The body of the frame that was sent.
  std::string Sent() {
    std::string frame = wire_->Get(4);
    return frame.size() == 4 ? wire_->Get(static_cast<unsigned char>(frame[3])) : "nothing";
  }
  void Put(const std::string& body) { wire_->Put(Short(body)); }
  static std::string Proof(const char* digest, const std::string& message, const char* key = "our key") {
    return std::string(AsText(*platform::Hmac(digest, AsBytes(key), AsBytes(message))));
  }
  // The listener's challenge without its mark.
  std::string Asked() {
    EXPECT_EQ(Go(), "MPROC_ERROR_TIMED_OUT");
    std::string sent = Sent();
    EXPECT_TRUE(sent.starts_with("#CHALLENGE#{sha256}") && sent.size() == 11 + 48) << sent;
    return sent.substr(11);
  }

  std::optional<Wire> wire_;
  Terms terms_;
  std::optional<Handshake> handshake_;
};

// HMAC as RFC 4231, its second test, and RFC 2202 have it.
TEST_F(HandshakeTest, DigestsAreTheRightOnes) {
  auto hex = [](const char* digest) {
    std::string text;
    auto made = platform::Hmac(digest, AsBytes("Jefe"), AsBytes("what do ya want for nothing?"));
    for (std::byte b : *made) {
      char part[3];
      snprintf(part, sizeof part, "%02x", static_cast<unsigned>(b));
      text += part;
    }
    return text;
  };
  EXPECT_EQ(hex("SHA256"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex("MD5"), "750c783e6ab0b503eaa86e310a5db738");
  EXPECT_EQ(platform::Hmac("NONE", AsBytes("k"), AsBytes("m")).status().code(), MPROC_ERROR_UNSUPPORTED);
}

TEST_F(HandshakeTest, ListenerTakesEveryDigest) {
  const std::pair<const char*, const char*> digests[] = {
      {"{md5}", "MD5"},           {"{sha256}", "SHA256"},     {"{sha384}", "SHA384"},
      {"{sha3_256}", "SHA3-256"}, {"{sha3_384}", "SHA3-384"}, {"", "MD5"}};
  for (auto [prefix, digest] : digests) {
    Begin(Handshake::Role::kListener);
    std::string asked = Asked();
    Put(prefix + Proof(digest, asked));
    EXPECT_EQ(Go(), "MPROC_ERROR_TIMED_OUT");
    EXPECT_EQ(Sent(), "#WELCOME#");
    // Now the client asks, as it likes.
    std::string mine = *prefix ? prefix + std::string(40, 'r') : std::string(20, 'r');
    Put("#CHALLENGE#" + mine);
    EXPECT_EQ(Go(), "MPROC_ERROR_TIMED_OUT");
    EXPECT_EQ(Sent(), prefix + Proof(digest, mine));
    Put("#WELCOME#");
    EXPECT_EQ(Go(), "MPROC_OK");
    Put(std::string(1000, 'x'));  // the limit on frames is over
    EXPECT_EQ(Text(handshake_->connection()), std::string(1000, 'x'));
    End();
  }
}

TEST_F(HandshakeTest, ListenerRefusesWrongProofs) {
  for (int i = 0; i < 8; i++) {
    Begin(Handshake::Role::kListener, i >= 6);
    std::string asked = Asked();
    const std::string proofs[] = {"{sha256}" + Proof("SHA256", asked, "another key"),
                                  "{sha256}" + Proof("SHA256", asked.substr(8)),
                                  "{sha256}" + Proof("SHA256", asked).substr(0, 31),
                                  "{sha256}" + Proof("SHA256", asked) + "x",
                                  "{sha1}" + Proof("SHA1", asked),
                                  "",
                                  Proof("MD5", asked),
                                  "{md5}" + Proof("MD5", asked)};
    Put(proofs[i]);
    EXPECT_EQ(Go(), kRefused) << i;
    EXPECT_EQ(Sent(), "#FAILURE#") << i;
    End();
  }
}

// 256 bytes are what either side reads of the other before it has proven itself.
TEST_F(HandshakeTest, LongProofsAreNotRead) {
  for (size_t size : {256, 257}) {
    Begin(Handshake::Role::kListener, false);
    (void)Asked();
    Put(std::string(size, 'x'));
    Status went = handshake_->Go(kNow);
    EXPECT_EQ(StatusName(went.code()), std::string(kRefused));
    EXPECT_EQ(went.message().find("too long") != std::string::npos, size == 257) << size;
    End();
  }
}

// Nor are descriptors taken before, with whatever byte they come.
TEST_F(HandshakeTest, DescriptorsBeforeTheProofAreDropped) {
  auto null = std::move(*platform::OpenNull());
  std::vector<int> fds(platform::kMostStreamFds, null.get());
  for (auto role : {Handshake::Role::kListener, Handshake::Role::kClient}) {
    Begin(role);
    EXPECT_EQ(Go(), "MPROC_ERROR_TIMED_OUT");
    auto before = OpenDescriptors();
    std::string frame = Short("#CHALLENGE#{sha256}" + std::string(40, 'r'));
    for (char c : frame.substr(0, frame.size() - 1)) {
      ByteView part = AsBytes(&c, 1);
      ASSERT_EQ(platform::SendSome(wire_->peer.get(), {&part, 1}, fds).size, 1u);
      EXPECT_EQ(Go(), "MPROC_ERROR_TIMED_OUT");
      EXPECT_EQ(OpenDescriptors(), before);
    }
    End();
  }
}

TEST_F(HandshakeTest, DescriptorsAfterTheProofAreTaken) {
  Begin(Handshake::Role::kListener);
  Put("{sha256}" + Proof("SHA256", Asked()));
  Put("#CHALLENGE#{sha256}" + std::string(40, 'r'));
  Put("#WELCOME#");
  EXPECT_EQ(Go(), "MPROC_OK");
  auto ends = std::move(*Connection::MakePipe(true));
  std::vector<object::PassedObject> objects{object::Pass(ends.first)};
  auto peer = std::move(*Connection::Adopt(std::move(wire_->peer)));
  EXPECT_TRUE(peer->SendObjects(AsBytes("object"), objects, kNow).ok());
  auto message = handshake_->connection()->ReceiveObjects(kNow);
  EXPECT_EQ(Text(message), "object");
  ASSERT_EQ(message->objects.size(), 1u);
}

TEST_F(HandshakeTest, ClientKnowsOldAndNewListeners) {
  for (bool old : {false, true}) {
    Begin(Handshake::Role::kClient);
    EXPECT_EQ(Go(), "MPROC_ERROR_TIMED_OUT");
    std::string mine = old ? std::string(20, 'r') : "{sha384}" + std::string(40, 'r');
    Put("#CHALLENGE#" + mine);
    EXPECT_EQ(Go(), "MPROC_ERROR_TIMED_OUT");
    EXPECT_EQ(Sent(), old ? Proof("MD5", mine) : "{sha384}" + Proof("SHA384", mine));
    Put("#WELCOME#");
    std::string asked = Asked();
    Put(old ? Proof("MD5", asked) : "{sha256}" + Proof("SHA256", asked));
    EXPECT_EQ(Go(), "MPROC_OK");
    EXPECT_EQ(Sent(), "#WELCOME#");
    End();
  }
}

TEST_F(HandshakeTest, ClientRefusesWhatIsNoListener) {
  const std::string first[] = {"#CHALLENGE#" + std::string(19, 'r'),
                               "#CHALLENGE#" + std::string(40, 'r'),
                               "#CHALLENGE#{sha1}" + std::string(40, 'r'),
                               "#CHALLENGE#{md5}" + std::string(3, 'r'),
                               "#CHALLENGE#",
                               std::string(40, 'r'),
                               "",
                               std::string(257, 'r')};
  for (const auto& frame : first) {
    Begin(Handshake::Role::kClient);
    Put(frame);
    EXPECT_EQ(Go(), kRefused) << frame;
    End();
  }
  for (const std::string& mine : {std::string(20, 'r'), "{md5}" + std::string(40, 'r')}) {
    Begin(Handshake::Role::kClient, true);
    Put("#CHALLENGE#" + mine);
    EXPECT_EQ(Go(), kRefused);
    End();
  }
  for (const char* verdict : {"#FAILURE#", "#WELCOME", "#WELCOME##", ""}) {
    Begin(Handshake::Role::kClient);
    Put("#CHALLENGE#{sha256}" + std::string(40, 'r'));
    Put(verdict);
    EXPECT_EQ(Go(), kRefused) << verdict;
    End();
  }
  Begin(Handshake::Role::kClient);
  wire_->Put("\0\0"s);
  wire_->peer.Reset();
  EXPECT_EQ(Go(), kRefused);
}

TEST(Address, IsReadAsItIsWritten) {
  for (const char* text : {"unix:/a/path:with", "unix:relative", "abstract:name", "tcp:127.0.0.1:0",
                           "tcp:host:65535", "tcp:[::1]:80", "tcp::80"}) {
    auto address = ParseAddress(text);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_EQ(TextOf(*address), text);
  }
  for (const char* text :
       {"", ":", "unix:", "unix", "abstract:", "tcp:", "tcp:host", "tcp:host:", "tcp:host:x", "tcp:host:1x",
        "tcp:host:65536", "tcp:host:-1", "tcp:::1:80", "tls:host:1"}) {
    EXPECT_EQ(ParseAddress(text).status().code(), MPROC_ERROR_INVALID_ARGUMENT) << text;
  }
}

}  // namespace
}  // namespace mproc::connection
