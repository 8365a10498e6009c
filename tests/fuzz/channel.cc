// SPDX-License-Identifier: MIT
// A pool whose worker is the input: it writes what it likes into its channel and its socket, while the host
// submits, looks, asks and cancels. A second worker is honest. Whatever the first one writes, every task ends
// once, and what the honest worker was given ends with its value. No process is started: the pool is put
// together here, its engine never runs, and everything happens on this thread, in the order of the input.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "fake_workers.hh"
#include "input.hh"
#include "platform/memory_file.hh"
#include "pool/completion.hh"
#include "pool/imap.hh"
#include "pool/pool.hh"

namespace mproc::fuzz {
namespace {

constexpr size_t kMostTasks = 64;
constexpr int kMostSteps = 200;
constexpr char kItem[16] = "0123456789abcde";  // items of maps are its first bytes

// What the host has submitted, and the memory that lasts until it has ended.
struct Job {
  pool::Future* future = nullptr;
  std::string text;                          // of a task
  std::shared_ptr<pool::SharedBlock> block;  // of another one
  std::vector<uint64_t> in;                  // of a map of an array
  std::vector<uint64_t> out;                 // with a word on both sides that nobody may touch
  std::unique_ptr<pool::Imap> lazy;          // instead of a future
  std::vector<size_t> sizes;                 // of its items
  size_t pulled = 0;
  std::vector<bool> told;
  bool tells = false;  // that it begins
  bool ran = false;    // certainly
  int begun = 0;       // times that it was told
};

void OnStarted(mproc_future_t*, int32_t, uint32_t, void* job) { static_cast<Job*>(job)->begun++; }
pool::Callbacks TellBegin(Job* job, bool tells) {
  pool::Callbacks callbacks;
  job->tells = tells;
  if (tells) callbacks.started = OnStarted;
  callbacks.started_data = job;
  return callbacks;
}

class Host {
 public:
  Host() : workers_(pool_) {}
  ~Host() {
    workers_.End();
    pool_->Refresh();
    pool_->Destroy();
    std::weak_ptr<pool::Pool> gone = pool_;
    pool_.reset();
    REQUIRE(gone.expired());
    for (const auto& job : jobs_) REQUIRE(job->begun <= 1 && (job->begun == 1 || !job->tells || !job->ran));
  }

  void Step(Input* input);
  // Lets the honest worker do what is left, and checks how everything has ended.
  void Finish();

 private:
  void SubmitText(size_t size);
  void SubmitBlock(Input* input);
  void SubmitMap(Input* input);
  void StartLazy(std::vector<size_t> sizes, uint64_t chunk, int how);
  // Reads what is there. True if that was all.
  bool Read(Job* job);
  bool ReadAll() {
    bool all = true;
    for (const auto& job : jobs_) all &= Read(job.get());
    return all;
  }
  void Cancel(size_t which) {
    if (jobs_.empty()) return;
    Job& job = *jobs_[which % jobs_.size()];
    if (job.future) REQUIRE(pool_->Cancel(job.future).code() != MPROC_ERROR_BROKEN);
    if (job.lazy) job.lazy->Abandon();
    job.lazy.reset();
  }
  void Check(Job* job);

