// SPDX-License-Identifier: MIT
#include "pool/output.hh"

#include <new>
#include <utility>

#include "platform/fd.hh"
#include "pool/callbacks.hh"
#include "pool/pool.hh"

namespace mproc::pool {
namespace {

constexpr size_t kLongestLine = 64 << 10;
constexpr int kMostReads = 64;  // at once: one that writes without end must not keep others waiting
constexpr int32_t kStreams[] = {MPROC_OUTPUT_STANDARD, MPROC_OUTPUT_ERROR};

}  // namespace

// A piece that waits for its callback.
class OutputDue final : public DueOnce {
 public:
  OutputDue(OutputDelivery& delivery, int32_t stream, uint32_t worker, std::string text)
      : DueOnce(delivery.pool_),
        delivery_(delivery),
        stream_(stream),
        worker_(worker),
        text_(std::move(text)) {
    delivery_.waiting_.fetch_add(text_.size(), std::memory_order_relaxed);
  }
  ~OutputDue() override { delivery_.waiting_.fetch_sub(text_.size(), std::memory_order_relaxed); }

 private:
  void Call() override {
    delivery_.options_.callback(stream_, text_.c_str(), text_.size(), worker_, delivery_.options_.user_data);
  }

  OutputDelivery& delivery_;
  const int32_t stream_;
  const uint32_t worker_;
  const std::string text_;
};

void OutputDelivery::BeforeEnd(WorkerSlot* worker, Future* task) {
  if (worker->output && worker->output->Take()) pool_->EndAfterCallbacks(task->whole());
}

bool OutputDelivery::TryQueue(int32_t stream, uint32_t worker, std::string text) try {
  if (waiting_.load(std::memory_order_relaxed) > kMostWaiting) return false;
  pool_->QueueDue(new OutputDue(*this, stream, worker, std::move(text)));
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

void OutputDelivery::Queue(int32_t stream, uint32_t worker, std::string text) {
  size_t size = text.size();
  if (uint64_t dropped = dropped_.exchange(0, std::memory_order_relaxed)) {
    std::string told =
        std::to_string(dropped) + " bytes of output were dropped: they came faster than they were taken\n";
    if (!TryQueue(MPROC_OUTPUT_ERROR, worker, std::move(told))) dropped_.fetch_add(dropped);
  }
  if (!TryQueue(stream, worker, std::move(text))) dropped_.fetch_add(size, std::memory_order_relaxed);
}

Status WorkerOutput::Make() {
  for (Stream& stream : streams_) {
    auto ends = platform::MakeGuardedPipe(platform::Writes::kBlocking);
    if (!ends.ok()) return ends.status();
    stream.read_end = std::move(ends->first);
    stream.write_end = std::move(ends->second);
  }
  return Status();
}

void WorkerOutput::Open(std::shared_ptr<void> keep) {
  for (Stream& stream : streams_) stream.write_end.Reset();
  runtime_->Post([self = shared_from_this(), keep = std::move(keep)] {
    {
      std::lock_guard lock(self->mutex_);
      if (self->closed_) return;
    }
    self->keep_ = keep;
    for (int32_t stream : kStreams) self->Watch(stream);
  });
}

void WorkerOutput::Watch(int32_t stream) {
  // Without it, output comes with the ends of tasks.
  Status watched = At(stream).poll.Start(runtime_->loop(), At(stream).read_end.get(), loop::kReadable,
                                         [this, stream](int) {
                                           std::lock_guard lock(mutex_);
                                           Read(stream, false);
                                           if (At(stream).ended) At(stream).poll.Close();
                                         });
  (void)watched;
}

void WorkerOutput::Read(int32_t stream, bool whole) {
  Stream& from = At(stream);
  char bytes[16 << 10];
  for (int i = 0; i < kMostReads && !from.ended; i++) {
    ssize_t size = platform::ReadPipe(from.read_end.get(), bytes, sizeof bytes);
    if (size < 0) break;
    from.ended = size == 0;
    from.text.append(bytes, static_cast<size_t>(size));
    if (from.text.size() < kLongestLine) continue;
    any_ = true;
    delivery_.Queue(stream, worker_, std::exchange(from.text, {}));
  }
  size_t ready = whole || from.ended ? from.text.size() : from.text.rfind('\n') + 1;
  if (ready == 0) return;
  any_ = true;
  std::string rest = from.text.substr(ready);
  from.text.resize(ready);
  delivery_.Queue(stream, worker_, std::exchange(from.text, std::move(rest)));
}

bool WorkerOutput::Take() {
  std::lock_guard lock(mutex_);
  if (closed_) return false;
  for (int32_t stream : kStreams) Read(stream, true);
  return std::exchange(any_, false);
}

void WorkerOutput::Close() {
  Take();
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  runtime_->Post([self = shared_from_this()] {
    for (Stream& stream : self->streams_) {
      stream.poll.Close();
      stream.read_end.Reset();
    }
    self->keep_.reset();
  });
}

}  // namespace mproc::pool
