// SPDX-License-Identifier: MIT
// Where the items of `mproc map` come from: the arguments, or the lines of the standard input.
#ifndef MPROC_CLI_MAP_INPUT_HH
#define MPROC_CLI_MAP_INPUT_HH

#include <streambuf>
#include <string>
#include <vector>

namespace mproc::cli {

// One item after the other. Used by one thread.
class ItemSource {
 public:
  enum class Got { kItem, kPause, kEnd };

  virtual ~ItemSource() = default;
  // The next item. If there is none yet, waits for it, or, without `may_wait`, says kPause. Throws
  // std::exception if the input cannot be read.
  virtual Got Next(bool may_wait, std::string* item) = 0;
};

class ArgumentSource : public ItemSource {
 public:
  explicit ArgumentSource(std::vector<std::string> items) : items_(std::move(items)) {}
  Got Next(bool may_wait, std::string* item) override;

 private:
  std::vector<std::string> items_;
  size_t next_ = 0;
};

// Lines without their line breaks; the last one needs none. Any other byte belongs to its line.
class LineSource : public ItemSource {
 public:
  explicit LineSource(std::streambuf* input) : input_(input) {}
  Got Next(bool may_wait, std::string* item) override;

 private:
  bool Fill(bool may_wait);

  std::streambuf* input_;
  std::string buffer_;
  size_t begin_ = 0;    // of the line that is next
  size_t scanned_ = 0;  // no line break between begin_ and here
  bool ended_ = false;
};

}  // namespace mproc::cli

#endif
