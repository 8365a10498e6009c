# SPDX-License-Identifier: MIT
"""`mproc map` seen from outside: progress, time limits, retries, traces, and what SIGUSR1 tells."""
import json
import os
import pty
import signal
import subprocess
import tempfile
import time
import unittest

import program
from program import DEMO, PROGRAM, run_map, start_map


class Progress(unittest.TestCase):
    def test_quiet_without_a_terminal(self):
        result = run_map("upper", "a", "b", options=["--progress"])
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b"A\nB\n", b""))

    def on_terminal(self, *items, stdin=subprocess.DEVNULL, options=("--progress",), look=lambda shown: None):
        """Exit code, output, and what a terminal got that is the standard error; look is called as that grows."""
        host, terminal = pty.openpty()
        process = subprocess.Popen([PROGRAM, "map", *options, DEMO, "sleep_ms", *items], stdin=stdin,
                                   stdout=subprocess.PIPE, stderr=terminal)
        os.close(terminal)
        shown = b""
        try:
            while part := os.read(host, 4096):
                shown += part
                look(shown)
        except OSError:  # the other end was closed
            pass
        os.close(host)
        output = process.stdout.read()
        process.stdout.close()
        return process.wait(program.LIMIT), output, shown

    def test_a_bar_on_a_terminal(self):
        code, output, shown = self.on_terminal("1", "300", "1", options=["--progress", "-j", "1"])
        self.assertEqual((code, output), (0, b"1\n300\n1\n"))
        self.assertIn(b"/3 ", shown)
        self.assertIn(b"[==========", shown)
        self.assertTrue(shown.endswith(b"\r\x1b[K"), shown[-40:])  # nothing of it stays

    def test_a_count_while_the_input_goes_on(self):
        reader, writer = os.pipe()
        os.write(writer, b"1\n" * 3)
        keeper = subprocess.Popen(["sleep", str(program.LIMIT)], pass_fds=[writer])  # its end ends the input
        self.addCleanup(keeper.wait)
        self.addCleanup(keeper.kill)  # which comes first
        os.close(writer)
        code, output, shown = self.on_terminal(
            stdin=reader, look=lambda shown: keeper.kill() if b" items, " in shown else None)
        os.close(reader)
        self.assertEqual((code, output), (0, b"1\n1\n1\n"))
        self.assertIn(b" items, ", shown)

    def test_no_bar_unless_asked(self):
        self.assertEqual(self.on_terminal("1", "2", options=[])[2], b"")


class Limits(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.endless = os.path.join(folder.name, "fifo")  # whoever opens it to read waits for a writer
        os.mkfifo(self.endless)

    def test_timeout(self):
        result = run_map("wc", os.devnull, self.endless, os.devnull, options=["--timeout", "0.1"])
        self.assertEqual((result.returncode, result.stdout), (1, b"0 0 0\n0 0 0\n"))
        self.assertIn(b"time limit of 100 ms", result.stderr)

    def test_retries(self):
        begin = time.monotonic()
        result = run_map("wc", self.endless, options=["--timeout", "0.2", "--retries", "2"])
        self.assertEqual(result.returncode, 1)
        self.assertGreaterEqual(time.monotonic() - begin, 0.6)

    def test_wrong_values(self):
        for options in ["--timeout", "0"], ["--timeout", "-1"], ["--retries", "256"], ["--retries", "x"]:
            with self.subTest(options=options):
                self.assertEqual(run_map("upper", "a", options=options).returncode, 2)


class Trace(unittest.TestCase):
    def trace(self, function, *items, options=(), code=0):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "trace.json")
            result = run_map(function, *items, options=["--trace", path, *options])
            self.assertEqual(result.returncode, code, result.stderr)
            with open(path, encoding="utf-8") as file:
                events = json.load(file)["traceEvents"]
        return result, [e for e in events if e["ph"] == "X"], [e for e in events if e["ph"] == "M"]

    def test_tasks_of_workers(self):
        _, spans, names = self.trace("sleep_ms", "20", "30", "1", "2", options=["-j", "2"])
        self.assertEqual(sorted(s["args"]["item"] for s in spans), [1, 2, 3, 4])
        by_item = {s["args"]["item"]: s for s in spans}
        self.assertGreaterEqual(by_item[1]["dur"], 20_000)
        self.assertGreaterEqual(by_item[2]["dur"], 30_000)
        self.assertTrue(all(s["name"] == "sleep_ms" and s["args"]["end"] == "MPROC_OK" for s in spans))
        workers = {n["args"]["name"] for n in names if n["name"] == "thread_name"}
        self.assertEqual(workers, {f"worker {s['tid']}" for s in spans})
        for tid in {s["tid"] for s in spans}:  # a worker does one thing at a time
            own = sorted((s["ts"], s["ts"] + s["dur"]) for s in spans if s["tid"] == tid)
            self.assertTrue(all(a[1] <= b[0] + 0.01 for a, b in zip(own, own[1:])), own)

    def test_chunks_and_ends(self):
        _, spans, _ = self.trace("upper", *"abcde", options=["--chunk", "2", "--unordered"])
        self.assertEqual(sorted((s["args"]["item"], s["args"]["items"]) for s in spans), [(1, 2), (3, 2), (5, 1)])
        _, spans, _ = self.trace("crash", "a", "crash", "b", code=1)
        self.assertEqual({s["args"]["item"]: s["args"]["end"] for s in spans},
                         {1: "MPROC_OK", 2: "MPROC_ERROR_WORKER_LOST", 3: "MPROC_OK"})

    def test_no_such_folder(self):
        result = run_map("upper", "a", options=["--trace", "/nowhere/trace.json"])
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"/nowhere/trace.json", result.stderr)


class Dump(unittest.TestCase):
    def test_signal_tells_what_workers_do(self):
        process = start_map("sleep_ms", "1", "60000", options=["-j", "2", "--name", "dump"])
        self.assertEqual(process.stdout.readline(), b"1\n")  # it runs
        process.send_signal(signal.SIGUSR1)
        told = b""
        while b"function" not in told or b"60000" in told or b"worker 2" not in told:
            line = process.stderr.readline()
            self.assertTrue(line, told)
            told += line
        self.assertIn(b"pool 'dump': running", told)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        process.wait(program.LIMIT)
        for stream in process.stdin, process.stdout, process.stderr:
            stream.close()


if __name__ == "__main__":
    program.main()
