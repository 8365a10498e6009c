#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_corpus.py DIRECTORY: writes the named inputs of each fuzzer, DIRECTORY/FUZZER/NAME. Those of the tree
are this script's, in tests/fuzz/corpus; what a fuzzer has found lies beside them as found-NAME."""
import pathlib
import struct
import sys

WORDS = (0, 1, 255, 1 << 31, (1 << 32) - 1, 1 << 63, (1 << 64) - 1)


def u8(n):
    return struct.pack("<B", n)


def u16(n):
    return struct.pack("<H", n)


def u32(n):
    return struct.pack("<I", n & 0xFFFFFFFF)


def u64(n):
    return struct.pack("<Q", n & ((1 << 64) - 1))


def text(string):
    data = string if isinstance(string, bytes) else string.encode()
    return u64(len(data)) + data


def values():
    string = lambda s: u8(5) + text(s)  # noqa: E731
    number = lambda n: u8(2) + u64(n)  # noqa: E731
    double = lambda bits: u8(4) + u64(bits)  # noqa: E731
    array = lambda kind, n, data: (lambda head: head + bytes(-len(head) % 8) + data)(u8(9) + u8(kind) + u64(n))  # noqa: E731
    nest = lambda depth, inner=u8(0): (u8(7) + u64(1)) * depth + inner  # noqa: E731
    yield "all-kinds", u8(8) + u64(9) + b"".join([
        string("nil"), u8(0), string("bool"), u8(1) + u8(1), string("int"), number(-7), string("uint"), u8(3) + u64(1 << 63),
        string("double"), double(0x3FF8000000000000), string("bytes"), u8(6) + text(b"\0\xff"),
        string("list"), u8(7) + u64(2) + number(1) + string("x"), number(5), u8(8) + u64(0), u8(1) + u8(0), u8(7) + u64(0)])
    for kind, size in enumerate((1, 1, 2, 2, 4, 4, 8, 8, 4, 8), 1):
        if kind in (1, 4, 10):
            yield f"array-{kind}", array(kind, 3, bytes(range(3 * size)))
    yield "array-of-no-type", array(11, 1, bytes(8))
    yield "array-count-wraps", array(10, 1 << 61, bytes(8))
    yield "array-filling-not-zero", u8(9) + u8(1) + u64(1) + b"\1" * 7
    yield "nested-100", nest(100)
    yield "nested-101", nest(101)
    yield "nested-101-maps", (u8(8) + u64(1) + number(1)) * 101 + u8(0)
    for kind, name in ((5, "string"), (6, "bytes"), (7, "list"), (8, "map")):
        yield f"{name}-of-2-63", u8(kind) + u64(1 << 63) + bytes(8)
    yield "lists-that-share-what-is-left", (u8(7) + u64(4)) * 4 + bytes(6)
    yield "key-twice", u8(8) + u64(2) + string("a") + u8(0) + string("a") + u8(0)
    yield "key-twice-int-and-uint", u8(8) + u64(2) + number(7) + u8(0) + u8(3) + u64(7) + u8(0)
    yield "five-keys", u8(8) + u64(5) + b"".join(k + u8(0) for k in (
        number(1), double(0x3FF0000000000000), string("1"), u8(1) + u8(1), u8(6) + text("1")))
    yield "key-is-a-list", u8(8) + u64(1) + nest(1) + u8(0)
    for name, data in (("overlong", b"\xc0\x80"), ("surrogate", b"\xed\xa0\x80"), ("beyond", b"\xf4\x90\x80\x80"),
                       ("cut-off", b"12345678\xe2\x82"), ("good", "\0aé€😀12345678".encode())):
        yield f"utf8-{name}", string(data)
    for name, bits in (("nan", 0x7FF8000000000000), ("signalling-nan", 0x7FF0000000000001), ("infinity", 0x7FF0000000000000),
                       ("minus-infinity", 0xFFF0000000000000), ("minus-zero", 1 << 63)):
        yield f"double-{name}", double(bits)
    yield "bool-of-2", u8(1) + u8(2)
    yield "no-such-kind", u8(10)
    yield "bytes-after-the-end", u8(0) + u8(0)
    yield "cut-off", number(1)[:5]
    yield "nothing", b""


