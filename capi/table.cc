// SPDX-License-Identifier: MIT
#include <mproc/table.h>

#include "capi/guard.hh"
#include "capi/table_handles.hh"

using namespace mproc;
using namespace mproc::capi;

mproc_status_t mproc_table_create(mproc_table_t** table) {
  return Guard([&] {
    if (!table) return BadArgument("table is null");
    void* handle = TableHandles::Get().Add(std::make_shared<task::Table>());
    if (!handle) return Status(MPROC_ERROR_OUT_OF_MEMORY, "there are 65536 tables already");
    *table = static_cast<mproc_table_t*>(handle);
    return Status();
  });
}

mproc_status_t mproc_table_destroy(mproc_table_t* table) {
  return Guard([&] {
    std::shared_ptr<task::Table> object;
    return table ? TableHandles::Get().Take(table, &object) : Status();
  });
}

mproc_status_t mproc_table_add(mproc_table_t* table, uint32_t id, const char* name,
                               mproc_function_cb function, void* user_data) {
  return Guard([&] {
    TableHandles::Pinned object;
    if (Status known = TableHandles::Get().Find(table, &object); !known.ok()) return known;
    if (!name) return BadArgument("the name of a function is null");
    return object->Add(id, name, function, user_data);
  });
}

mproc_status_t mproc_table_count(mproc_table_t* table, size_t* count) {
  return Guard([&] {
    TableHandles::Pinned object;
    if (Status known = TableHandles::Get().Find(table, &object); !known.ok()) return known;
    if (!count) return BadArgument("count is null");
    *count = object->size();
    return Status();
  });
}

mproc_status_t mproc_table_find(mproc_table_t* table, const char* name, uint32_t* id) {
  return Guard([&] {
    TableHandles::Pinned object;
    if (Status known = TableHandles::Get().Find(table, &object); !known.ok()) return known;
    if (!name || !id) return BadArgument("name or id is null");
    const task::Function* function = object->FindByName(name);
    if (!function) {
      return Status(MPROC_ERROR_UNKNOWN_FUNCTION, std::string("the table has no function '") + name + "'");
    }
    *id = function->id;
    return Status();
  });
}

mproc_status_t mproc_table_fingerprint(mproc_table_t* table, uint64_t* fingerprint) {
  return Guard([&] {
    TableHandles::Pinned object;
    if (Status known = TableHandles::Get().Find(table, &object); !known.ok()) return known;
    if (!fingerprint) return BadArgument("fingerprint is null");
    *fingerprint = object->Fingerprint();
    return Status();
  });
}
