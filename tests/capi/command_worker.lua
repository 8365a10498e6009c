-- SPDX-License-Identifier: MIT
-- LuaJIT as the command of a pool, in the pull form: LIBRARY [die]. The functions are those of command_worker.c.
local ffi = require("ffi")
ffi.cdef [[
int32_t mproc_table_create(void** table);
int32_t mproc_table_add(void* table, uint32_t id, const char* name, void* function, void* user_data);
int32_t mproc_worker_next(void* table, int64_t limit, void** call, const void** input, size_t* size);
int32_t mproc_worker_reply(void* call, const void* data, size_t size);
int32_t mproc_worker_fail(void* call, int32_t code, const char* type, const char* message, const char* trace);
uint32_t mproc_call_function_id(void* call);
char* getenv(const char* name);
char* getcwd(char* buffer, size_t size);
int getpid(void);
int kill(int pid, int signal);
int pause(void);
]]
if arg[2] == "die" then error("no such thing") end
local lib = ffi.load(arg[1])

local functions = {
  function(data)
    assert(#data == 8, "no number")
    local number = ffi.new("int64_t[1]")
    ffi.copy(number, data, 8)
    number[0] = number[0] * 2
    return ffi.string(number, 8)
  end,
  function(data)
    local text = #data > 0 and ffi.C.getenv(data) or ffi.C.getcwd(nil, 0)
    assert(text ~= nil, "no such variable")
    return ffi.string(text)
  end,
  function() ffi.C.kill(ffi.C.getpid(), 11) end,
  function() while true do ffi.C.pause() end end,
  function(data) io.stderr:write(data) return "" end,
}

local table_out = ffi.new("void*[1]")
assert(lib.mproc_table_create(table_out) == 0)
for id, name in ipairs({"double", "environment", "crash", "hang", "print"}) do
  assert(lib.mproc_table_add(table_out[0], id, name, nil, nil) == 0)
end
local call, input, size = ffi.new("void*[1]"), ffi.new("const void*[1]"), ffi.new("size_t[1]")
while true do
  assert(lib.mproc_worker_next(table_out[0], 0x7fffffffffffffffLL, call, input, size) == 0)
  if call[0] == nil then break end
  local data = ffi.string(input[0], size[0])
  local good, value = xpcall(functions[lib.mproc_call_function_id(call[0])], function(message)
    return {message, debug.traceback()}
  end, data)
  if good then
    assert(lib.mproc_worker_reply(call[0], value, #value) == 0)
  else
    assert(lib.mproc_worker_fail(call[0], 7, "error", tostring(value[1]), value[2]) == 0)
  end
end
