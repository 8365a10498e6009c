// SPDX-License-Identifier: MIT
#include "task/error.hh"

#include "task/archive.hh"

namespace mproc::task {

template <typename Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& archive, TaskError& error) {
  archive(error.code, error.type, error.message, error.trace);
}

std::vector<std::byte> EncodeError(const TaskError& error) { return Encode(error); }
bool DecodeError(ByteView bytes, TaskError* error) { return Decode(bytes, error); }

}  // namespace mproc::task
