// SPDX-License-Identifier: MIT
#include "start/link.hh"

namespace mproc::start {
namespace {

constexpr int kMostMessages = 64;  // at once: other pools have their turn, too

// What an honest worker refuses to serve for; anything else is nonsense.
bool IsRefusal(int32_t status) {
  switch (status) {
    case MPROC_ERROR_BAD_MODULE:
    case MPROC_ERROR_BROKEN:
    case MPROC_ERROR_DESCRIPTOR_LIMIT:
    case MPROC_ERROR_NOT_SERVED:
    case MPROC_ERROR_OUT_OF_MEMORY:
    case MPROC_ERROR_PROTOCOL:
    case MPROC_ERROR_SYSTEM:
    case MPROC_ERROR_TABLE_MISMATCH:
    case MPROC_ERROR_TOO_LARGE:
    case MPROC_ERROR_UNSUPPORTED:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string ChildEvent::AfterErrors() const {
  size_t end = errors.find_last_not_of(" \n");
  return end == std::string::npos ? "" : "; the end of its standard error:\n" + errors.substr(0, end + 1);
}

void ChildLink::Open(int64_t limit) {
  runtime_->Post([self = shared_from_this(), limit] {
    if (!self->deliver_ || !self->socket_.valid()) return;  // it has ended already
    Status watched = self->poll_.Start(self->runtime_->loop(), self->socket_.get(), loop::kReadable,
                                       [link = self.get()](int) { link->OnReadable(); });
    Status timed = self->timer_.Init(self->runtime_->loop(), [link = self.get()] {
      link->StopListening();
      link->deliver_(link->Event(ChildEvent::Kind::kLate));
    });
    if (!watched.ok() || !timed.ok()) {
      ChildEvent event = self->Event(ChildEvent::Kind::kRefused);
      event.why = watched.ok() ? timed : watched;
      self->deliver_(std::move(event));
      return;
    }
    self->timer_.Start(limit);
  });
}

void ChildLink::Close() {
  runtime_->Post([self = shared_from_this()] {
    self->StopListening();
    self->errors_.Reset();
    self->deliver_ = nullptr;
  });
}

void ChildLink::StopListening() {
  timer_.Close();
  poll_.Close();
  socket_.Reset();
}

void ChildLink::OnStarted(uint64_t, pid_t pid) {
  if (!deliver_) return;
  ChildEvent event = Event(ChildEvent::Kind::kStarted);
  event.pid = pid;
  deliver_(std::move(event));
}

void ChildLink::OnStartFailed(uint64_t, const Status& why) {
  if (!deliver_) return;
  StopListening();
  ChildEvent event = Event(ChildEvent::Kind::kStartFailed);
  event.why = why;
  deliver_(std::move(event));
}

void ChildLink::OnExited(uint64_t, runtime::ChildExit exit) {
  if (!deliver_) return;
  if (socket_.valid()) OnReadable();  // its last words
  StopListening();
  ChildEvent event = Event(ChildEvent::Kind::kExited);
  event.exit = exit;
  deliver_(std::move(event));
}

void ChildLink::OnReadable() {
  platform::Message message;
  for (int i = 0; i < kMostMessages && socket_.valid(); i++) {
    switch (platform::ReceiveMessage(socket_.get(), false, &message)) {
      case platform::Receive::kNothing:
        return;
      case platform::Receive::kEnd:
        poll_.Close();  // the exit report follows
        return;
      case platform::Receive::kMessage: {
        auto head = ipc::HeadOf(message);
        if (!head) return Handle({static_cast<uint32_t>(ipc::MessageType::kSetup), 0, 0}, {});
        Handle(*head, ipc::BodyOf(message));
        break;
      }
    }
  }
}

void ChildLink::Handle(const ipc::MessageHead& head, ByteView body) {
  ChildEvent refused = Event(ChildEvent::Kind::kRefused);
  auto type = static_cast<ipc::MessageType>(head.type);
  if (type == ipc::MessageType::kRefused) {
    auto status = static_cast<int32_t>(head.number);
    refused.why = Status(IsRefusal(status) ? status : MPROC_ERROR_PROTOCOL, std::string(AsText(body)));
  } else if ((type == ipc::MessageType::kHello || type == ipc::MessageType::kHelloPart) &&
             hello_.Add(head, body)) {
    if (!hello_.complete()) return;
    auto table = task::Table::Decode(hello_.bytes());
    if (table.ok()) {
      StopListening();
      errors_.Reset();
      ChildEvent event = Event(ChildEvent::Kind::kHello);
      event.pid = static_cast<pid_t>(head.number);
      event.table = std::make_shared<const task::Table>(std::move(*table));
      deliver_(std::move(event));
      return;
    }
    refused.why = table.status();
  } else {
    refused.why = Status(MPROC_ERROR_PROTOCOL, "the worker sent garbage instead of its function table");
  }
  StopListening();
  deliver_(std::move(refused));
}

}  // namespace mproc::start
