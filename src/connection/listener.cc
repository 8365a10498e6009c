// SPDX-License-Identifier: MIT
//
// Handshakes run side by side, and each goes on only when something came for it, so who connects and says
// nothing keeps nobody waiting. Nor does a crowd that comes and goes: only a few are let in at once, and then
// those go on who are in. At most so many are under way. When all these places are taken, the one that
// has been silent for longest makes room, but only after a while that is enough for an honest client, or a
// crowd of silent ones would drive it out before it could answer.
#include "connection/listener.hh"

#include <algorithm>

#include "connection/address.hh"
#include "platform/digest.hh"
#include "platform/poll.hh"

namespace mproc::connection {
namespace {

constexpr size_t kPlaces = 128;
constexpr int kAtOnce = 16;
constexpr int64_t kSilence = 100'000'000;

bool GoesOn(const Status& status) {
  return status.code() == MPROC_ERROR_TIMED_OUT || status.code() == MPROC_ERROR_INTERRUPTED;
}

// UNSUPPORTED: without libcrypto nobody could prove anything.
Status CanProve(const Terms& terms) {
  return terms.key ? platform::Hmac("SHA256", terms.key->view(), {}).status() : Status();
}

}  // namespace

Listener::Listener(platform::GuardedFd socket, std::string address, std::string path, Terms terms)
    : socket_(std::move(socket)),
      address_(std::move(address)),
      path_(std::move(path)),
      file_(path_.empty() ? platform::FileMark() : platform::MarkOfFile(path_.c_str())),
      terms_(std::move(terms)) {}

Listener::~Listener() {
  if (!path_.empty() && platform::MarkOfFile(path_.c_str()) == file_) platform::RemoveFile(path_.c_str());
}

Result<std::shared_ptr<Listener>> Listener::Create(std::string_view address, int backlog, Terms terms) {
  if (Status guarded = platform::StartForkGuard(); !guarded.ok()) return guarded;
  auto where = ParseAddress(address);
  if (!where.ok()) return where.status();
  if (Status can = CanProve(terms); !can.ok()) return can;
  auto socket = platform::ListenAt(*where, backlog);
  if (!socket.ok()) return socket.status();
  if (where->kind == platform::StreamAddress::kTcp) where->port = platform::PortOf(socket->get());
  std::string path = where->kind == platform::StreamAddress::kPath ? where->name : std::string();
  return std::shared_ptr<Listener>(
      new Listener(std::move(*socket), TextOf(*where), std::move(path), std::move(terms)));
}

Result<std::shared_ptr<Connection>> Listener::Accept(const Deadline& deadline) {
  MyTurn mine(&turn_, deadline);
  if (!mine.status().ok()) return mine.status();
  for (;;) {
    bool full = false;
    auto found = GoOn();
    if (found.ok() && !*found) found = TakeNew(&full);
    if (!found.ok() || *found) return found;
    if (deadline.Passed()) return Status(MPROC_ERROR_TIMED_OUT);  // also if somebody is at the door each time
    if (Status waited = Wait(full, deadline); !waited.ok()) return waited;
  }
}

// Those who have connected, some at a time: the next one if there is no key; else they get their places, if
// there are any.
Result<std::shared_ptr<Connection>> Listener::TakeNew(bool* full) {
  for (int i = 0; i < kAtOnce; i++) {
    *full = terms_.key && pending_.size() >= kPlaces && !MakeRoom();
    if (*full) return std::shared_ptr<Connection>();
    auto socket = platform::AcceptStream(fd());
    if (!socket.ok()) return socket.status();
    if (!*socket) return std::shared_ptr<Connection>();
    auto connection = Connection::Adopt(std::move(**socket));
    if (!connection.ok()) continue;  // it has gone already
    if (!terms_.key) return connection;
    pending_.push_back({Handshake(std::move(*connection), terms_, Handshake::Role::kListener), NowNs(),
                        Deadline::After(limit_.load(std::memory_order_relaxed))});
    auto found = GoOnWith(std::prev(pending_.end()));
    if (!found.ok() || *found) return found;
  }
  return std::shared_ptr<Connection>();
}

bool Listener::MakeRoom() {
  auto silent = std::find_if(pending_.begin(), pending_.end(),
                             [](const Pending& p) { return p.handshake.AtItsBeginning(); });
  if (silent == pending_.end()) silent = pending_.begin();
  if (NowNs() - silent->since < kSilence) return false;
  pending_.erase(silent);
  refused_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

// Null: it takes longer, or has come to nothing.
Result<std::shared_ptr<Connection>> Listener::GoOnWith(std::list<Pending>::iterator p) {
  Status gone = p->handshake.Go(Deadline::After(0));
  if (GoesOn(gone) && !p->deadline.Passed()) return std::shared_ptr<Connection>();
  auto connection = p->handshake.connection();
  pending_.erase(p);
  if (gone.ok()) return connection;  // who is quick may have answered all of it meanwhile
  refused_.fetch_add(1, std::memory_order_relaxed);
  if (gone.code() == MPROC_ERROR_UNSUPPORTED) return gone;  // nobody will ever be accepted here
  return std::shared_ptr<Connection>();
}

Result<std::shared_ptr<Connection>> Listener::GoOn() {
  for (auto p = pending_.begin(); p != pending_.end();) {
    auto found = GoOnWith(p++);
    if (!found.ok() || *found) return found;
  }
  return std::shared_ptr<Connection>();
}

// OK: there may be something to do, or a limit has passed.
Status Listener::Wait(bool full, const Deadline& deadline) {
  std::vector<platform::Polled> polled;
  int64_t left = deadline.Remaining();
  if (!full) polled.push_back({fd()});
  if (full) left = std::min(left, kSilence / 4);
  for (const Pending& p : pending_) {
    polled.push_back({p.handshake.connection()->fd()});
    left = std::min(left, p.deadline.Remaining());
  }
  auto slept = platform::PollMany(polled, left);
  if (!slept.ok()) return slept.status();
  return *slept == platform::Slept::kInterrupted ? Status(MPROC_ERROR_INTERRUPTED) : Status();
}

Result<std::shared_ptr<Connection>> Connect(std::string_view address, Terms terms, const Deadline& deadline) {
  if (Status guarded = platform::StartForkGuard(); !guarded.ok()) return guarded;
  auto where = ParseAddress(address);
  if (!where.ok()) return where.status();
  if (Status can = CanProve(terms); !can.ok()) return can;
  auto socket = platform::ConnectTo(*where, deadline.Remaining());
  if (!socket.ok()) return socket.status();
  auto connection = Connection::Adopt(std::move(*socket));
  if (!connection.ok() || !terms.key) return connection;
  Handshake handshake(*connection, std::move(terms), Handshake::Role::kClient);
  if (Status proven = handshake.Go(deadline); !proven.ok()) return proven;
  return connection;
}

}  // namespace mproc::connection