def messages():
    table = lambda *names: u64(len(names)) + b"".join(u32(i) + text(n) for i, n in enumerate(names))  # noqa: E731
    yield "table", u8(0) + table("square", "add")
    yield "table-of-one-name", u8(0) + table("square", "square")
    yield "table-of-2-63", u8(0) + u64(1 << 63) + bytes(12)
    yield "table-name-of-2-60", u8(0) + u64(1) + u32(1) + u64(1 << 60)
    yield "error", u8(1) + u32(7) + text("Type") + text("message") + text("trace")
    yield "error-text-huge", u8(1) + u32(7) + text("Type") + u64(1 << 60) + b"message"
    setup = u64(99) + u32(1) + text("Worker-1") + u64(4242) + text("/module.so")
    terms = u64(1 << 30) + u8(1) + u32(5) + text(b"end") + u8(1)
    terms += u64(1 << 32) + u64(60) + u64(512) + u8(1) + u32(5) + u64(2) + u32(0) + u32(3)
    yield "setup", u8(2) + setup + u8(1) + u32(3) + text(b"data") + terms
    yield "setup-bool-of-2", u8(2) + setup + u8(2) + u32(3) + text(b"data") + terms
    chunk = lambda count, size, rest: u8(3) + u64(0) + u64(count) + u64(size) + u64(0) * 3 + rest  # noqa: E731
    yield "chunk", chunk(3, 2, b"aabbcc")
    yield "chunk-varied", chunk(2, -1, u64(10) + u64(11) + u64(13) + b"abb")
    yield "chunk-backwards", chunk(2, -1, u64(10) + u64(9) + u64(13) + b"abb")
    yield "chunk-of-2-63", chunk(1 << 63, -1, bytes(16))
    items = lambda most, done, failed, size, rest: u8(4) + u16(most) + u64(done) + u64(failed) + u64(size) + u64(0) + rest  # noqa: E731
    yield "items", items(8, 3, 0, 2, b"aabbcc")
    yield "items-varied", items(8, 2, 1, -1, u64(1) + u64(3) + u64(1) + b"abb")
    yield "items-size-wraps", items(8, 8, 0, 1 << 61, b"aabbccdd")
    yield "items-failed-of-2-61", items(8, 8, 1 << 61, 1, bytes(32))
    yield "items-ends-backwards", items(8, 2, 0, -1, u64(3) + u64(1) + b"abb")
    yield "items-end-beyond", items(8, 2, 0, -1, u64(1) + u64(4) + b"abb")
    yield "items-failed-twice", items(8, 3, 2, 1, u64(1) + u64(1) + b"abc")
    yield "array-result", u8(5) + u64(2) + u64(8) + u64(2) + u64(0) + bytes(16)
    yield "array-result-failed", u8(5) + u64(2) + u64(8) + u64(1) + u64(1) + bytes(8) + b"error"
    yield "array-result-short", u8(5) + u64(2) + u64(8) + u64(2) + u64(0) + bytes(15)
    program = u32(2) + u32(1) + b"/bin/x\0" + b"x\0-y\0" + b"A=b\0"
    yield "program", u8(6) + program
    yield "program-arguments-2-32", u8(6) + u32(-1) + u32(1) + b"/bin/x\0" + b"x\0"
    head = lambda kind, present, size=0, version=1: u8(version) + u8(kind) + u16(present) + u32(0) + u64(1) + u64(size) + u64(0)  # noqa: E731
    yield "start", u8(7) + u8(2) + head(1, 2 | 16, len(program)) + program
    yield "start-without-descriptors", u8(7) + u8(1) + head(1, 2 | 16, len(program)) + program
    yield "start-body-huge", u8(7) + u8(1) + head(1, 1, 1 << 62)
    yield "started", u8(7) + u8(1) + head(4, 32)
    yield "exited-of-another-version", u8(7) + u8(0) + head(6, 0, 0, 2)
    hello = lambda kind, size: u32(kind) + u32(20) + u64(size)  # noqa: E731
    yield "long-body", u8(8) + (hello(2, 40) + bytes(20)) * 2
    yield "long-body-of-2-63", u8(8) + hello(2, 1 << 63) + bytes(20)
    crash = lambda frames, maps, rest: u8(9) + u64(0x6D70726F63747232) + u32(11) + u32(1) + u64(64) + u64(0) + u32(frames) + u32(maps) + rest  # noqa: E731
    yield "long-body-over-the-limit", u8(8) + (hello(2, 300) + bytes(20)) * 15
    yield "crash", crash(1, 1, u64(0x1010) + u64(0x1000) + u64(0x2000) + u64(0) + u64(6) + b"[vdso]\0\0")
    yield "crash-path-huge", crash(1, 1, u64(0x1010) + u64(0x1000) + u64(0x2000) + u64(0) + u64(-8) + b"/x")
    yield "crash-frames-2-31", crash(1 << 31, 1, bytes(64))
    said = lambda *parts: u8(10) + b"".join(u8(len(p)) + p for p in parts)  # noqa: E731
    whole = table("square")
    yield "said-hello", said(hello(2, len(whole)) + whole[:9], hello(3, len(whole)) + whole[9:])
    yield "said-refusal", said(u32(4) + u32(-3) + u64(0) + b"why")
    yield "said-too-little", said(b"x")


