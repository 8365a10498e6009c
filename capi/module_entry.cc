// SPDX-License-Identifier: MIT
#include "capi/module_entry.hh"

#include <mproc/table.h>

#include <memory>
#include <string>

#include "capi/table_handles.hh"

namespace mproc::capi {

Status CallModuleEntry(void* entry, task::Table* table) {
  auto filled = std::make_shared<task::Table>();
  void* handle = TableHandles::Get().Add(filled);
  auto module_main = reinterpret_cast<mproc_module_main_cb>(entry);
  int32_t status = module_main(static_cast<mproc_table_t*>(handle));
  std::shared_ptr<task::Table> taken;
  Status gone = TableHandles::Get().Take(handle, &taken);
  if (status != MPROC_OK) {
    return Status(MPROC_ERROR_BAD_MODULE, std::string("the module's mproc_module_main returned ") +
                                              std::to_string(status) + " (" + StatusName(status) + ")");
  }
  *table = *filled;
  return gone.ok() || gone.code() == MPROC_ERROR_STALE_HANDLE ? Status() : gone;
}

}  // namespace mproc::capi
