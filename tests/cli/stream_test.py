# SPDX-License-Identifier: MIT
"""`mproc map` while it runs: results as they become ready, bounded memory, closed output, Ctrl-C."""
import os
import signal
import subprocess
import threading
import unittest

import program
from program import DEMO, PROGRAM, start_map, wait_until, workers_of

FOR_EVER = "100000000"  # ms


class Streaming(unittest.TestCase):
    def start(self, *args, **more):
        process = start_map(*args, **more)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        process.kill()
        process.wait()
        for pipe in process.stdin, process.stdout, process.stderr:
            if pipe:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass

    def send(self, process, data):
        process.stdin.write(data)
        process.stdin.flush()

    def test_result_before_the_input_ends(self):
        for options in [], ["--chunk", "1000"], ["--unordered"], ["--unordered", "--chunk", "3"]:
            with self.subTest(options=options):
                process = self.start("upper", options=options)
                for word in b"first", b"second", b"third":
                    self.send(process, word + b"\n")
                    self.assertEqual(process.stdout.readline(), word.upper() + b"\n")
                process.stdin.close()
                self.assertEqual(process.wait(program.LIMIT), 0)

    def test_result_while_a_line_is_half_there(self):
        process = self.start("upper", options=["--chunk", "2"])
        self.send(process, b"whole\nha")
        self.assertEqual(process.stdout.readline(), b"WHOLE\n")
        self.send(process, b"lf\n")
        self.assertEqual(process.stdout.readline(), b"HALF\n")

    def test_unordered_does_not_wait_for_a_slow_item(self):
        process = self.start("sleep_ms", options=["--jobs", "2", "--unordered"])
        self.send(process, FOR_EVER.encode() + b"\n1\n")
        self.assertEqual(process.stdout.readline(), b"1\n")
        self.send(process, b"2\n3\n")
        self.assertEqual({process.stdout.readline(), process.stdout.readline()}, {b"2\n", b"3\n"})

    def test_memory_is_bounded(self):
        if "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ:
            self.skipTest("a sanitizer keeps memory of its own")
        line, count = b"x" * 4095 + b"\n", 50_000
        process = self.start("upper")
        feeder = threading.Thread(target=lambda: [self.send(process, line * 100)
                                                  for _ in range(count // 100)])
        feeder.start()
        left = count * len(line)
        while left:
            left -= len(process.stdout.read1(min(left, 1 << 20)))
        feeder.join()
        with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
            peak = next(int(row.split()[1]) for row in status if row.startswith("VmHWM"))
        self.assertLess(peak, 100 << 10, "KiB at the peak for 200 MB of lines")
        process.stdin.close()
        self.assertEqual(process.wait(program.LIMIT), 0)

    def closed_output(self, ignore):
        def signals():
            program.default_signals()
            if ignore:
                signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        with subprocess.Popen(["yes"], stdout=subprocess.PIPE, preexec_fn=program.default_signals) as endless:
            process = subprocess.Popen([PROGRAM, "map", DEMO, "upper"], stdin=endless.stdout,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=signals,
                                       restore_signals=False)
            endless.stdout.close()
            self.assertEqual(process.stdout.readline(), b"Y\n")
            process.stdout.close()
            self.assertEqual(process.stderr.read(), b"")
            process.stderr.close()
            self.assertEqual(process.wait(program.LIMIT), 141 if ignore else -signal.SIGPIPE)

    def test_closed_output_ends_quietly(self):
        self.closed_output(False)

    def test_closed_output_ends_quietly_without_sigpipe(self):
        self.closed_output(True)

    def test_full_output(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([PROGRAM, "map", DEMO, "upper", "a"], stdout=full, stderr=subprocess.PIPE,
                                    timeout=program.LIMIT)
        self.assertEqual(result.returncode, 3)
        self.assertIn(b"No space left", result.stderr)

    def interrupt(self, *args):
        name = f"stop-{os.getpid()}-{len(args)}"
        process = self.start("sleep_ms", *args, options=["--jobs", "2", "--name", name])
        self.assertTrue(wait_until(lambda: len(workers_of(name)) == 2))
        if not args:  # reading: it is past its start once a result is out
            self.send(process, b"0\n")
            self.assertEqual(process.stdout.readline(), b"0\n")
        process.send_signal(signal.SIGINT)
        self.assertIn(process.wait(program.LIMIT), (-signal.SIGINT, 130))  # 130 to a shell
        self.assertEqual(process.stderr.read(), b"")
        self.assertTrue(wait_until(lambda: not workers_of(name)), "workers are left")

    def test_interrupt_while_reading(self):
        self.interrupt()

    def test_interrupt_while_working(self):
        self.interrupt(FOR_EVER, FOR_EVER, FOR_EVER)

    def test_interrupt_is_130_to_a_shell(self):
        name = f"shell-{os.getpid()}"
        script = '"$@"; echo "ended with $?"'
        command = [PROGRAM, "map", "--name", name, DEMO, "sleep_ms", FOR_EVER]
        shell = subprocess.Popen(["bash", "-c", script, "bash", *command], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, preexec_fn=program.default_signals)
        self.assertTrue(wait_until(lambda: workers_of(name)))
        with open(f"/proc/{shell.pid}/task/{shell.pid}/children", encoding="ascii") as children:
            os.kill(int(children.read().split()[0]), signal.SIGINT)
        output, _ = shell.communicate(timeout=program.LIMIT)
        self.assertEqual(output, b"ended with 130\n")
        self.assertTrue(wait_until(lambda: not workers_of(name)), "workers are left")


if __name__ == "__main__":
    program.main()
