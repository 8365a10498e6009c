// SPDX-License-Identifier: MIT
#include "cli/map_run.hh"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <exception>
#include <thread>

#include "cli/exit_code.hh"

namespace mproc::cli {

namespace {

constexpr size_t kMostBytes = size_t{64} << 20;  // of items under way

size_t MostBatches(int workers) { return std::max<size_t>(256, 16 * static_cast<size_t>(workers)); }

// An item as it may stand in a message: short, and without control bytes.
std::string Shown(const std::string& item) {
  constexpr size_t kLongest = 80;
  std::string shown = "\"";
  for (char c : item.substr(0, kLongest)) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", byte);
      shown += hex;
    } else {
      shown += c;
    }
  }
  return shown + (item.size() > kLongest ? "...\"" : "\"");
}

}  // namespace

MapRun::MapRun(mproc_pool_t* pool, ItemSource* source, const Settings& settings)
    : pool_(pool),
      source_(source),
      settings_(settings),
      task_options_(MakeTaskOptions()),
      window_(MostBatches(settings.workers), kMostBytes),
      items_(settings.items) {
  constexpr int32_t kAnyEnd = MPROC_RETRY_ON_LOST | MPROC_RETRY_ON_ERROR | MPROC_RETRY_ON_TIMEOUT;
  Check(mproc_task_options_set_time_limit(task_options_.get(), settings.time_limit), "time limit");
  Check(mproc_task_options_set_retry(task_options_.get(), settings.retries, kAnyEnd, 0), "retries");
}

int MapRun::Run(bool* abandoned) {
  std::thread feeder([this] { Feed(); });
  int code = PrintAll();
  *abandoned = code != kAllGood;
  if (*abandoned) {
    feeder.detach();
    return code;
  }
  feeder.join();
  std::string error = window_.input_error();
  if (!error.empty()) {
    std::fprintf(stderr, "mproc: the items cannot be read: %s\n", error.c_str());
    return kWrongUsage;
  }
  return some_failed_ ? kSomeFailed : kAllGood;
}

