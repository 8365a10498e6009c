# SPDX-License-Identifier: MIT
"""examples_test.py EXAMPLES LIBRARY MODULE FOLDER [PROGRAM...]: runs every example of docs/examples: the
programs that were built of those in C, and the scripts whose interpreter is there. Each must print what it is
expected to print and leave no process behind. The last line is 'N passed, N failed'."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import unittest
import uuid

import koffi

LIMIT = 120
EXAMPLES, LIBRARY, MODULE, FOLDER = (pathlib.Path(a).resolve() for a in sys.argv[1:5])
PROGRAMS = {pathlib.Path(a).name.replace("-", "_"): a for a in sys.argv[5:]}
SQUARES = "1000 squares, sum 333833500"
CRASH = r"MPROC_ERROR_WORKER_LOST worker \d+ .* was ended by signal 6 .*"
GOES_ON = "and the pool goes on: 144"
WORST_DELAY = 50  # ms that a timer of 10 ms in Node's loop may be late


def marked(mark):
    """Processes that have the mark in their environment."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if mark.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


class Examples(unittest.TestCase):
    def run_it(self, *command, **environment):
        mark = str(uuid.uuid4())
        ended = subprocess.run([*map(str, command), str(MODULE)], capture_output=True, text=True, timeout=LIMIT,
                               env={**os.environ, "MPROC_LIBRARY": str(LIBRARY), "EXAMPLE_MARK": mark, **environment})
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        end = time.monotonic() + LIMIT
        while marked(mark) and time.monotonic() < end:
            time.sleep(0.01)
        self.assertEqual(marked(mark), [])
        return ended.stdout.splitlines()

    def expect(self, lines, *patterns):
        self.assertEqual(len(lines), len(patterns), lines)
        for line, pattern in zip(lines, patterns):
            self.assertRegex(line, f"^{pattern}$")

    def program(self, name):
        if name not in PROGRAMS:
            self.skipTest("not built: its library is not there")
        return PROGRAMS[name]

    def interpreter(self, name):
        found = shutil.which(name)
        if not found:
            self.skipTest(f"no {name}")
        if os.environ.get("MPROC_SANITIZED", "none") != "none":
            self.skipTest("a sanitizer's run-time belongs to the program, which is not ours")
        return found

    def test_epoll(self):
        self.expect(self.run_it(self.program("epoll_loop")), SQUARES)

    def test_libuv(self):
        self.expect(self.run_it(self.program("libuv_loop")), "the child of the program ended with 3", SQUARES)

    def test_two_libuvs(self):
        self.expect(self.run_it(self.program("libuv_loop_static")), "the child of the program ended with 3", SQUARES)

    def test_glib(self):
        self.expect(self.run_it(self.program("glib_loop")), SQUARES)

    def test_ctypes(self):
        self.expect(self.run_it(self.interpreter("python3"), EXAMPLES / "ctypes_pool.py"), SQUARES, CRASH, GOES_ON)

    def test_asyncio(self):
        self.expect(self.run_it(self.interpreter("python3"), EXAMPLES / "asyncio_pool.py"), SQUARES, CRASH)

    def test_luajit(self):
        self.expect(self.run_it(self.interpreter("luajit"), EXAMPLES / "luajit_pool.lua"), SQUARES, CRASH, GOES_ON)

    def test_node(self):
        node = self.interpreter("node")
        if why := koffi.install(FOLDER):
            self.skipTest(why)
        shutil.copy(EXAMPLES / "node_pool.mjs", FOLDER)
        for attempt in range(5):  # another program may hold the CPUs for so long, once
            lines = self.run_it(node, FOLDER / "node_pool.mjs")
            self.expect(lines, "10000 squares, sum 333383335000", r"the timer was late by [\d.]+ ms at most", CRASH)
            late = float(re.search(r"by ([\d.]+) ms", lines[1])[1])
            if late <= WORST_DELAY:
                return
        self.fail(f"the timer was late by {late} ms")


result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(
    unittest.defaultTestLoader.loadTestsFromTestCase(Examples))
bad, skipped = len(result.failures) + len(result.errors), len(result.skipped)
print(f"{result.testsRun - bad - skipped} passed, {bad} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
sys.exit(bad != 0)
