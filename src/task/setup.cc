// SPDX-License-Identifier: MIT
#include "task/setup.hh"

#include "task/archive.hh"

namespace mproc::task {

template <typename Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& archive, WorkerTerms& terms) {
  archive(terms.memory, terms.has_finalizer, terms.finalizer, terms.finalizer_data, terms.finalizer_told,
          terms.address_space, terms.cpu_seconds, terms.files, terms.has_nice, terms.nice, terms.cpus);
}

template <typename Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& archive, Setup& setup) {
  archive(setup.nonce, setup.worker_number, setup.worker_name, setup.host_pid, setup.module,
          setup.has_initializer, setup.initializer);
  std::string data(AsText(setup.initializer_data));
  archive(data, setup.terms, setup.has_output);
  auto bytes = AsBytes(data);
  setup.initializer_data.assign(bytes.begin(), bytes.end());
}

std::vector<std::byte> EncodeSetup(const Setup& setup) { return Encode(setup); }

Result<Setup> DecodeSetup(ByteView bytes) {
  Setup setup;
  if (!Decode(bytes, &setup)) return Status(MPROC_ERROR_PROTOCOL, "the host's set-up cannot be read");
  return setup;
}

}  // namespace mproc::task
