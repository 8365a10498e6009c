# SPDX-License-Identifier: MIT
"""What the tests of the program mproc share. Each is called as TEST.py PROGRAM DEMO_MODULE and ends with the
line 'N passed, N failed'. No test depends on how fast anything is: limits only end what hangs."""
import os
import signal
import subprocess
import sys
import time
import unittest

LIMIT = 120  # seconds after which something hangs
PROGRAM, DEMO = (os.path.abspath(a) for a in sys.argv[1:3])


def run(*args, stdin=b"", env=None, **more):
    """Runs mproc to its end; the result has returncode, stdout and stderr as bytes."""
    return subprocess.run([PROGRAM, *args], input=stdin, capture_output=True, timeout=LIMIT,
                          env={**os.environ, **(env or {})}, **more)


def run_map(function, *args, options=(), stdin=b""):
    return run("map", *options, DEMO, function, *args, stdin=stdin)


def default_signals():
    """For children: a shell may have started this test with signals ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def start_map(function, *args, options=(), **more):
    """Starts mproc with pipes."""
    more = {"preexec_fn": default_signals, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen([PROGRAM, "map", *options, DEMO, function, *args], stdin=subprocess.PIPE, **more)


def workers_of(name):
    """The processes whose command line has the name of a pool; no zombies, they have none."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"mproc-worker") and name.encode() in words:
            found.append(int(pid))
    return found


def wait_until(condition):
    """Looks until it holds; False after the limit."""
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def main():
    """Runs the tests of the calling file."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    skipped = len(result.skipped)
    passed = result.testsRun - failed - skipped
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed else 0)
