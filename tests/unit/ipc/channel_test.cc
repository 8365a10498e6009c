// SPDX-License-Identifier: MIT
// Both ends of a channel in one process.
#include "ipc/channel.hh"
#include "support/fill.hh"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>

#include "base/clock.hh"

namespace mproc::ipc {
namespace {

bool Rung(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return poll(&entry, 1, 0) == 1;
}

class Channel : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }

  void Open() {
    auto made = HostChannel::Create(0);
    ASSERT_TRUE(made.ok());
    host = std::make_unique<HostChannel>(std::move(*made));
    auto ends = platform::MakeSocketPair();
    ASSERT_TRUE(ends.ok());
    host_socket = std::move(ends->first);
    worker_socket = std::move(ends->second);
    leader_bell = std::move(*platform::MakeEventFd());
    engine_bell = std::move(*platform::MakeEventFd());
    auto attached = WorkerChannel::Attach(std::move(*platform::DuplicateFd(host->memory_fd())),
                                          std::move(*platform::DuplicateFd(leader_bell.get())),
                                          std::move(*platform::DuplicateFd(engine_bell.get())));
    ASSERT_TRUE(attached.ok());
    worker = std::make_unique<WorkerChannel>(std::move(*attached));
  }

  uint64_t Publish(uint64_t id, const std::string& payload) {
    ByteView piece = AsBytes(payload);
    auto position = ::test::FillAndPublish(*host, host_socket.get(), {id, 7, 1, 3}, {&piece, 1});
    EXPECT_TRUE(position.ok());
    return position.ok() ? *position : UINT64_MAX;
  }
  void Answer(const TaskView& task, const std::string& value, uint32_t status = 0) {
    auto place = worker->Reserve(worker_socket.get(), value.size(), WorkerChannel::Fate::kLent);
    ASSERT_TRUE(place.ok());
    std::memcpy(*place, value.data(), value.size());
    worker->Publish(task.position, status, value.size(), 55);
  }
  std::string TakeResult(uint64_t* task = nullptr) {
    ResultFrame frame;
    if (!host->PeekResult(&frame)) return "nothing";
    if (task) *task = frame.task;
    if (frame.block) {
      Pump(&results, host_socket.get());
      const std::byte* at = results.Find(frame.block, frame.offset, frame.size);
      EXPECT_TRUE(at);
      if (!at) return "no block";
      frame.data = at;
    }
    std::string value(AsText(ByteView(frame.data, frame.size)));
    if (frame.lent) host->ReturnBlock(frame.block);
    host->ConsumeResult();
    host->PublishConsumed();
    return value;
  }
  std::string PayloadOf(const TaskView& task) {
    const std::byte* at = task.data;
    if (task.block) {
      Pump(&tasks, worker_socket.get());
      at = tasks.Find(task.block, task.offset, task.size);
      EXPECT_TRUE(at);
      if (!at) return "no block";
    }
    return std::string(AsText(ByteView(at, task.size)));
  }
  static void Pump(BlockReader* reader, int socket) {
    platform::Message message;
    while (platform::ReceiveMessage(socket, false, &message) == platform::Receive::kMessage) {
      auto head = HeadOf(message);
      ASSERT_TRUE(head);
      Status taken = reader->Take(*head, &message);
      EXPECT_TRUE(taken.ok()) << taken.message();
    }
  }

  std::unique_ptr<HostChannel> host;
  std::unique_ptr<WorkerChannel> worker;
  platform::UniqueFd host_socket, worker_socket, leader_bell, engine_bell;
  BlockReader tasks{false}, results{true};
};

