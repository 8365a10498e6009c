# SPDX-License-Identifier: MIT
"""An interpreter as the command of a pool: LIBRARY [die]. The functions are those of command_worker.c."""
import ctypes
import os
import struct
import sys
import time
import traceback

FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)


def double(data):
    return struct.pack("=q", 2 * struct.unpack("=q", data)[0])


def environment(data):
    return os.environ[data.decode()].encode() if data else os.getcwd().encode()


def crash(_):
    ctypes.string_at(0)


def hang(_):
    while True:
        time.sleep(100)


def show(data):
    print(data.decode(), end="", file=sys.stderr)
    return b""


def main():
    if sys.argv[2:] == ["die"]:
        raise RuntimeError("no such thing")
    lib = ctypes.CDLL(sys.argv[1])
    lib.mproc_call_reply.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    lib.mproc_call_fail.argtypes = [ctypes.c_void_p, ctypes.c_int32] + 3 * [ctypes.c_char_p]
    lib.mproc_table_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, FUNCTION, ctypes.c_void_p]
    lib.mproc_worker_serve.argtypes = [ctypes.c_void_p]

    def entry(function):
        def call(task, data, size, _):
            try:
                value = function(ctypes.string_at(data, size) if size else b"")
                return lib.mproc_call_reply(task, value, len(value))
            except Exception as error:
                return lib.mproc_call_fail(task, 7, type(error).__name__.encode(), str(error).encode(),
                                           traceback.format_exc().encode())
        return FUNCTION(call)

    table = ctypes.c_void_p()
    assert lib.mproc_table_create(ctypes.byref(table)) == 0
    kept = []
    for number, (name, function) in enumerate((("double", double), ("environment", environment), ("crash", crash),
                                               ("hang", hang), ("print", show)), 1):
        kept.append(entry(function))
        assert lib.mproc_table_add(table, number, name.encode(), kept[-1], None) == 0
    return 0 if lib.mproc_worker_serve(table) == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
