# SPDX-License-Identifier: MIT
"""A pool of C functions from Python, with nothing but ctypes: submit, wait, and a task that crashes.

    python3 ctypes_pool.py ./module.so"""
import ctypes
import os
import struct
import sys

lib = ctypes.CDLL(os.environ.get("MPROC_LIBRARY", "libmproc.so.0"))
lib.mproc_status_name.restype = lib.mproc_last_error_message.restype = ctypes.c_char_p
lib.mproc_pool_submit.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_size_t,
                                  ctypes.c_int64, ctypes.c_void_p]
lib.mproc_future_wait.argtypes = [ctypes.c_void_p, ctypes.c_int64]
SECOND = 1_000_000_000
SQUARE, CRASH = 1, 2


class MprocError(Exception):
    pass


def must(status):
    if status != 0:
        raise MprocError(lib.mproc_status_name(status).decode(), lib.mproc_last_error_message().decode())


def submit(pool, function, data=b""):
    future = ctypes.c_void_p()
    must(lib.mproc_pool_submit(pool, function, data, len(data), SECOND, ctypes.byref(future)))
    return future


def result(future):
    """Waits in short steps, so that Python handles Ctrl-C in between; raises what the task ended with."""
    try:
        while (status := lib.mproc_future_wait(future, SECOND // 10)) != 0:
            if lib.mproc_status_name(status) not in (b"MPROC_ERROR_TIMED_OUT", b"MPROC_ERROR_INTERRUPTED"):
                must(status)
        must(lib.mproc_future_error(future) if not successful(future) else 0)
        data, size = ctypes.c_void_p(), ctypes.c_size_t()
        must(lib.mproc_future_result(future, ctypes.byref(data), ctypes.byref(size)))
        return ctypes.string_at(data, size.value)
    finally:
        lib.mproc_future_release(future)


def successful(future):
    answer = ctypes.c_int32()
    must(lib.mproc_future_successful(future, ctypes.byref(answer)))
    return answer.value


options, pool = ctypes.c_void_p(), ctypes.c_void_p()
must(lib.mproc_pool_options_create(ctypes.byref(options)))
must(lib.mproc_pool_options_set_module(options, sys.argv[1].encode()))
must(lib.mproc_pool_create(options, ctypes.byref(pool)))
must(lib.mproc_pool_options_destroy(options))

futures = [submit(pool, SQUARE, struct.pack("<q", i)) for i in range(1, 1001)]
print("1000 squares, sum", sum(struct.unpack("<q", result(f))[0] for f in futures))
try:
    result(submit(pool, CRASH))
except MprocError as error:
    print(*error.args)
print("and the pool goes on:", struct.unpack("<q", result(submit(pool, SQUARE, struct.pack("<q", 12))))[0])
must(lib.mproc_pool_destroy(pool))
