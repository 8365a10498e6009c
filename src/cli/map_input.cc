// SPDX-License-Identifier: MIT
#include "cli/map_input.hh"

#include <algorithm>

namespace mproc::cli {

ItemSource::Got ArgumentSource::Next(bool, std::string* item) {
  if (next_ == items_.size()) return Got::kEnd;
  *item = std::move(items_[next_++]);
  return Got::kItem;
}

ItemSource::Got LineSource::Next(bool may_wait, std::string* item) {
  for (;;) {
    size_t end = buffer_.find('\n', scanned_);
    if (end != std::string::npos) {
      item->assign(buffer_, begin_, end - begin_);
      begin_ = scanned_ = end + 1;
      return Got::kItem;
    }
    scanned_ = buffer_.size();
    if (ended_) {
      if (begin_ == buffer_.size()) return Got::kEnd;
      item->assign(buffer_, begin_);
      begin_ = buffer_.size();
      return Got::kItem;
    }
    if (!Fill(may_wait)) return Got::kPause;
  }
}

// Takes what can be read at once; only if that is nothing, and it may, waits for more. False: nothing yet.
bool LineSource::Fill(bool may_wait) {
  constexpr std::streamsize kBlock = 64 << 10;
  std::streamsize there = input_->in_avail();
  if (there <= 0) {
    if (!may_wait) return false;
    if (input_->sgetc() == std::streambuf::traits_type::eof()) {
      ended_ = true;
      return true;
    }
    there = std::max<std::streamsize>(input_->in_avail(), 1);
  }
  buffer_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
  std::streamsize take = std::min(there, kBlock);
  buffer_.resize(scanned_ + static_cast<size_t>(take));
  std::streamsize taken = input_->sgetn(buffer_.data() + scanned_, take);
  buffer_.resize(scanned_ + static_cast<size_t>(std::max<std::streamsize>(taken, 0)));
  return true;
}

}  // namespace mproc::cli
