#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""count_tests.py LOG...: how many tests the runs in these logs came to.

A LOG is a testlog.json of Meson. A program that counts its own tests counts for as many: GoogleTest, and any
program whose last line is 'N passed, N failed'. Every other test counts for one. Prints the failed ones and,
as the last line, 'N passed, N failed' (', N skipped'); the exit status is 1 if a test failed or none ran.
"""
import json
import re
import sys

PLAIN = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?")


def count_gtest(output):
    """(passed, failed, skipped) of a GoogleTest run, complete or not; None if this is none."""
    if not re.search(r"^\[==========\] Running \d+ tests?", output, re.M):
        return None
    # A test may run its program again, with some of the tests: the last summary is of all.
    summary = output[max(output.rfind("\n[  PASSED  ] "), 0):]

    def summed(pattern):
        match = re.search(pattern, summary, re.M)
        return int(match[1]) if match else 0

    def ended(word):
        return len(re.findall(rf"\[ +{word} \] .*\(\d+ ms\)$", output, re.M))
    if re.search(r"^\[  PASSED  \] \d+ tests?\.$", summary, re.M):
        return (summed(r"^\[  PASSED  \] (\d+) tests?\.$"), summed(r"^\[  FAILED  \] (\d+) tests?, listed below"),
                summed(r"^\[  SKIPPED \] (\d+) tests?, listed below"))
    return ended("OK"), ended("FAILED "), ended("SKIPPED")


def count(entry):
    """(passed, failed, skipped) of one test of Meson."""
    output = entry.get("stdout") or ""
    result = entry["result"]
    if result == "SKIP":
        return 0, 0, 1
    good = result in ("OK", "EXPECTEDFAIL")
    counted = count_gtest(output)
    if counted is None:
        plain = PLAIN.fullmatch((output.strip().splitlines() or [""])[-1].strip())
        counted = tuple(int(n or 0) for n in plain.groups()) if plain else None
    if counted is None:
        return (1, 0, 0) if good else (0, 1, 0)
    passed, failed, skipped = counted
    if not good and not failed:  # crashed, ran out of time, or leaked
        failed = 1
    return passed, failed, skipped


def count_logs(texts):
    total, bad = [0, 0, 0], []
    for text in texts:
        for line in text.splitlines():
            entry = json.loads(line)
            parts = count(entry)
            total = [a + b for a, b in zip(total, parts)]
            if parts[1]:
                bad.append(f"failed: {entry['name']} ({entry['result']})")
    return total, bad


def self_test():
    gtest = ("[==========] Running 3 tests from 1 test suite.\n[ RUN      ] A.x\n[       OK ] A.x (0 ms)\n"
             "[ RUN      ] A.y\n[  FAILED  ] A.y (2 ms)\n[ RUN      ] A.z\n")
    cases = [("OK", "", (1, 0, 0)), ("FAIL", None, (0, 1, 0)), ("SKIP", "", (0, 0, 1)),
             ("OK", gtest + "[  PASSED  ] 3 tests.\n[  SKIPPED ] 1 test, listed below:\n", (3, 0, 1)),
             ("OK", gtest + "[  PASSED  ] 2 tests.\n" + gtest + "[  PASSED  ] 3 tests.\n", (3, 0, 0)),
             ("OK", gtest + "[  PASSED  ] 1 test.\n[  FAILED  ] 2 tests, listed below:\n", (1, 2, 0)),
             ("TIMEOUT", gtest.replace("FAILED  ", "     OK "), (2, 1, 0)), ("FAIL", gtest, (1, 1, 0)),
             ("FAIL", gtest + "[  FAILED  ] 1 test, listed below:\n[  FAILED  ] A.y\n", (1, 1, 0)),
             ("OK", "x\n4 passed, 0 failed\n", (4, 0, 0)), ("FAIL", "4 passed, 2 failed, 1 skipped", (4, 2, 1)),
             ("FAIL", "4 passed, 0 failed", (4, 1, 0)), ("OK", "4 passed, 0 failed\nand more", (1, 0, 0))]
    for result, output, wanted in cases:
        got = count({"name": "t", "result": result, "stdout": output})
        if got != wanted:
            print(f"{result} {output!r}: {got}, not {wanted}")
            sys.exit(1)


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        sys.exit(0)
    totals, failures = count_logs(open(name, encoding="utf-8", errors="replace").read() for name in sys.argv[1:])
    print(*failures, sep="\n", end="\n" if failures else "")
    print("{} passed, {} failed".format(*totals) + (f", {totals[2]} skipped" if totals[2] else ""))
    sys.exit(1 if totals[1] or not totals[0] else 0)
