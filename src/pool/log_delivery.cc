// SPDX-License-Identifier: MIT
#include "pool/log_delivery.hh"

#include <mproc/log.h>

#include <memory>
#include <new>
#include <string>
#include <utility>

#include "base/clock.hh"
#include "pool/callbacks.hh"
#include "pool/pool.hh"

namespace mproc::pool {
namespace {

// No ring holds more, so all that came before a result is taken; one that is filled all the while must wait
// until the others had their turn.
constexpr size_t kMostAtOnce = ipc::kLogBytes / sizeof(ipc::LogHead);

}  // namespace

// A record that waits for its callback.
class LogDue final : public DueOnce {
 public:
  LogDue(LogDelivery& log, uint32_t worker, ipc::LogRecord record)
      : DueOnce(log.pool_), log_(log), worker_(worker), record_(std::move(record)) {
    log_.waiting_.fetch_add(size(), std::memory_order_relaxed);
  }
  ~LogDue() override { log_.waiting_.fetch_sub(size(), std::memory_order_relaxed); }

 private:
  void Call() override {
    const ipc::LogHead& head = record_.head;
    log_.options_.callback(head.level, record_.text.c_str(), record_.text.size(), head.task, worker_, head.at,
                           log_.options_.user_data);
  }
  size_t size() const { return sizeof *this + record_.text.size(); }

  LogDelivery& log_;
  const uint32_t worker_;
  const ipc::LogRecord record_;
};

void LogDelivery::Drop(uint64_t records) {
  dropped_ += records;
  all_dropped_.fetch_add(records, std::memory_order_relaxed);
}

void LogDelivery::Queue(const WorkerSlot& worker, ipc::LogRecord record) {
  if (!HasRoom()) return Drop(1);
  try {
    pool_->QueueDue(new LogDue(*this, worker.number, std::move(record)));
  } catch (const std::bad_alloc&) {
    return Drop(1);
  }
  records_.fetch_add(1, std::memory_order_relaxed);
}

bool LogDelivery::HasRoom() const { return waiting_.load(std::memory_order_relaxed) <= kMostWaiting; }

bool LogDelivery::TakeFrom(WorkerSlot* worker) {
  ipc::LogReader& log = worker->channel->log();
  if (!log.any() && dropped_ == 0) return true;
  Drop(log.TakeDropped());
  if (dropped_ && HasRoom()) {
    std::string text = std::to_string(std::exchange(dropped_, 0)) +
                       " log records were dropped: they came faster than they were taken";
    Queue(*worker, {{0, MPROC_LOG_WARNING, 0, 0, NowNs()}, std::move(text)});
  }
  ipc::LogRecord record;
  for (size_t i = 0; i < kMostAtOnce; i++) {
    ipc::LogReader::Got got = log.Take(&record);
    if (got != ipc::LogReader::Got::kRecord) return got == ipc::LogReader::Got::kNothing;
    if (record.head.position != UINT64_MAX) worker->logged.set(record.head.position % ipc::kSlots);
    Queue(*worker, std::move(record));
  }
  return true;
}

void LogDelivery::BeforeEnd(WorkerSlot* worker, uint64_t position, Future* task) {
  size_t slot = position % ipc::kSlots;
  if (!worker->logged[slot]) return;
  worker->logged.reset(slot);
  pool_->EndAfterCallbacks(task->whole());
}

}  // namespace mproc::pool