TEST_F(Channel, CarriesATaskAndItsResult) {
  TaskView task;
  EXPECT_FALSE(worker->HasTask());
  EXPECT_FALSE(worker->Claim(&task));
  EXPECT_EQ(Publish(1001, "payload"), 0U);
  EXPECT_TRUE(host->IsQueued(0));
  EXPECT_TRUE(worker->HasTask());
  ASSERT_TRUE(worker->Claim(&task));
  EXPECT_FALSE(host->IsQueued(0));
  EXPECT_EQ(task.frame.task_id, 1001U);
  EXPECT_EQ(task.frame.function, 7U);
  EXPECT_EQ(task.frame.kind, 1U);
  EXPECT_EQ(task.frame.index, 3U);
  EXPECT_EQ(PayloadOf(task), "payload");
  EXPECT_FALSE(host->HasResult());
  Answer(task, "value", 1);
  ResultFrame frame;
  ASSERT_TRUE(host->PeekResult(&frame));
  EXPECT_EQ(frame.task, 0U);
  EXPECT_EQ(frame.status, 1U);
  EXPECT_EQ(frame.elapsed, 55U);
  EXPECT_EQ(frame.block, 0U);
  EXPECT_EQ(TakeResult(), "value");
  EXPECT_FALSE(host->HasResult());
}

TEST_F(Channel, JoinsThePiecesOfAPayload) {
  ByteView pieces[] = {AsBytes("one"), ByteView(), AsBytes("-and-"), AsBytes("two")};
  ASSERT_TRUE(::test::FillAndPublish(*host, host_socket.get(), {}, pieces).ok());
  std::string large(5000, 'x');
  ByteView more[] = {AsBytes("head"), AsBytes(large)};
  ASSERT_TRUE(::test::FillAndPublish(*host, host_socket.get(), {}, more).ok());
  TaskView task;
  ASSERT_TRUE(worker->Claim(&task));
  EXPECT_EQ(PayloadOf(task), "one-and-two");
  ASSERT_TRUE(worker->Claim(&task));
  EXPECT_EQ(PayloadOf(task), "head" + large);
}

TEST_F(Channel, TakesBackWhatNobodyHasClaimed) {
  for (uint64_t id = 0; id < 4; id++) Publish(id, "p");
  TaskView task;
  ASSERT_TRUE(worker->Claim(&task));
  EXPECT_FALSE(host->TakeBack(0));
  EXPECT_TRUE(host->TakeBack(1));
  EXPECT_FALSE(host->TakeBack(1));
  EXPECT_TRUE(host->TakeBack(2));
  EXPECT_FALSE(host->TakeBack(1000));
  ASSERT_TRUE(worker->Claim(&task));
  EXPECT_EQ(task.frame.task_id, 3U);
  EXPECT_FALSE(worker->Claim(&task));
}

TEST_F(Channel, TellsThatItPassedWhatWasTaken) {
  EXPECT_EQ(host->ClaimedPassed(), 0U);
  for (uint64_t id = 0; id < 3; id++) Publish(id, "p");
  for (uint64_t position = 0; position < 3; position++) EXPECT_TRUE(host->TakeBack(position));
  TaskView task;
  EXPECT_TRUE(worker->HasTask());  // something to pass
  EXPECT_FALSE(worker->Claim(&task));
  EXPECT_EQ(host->ClaimedPassed(), 3U);
  EXPECT_FALSE(worker->HasTask());
  // The next position is an ordinary one.
  Publish(9, "q");
  ASSERT_TRUE(worker->Claim(&task));
  EXPECT_EQ(task.frame.task_id, 9U);
}

TEST_F(Channel, GoesRoundAndRound) {
  TaskView task;
  uint64_t position = 0;
  for (uint64_t lap = 0; lap < 40; lap++) {
    uint32_t part = lap % 3 == 0 ? kSlots : 1 + static_cast<uint32_t>(lap * 37 % kSlots);
    for (uint32_t i = 0; i < part; i++) {
      EXPECT_EQ(host->Room(position), kSlots - i);
      ASSERT_EQ(Publish(position + i, std::to_string(position + i)), position + i);
    }
    for (uint32_t i = 0; i < part; i++) {
      ASSERT_TRUE(worker->Claim(&task));
      ASSERT_EQ(PayloadOf(task), std::to_string(position + i));
      Answer(task, "=" + std::to_string(position + i));
    }
    ASSERT_FALSE(worker->Claim(&task));
    for (uint32_t i = 0; i < part; i++) {
      uint64_t of = 0;
      ASSERT_EQ(TakeResult(&of), "=" + std::to_string(position + i));
      ASSERT_EQ(of, position + i);
    }
    position += part;
  }
}

