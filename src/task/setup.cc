// SPDX-License-Identifier: MIT
#include "task/setup.hh"

#include "task/archive.hh"

namespace mproc::task {

template <typename Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& archive, WorkerTerms& terms) {
  archive(terms.memory, terms.has_finalizer, terms.finalizer, terms.finalizer_data, terms.finalizer_told,
          terms.address_space, terms.cpu_seconds, terms.files, terms.has_nice, terms.nice, terms.cpus);
}

// Bytes, in the form of a text.
template <typename Archive>
void Bytes(Archive& archive, std::vector<std::byte>& bytes) {
  std::string text(AsText(bytes));
  archive(text);
  auto read = AsBytes(text);
  bytes.assign(read.begin(), read.end());
}

template <typename Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& archive, ProcessTerms& terms) {
  archive(terms.given, terms.function, terms.place, terms.daemon);
  Bytes(archive, terms.payload);
  Bytes(archive, terms.objects);
}

template <typename Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& archive, Setup& setup) {
  archive(setup.nonce, setup.worker_number, setup.worker_name, setup.host_pid, setup.host_name, setup.module,
          setup.has_initializer, setup.initializer);
  Bytes(archive, setup.initializer_data);
  Bytes(archive, setup.key);
  archive(setup.terms, setup.process, setup.has_output);
}

std::vector<std::byte> EncodeSetup(const Setup& setup) { return Encode(setup); }

Result<Setup> DecodeSetup(ByteView bytes) {
  Setup setup;
  if (!Decode(bytes, &setup)) return Status(MPROC_ERROR_PROTOCOL, "the host's set-up cannot be read");
  return setup;
}

}  // namespace mproc::task