  std::shared_ptr<pool::Pool> pool_ = MakePool();
  FakeWorkers workers_;
  std::vector<std::unique_ptr<Job>> jobs_;
};

void Host::SubmitText(size_t size) {
  if (jobs_.size() >= kMostTasks) return;
  auto job = std::make_unique<Job>();
  job->text.assign(size, static_cast<char>('a' + jobs_.size() % 26));
  pool::Callbacks callbacks = TellBegin(job.get(), size % 2);
  REQUIRE(pool_->Submit(1, {AsBytes(job->text)}, Deadline::After(0), callbacks, &job->future).ok());
  jobs_.push_back(std::move(job));
}

void Host::SubmitBlock(Input* input) {
  if (jobs_.size() >= kMostTasks) return;
  auto job = std::make_unique<Job>();
  auto made = pool::SharedBlock::Create(8192);
  REQUIRE(made.ok() && (*made)->Begin());
  job->block = std::move(*made);
  job->text.assign(input->Take<uint16_t>() % 4096, 'b');
  size_t offset = input->Take<uint16_t>() % 4096;
  std::memcpy(job->block->data() + offset, job->text.data(), job->text.size());
  ByteView bytes(job->block->data() + offset, job->text.size());
  auto use = std::make_unique<pool::BlockUse>(job->block);
  REQUIRE(pool_->Submit(1, {bytes, true, std::move(use)}, Deadline::After(0), {}, &job->future).ok());
  jobs_.push_back(std::move(job));
}

void Host::SubmitMap(Input* input) {
  if (jobs_.size() >= kMostTasks) return;
  auto job = std::make_unique<Job>();
  pool::MapInput map;
  map.count = input->Take<uint8_t>() % 16;
  map.chunk = input->Take<uint8_t>() % 5 + 1;
  auto how = input->Take<uint8_t>();
  map.keep_going = how & 1;
  map.is_array = how & 2;
  std::vector<const void*> items(map.count, kItem);
  std::vector<size_t> sizes(map.count, 8);
  if ((how & 12) == 12) {
    for (size_t i = 0; i < sizes.size(); i++) sizes[i] = i % 16;
  }
  if (how & 8) return StartLazy(std::move(sizes), map.chunk, how);
  if (map.is_array) {
    job->in.assign(map.count, 0x1111);
    job->out.assign(map.count + 2, 0x2222);
    map.input = reinterpret_cast<const std::byte*>(job->in.data());
    map.output = reinterpret_cast<std::byte*>(job->out.data() + 1);
    map.input_stride = map.output_stride = sizeof(uint64_t);
  } else {
    if (how & 4) {
      for (size_t i = 0; i < sizes.size(); i++) sizes[i] = i % 16;
    }
    map.items = items.data();
    map.sizes = sizes.data();
  }
  REQUIRE(pool_->Map(1, map, TellBegin(job.get(), map.count > 0), &job->future).ok());
  jobs_.push_back(std::move(job));
}

void Host::StartLazy(std::vector<size_t> sizes, uint64_t chunk, int how) {
  auto job = std::make_unique<Job>();
  job->sizes = std::move(sizes);
  job->told.resize(job->sizes.size());
  pool::ImapInput input{1, chunk, 6, 0, (how & 2) != 0, (how & 1) != 0};
  job->lazy = std::make_unique<pool::Imap>(pool_, input, [of = job.get()](ByteView* item) {
    if (of->pulled == of->sizes.size()) return 0;
    *item = AsBytes(kItem, of->sizes[of->pulled++]);
    return 1;
  });
  {
    pool::Imap::Turn turn(*job->lazy);
    job->lazy->Fill();
  }
  jobs_.push_back(std::move(job));
}

bool Host::Read(Job* job) {
  if (!job->lazy) return true;
  pool::Imap::Turn turn(*job->lazy);
  pool::ImapItem item;
  for (;;) {
    Status got = job->lazy->Next(Deadline::After(0), &item);
    if (got.code() == MPROC_ERROR_TIMED_OUT) return false;
    if (got.code() == MPROC_ERROR_END) return true;
    REQUIRE(got.ok() && item.index < job->pulled && !job->told[item.index]);
    job->told[item.index] = true;
    const pool::Future* task = job->lazy->told_task();
    if (item.outcome != MPROC_OUTCOME_VALUE) {
      REQUIRE(item.error && (!item.error->error.message.empty() || item.outcome == MPROC_OUTCOME_ERROR));
    } else if (task->worker_number == kHonest) {
      REQUIRE(AsText(item.value) == AsText(AsBytes(kItem, job->sizes[item.index])));
    } else {
      size_t bits = 0;
      for (std::byte byte : item.value) bits |= static_cast<size_t>(byte);
      REQUIRE(bits < 256);
    }
  }
}

void Host::Step(Input* input) {
  switch (input->Take<uint8_t>() % 15) {
    case 0: {
      auto at = input->Take<uint32_t>();
      workers_.WriteBytes(at, input->TakeBytes(input->Take<uint8_t>()));
      break;
    }
    case 1: {
      auto result = input->Take<FalseResult>();
      workers_.WriteResult(result, input->TakeBytes(result.bytes % (ipc::kInlineBytes + 1)));
      break;
    }
    case 2: {
      auto file = input->Take<uint8_t>();
      workers_.Say(file, input->TakeBytes(input->Take<uint8_t>() % 64));
      break;
    }
    case 3:
      SubmitText(input->Take<uint8_t>());
      break;
    case 4:
      SubmitMap(input);
      break;
    case 5:
      Cancel(input->Take<uint8_t>());
      break;
    case 6:
      workers_.Serve(input->Take<uint8_t>() % 8);
      break;
    case 7:
      REQUIRE(pool_->supervisor_.Tick(false) || pool_->core_.live() == 0);
      break;
    case 8:
      pool_->Statistics();
      pool_->InfoOf(0);
      break;
    case 9:
      workers_.Passed(input->Take<uint64_t>());
      break;
    case 10:
      workers_.Shut();
      break;
    case 11:
      workers_.Die(input->Take<int8_t>());
      break;
    case 12:
      workers_.ClaimAll();
      break;
    case 13:
      pool_->Refresh();
      ReadAll();
      break;
    default:
      SubmitBlock(input);
      break;
  }
}

void Host::Finish() {
  pool_->Refresh();
  workers_.Die(11);
  for (int i = 0; !ReadAll() || pool_->core_.live() > 0; i++) {
    REQUIRE(i < 1000);  // else tasks were forgotten
    workers_.Serve(1000);
    pool_->supervisor_.Tick(false);
    pool_->Refresh();
  }
  for (const auto& job : jobs_) Check(job.get());
}

void Host::Check(Job* of) {
  Job& job = *of;
  if (!job.future) {  // a lazy map: all of it was told, unless it was given up
    bool ended = Read(of);
    REQUIRE(ended && (!job.lazy || std::find(job.told.begin(), job.told.end(), false) == job.told.end()));
    job.lazy.reset();
    return;
  }
  pool::Future* future = job.future;
  REQUIRE(future->ready() && future->outcome() != MPROC_OUTCOME_PENDING);
  job.ran = future->outcome() == MPROC_OUTCOME_VALUE || future->outcome() == MPROC_OUTCOME_WORKER_LOST;
  if (job.block) REQUIRE(!job.block->in_use_.load());
  if (future->outcome() == MPROC_OUTCOME_VALUE && !future->is_map) {  // all of it can be read
    size_t bits = 0;
    for (std::byte byte : future->stored()) bits |= static_cast<size_t>(byte);
    REQUIRE(bits < 256);
  }
  if (!job.out.empty()) REQUIRE(job.out.front() == 0x2222 && job.out.back() == 0x2222);
  if (future->is_map) {
    const pool::MapState& map = *future->extra->map;
    size_t sum = 0;
    for (uint64_t i = 0; !map.is_array() && i < map.count(); i++) {
      auto item = map.item(i);
      REQUIRE(item.state != pool::MapState::kNone && item.data);
      bool value = item.state == pool::MapState::kValue;
      sum += value ? item.size : std::strlen(reinterpret_cast<const char*>(item.data));
      for (uint64_t b = 0; value && b < item.size; b++) sum += static_cast<size_t>(item.data[b]);
    }
    REQUIRE(sum < (1 << 24));
  } else if (future->worker_number == kHonest && future->outcome() != MPROC_OUTCOME_CANCELLED) {
    REQUIRE(future->outcome() == MPROC_OUTCOME_VALUE && AsText(future->stored()) == job.text);
  }
  if (future->outcome() != MPROC_OUTCOME_VALUE) REQUIRE(future->extra && future->extra->error);
  REQUIRE(pool::ReleaseHandle(future));
}

}  // namespace
}  // namespace mproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mproc::fuzz;
  Input input(data, size);
  Host host;
  for (int i = 0; i < kMostSteps && !input.empty(); i++) host.Step(&input);
  host.Finish();
  return 0;
}