TEST_F(Channel, RingsWhomItIsTold) {
  TaskView task;
  auto run = [&](HostBell bell, bool dry) {
    Publish(1, "");
    ASSERT_TRUE(worker->Claim(&task));
    host->Arm(bell);
    Answer(task, "");
    worker->RingHost(dry);
    EXPECT_EQ(TakeResult(), "");
  };
  run(kNobody, true);
  EXPECT_FALSE(Rung(leader_bell.get()) || Rung(engine_bell.get()));
  run(kRingLeader, false);
  EXPECT_TRUE(Rung(leader_bell.get()));
  EXPECT_FALSE(Rung(engine_bell.get()));
  platform::ClearEventFd(leader_bell.get());
  EXPECT_EQ(host->ArmedBell(), kNobody);
  run(kRingEngineWhenDry, false);
  EXPECT_FALSE(Rung(engine_bell.get()));
  EXPECT_EQ(host->ArmedBell(), kRingEngineWhenDry);
  worker->RingHost(true);
  EXPECT_TRUE(Rung(engine_bell.get()));
  platform::ClearEventFd(engine_bell.get());
  run(kRingEngine, false);
  EXPECT_TRUE(Rung(engine_bell.get()));
  platform::ClearEventFd(engine_bell.get());
  // Nothing new, nobody is rung.
  host->Arm(kRingEngine);
  worker->RingHost(true);
  EXPECT_FALSE(Rung(engine_bell.get()));
}

TEST_F(Channel, AnnouncesABegin) {
  ByteView nothing;
  for (bool announced : {false, true}) {
    auto filled = ::test::FillAndPublish(*host, host_socket.get(), {9, 7, 1, 3, 0, announced}, {&nothing, 1});
    ASSERT_TRUE(filled.ok());
    TaskView task;
    ASSERT_TRUE(worker->Claim(&task));
    EXPECT_EQ(task.frame.announced, announced);
    EXPECT_EQ(task.frame.kind, 1U);
    EXPECT_EQ(host->Announced(), 0U);
  }
  host->Arm(kRingEngineWhenDry);
  worker->Announce(1);
  EXPECT_EQ(host->Announced(), 2U);
  EXPECT_TRUE(Rung(engine_bell.get()));
}

TEST_F(Channel, BelievesNoInitializerThatTookTooLong) {
  EXPECT_EQ(host->InitializerTime(1000), 0);
  for (auto [told, believed] : {std::pair(999, 999), {1001, 1000}, {-1, 0}}) {
    worker->TellInitializerTime(told);
    EXPECT_EQ(host->InitializerTime(1000), believed);
  }
}

