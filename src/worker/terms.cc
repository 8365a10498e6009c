// SPDX-License-Identifier: MIT
#include "worker/terms.hh"

#include "platform/limits.hh"

namespace mproc::worker {
namespace {

Status TryAll(const task::WorkerTerms& terms) {
  Status taken;
  if (!terms.cpus.empty()) taken = platform::RunOnCpus(terms.cpus);
  if (taken.ok() && terms.has_nice) taken = platform::SetNiceness(terms.nice);
  if (taken.ok() && terms.files) taken = platform::LimitFiles(terms.files);
  if (taken.ok() && terms.cpu_seconds) taken = platform::LimitCpuTime(terms.cpu_seconds);
  if (taken.ok() && terms.address_space) taken = platform::LimitAddressSpace(terms.address_space);
  return taken;
}

}  // namespace

Status TakeOn(const task::WorkerTerms& terms) {
  Status taken = TryAll(terms);
  // It would be refused the next time as well.
  return taken.ok() ? taken : Status(MPROC_ERROR_UNSUPPORTED, taken.message(), taken.os_code());
}

}  // namespace mproc::worker