// Cuts the input into batches of a chunk each; one that is not full goes out when the input pauses.
void MapRun::Feed() {
  uint64_t count = 0;
  auto batch = std::make_unique<Batch>();
  std::string error;
  auto send = [&] {
    if (batch->items.empty()) return;
    batch->first = count;
    count += batch->items.size();
    Send(std::move(batch));
    batch = std::make_unique<Batch>();
  };
  try {
    for (;;) {
      std::string item;
      ItemSource::Got got = source_->Next(batch->items.empty(), &item);
      if (got == ItemSource::Got::kEnd) break;
      if (got == ItemSource::Got::kItem) {
        batch->bytes += item.size();
        batch->items.push_back(std::move(item));
        if (batch->items.size() < settings_.chunk) continue;
      }
      send();
    }
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  send();
  items_.store(count);
  window_.EndInput(error);
}

void MapRun::Send(std::unique_ptr<Batch> batch) {
  window_.Enter(*batch);
  batch->window = &window_;
  const size_t count = batch->items.size();
  std::vector<const void*> items(count);
  std::vector<size_t> sizes(count);
  for (size_t i = 0; i < count; i++) {
    items[i] = batch->items[i].data();
    sizes[i] = batch->items[i].size();
  }
  // Unordered, the callback takes the batch, maybe before the call returns: it is not to be touched then.
  mproc_future_t* made = nullptr;
  mproc_future_cb callback = settings_.unordered ? OnEnd : nullptr;
  mproc_task_options_set_callbacks(task_options_.get(), callback, callback, batch.get());
  mproc_status_t taken = mproc_pool_map_with(pool_, settings_.function, items.data(), sizes.data(), count,
                                             static_cast<int64_t>(count), MPROC_MAP_KEEP_GOING,
                                             task_options_.get(), settings_.unordered ? nullptr : &made);
  if (taken == MPROC_OK && settings_.unordered) {
    static_cast<void>(batch.release());
    return;
  }
  batch->future.reset(made);
  batch->refused = taken;
  if (taken != MPROC_OK) {
    batch->refusal = mproc_last_error_message();
    if (batch->refusal.empty()) batch->refusal = mproc_status_text(taken);
  }
  window_.Push(std::move(batch));
}

void MapRun::OnEnd(mproc_future_t* future, void* user_data) {
  std::unique_ptr<Batch> batch(static_cast<Batch*>(user_data));
  mproc_future_retain(future);
  batch->future.reset(future);
  Window* window = batch->window;
  window->Push(std::move(batch));
}

int MapRun::PrintAll() {
  for (;;) {
    std::unique_ptr<Batch> batch = window_.TryPop();
    if (!batch) {
      if (int code = Flush()) return code;
      batch = window_.Pop();
      if (!batch) return Flush();
    }
    if (batch->future && mproc_future_ready(batch->future.get()) != MPROC_OK) {
      if (int code = Flush()) return code;
      AwaitEnd(batch->future.get());
    }
    if (settings_.trace) settings_.trace->Add(*batch);
    if (int code = Print(*batch)) return code;
    window_.Leave(*batch);
    printed_ += batch->items.size();
    ShowProgress(printed_);
  }
}

void MapRun::AwaitEnd(mproc_future_t* future) {
  constexpr int64_t kLook = 100 * MPROC_MILLISECOND;
  bool shown = settings_.bar->shown();
  for (;;) {
    mproc_status_t waited = mproc_future_wait(future, shown ? kLook : MPROC_FOREVER);
    if (waited != MPROC_ERROR_INTERRUPTED && waited != MPROC_ERROR_TIMED_OUT) return;
    uint64_t done = 0, total = 0;
    mproc_future_progress(future, &done, &total);
    ShowProgress(printed_ + done);
  }
}

void MapRun::ShowProgress(uint64_t done) { settings_.bar->Update(done, items_.load()); }

int MapRun::Print(const Batch& batch) {
  settings_.bar->Clear();
  if (batch.refused == MPROC_ERROR_BROKEN) return ReportBroken();
  if (batch.refused != MPROC_OK && batch.refused != MPROC_ERROR_TOO_LARGE) {
    std::fprintf(stderr, "mproc: %s\n", batch.refusal.c_str());
    return batch.refused == MPROC_ERROR_UNKNOWN_FUNCTION ? kWrongUsage : kPoolFailed;
  }
  for (size_t i = 0; i < batch.items.size(); i++) {
    if (int code = PrintItem(batch, i)) return code;
  }
  return kAllGood;
}

int MapRun::PrintItem(const Batch& batch, size_t index) {
  const void* data = nullptr;
  size_t size = 0;
  mproc_status_t status = batch.refused;
  if (status == MPROC_OK) status = mproc_future_item(batch.future.get(), index, &data, &size);
  if (status != MPROC_OK) return ReportFailure(batch, index, status);
  if (std::fwrite(data, 1, size, stdout) != size || std::putc('\n', stdout) == EOF) return OutputFailed();
  return kAllGood;
}

int MapRun::ReportFailure(const Batch& batch, size_t index, mproc_status_t status) {
  mproc_future_t* future = batch.future.get();
  int64_t cause = MPROC_CAUSE_NONE, first_failed = -1;
  if (future) {
    mproc_future_info(future, MPROC_FUTURE_INFO_CAUSE, &cause);
    mproc_future_info(future, MPROC_FUTURE_INFO_FAILED_ITEM, &first_failed);
  }
  if (status == MPROC_ERROR_NOT_RUN && cause == MPROC_CAUSE_BROKEN) return ReportBroken();
  std::string why = batch.refusal;
  const char* text = nullptr;
  if (future && mproc_future_item_error_message(future, index, &text) == MPROC_OK) why = text;
  // The type is told of the error that came first only.
  if (status == MPROC_ERROR_TASK && first_failed == static_cast<int64_t>(index) &&
      mproc_future_error_type(future, &text) == MPROC_OK && *text) {
    why = std::string(text) + (why.empty() ? "" : ": ") + why;
  }
  if (why.empty()) why = mproc_status_text(status);
  std::fprintf(stderr, "mproc: item %" PRIu64 " %s: %s\n", batch.first + index + 1,
               Shown(batch.items[index]).c_str(), why.c_str());
  some_failed_ = true;
  return kAllGood;
}

int MapRun::ReportBroken() {
  char why[1024] = "";
  mproc_pool_error_message(pool_, why, sizeof why, nullptr);
  std::fprintf(stderr, "mproc: the pool is broken: %s\n", *why ? why : mproc_status_text(MPROC_ERROR_BROKEN));
  return kPoolFailed;
}

int MapRun::Flush() {
  settings_.bar->Clear();
  return std::fflush(stdout) == 0 ? kAllGood : OutputFailed();
}

int MapRun::OutputFailed() {
  int error = errno;
  if (error == EPIPE) return kOutputClosed;
  std::fprintf(stderr, "mproc: the output cannot be written: %s\n", std::strerror(error));
  return kPoolFailed;
}

}  // namespace mproc::cli
