# SPDX-License-Identifier: MIT
"""codec_test.py VALUE_PEER WIRE_FORMAT_MD: the library and value_codec.py, which was written from the page
docs/wire-format.md, agree on 100,000 random values in both directions, and on which bytes are no value.
The last line is 'N passed, N failed'."""
import os
import random
import re
import struct
import subprocess
import sys
import threading
import unittest

import value_codec
from value_codec import Array, BadValue, Int, Map, Uint, describe

PEER, PAGE = sys.argv[1:3]
COUNT = int(os.environ.get("MPROC_CODEC_VALUES", "100000"))
SEED = 20261121


def frames(pipe):
    while head := pipe.read(4):
        yield pipe.read(struct.unpack("<I", head)[0])


def echo(payloads):
    """What the library makes of each: (bytes, description), both empty if it is refused."""
    with subprocess.Popen([PEER, "echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as peer:
        def feed():
            for payload in payloads:
                peer.stdin.write(struct.pack("<I", len(payload)) + payload)
            peer.stdin.close()
        feeder = threading.Thread(target=feed)
        feeder.start()
        answers = frames(peer.stdout)
        pairs = [(data, next(answers).decode()) for data in answers]
        feeder.join()
    if peer.returncode != 0:
        raise AssertionError(f"value_peer ended with {peer.returncode}")
    return pairs


def random_scalar(dice):
    what = dice.randrange(7)
    if what == 0:
        return None
    if what == 1:
        return dice.random() < 0.5
    if what == 2:
        return Int(dice.getrandbits(dice.randrange(1, 65)) - 2**63 if dice.random() < 0.3
                   else dice.getrandbits(dice.randrange(1, 64)) * dice.choice((1, -1)))
    if what == 3:
        return Uint(dice.getrandbits(dice.randrange(1, 65)))
    if what == 4:
        return dice.choice((0.0, -0.0, 1.0, float("inf"), -float("inf"), float("nan"), dice.gauss(0, 1e9)))
    if what == 5:
        return "".join(chr(dice.choice((dice.randrange(128), dice.randrange(0xd800), dice.randrange(0xe000, 0x110000))))
                       for _ in range(dice.randrange(9)))
    return dice.randbytes(dice.randrange(9))


def key_form(key):
    return describe(Int(key) if isinstance(key, Uint) and key < 2**63 else key)


def random_value(dice, depth=0):
    what = dice.randrange(10)
    if depth > 8 or what < 6:
        return random_scalar(dice)
    if what < 8:
        return [random_value(dice, depth + 1) for _ in range(dice.randrange(5))]
    if what < 9:
        keys = {key_form(key): key for key in (random_scalar(dice) for _ in range(dice.randrange(5)))}
        return Map([(key, random_value(dice, depth + 1)) for key in keys.values()])
    element = dice.randrange(1, 11)
    return Array(element, dice.randbytes(dice.randrange(5) * value_codec.ELEMENT_SIZE[element]))


class Codec(unittest.TestCase):
    def test_values_from_python(self):
        dice = random.Random(SEED)
        values = [random_value(dice) for _ in range(COUNT)]
        payloads = [value_codec.encode(value) for value in values]
        answers = echo(payloads)
        self.assertEqual(len(answers), COUNT)
        for value, payload, (data, text) in zip(values, payloads, answers):
            self.assertEqual(text, describe(value))
            self.assertEqual(data, payload)

    def test_values_from_the_library(self):
        made = subprocess.run([PEER, "make", str(SEED), str(COUNT)], stdout=subprocess.PIPE, check=True)
        at, count, kinds = 0, 0, set()
        while at < len(made.stdout):
            parts = []
            for _ in range(2):
                size = struct.unpack_from("<I", made.stdout, at)[0]
                parts.append(made.stdout[at + 4:at + 4 + size])
                at += 4 + size
            data, text = parts
            value = value_codec.decode(data)
            self.assertEqual(describe(value), text.decode())
            self.assertEqual(value_codec.encode(value), data)
            kinds.add(data[0])
            count += 1
        self.assertEqual(count, COUNT)
        self.assertEqual(kinds, set(range(10)))

    def verdicts(self, payloads):
        """Both sides must take or refuse the same bytes, and see the same value in what they take."""
        taken = 0
        for payload, (_, text) in zip(payloads, echo(payloads), strict=True):
            try:
                mine = describe(value_codec.decode(payload))
            except BadValue:
                mine = ""
            self.assertEqual(text, mine, payload.hex())
            taken += mine != ""
        return taken

    def test_cut_off_at_every_byte(self):
        dice = random.Random(SEED + 1)
        payloads = []
        for _ in range(300):
            whole = value_codec.encode([random_value(dice) for _ in range(3)])
            payloads += [whole[:size] for size in range(len(whole))]
        self.assertEqual(self.verdicts(payloads), 0)

    def test_spoilt_bytes(self):
        dice = random.Random(SEED + 2)
        payloads = []
        for _ in range(20000):
            spoilt = bytearray(value_codec.encode([random_value(dice) for _ in range(dice.randrange(4))]))
            for _ in range(dice.randrange(1, 4)):
                place = dice.randrange(len(spoilt))
                how = dice.randrange(4)
                if how == 0:
                    spoilt[place] = dice.randrange(256)
                elif how == 1:
                    spoilt[place] ^= 1 << dice.randrange(8)
                elif how == 2:
                    spoilt[place:place + 8] = struct.pack("<Q", dice.choice((2**63, 2**64 - 1, len(spoilt), 0, 1)))
                else:
                    spoilt[place:place] = dice.randbytes(dice.randrange(1, 4))
            payloads.append(bytes(spoilt))
        taken = self.verdicts(payloads)
        self.assertTrue(0 < taken < len(payloads), taken)

    def test_named_bad_values(self):
        def nested(depth):
            return b"\7\1\0\0\0\0\0\0\0" * depth + b"\0"
        bad = [b"", nested(101), nested(10**6), b"\7" + struct.pack("<Q", 2**63), b"\x08" + struct.pack("<Q", 2**63),
               b"\5" + struct.pack("<Q", 2**63), b"\x09\x08" + struct.pack("<Q", 2**61), b"\1\2", b"\x0a", b"\0\0",
               b"\x09\x0b" + bytes(14), b"\x09\x08" + struct.pack("<Q", 1) + b"\1" + bytes(5) + bytes(8),
               value_codec.encode(Map([("a", None), ("a", None)])),
               value_codec.encode(Map([(Int(5), None), (Uint(5), None)])),
               value_codec.encode(Map([([], None)]))]
        bad += [b"\5" + struct.pack("<Q", len(text)) + text for text in (
            b"\x80", b"\xc1\x80", b"\xc0\x80", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf0\x80\x80\x80", b"\xf4\x90\x80\x80",
            b"\xf5\x80\x80\x80", b"\xe2\x82", b"\xc3\x28", b"ascii\xff")]
        self.assertEqual(self.verdicts(bad), 0)
        good = [nested(100), value_codec.encode(Map([(key, None) for key in (
                    Int(1), 1.0, "1", True, b"1", None, 0.0, -0.0, Uint(2**63), Int(-2**63))])),
                value_codec.encode("\0\u20ac\U0010ffff\ud7ff\ue000"), value_codec.encode(float("nan"))]
        self.assertEqual(self.verdicts(good), len(good))

    def test_example_of_the_page(self):
        with open(PAGE, encoding="utf-8") as page:
            example = re.search(r"```text\n(.*?)```", page.read(), re.S)[1]
        data = bytes.fromhex(example)
        value = Map([("id", Int(7)), ("ok", True)])
        self.assertEqual(value_codec.encode(value), data)
        self.assertEqual(echo([data]), [(data, describe(value))])


result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(
    unittest.defaultTestLoader.loadTestsFromTestCase(Codec))
bad = len(result.failures) + len(result.errors)
print(f"{result.testsRun - bad} passed, {bad} failed", flush=True)
sys.exit(bad != 0)
