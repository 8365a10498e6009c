#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""W10 and W11 of `mproc bench` with CPython's multiprocessing: the same lines of JSON, for the same run."""
import json
import multiprocessing
import sys
import time

QUICK = "--quick" in sys.argv
SHAPES = {"1to1": (1, 1), "4to1": (4, 1), "1to4": (1, 4), "4to4": (4, 4)}
SIZES = {"16B": (16, 100_000), "1KiB": (1024, 60_000), "64KiB": (65536, 6_000), "1MiB": (1 << 20, 400)}


def emit(peer, workload, metric, value, unit):
    print(json.dumps({"peer": peer, "workload": workload, "metric": metric, "value": float(f"{value:.6g}"), "unit": unit}),
          flush=True)


def putter(queue, ready, begin, through, times, size):
    item = bytes(size)
    ready.release()
    begin.wait()
    for _ in range(times):
        queue.put(item)
    through.release()


def taker(queue, ready, begin, through):
    ready.release()
    begin.wait()
    while queue.get():
        pass
    through.release()


def queue_rate(context, make, putting, taking, size, items):
    queue, ready, through, begin = make(), context.Semaphore(0), context.Semaphore(0), context.Event()
    crew = [context.Process(target=taker, args=(queue, ready, begin, through)) for _ in range(taking)]
    crew += [context.Process(target=putter, args=(queue, ready, begin, through, items // putting, size))
             for _ in range(putting)]
    for member in crew:
        member.start()
    for _ in crew:
        ready.acquire()
    start = time.perf_counter()
    begin.set()
    for member in crew[taking:]:
        member.join()  # what it put has left it by then
    for _ in range(taking):
        queue.put(b"")
    for _ in range(taking + putting):
        through.acquire()
    seconds = time.perf_counter() - start
    for member in crew:
        member.join()
    return items // putting * putting / seconds


def main():
    context = multiprocessing.get_context("fork")
    times = 100_000 if QUICK else 400_000
    for name, lock in {"lock": context.Lock(), "recursive": context.RLock(), "semaphore": context.Semaphore(1)}.items():
        best = 1e9
        for _ in range(5):
            start = time.perf_counter()
            for _ in range(times):
                lock.acquire()
                lock.release()
            best = min(best, (time.perf_counter() - start) / times)
        emit("cpython", "W10", name, best * 1e9, "ns")
    for peer, make in {"cpython_queue": context.Queue, "cpython_simple_queue": context.SimpleQueue}.items():
        for shape, (putting, taking) in SHAPES.items():
            for name, (size, items) in SIZES.items():
                rate = queue_rate(context, make, putting, taking, size, items // 4 if QUICK else items)
                emit(peer, "W11", f"{shape}_{name}", rate, "items/s")


if __name__ == "__main__":
    main()
