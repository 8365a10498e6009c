// SPDX-License-Identifier: MIT
#include "cli/map_window.hh"

namespace mproc::cli {

void Window::Enter(const Batch& batch) {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] {
    return batches_ == 0 || (batches_ < most_batches_ && bytes_ + batch.bytes <= most_bytes_);
  });
  batches_++;
  bytes_ += batch.bytes;
}

void Window::Push(std::unique_ptr<Batch> batch) {
  std::lock_guard lock(mutex_);
  queue_.push_back(std::move(batch));
  if (queue_.size() == 1) news_.notify_one();
}

void Window::EndInput(std::string error) {
  std::lock_guard lock(mutex_);
  input_ended_ = true;
  input_error_ = std::move(error);
  news_.notify_one();
}

std::unique_ptr<Batch> Window::TryPop() {
  std::lock_guard lock(mutex_);
  if (queue_.empty()) return nullptr;
  std::unique_ptr<Batch> batch = std::move(queue_.front());
  queue_.pop_front();
  return batch;
}

std::unique_ptr<Batch> Window::Pop() {
  std::unique_lock lock(mutex_);
  news_.wait(lock, [&] { return !queue_.empty() || (input_ended_ && batches_ == 0); });
  if (queue_.empty()) return nullptr;
  std::unique_ptr<Batch> batch = std::move(queue_.front());
  queue_.pop_front();
  return batch;
}

void Window::Leave(const Batch& batch) {
  std::lock_guard lock(mutex_);
  batches_--;
  bytes_ -= batch.bytes;
  room_.notify_one();
}

std::string Window::input_error() const {
  std::lock_guard lock(mutex_);
  return input_error_;
}

}  // namespace mproc::cli