def channels():
    submit = lambda n: u8(3) + u8(n)  # noqa: E731
    write = lambda at, data: u8(0) + u32(at) + u8(len(data)) + data  # noqa: E731
    say = lambda files, kind, block, size: u8(2) + u8(files) + u8(16) + u32(kind) + u32(block) + u64(size)  # noqa: E731
    look, claim, serve, tick = u8(13), u8(12), u8(6) + u8(7), u8(7)
    map_of = lambda count, chunk, how: u8(4) + u8(count) + u8(chunk) + u8(how)  # noqa: E731

    def result(turn=0, state=1, task=0, status=0, block=0, size=8, offset=0, data=b"12345678", lent=0):
        return u8(1) + struct.pack("<bBhBBBBII", turn, state, task, status, block, len(data), lent, size, offset) + data
    start = submit(8) + submit(8) + claim
    yield "honest", submit(8) * 6 + submit(200) * 3 + map_of(9, 2, 0) + map_of(9, 2, 2) + map_of(15, 4, 5) + (serve + look) * 4
    yield "true-results", start + result() + look + submit(8) + claim + result() + look + tick
    for name, bad in (("task-ahead", {"task": 1}), ("task-wraps", {"task": -100}), ("task-a-round-ahead", {"task": 256}),
                      ("task-a-round-behind", {"task": -256}), ("size-beyond-memory", {"size": (1 << 32) - 1}), ("turn-ahead", {"turn": 1}),
                      ("turn-behind", {"turn": -1}), ("size-beyond-slot", {"size": 81}), ("status-2", {"status": 2}),
                      ("error-that-is-none", {"status": 1}), ("block-unknown", {"block": 9})):
        yield f"result-{name}", start + result(**bad) + look + result() + look
    lent = result(block=9, size=4096, lent=1)
    yield "result-lent", start + say(1, 5, 9, 4096) + lent + look
    yield "result-lent-twice", start + submit(8) + claim + say(1, 5, 9, 4096) + lent + look + lent + look
    yield "result-lent-and-dropped", start + say(1, 5, 9, 4096) + lent + say(0, 6, 9, 0) + look + tick
    in_place = bytes([14]) + struct.pack("<HH", 100, 50) + claim
    yield "block", in_place + result(status=2, size=100, offset=50) + look
    for name, bad in {"beyond": dict(size=8193), "wrapped": dict(size=100, offset=0xFFFFFFFF), "empty": dict(size=0, offset=8192)}.items():
        yield f"block-{name}-answer", in_place + result(status=2, **bad) + look
    yield "block-for-another", start + result(status=2, size=8) + look
    yield "result-twice", start + result() + result(turn=1) + look
    yield "result-in-block", start + say(1, 5, 9, 4096) + result(block=9, size=4096) + look
    yield "result-beyond-block", start + say(1, 5, 9, 4096) + result(block=9, size=4096, offset=1) + look
    yield "result-offset-huge", start + say(1, 5, 9, 4096) + result(block=9, size=4096, offset=0xFFFFFFFF) + look
    for name, message in (("unsealed", say(2, 5, 9, 4096)), ("too-large", say(1, 5, 9, 1 << 63)), ("empty", say(1, 5, 9, 0)),
                          ("number-zero", say(1, 5, 0, 4096)), ("no-file", say(0, 5, 9, 4096)), ("two-files", say(5, 5, 9, 4096)),
                          ("not-memory", say(4, 5, 9, 1)), ("twice", say(1, 5, 9, 4096) * 2), ("drop-unknown", say(0, 6, 9, 0)),
                          ("other-message", say(0, 2, 9, 8)), ("head-cut-off", u8(2) + u8(0) + u8(3) + b"abc")):
        yield f"block-{name}", start + message + result(block=9, size=16) + look
    yield "passed-ahead", start + u8(9) + u64(200) + look + submit(8)
    yield "passed-2-64", start + u8(9) + u64(-1) + look + submit(8)
    yield "dies-with-tasks", start + submit(200) + u8(11) + u8(11) + submit(8) + u8(11) + u8(0) + submit(8)
    yield "socket-shut", u8(10) + submit(200) * 3 + look + tick + look
    yield "stuck", submit(8) * 9 + tick + tick + serve + look + u8(8)
    yield "cancelled", submit(8) * 9 + map_of(12, 1, 0) + u8(5) + u8(9) + u8(5) + u8(3) + look
    announced = 272
    yield "announced-lies", submit(7) * 4 + b"".join(write(announced, u64(n)) + look for n in (2, 1, 300, -1, 0)) + submit(7) + look
    slots, trace = 128 * 56, 128 * 56 + 2 * 256 * 128  # of ipc/layout.hh
    yield "turns-all-ones", start + b"".join(write(slots + 128 * i, b"\xff" * 8) for i in range(12)) + look + tick
    yield "chunk-lie", map_of(8, 4, 0) + claim + result(task=0, size=48, data=u64(1 << 63) + u64(0) + u64(8) + u64(0)) + look
    yield "array-lie", map_of(8, 4, 2) + claim + result(task=0, size=48, data=u64(5) + u64(0) + u64(8) + u64(0)) + look
    lie = u64(1 << 63) + u64(0) + u64(8) + u64(0)
    for name, how in (("lazy", 8), ("lazy-unordered", 10), ("lazy-varied", 13)):
        yield name, map_of(14, 2, how) + look + (serve + look) * 4
        yield f"{name}-chunk-lie", map_of(15, 3, how) * 2 + claim + result(task=0, size=32, data=lie) + look + u8(11) + u8(9) + look
        yield f"{name}-cancelled", map_of(12, 2, how) + (serve + look) + u8(5) + u8(0) + submit(8) + serve + look
    crash = u64(0x6D70726F63747232) + u32(11) + u32(1) + u64(64) + u64(0) + u32(1) + u32(1)
    log = trace + 16 * 1024 + 256 * 32 + 16 * 128
    record = lambda size, text: write(log + 256, u32(size) + u32(20) + u64(0) + u64(1) + u64(1) + text)  # noqa: E731
    yield "log", start + record(5, b"hello\0\0\0") + write(log, u64(40)) + look + result() + look
    for name, size, written in (("size-lie", 99, 40), ("size-2-32", -1, 40), ("half-a-head", 5, 16), ("written-2-63", 5, 1 << 63)):
        yield f"log-{name}", start + record(size, b"hello\0\0\0") + write(log, u64(written)) + result() + look
    yield "crash-record", start + write(trace, crash) + u8(11) + u8(11)