TEST_F(Channel, SleepsNotWhileThereIsSomething) {
  Publish(1, "x");
  int64_t began = NowNs();
  worker->Sleep(5'000'000'000);
  EXPECT_LT(NowNs() - began, 2'000'000'000);
  TaskView task;
  ASSERT_TRUE(worker->Claim(&task));
  host->SetOrder(kFinish);
  worker->Sleep(5'000'000'000);
  EXPECT_LT(NowNs() - began, 2'000'000'000);
  EXPECT_EQ(worker->order(), kFinish);
}

TEST_F(Channel, IsWokenByATask) {
  std::atomic<bool> awake{false};
  std::thread sleeper([&] {
    while (!worker->HasTask()) worker->Sleep(10'000'000'000);
    awake = true;
  });
  int64_t began = NowNs();
  while (NowNs() - began < 20'000'000) std::this_thread::yield();
  EXPECT_FALSE(awake);
  Publish(1, "x");
  host->WakeWorker();
  sleeper.join();
  EXPECT_LT(NowNs() - began, 5'000'000'000);
}

TEST_F(Channel, CarriesResultsOfAllSizes) {
  TaskView task;
  std::mt19937 random(1);
  for (int i = 0; i < 300; i++) {
    size_t size = i % 5 == 0 ? random() % 300000 : random() % 200;
    std::string value(size, static_cast<char>('a' + i % 26));
    Publish(static_cast<uint64_t>(i), value);
    ASSERT_TRUE(worker->Claim(&task));
    ASSERT_EQ(PayloadOf(task), value);
    Answer(task, value);
    ASSERT_EQ(TakeResult(), value);
    host->ReleaseBelow(host_socket.get(), task.position + 1);
    if (i % 50 == 49) worker->Trim(worker_socket.get());
  }
}

TEST_F(Channel, WhatTheOtherSideLostIsNotUsedAgain) {
  auto round_trip = [&](uint64_t id) {
    const std::string text(200, 'b');
    Publish(id, text);
    TaskView task;
    EXPECT_TRUE(worker->Claim(&task));
    EXPECT_EQ(PayloadOf(task), text);
    Answer(task, text);
    ResultFrame frame;
    EXPECT_TRUE(host->PeekResult(&frame));
    EXPECT_EQ(TakeResult(), text);
    host->ReleaseBelow(host_socket.get(), task.position + 1);
    return std::pair(task.block, frame.block);
  };
  auto first = round_trip(1);
  EXPECT_EQ(round_trip(2), first);
  worker->TellLost();
  auto second = round_trip(3);
  EXPECT_NE(second.first, first.first);
  EXPECT_EQ(second.second, first.second);
  host->TellLost();
  auto third = round_trip(4);
  EXPECT_EQ(third.first, second.first);
  EXPECT_NE(third.second, second.second);
}

TEST_F(Channel, ForgetsWhatWasReserved) {
  Publish(1, "");
  TaskView task;
  ASSERT_TRUE(worker->Claim(&task));
  ASSERT_TRUE(worker->Reserve(worker_socket.get(), 100000, WorkerChannel::Fate::kLent).ok());
  ASSERT_TRUE(worker->Reserve(worker_socket.get(), 200000, WorkerChannel::Fate::kLent).ok());
  ASSERT_TRUE(worker->Reserve(worker_socket.get(), 5, WorkerChannel::Fate::kLent).ok());
  Answer(task, "small");
  ResultFrame frame;
  ASSERT_TRUE(host->PeekResult(&frame));
  EXPECT_EQ(frame.block, 0U);
  EXPECT_EQ(TakeResult(), "small");
}

// What the host copies at once is never lent, whatever its size, and shares the arena longer.
TEST_F(Channel, LendsOnlyWhatIsToBeLent) {
  using Fate = WorkerChannel::Fate;
  struct {
    size_t size;
    Fate fate;
    bool lent, same_block;
  } cases[] = {
      {40000, Fate::kCopied, false, false},  {40000, Fate::kCopied, false, true},
      {20000, Fate::kLent, false, true},     {40000, Fate::kLent, true, false},
      {200000, Fate::kCopied, false, false},
  };
  uint32_t last = 0;
  for (const auto& one : cases) {
    Publish(1, "");
    TaskView task;
    ASSERT_TRUE(worker->Claim(&task));
    ASSERT_TRUE(worker->Reserve(worker_socket.get(), one.size, one.fate).ok());
    worker->Publish(task.position, 0, one.size, 1);
    ResultFrame frame;
    ASSERT_TRUE(host->PeekResult(&frame));
    EXPECT_EQ(frame.lent, one.lent) << one.size;
    EXPECT_EQ(frame.block == last, one.same_block) << one.size;
    last = frame.block;
    EXPECT_EQ(TakeResult().size(), one.size);
  }
}

TEST_F(Channel, RefusesMemoryThatIsNoChannel) {
  auto attach = [&](platform::SharedMemory memory) {
    return WorkerChannel::Attach(std::move(*platform::DuplicateFd(memory.fd())), platform::UniqueFd(),
                                 platform::UniqueFd());
  };
  auto empty =
      platform::SharedMemory::Create("test", sizeof(ChannelMemory), platform::SharedMemory::Peer::kWrites);
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(attach(std::move(*empty)).status().code(), MPROC_ERROR_TABLE_MISMATCH);
  for (int field = 0; field < 3; field++) {
    auto memory =
        platform::SharedMemory::Create("test", sizeof(ChannelMemory), platform::SharedMemory::Peer::kWrites);
    auto* channel = reinterpret_cast<ChannelMemory*>(memory->data());
    channel->magic = kMagic + (field == 0);
    channel->version = kLayoutVersion + (field == 1);
    channel->slots = kSlots * (field == 2 ? 2 : 1);
    EXPECT_EQ(attach(std::move(*memory)).status().code(), MPROC_ERROR_TABLE_MISMATCH);
  }
}

// Host and worker in threads of their own; some tasks are taken back, both sides sleep and wake.
TEST_F(Channel, LosesNothingBetweenTwoThreads) {
  constexpr uint64_t kTasks = 100000;
  std::atomic<uint64_t> run{0};
  std::thread working([&] {
    TaskView task;
    uint64_t bad = 0;
    for (;;) {
      while (worker->Claim(&task)) {
        uint64_t number = 0;
        if (task.size == sizeof number) std::memcpy(&number, task.data, sizeof number);
        bad += number != task.frame.task_id * 3;
        number = task.frame.task_id * 5;
        auto place = worker->Reserve(worker_socket.get(), sizeof number, WorkerChannel::Fate::kLent);
        std::memcpy(*place, &number, sizeof number);
        worker->Publish(task.position, 0, sizeof number, 1);
        run.fetch_add(1);
        worker->RingHost(!worker->HasTask());
      }
      if (worker->order() == kFinish && !worker->HasTask()) break;
      worker->RingHost(true);
      worker->Sleep(50'000'000);
    }
    EXPECT_EQ(bad, 0U);
  });
  std::vector<uint64_t> id_at(kSlots);
  std::vector<uint8_t> ended(kTasks);
  uint64_t next = 0, done = 0, tail = 0, taken = 0, bad = 0;
  std::vector<uint64_t> again;
  std::mt19937 random(4);
  auto drain = [&] {
    bool any = false;
    ResultFrame frame;
    while (host->PeekResult(&frame)) {
      uint64_t number = 0, id = id_at[frame.task % kSlots];
      std::memcpy(&number, frame.data, sizeof number);
      bad += number != id * 5 || frame.task < tail || ended[id];
      ended[id] = 1;
      tail = frame.task + 1;
      done++;
      host->ConsumeResult();
      any = true;
    }
    if (host->ClaimedPassed() > tail) tail = host->ClaimedPassed(), any = true;
    if (any) host->PublishConsumed();
    return any;
  };
  while (done < kTasks && bad == 0) {
    while (host->Room(tail) > 0 && (next < kTasks || !again.empty())) {
      uint64_t id = next;
      if (again.empty()) {
        next++;
      } else {
        id = again.back();
        again.pop_back();
      }
      uint64_t number = id * 3;
      ByteView piece = AsBytes(&number, sizeof number);
      id_at[host->head() % kSlots] = id;
      auto position = ::test::FillAndPublish(*host, host_socket.get(), {id, 0, 0, 0}, {&piece, 1});
      ASSERT_TRUE(position.ok());
      host->WakeWorker();
      if (random() % 16 == 0) {
        uint64_t which = *position - random() % std::min<uint64_t>(4, *position - tail + 1);
        if (host->TakeBack(which)) {
          again.push_back(id_at[which % kSlots]);
          taken++;
        }
      }
      if (random() % 8 == 0) break;
    }
    if (drain()) continue;
    host->Arm(kRingLeader);
    if (drain()) continue;
    pollfd bell{leader_bell.get(), POLLIN, 0};
    // Room may also come from passed tasks, which ring nobody: not for ever.
    if (poll(&bell, 1, 20) == 1) platform::ClearEventFd(leader_bell.get());
  }
  host->SetOrder(kFinish);
  working.join();
  EXPECT_EQ(bad, 0U);
  EXPECT_EQ(done, kTasks);
  EXPECT_EQ(run.load(), kTasks);
  EXPECT_GT(taken, 0U);
}

}  // namespace
}  // namespace mproc::ipc
