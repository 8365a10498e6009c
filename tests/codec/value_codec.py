# SPDX-License-Identifier: MIT
"""A codec for values, written from docs/wire-format.md with the standard library only.

A value in Python: None, bool, bytes, str, float, list; Int and Uint (Python has one integer type, the format has
two); Map, a list of pairs; Array, an element type and the bytes of its elements. Doubles are told apart by their
bits."""
import struct
from typing import NamedTuple

ELEMENT_SIZE = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 8, 8: 8, 9: 4, 10: 8}
DEEPEST = 100


class Int(int):
    pass


class Uint(int):
    pass


class Map(NamedTuple):
    pairs: list


class Array(NamedTuple):
    element: int
    data: bytes


class BadValue(Exception):
    pass


def encode(value):
    out = bytearray()
    _encode(value, out)
    return bytes(out)


def _encode(value, out):
    if value is None:
        out.append(0)
    elif value is True or value is False:
        out += bytes((1, value))
    elif isinstance(value, Int):
        out += struct.pack("<Bq", 2, value)
    elif isinstance(value, Uint):
        out += struct.pack("<BQ", 3, value)
    elif isinstance(value, float):
        out += struct.pack("<Bd", 4, value)
    elif isinstance(value, str):
        text = value.encode()
        out += struct.pack("<BQ", 5, len(text)) + text
    elif isinstance(value, bytes):
        out += struct.pack("<BQ", 6, len(value)) + value
    elif isinstance(value, list):
        out += struct.pack("<BQ", 7, len(value))
        for entry in value:
            _encode(entry, out)
    elif isinstance(value, Map):
        out += struct.pack("<BQ", 8, len(value.pairs))
        for key, entry in value.pairs:
            _encode(key, out)
            _encode(entry, out)
    elif isinstance(value, Array):
        out += struct.pack("<BBQ", 9, value.element, len(value.data) // ELEMENT_SIZE[value.element])
        out += bytes(-len(out) % 8)
        out += value.data
    else:
        raise TypeError(type(value))


def decode(data):
    decoder = _Decoder(data)
    value = decoder.value(0)
    if decoder.at != len(data):
        raise BadValue("bytes after the end")
    return value


class _Decoder:
    def __init__(self, data):
        self.data, self.at, self.owed = data, 0, 0

    def take(self, form):
        size = struct.calcsize(form)
        if len(self.data) - self.at < size:
            raise BadValue("cut off")
        self.at += size
        return struct.unpack_from(form, self.data, self.at - size)[0]

    def skip(self, size):
        if len(self.data) - self.at < size:
            raise BadValue("length")
        self.at += size
        return bytes(self.data[self.at - size:self.at])

    def entries(self, per_entry, depth):
        if depth > DEEPEST:
            raise BadValue("too deep")
        count = self.take("<Q")
        if count * per_entry > len(self.data) - self.at - self.owed:
            raise BadValue("count")
        self.owed += count * per_entry
        for _ in range(count * per_entry):
            self.owed -= 1
            begin = self.at
            entry = self.value(depth)
            yield entry, bytes(self.data[begin:self.at])

    def map(self, depth):
        pairs, seen, entries = [], set(), self.entries(2, depth)
        for key, form in entries:
            if form[0] >= 7:
                raise BadValue("kind of key")
            if form[0] == 3 and form[8] < 0x80:
                form = b"\2" + form[1:]
            if form in seen:
                raise BadValue("key twice")
            seen.add(form)
            pairs.append((key, next(entries)[0]))
        return Map(pairs)

    def array(self):
        element = self.take("<B")
        if element not in ELEMENT_SIZE:
            raise BadValue("element type")
        count = self.take("<Q")
        if any(self.skip(-self.at % 8)):
            raise BadValue("filling")
        return Array(element, self.skip(count * ELEMENT_SIZE[element]))

    def value(self, depth):
        tag = self.take("<B")
        if tag == 0:
            return None
        if tag == 1:
            truth = self.take("<B")
            if truth > 1:
                raise BadValue("boolean")
            return truth == 1
        if tag == 2:
            return Int(self.take("<q"))
        if tag == 3:
            return Uint(self.take("<Q"))
        if tag == 4:
            return self.take("<d")
        if tag == 5:
            try:
                return self.skip(self.take("<Q")).decode()
            except UnicodeDecodeError:
                raise BadValue("UTF-8") from None
        if tag == 6:
            return self.skip(self.take("<Q"))
        if tag == 7:
            return [entry for entry, _ in self.entries(1, depth + 1)]
        if tag == 8:
            return self.map(depth + 1)
        if tag == 9:
            return self.array()
        raise BadValue("tag")


def describe(value):
    """A text that is the same for the same value only, as value_peer.c writes it."""
    if value is None:
        return "n"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, Int):
        return f"i{value:d}"
    if isinstance(value, Uint):
        return f"u{value:d}"
    if isinstance(value, float):
        return "d" + struct.pack(">d", value).hex()
    if isinstance(value, str):
        return "s" + value.encode().hex()
    if isinstance(value, bytes):
        return "b" + value.hex()
    if isinstance(value, list):
        return "[" + ",".join(map(describe, value)) + "]"
    if isinstance(value, Map):
        return "{" + ",".join(f"{describe(k)}:{describe(v)}" for k, v in value.pairs) + "}"
    return f"a{value.element}=" + value.data.hex()
