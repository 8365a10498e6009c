-- SPDX-License-Identifier: MIT
-- A pool of C functions from LuaJIT: no callbacks, mproc_pool_next hands out what has ended.
--   luajit luajit_pool.lua ./module.so
local ffi = require("ffi")
ffi.cdef[[
typedef struct mproc_pool_options mproc_pool_options_t;
typedef struct mproc_pool mproc_pool_t;
typedef struct mproc_future mproc_future_t;
const char *mproc_status_name(int32_t status);
const char *mproc_last_error_message(void);
int64_t mproc_forever(void);
int32_t mproc_pool_options_create(mproc_pool_options_t **options);
int32_t mproc_pool_options_set_module(mproc_pool_options_t *options, const char *path);
int32_t mproc_pool_options_set_callbacks(mproc_pool_options_t *options, int32_t mode);
int32_t mproc_pool_options_destroy(mproc_pool_options_t *options);
int32_t mproc_pool_create(mproc_pool_options_t *options, mproc_pool_t **pool);
int32_t mproc_pool_submit(mproc_pool_t *pool, uint32_t id, const void *data, size_t size, int64_t limit,
                          mproc_future_t **future);
int32_t mproc_pool_next(mproc_pool_t *pool, int64_t limit, mproc_future_t **future, void **user_data);
int32_t mproc_pool_destroy(mproc_pool_t *pool);
int32_t mproc_future_result(mproc_future_t *future, const void **data, size_t *size);
int32_t mproc_future_error(mproc_future_t *future);
int32_t mproc_future_release(mproc_future_t *future);
]]
local lib = ffi.load(os.getenv("MPROC_LIBRARY") or "libmproc.so.0")
local NEXT, SQUARE, CRASH, FOREVER = 2, 1, 2, lib.mproc_forever()

local function must(status)
  if status ~= 0 then
    error(ffi.string(lib.mproc_status_name(status)) .. " " .. ffi.string(lib.mproc_last_error_message()), 0)
  end
end

local options, pool = ffi.new("mproc_pool_options_t *[1]"), ffi.new("mproc_pool_t *[1]")
must(lib.mproc_pool_options_create(options))
must(lib.mproc_pool_options_set_module(options[0], arg[1]))
must(lib.mproc_pool_options_set_callbacks(options[0], NEXT))
must(lib.mproc_pool_create(options[0], pool))
must(lib.mproc_pool_options_destroy(options[0]))

local future, data, size = ffi.new("mproc_future_t *[1]"), ffi.new("const void *[1]"), ffi.new("size_t[1]")

-- Submits a task and gives its own handle back at once: next has another one.
local function submit(id, number)
  local input = ffi.new("int64_t[1]", number)
  must(lib.mproc_pool_submit(pool[0], id, input, ffi.sizeof(input), FOREVER, future))
  must(lib.mproc_future_release(future[0]))
end

-- The value of the next task that has ended, or nil and the error.
local function next_result()
  must(lib.mproc_pool_next(pool[0], FOREVER, future, nil))
  local value, problem
  if lib.mproc_future_result(future[0], data, size) == 0 then
    value = ffi.cast("const int64_t *", data[0])[0]
  else
    local status = lib.mproc_future_error(future[0])
    problem = ffi.string(lib.mproc_status_name(status)) .. " " .. ffi.string(lib.mproc_last_error_message())
  end
  must(lib.mproc_future_release(future[0]))
  return value, problem
end

for i = 1, 1000 do submit(SQUARE, i) end
local sum = 0LL
for _ = 1, 1000 do sum = sum + assert(next_result()) end
print("1000 squares, sum " .. tostring(sum):gsub("LL", ""))
submit(CRASH, 0)
print(select(2, next_result()))
submit(SQUARE, 12)
print("and the pool goes on: " .. tostring(next_result()):gsub("LL", ""))
must(lib.mproc_pool_destroy(pool[0]))
