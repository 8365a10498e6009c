// SPDX-License-Identifier: MIT
// Which functions a pool calls: those of its table, and those that it has bound.
#include "pool/pool.hh"

namespace mproc::pool {

// Functions that are bound, unknown, or not known yet.
Status Pool::CheckUnusual(uint32_t function) {
  if (Status fit = CheckRunning(); !fit.ok()) return fit;
  if (task::IsBound(function)) return core_.bounds.Check(function);
  if (core_.table && !core_.table->Find(function)) {
    return Status(MPROC_ERROR_UNKNOWN_FUNCTION,
                  "the pool's function table has no function of id " + std::to_string(function));
  }
  return Status();
}

Status Pool::MaySubmit(uint32_t function) {
  std::lock_guard lock(core_.mutex);
  return CheckSubmit(function);
}

Result<uint32_t> Pool::Bind(uint32_t function, ByteView bytes, const SharedBlock* block,
                            std::vector<object::PassedObject> objects) {
  if (task::IsBound(function)) {
    return Status(MPROC_ERROR_INVALID_ARGUMENT, "a bound function cannot be bound once more");
  }
  if (Status fit = MaySubmit(function); !fit.ok()) return fit;
  auto offset = block ? static_cast<uint64_t>(bytes.data() - block->data()) : 0;
  ipc::BoundNote note{core_.bounds.NewId(), function, offset, bytes.size()};
  if (note.id == 0) return Status(MPROC_ERROR_OUT_OF_MEMORY, "the pool has no more ids of bound functions");
  auto memory = block ? SharedBlock::CreateBound(*block, note)
                      : SharedBlock::CreateBound(bytes, note, std::move(objects));
  if (!memory.ok()) return memory.status();
  core_.bounds.Add(std::move(*memory));
  return note.id;
}

Status Pool::Unbind(uint32_t id) {
  std::lock_guard lock(core_.mutex);  // no submit is between its check and its task
  return core_.bounds.Remove(id);
}

Result<uint32_t> Pool::FindFunction(const std::string& name) {
  std::lock_guard lock(core_.mutex);
  if (!core_.table) {
    return Status(MPROC_ERROR_NOT_READY, "the table is not known before the first worker is ready");
  }
  if (const task::Function* function = core_.table->FindByName(name)) return function->id;
  return Status(MPROC_ERROR_UNKNOWN_FUNCTION, "the pool's function table has no function '" + name + "'");
}

}  // namespace mproc::pool
