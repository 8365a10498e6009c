# SPDX-License-Identifier: MIT
"""`mproc info` and `mproc bench`: that what they print can be read and is complete, not how fast it is."""
import json
import unittest

import program
from program import run

METRICS = {
    "W1": {"p50": "us", "p99": "us", "p50_gap": "us", "p99_gap": "us", "p50_spin": "us", "p99_spin": "us"},
    "W5": {"uss_per_worker": "KiB", "pss_per_worker": "KiB", "processes": "count", "launcher_uss": "KiB"},
    "W8": {"pulled_ahead": "items"},
    "W9": {order + metric: "ratio" for order in ("", "sorted_")
           for metric in ("total_vs_ideal", "total_vs_burners", "total_vs_best_chunk")},
    "W10": {metric: "ns" for metric in ("lock", "recursive", "robust", "semaphore", "contended_lock", "contended_robust")},
    "W11": {f"{shape}_{size}": "items/s" for shape in ("1to1", "4to1", "1to4", "4to4") for size in ("16B", "1KiB", "64KiB", "1MiB")},
}


class Info(unittest.TestCase):
    def test_json(self):
        result = run("info", "--json")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        info = json.loads(result.stdout)
        major, minor, patch = map(int, info["version"].split("."))
        self.assertEqual(info["version_number"], major * 1_000_000 + minor * 1000 + patch)
        self.assertGreaterEqual(info["default_workers"], 1)
        self.assertTrue(info["worker_program"].endswith("mproc-worker"), info)
        self.assertGreater(info["launcher_pid"], 0)
        self.assertEqual(info["features"]["start_methods"], ["spawn", "forkserver", "fork", "threads"])
        self.assertGreater(info["limits"]["workers"], 0)
        self.assertIsNone(info["error"])

    def test_text(self):
        result = run("info", "--launcher")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        for word in b"libmproc ", b"default workers:", b"mproc-worker", b"launcher pid:", b"limits:":
            self.assertIn(word, result.stdout)
        self.assertEqual(run("--version").stdout.split()[-1], result.stdout.split()[1])

    def test_without_a_worker(self):
        result = run("info", "--json", env={"MPROC_WORKER": "/no/mproc-worker"})
        self.assertEqual(result.returncode, 3)
        self.assertIn("/no/mproc-worker", json.loads(result.stdout)["error"])


class Bench(unittest.TestCase):
    def test_lines(self):
        result = run("bench", "--quick", "--w", ",".join(METRICS))
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        seen = {}
        for line in result.stdout.splitlines():
            row = json.loads(line)
            self.assertEqual(list(row), ["peer", "workload", "metric", "value", "unit"])
            self.assertEqual(row["peer"], "libmproc")
            self.assertGreater(row["value"], 0)
            seen.setdefault(row["workload"], {})[row["metric"]] = row["unit"]
        self.assertEqual(set(seen), set(METRICS))
        for workload, metrics in METRICS.items():
            self.assertEqual(metrics, {m: u for m, u in seen[workload].items() if m in metrics})

    def test_wrong_usage(self):
        for args in ["--w", "W99"], ["--w"], ["--nonsense"], ["--host-mib", "0"]:
            self.assertEqual(run("bench", *args).returncode, 2)

    def test_missing_module(self):
        result = run("bench", "--quick", "--w", "W1", "--module", "/no/module.so")
        self.assertEqual((result.returncode, result.stdout), (3, b""))
        self.assertIn(b"/no/module.so", result.stderr)


if __name__ == "__main__":
    program.main()
