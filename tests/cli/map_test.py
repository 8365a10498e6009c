# SPDX-License-Identifier: MIT
"""`mproc map`: what it prints for which items, and how it ends."""
import hashlib
import os
import subprocess
import tempfile
import unittest

import program
from program import DEMO, run, run_map


class Items(unittest.TestCase):
    def check(self, result, output, code=0):
        self.assertEqual((result.returncode, result.stdout), (code, output), result.stderr[:1000])
        if code == 0:
            self.assertEqual(result.stderr, b"")

    def test_arguments(self):
        self.check(run_map("upper", "a", "b c", "", "d"), b"A\nB C\n\nD\n")

    def test_arguments_are_literal(self):
        self.check(run_map("upper", "[x,y]", "info", "--jobs", "-q"), b"[X,Y]\nINFO\n--JOBS\n-Q\n")
        self.check(run_map("upper", "--", "-a", "--", "--help"), b"-A\n--\n--HELP\n")
        self.check(run_map("upper", "-1", "-2"), b"-1\n-2\n")

    def test_lines(self):
        self.check(run_map("upper", stdin=b"a\nb\n"), b"A\nB\n")

    def test_last_line_needs_no_break(self):
        self.check(run_map("upper", stdin=b"a\nb"), b"A\nB\n")

    def test_no_items(self):
        self.check(run_map("upper"), b"")
        self.check(run_map("upper", options=["--chunk", "5", "--unordered"]), b"")

    def test_empty_lines(self):
        self.check(run_map("upper", stdin=b"\n\na\n\n"), b"\n\nA\n\n")

    def test_any_bytes(self):
        lines = b"".join(bytes([c]) * n + b"\n" for c in range(256) if c != 10 for n in (1, 300))
        self.check(run_map("upper", stdin=lines), lines.upper())

    def test_long_line(self):
        line = os.urandom(1 << 16).replace(b"\n", b"x") * 64
        self.check(run_map("upper", stdin=b"a\n" + line + b"\nb"), b"A\n" + line.upper() + b"\nB\n")

    def test_function_by_number(self):
        self.check(run_map("3", "a"), b"A\n")

    def test_chunks_and_order(self):
        lines = b"".join(b"item %d\n" % i for i in range(100_000))
        for chunk in "1", "3", "1000":
            with self.subTest(chunk=chunk):
                self.check(run_map("upper", options=["--chunk", chunk], stdin=lines), lines.upper())

    def test_order_when_later_items_are_quicker(self):
        items = [str(n) for n in range(60, -1, -5)]
        result = run_map("sleep_ms", *items, options=["--jobs", "4"])
        self.check(result, "".join(i + "\n" for i in items).encode())

    def test_unordered(self):
        lines = [b"item %d" % i for i in range(20_000)]
        for chunk in "1", "7":
            result = run_map("crash", options=["--unordered", "--chunk", chunk], stdin=b"\n".join(lines))
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            self.assertEqual(sorted(result.stdout.splitlines()), sorted(lines))

    def test_jobs_and_name(self):
        result = run_map("who", *"abcdefgh", options=["--jobs", "3", "--name", "zed"])
        names = {line.split()[0].decode() for line in result.stdout.splitlines()}
        self.assertEqual(result.returncode, 0)
        self.assertLessEqual(names, {f"zed-SpawnPoolWorker-{n}" for n in (1, 2, 3)})

    def test_module_in_working_directory(self):
        folder, name = os.path.split(DEMO)
        self.check(run("map", name, "upper", "a", cwd=folder), b"A\n")

    def test_real_work(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for i, size in enumerate([0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 300_000]):
                paths.append(os.path.join(folder, f"file {i}"))
                with open(paths[-1], "wb") as file:
                    file.write(os.urandom(size // 2) + b" word\n" * (size // 12) + b"x" * (size % 12))
            hashes = [hashlib.sha256(open(p, "rb").read()).hexdigest() for p in paths]
            self.check(run_map("sha256", *paths), "".join(h + "\n" for h in hashes).encode())
            wc = subprocess.run(["wc", "--", *paths], env={**os.environ, "LC_ALL": "C"}, capture_output=True,
                                check=True)
            counted = [b" ".join(line.split()[:3]) + b"\n" for line in wc.stdout.splitlines()]
            self.check(run_map("wc", *paths), b"".join(counted[:len(paths)]))


class Trouble(unittest.TestCase):
    def test_failed_item(self):
        result = run_map("crash", "a", "fail", "b")
        self.assertEqual((result.returncode, result.stdout), (1, b"a\nb\n"), result.stderr[:3000])
        self.assertRegex(result.stderr.decode(), r'item 2 "fail": DemoError: fail was not wanted')
        self.assertEqual(len(result.stderr.splitlines()), 1)

    def test_failed_items_of_one_chunk(self):
        items = ["a", "fail", "b", "fail", "fail", "c"]
        for more in [], ["--unordered"]:
            result = run_map("crash", *items, options=["--chunk", "4", *more])
            self.assertEqual((result.returncode, sorted(result.stdout.split())), (1, [b"a", b"b", b"c"]),
                             result.stderr[:3000])
            self.assertEqual(result.stderr.count(b"fail was not wanted"), 3)
            for number in 2, 4, 5:
                self.assertIn(b'item %d "fail"' % number, result.stderr)

    def test_all_items_fail(self):
        result = run_map("fail", stdin=b"x\n" * 1000)
        self.assertEqual((result.returncode, result.stdout), (1, b""), result.stderr[:3000])
        self.assertEqual(result.stderr.count(b"DemoError: x was not wanted"), 1000)

    def test_control_bytes_and_length_in_messages(self):
        result = run_map("crash", stdin=b"fail\n")
        self.assertEqual(result.returncode, 1)
        result = run_map("sha256", stdin=b"/no/\x1b[1m" + b"y" * 1000)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b'item 1 "/no/\\x1b[1myyyy', result.stderr)
        self.assertIn(b'yyy...": ', result.stderr)

    def test_unreadable_file(self):
        result = run_map("sha256", "/no/such/file")
        self.assertEqual((result.returncode, result.stdout), (1, b""), result.stderr[:3000])
        self.assertIn(b"No such file or directory", result.stderr)

    def test_crash_loses_only_its_item(self):
        items = [b"item %d" % i for i in range(500)]
        for at in 17, 250, 499:
            items[at] = b"crash"
        for more in [], ["--unordered"]:
            result = run_map("crash", options=more, stdin=b"\n".join(items))
            self.assertEqual(result.returncode, 1)
            kept = [i for i in items if i != b"crash"]
            lines = result.stdout.splitlines()
            self.assertEqual(sorted(lines) if more else lines, sorted(kept) if more else kept)
            self.assertEqual(result.stderr.count(b"signal 11"), 3)
            for at in 17, 250, 499:
                self.assertIn(b'item %d "crash": worker ' % (at + 1), result.stderr)

    def test_crash_loses_its_chunk(self):
        result = run_map("crash", "a", "b", "c", "d", "crash", "e", "f", options=["--chunk", "3"])
        self.assertEqual((result.returncode, result.stdout), (1, b"a\nb\nc\nf\n"), result.stderr[:3000])
        for number in 4, 5, 6:
            self.assertIn(b"item %d " % number, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 3)


class Usage(unittest.TestCase):
    def check(self, result, *words, code=2):
        self.assertEqual((result.returncode, result.stdout), (code, b""), result.stderr)
        self.assertNotEqual(result.stderr, b"")
        for word in words:
            self.assertIn(word.encode(), result.stderr)

    def test_help(self):
        for args in ["--help"], ["map", "--help"], ["info", "--help"], ["bench", "--help"]:
            result = run(*args)
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            self.assertIn(b"Exit codes: 0 all good", result.stdout)

    def test_wrong_usage(self):
        for args in ([], ["nonsense"], ["map"], ["map", DEMO], ["map", DEMO, "upper", "--chunk"],
                     ["info", "x"]):
            self.check(run(*args))

    def test_wrong_options(self):
        for options in (["--jobs", "0"], ["--jobs", "x"], ["--jobs", "5000"], ["--chunk", "0"],
                        ["--name", ""], ["--name", "n" * 64], ["--nonsense"]):
            self.check(run_map("upper", "a", options=options))

    def test_unknown_option_is_no_item(self):
        self.check(run_map("upper", "--jbos", "2", "a"), "--jbos")

    def test_start_method(self):
        self.check(run_map("upper", "a", options=["--start-method", "forks"]), "forks", "spawn")
        for method in ("spawn", "forkserver", "fork", "threads"):
            self.assertEqual(run_map("upper", "a", options=["--start-method", method]).stdout, b"A\n")

    def test_unknown_function(self):
        self.check(run_map("nonsense", "a"), "nonsense")
        self.check(run_map("4711", "a"), "4711")
        self.check(run_map("", "a"))

    def test_missing_module(self):
        self.check(run("map", "/no/module.so", "f", "a"), "/no/module.so")
        self.check(run("map", "no-such-module.so", "f", "a"), "no-such-module.so")

    def test_module_that_is_no_library(self):
        self.check(run("map", __file__, "f", "a"), __file__)

    def test_library_that_is_no_module(self):
        self.check(run("map", "libm.so.6", "f", "a"), "mproc_module_main")

    def test_unreadable_input(self):
        folder = os.open("/", os.O_RDONLY)
        self.addCleanup(os.close, folder)
        self.check(subprocess.run([program.PROGRAM, "map", DEMO, "upper"], stdin=folder, capture_output=True,
                                  timeout=program.LIMIT), "directory")

    def test_pool_cannot_start(self):
        missing = "/no/mproc-worker"
        self.check(run("map", DEMO, "upper", "a", env={"MPROC_WORKER": missing}), missing, code=3)
        self.check(run("map", DEMO, "upper", "a", env={"MPROC_WORKER": "/bin/true"}), code=3)


if __name__ == "__main__":
    program.main()
