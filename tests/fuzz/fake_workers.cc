// SPDX-License-Identifier: MIT
#include "fake_workers.hh"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vector>

#include "input.hh"
#include "task/item_results.hh"

namespace mproc::fuzz {
namespace {

// Memory of one page, sealed as blocks have to be.
int SealedFile(bool sealed) {
  int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  REQUIRE(fd >= 0 && ftruncate(fd, 4096) == 0);
  if (sealed) REQUIRE(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0);
  return fd;
}

void OnLog(int32_t, const char* text, size_t size, uint64_t, uint32_t, int64_t, void*) {
  REQUIRE(text[size] == 0);
}

}  // namespace

std::shared_ptr<pool::Pool> MakePool() {
  // What is posted to an engine that never started is dropped, and its launcher has no children to signal.
  static auto* const runtime = new std::shared_ptr<runtime::Runtime>(new runtime::Runtime);
  pool::Options options;
  options.workers = 2;
  options.terminate_grace = 0;
  options.callbacks = MPROC_CALLBACKS_DISPATCH;
  options.log.callback = OnLog;
  std::shared_ptr<pool::Pool> pool(new pool::Pool(options));
  pool->core_.log.Open(pool.get(), options.log);
  pool->self_ = pool;
  pool->core_.runtime = *runtime;
  pool->core_.children = &(*runtime)->launcher();
  pool->core_.leader_bell = platform::GuardedFd(std::move(*platform::MakeEventFd()));
  pool->core_.engine_bell = platform::GuardedFd(std::move(*platform::MakeEventFd()));
  pool->core_.size = options.workers;
  for (int place = 0; place < options.workers; place++) pool->core_.workers.Add();
  pool->engine_ = std::make_shared<pool::EngineSide>(*runtime);
  pool->supervisor_.drain_ = &pool->drain_;
  pool->supervisor_.engine_ = pool->engine_;
  pool->supervisor_.restart_due_ = true;  // it starts none by itself
  return pool;
}

FakeWorkers::FakeWorkers(std::shared_ptr<pool::Pool> pool) : pool_(std::move(pool)) {
  Start(1);
  Start(0);
}

void FakeWorkers::Start(size_t place) {
  pool::WorkerSlot& worker = slot(place);
  auto ends = platform::MakeSocketPair();
  auto channel = ipc::HostChannel::Create(MPROC_POLLING_OFF);
  REQUIRE(ends.ok() && channel.ok());
  worker.Clear();
  worker.SetChannel(std::move(*channel), nullptr);
  worker.socket = platform::GuardedFd(std::move(ends->first));
  worker.number = next_number_++;
  worker.name = "fake";
  worker.state = pool::WorkerState::kReady;
  worker.serving = true;
  worker.seat = pool::Seat::kTaken;
  auto attached = ipc::WorkerChannel::Attach(std::move(*platform::DuplicateFd(worker.channel->memory_fd())),
                                             platform::UniqueFd(), platform::UniqueFd());
  REQUIRE(attached.ok());
  ends_[place].socket = std::move(ends->second);
  ends_[place].channel = std::make_unique<ipc::WorkerChannel>(std::move(*attached));
  ends_[place].blocks = ipc::BlockReader(false);
  std::lock_guard lock(pool_->core_.mutex);
  pool_->dispatcher_.WorkerReady(&worker);
}

void FakeWorkers::ReportExit(size_t place, runtime::ChildExit exit) {
  ends_[place].socket.Reset();
  pool::WorkerEvent event;
  event.kind = pool::WorkerEvent::Kind::kExited;
  event.place = static_cast<int>(place);
  event.number = slot(place).number;
  event.exit = exit;
  pool_->supervisor_.Deliver(std::move(event));
  REQUIRE(slot(place).state == pool::WorkerState::kNone);
  pool_->supervisor_.restart_due_ = true;
}

void FakeWorkers::End() {
  ReportExit(0, {true, 0, 9});
  ReportExit(1, {true, 0, 0});
  REQUIRE(pool_->Dispatch(SIZE_MAX, nullptr).ok());
  pool_.reset();
}

void FakeWorkers::Die(int how) {
  ReportExit(0, {how != -1, how > 0 ? 0 : 1, how > 0 ? how % 32 : 0});
  Start(0);
}

void FakeWorkers::WriteBytes(size_t offset, ByteView bytes) {
  auto* to = reinterpret_cast<std::byte*>(&memory());
  for (std::byte byte : bytes) to[offset++ % sizeof(ipc::ChannelMemory)] = byte;
}

void FakeWorkers::WriteResult(const FalseResult& result, ByteView bytes) {
  uint64_t position = slot(0).channel->result_position_ + static_cast<uint64_t>(int64_t{result.turn});
  ipc::ResultSlot& to = memory().results[position % ipc::kSlots];
  to.task = slot(0).channel->head() - 1 + static_cast<uint64_t>(int64_t{result.task});
  to.size = result.size;
  to.offset = result.offset;
  to.block = result.block;
  to.status = result.status;
  to.elapsed = 100;
  to.lent = result.lent;
  if (!bytes.empty()) std::memcpy(to.data, bytes.data(), bytes.size());
  to.turn.store(ipc::TurnOf(position, static_cast<ipc::Turn>(result.state % 4)));
}

void FakeWorkers::Passed(uint64_t position) {
  // Small numbers are counted from what would be true.
  memory().passed.store(position < 256 ? slot(0).tail + position : position);
}

void FakeWorkers::ClaimAll() {
  ipc::TaskView task;
  for (uint32_t i = 0; i < ipc::kSlots && ends_[0].channel->Claim(&task); i++) {
  }
}

void FakeWorkers::Say(uint8_t files, ByteView bytes) {
  if (!ends_[0].socket.valid()) return;
  std::vector<int> fds;
  if (files & 1) fds.push_back(SealedFile(true));
  if (files & 2) fds.push_back(SealedFile(false));
  if (files & 4) fds.push_back(dup(2));
  Status sent = platform::SendMessage(ends_[0].socket.get(), bytes, fds, false);
  (void)sent;  // a full socket is a worker's own trouble
  for (int fd : fds) close(fd);
}

void FakeWorkers::Shut() { ends_[0].socket.Reset(); }

void FakeWorkers::Serve(size_t most) {
  ipc::TaskView task;
  while (most-- > 0 && ends_[1].channel->Claim(&task)) Answer(task);
}

void FakeWorkers::Answer(const ipc::TaskView& task) {
  Ends& self = ends_[1];
  const std::byte* at = task.data;
  if (task.block) {
    platform::Message message;
    while (platform::ReceiveMessage(self.socket.get(), false, &message) == platform::Receive::kMessage) {
      auto head = ipc::HeadOf(message);
      REQUIRE(head && self.blocks.Take(*head, &message).ok());
    }
    at = self.blocks.Find(task.block, task.offset, task.size);
  }
  REQUIRE(at);
  ByteView payload(at, task.size);
  std::vector<std::byte> value(payload.begin(), payload.end());
  if (task.frame.kind == static_cast<uint32_t>(task::Kind::kItems)) {
    task::ItemReader reader;
    task::ItemResultsWriter writer;
    ByteView item;
    REQUIRE(reader.Open(payload));
    while (reader.Next(&item)) {
      if (!item.empty()) std::memcpy(writer.Room(item.size()), item.data(), item.size());
      writer.Add(item.size());
    }
    value.resize(writer.size());
    writer.Write(value.data());
  } else if (task.frame.kind == static_cast<uint32_t>(task::Kind::kArray)) {
    task::ChunkHead head;
    std::memcpy(&head, payload.data(), sizeof head);
    task::ChunkResultHead result{head.count, 0};
    value.resize(sizeof result);
    std::memcpy(value.data(), &result, sizeof result);
    value.insert(value.end(), payload.begin() + sizeof head, payload.end());
  }
  auto place = self.channel->Reserve(self.socket.get(), value.size(), ipc::WorkerChannel::Fate::kLent);
  REQUIRE(place.ok());
  if (!value.empty()) std::memcpy(*place, value.data(), value.size());
  self.channel->Publish(task.position, static_cast<uint32_t>(task::Answer::kValue), value.size(), 100);
}

}  // namespace mproc::fuzz
