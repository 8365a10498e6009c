# SPDX-License-Identifier: MIT
"""A pool of C functions in an asyncio loop: the loop watches the pool's descriptor, a call is awaited.

    python3 asyncio_pool.py ./module.so"""
import asyncio
import ctypes
import os
import struct
import sys

lib = ctypes.CDLL(os.environ.get("MPROC_LIBRARY", "libmproc.so.0"))
lib.mproc_status_name.restype = lib.mproc_last_error_message.restype = ctypes.c_char_p
lib.mproc_pool_submit_callback.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_size_t,
                                           ctypes.c_int64] + [ctypes.c_void_p] * 4
lib.mproc_pool_next.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p]
NEXT = 2  # MPROC_CALLBACKS_NEXT
SQUARE, CRASH = 1, 2


class MprocError(Exception):
    pass


def error_of(status):
    return MprocError(lib.mproc_status_name(status).decode(), lib.mproc_last_error_message().decode())


def must(status):
    if status != 0:
        raise error_of(status)


class Pool:
    """To be used in `async with`, on one loop."""

    def __init__(self, module):
        options, self.handle, fd = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_int32()
        must(lib.mproc_pool_options_create(ctypes.byref(options)))
        must(lib.mproc_pool_options_set_module(options, module.encode()))
        must(lib.mproc_pool_options_set_callbacks(options, NEXT))
        must(lib.mproc_pool_create(options, ctypes.byref(self.handle)))
        must(lib.mproc_pool_options_destroy(options))
        must(lib.mproc_pool_fd(self.handle, ctypes.byref(fd)))
        self.fd, self.waiting, self.last_tag = fd.value, {}, 0

    async def __aenter__(self):
        asyncio.get_running_loop().add_reader(self.fd, self._on_readable)
        return self

    async def __aexit__(self, *_):
        asyncio.get_running_loop().remove_reader(self.fd)
        os.close(self.fd)
        must(lib.mproc_pool_destroy(self.handle))

    def call(self, function, data=b""):
        """Submits a task; the answer is an asyncio future."""
        self.last_tag += 1
        must(lib.mproc_pool_submit_callback(self.handle, function, data, len(data), 0, None, None, self.last_tag,
                                            None))
        self.waiting[self.last_tag] = asyncio.get_running_loop().create_future()
        return self.waiting[self.last_tag]

    def _on_readable(self):
        future, tag = ctypes.c_void_p(), ctypes.c_void_p()
        for _ in range(100):  # then the loop's other work gets its turn
            if lib.mproc_pool_next(self.handle, 0, ctypes.byref(future), ctypes.byref(tag)) != 0:
                return
            waiting = self.waiting.pop(tag.value)
            data, size = ctypes.c_void_p(), ctypes.c_size_t()
            status = lib.mproc_future_result(future, ctypes.byref(data), ctypes.byref(size))
            if waiting.cancelled():
                pass
            elif status == 0:
                waiting.set_result(ctypes.string_at(data, size.value))
            else:
                waiting.set_exception(error_of(lib.mproc_future_error(future)))
            lib.mproc_future_release(future)


async def main():
    async with Pool(sys.argv[1]) as pool:
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.001)
                ticks += 1

        ticker = asyncio.create_task(tick())
        answers = await asyncio.gather(*(pool.call(SQUARE, struct.pack("<q", i)) for i in range(1, 1001)))
        print("1000 squares, sum", sum(struct.unpack("<q", answer)[0] for answer in answers))
        try:
            await pool.call(CRASH)
        except MprocError as error:
            print(*error.args)
        while ticks == 0:
            await asyncio.sleep(0.001)
        ticker.cancel()


asyncio.run(main())
