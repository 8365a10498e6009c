// SPDX-License-Identifier: MIT
#include "task/value.hh"

namespace mproc::task {

void Value::Forget() {
  if (!reader_.empty()) reader_.Clear();
  if (decoded_.empty()) return;
  decoded_ = {};
  std::vector<std::byte>().swap(copy_);
}

void Value::Clear() {
  writer_.Clear();
  Forget();
}

Status Value::Decode(ByteView bytes, bool lent) {
  std::vector<std::byte> copy;  // first: the bytes may be this value's own
  if (!lent) copy.assign(bytes.begin(), bytes.end());
  Clear();
  if (!lent) bytes = copy;
  if (Status status = reader_.Open(bytes); !status.ok()) return status;
  copy_ = std::move(copy);  // which stays where it is
  decoded_ = bytes;
  return Status();
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
