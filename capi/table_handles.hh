// SPDX-License-Identifier: MIT
// Handles of tables: what host and worker side share.
#pragma once

#include "capi/handles.hh"
#include "task/table.hh"

namespace mproc::capi {

using TableHandles = Handles<task::Table, 1>;

}  // namespace mproc::capi