def cpp_types():
    person = text("Ada") + u8(0) + u32(36) + u64(1) + text("maths") + u64(2) + u64(0) * 2 + u32(0) + u64(1815) + u8(1)
    yield "person", u8(0) + person
    yield "person-bool-of-2", u8(0) + person[:-1] + u8(2)
    yield "variant-index-9", u8(0) + person[:-13] + u32(9) + u64(1815) + u8(1)
    yield "variant-index-minus-1", u8(0) + person[:-13] + u32(-1) + u64(1815) + u8(1)
    yield "marks-of-2-61", u8(0) + text("Ada") + u8(1) + u64(1) + text("maths") + u64(1 << 61) + bytes(16)
    yield "map-of-2-63", u8(0) + text("Ada") + u8(1) + u64(1 << 63)
    yield "optional-of-2", u8(0) + text("Ada") + u8(2) + u32(36)
    yield "arguments", u8(1) + u8(1) + u32(7) + text("seven")
    yield "bool-of-2", u8(1) + u8(2) + u32(7) + text("seven")
    yield "people", u8(2) + u64(2) + person * 2
    yield "people-of-2-63", u8(2) + u64(1 << 63) + person
    yield "lists", u8(3) + u64(2) + u64(1) + text("a") + u64(0)
    yield "lists-of-2-32", u8(3) + u64(1 << 32) + bytes(64)
    yield "sets-and-plain", u8(4) + u64(1) + u32(1) + u64(2) + text("a") + text("a") + u64(1) + bytes(24)
    yield "bools", u8(5) + u64(3) + b"\1\0\1" + u8(0) + u8(1)
    yield "bools-of-2", u8(5) + u64(3) + b"\1\2\1" + u8(0) + u8(2)
    yield "variant-of-doubles", u8(6) + u32(1) + u64(2) + bytes(16) + bytes(24)
    yield "pairs", u8(7) + u64(2) + text("a") + u32(1) + u8(1) + text("b") + u32(2) + u8(0)
    yield "after-the-end", u8(1) + u8(1) + u32(7) + text("seven") + u8(0)


def main():
    for fuzzer, inputs in (("value", values), ("messages", messages), ("channel", channels), ("cpp_types", cpp_types)):
        folder = pathlib.Path(sys.argv[1]) / fuzzer
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in inputs():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
