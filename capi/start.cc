// SPDX-License-Identifier: MIT
#include <mproc/start.h>

#include <cstring>

#include "capi/guard.hh"
#include "start/method.hh"

using namespace mproc;
using namespace mproc::capi;

namespace {

constexpr const char* kNames[start::kStartMethods] = {"spawn", "forkserver", "fork", "threads"};

}  // namespace

mproc_status_t mproc_start_method_set(int32_t method, int32_t force) {
  return Guard([&] {
    if (method < MPROC_START_NONE || method >= start::kStartMethods)
      return BadArgument("there is no start method of this number");
    return start::SetDefaultStartMethod(method, force != 0);
  });
}

mproc_status_t mproc_start_method_get(int32_t* method) {
  return Guard([&] {
    if (!method) return BadArgument("method is null");
    *method = start::DefaultStartMethod();
    return Status();
  });
}

mproc_status_t mproc_start_method_list(size_t index, int32_t* method) {
  return Guard([&] {
    if (!method) return BadArgument("method is null");
    if (index >= static_cast<size_t>(start::kStartMethods)) return Status(MPROC_ERROR_END);
    auto place = static_cast<int32_t>(index);
    int32_t first = start::DefaultStartMethod();
    // The others follow in the order of their numbers.
    *method = place == 0 ? first : place <= first ? place - 1 : place;
    return Status();
  });
}

const char* mproc_start_method_name(int32_t method) {  // wall: cannot throw
  return method >= 0 && method < start::kStartMethods ? kNames[method] : nullptr;
}

mproc_status_t mproc_start_method_find(const char* name, int32_t* method) {
  return Guard([&] {
    if (!name || !method) return BadArgument("name or method is null");
    for (int32_t one = 0; one < start::kStartMethods; one++) {
      if (std::strcmp(name, kNames[one]) != 0) continue;
      *method = one;
      return Status();
    }
    return Status(MPROC_ERROR_INVALID_ARGUMENT, std::string("there is no start method '") + name + "'");
  });
}
