// SPDX-License-Identifier: MIT
#include "task/value.hh"

namespace mproc::task {

ValueWriter& Value::Write() {
  if (!reader_.empty()) reader_.Clear();
  if (!decoded_.empty()) Clear();
  return writer_;
}

void Value::Clear() {
  reader_.Clear();
  writer_.Clear();
  decoded_ = {};
  std::vector<std::byte>().swap(copy_);
}

Status Value::Decode(ByteView bytes, bool lent) {
  std::vector<std::byte> copy;  // first: the bytes may be this value's own
  if (!lent) copy.assign(bytes.begin(), bytes.end());
  Clear();
  copy_ = std::move(copy);
  decoded_ = lent ? bytes : ByteView(copy_);
  Status status = reader_.Open(decoded_);
  if (!status.ok()) Clear();
  return status;
}

Result<ByteView> Value::Bytes() const {
  if (!decoded_.empty()) return decoded_;
  if (writer_.complete()) return writer_.bytes();
  return Status(MPROC_ERROR_NOT_READY,
                writer_.empty() ? "the value is empty" : "a list or map of the value is not ended");
}

Result<const ValueReader*> Value::Read() {
  auto bytes = Bytes();
  if (!bytes.ok()) return bytes.status();
  if (reader_.empty()) {
    if (Status status = reader_.Open(*bytes); !status.ok()) return status;
  }
  return &reader_;
}

}  // namespace mproc::task
