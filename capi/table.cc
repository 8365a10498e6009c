// SPDX-License-Identifier: MIT
#include <mproc/table.h>

#include "capi/handle_calls.hh"
#include "capi/table_handles.hh"

using namespace mproc;
using namespace mproc::capi;

mproc_status_t mproc_table_create(mproc_table_t** table) {
  return GuardCreate<TableHandles, task::Table>("tables", table);
}

mproc_status_t mproc_table_destroy(mproc_table_t* table) {
  return GuardDestroy<TableHandles, task::Table>(table);
}

mproc_status_t mproc_table_add(mproc_table_t* table, uint32_t id, const char* name,
                               mproc_function_cb function, void* user_data) {
  return GuardOn<TableHandles>(table, [&](task::Table& object) -> Status {
    if (!name) return BadArgument("the name of a function is null");
    return object.Add(id, name, function, user_data);
  });
}

mproc_status_t mproc_table_count(mproc_table_t* table, size_t* count) {
  return GuardOn<TableHandles>(table, [&](task::Table& object) -> Status {
    if (!count) return BadArgument("count is null");
    *count = object.size();
    return Status();
  });
}

mproc_status_t mproc_table_find(mproc_table_t* table, const char* name, uint32_t* id) {
  return GuardOn<TableHandles>(table, [&](task::Table& object) -> Status {
    if (!name || !id) return BadArgument("name or id is null");
    const task::Function* function = object.FindByName(name);
    if (!function) {
      return Status(MPROC_ERROR_UNKNOWN_FUNCTION, std::string("the table has no function '") + name + "'");
    }
    *id = function->id;
    return Status();
  });
}

mproc_status_t mproc_table_fingerprint(mproc_table_t* table, uint64_t* fingerprint) {
  return GuardOn<TableHandles>(table, [&](task::Table& object) -> Status {
    if (!fingerprint) return BadArgument("fingerprint is null");
    *fingerprint = object.Fingerprint();
    return Status();
  });
}
