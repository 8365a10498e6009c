#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every C and C++ file is as clang-format 14 would write it. Skipped (exit 77) without clang-format 14,
unless --require is given. --fix rewrites the files instead."""
import re
import shutil
import subprocess
import sys

import source


def clang_format():
    for name in ("clang-format-14", "clang-format"):
        path = shutil.which(name)
        if path:
            version = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
            if re.search(r"version 14\.", version):
                return path
    return None


tree = source.root()
tool = clang_format()
if not tool:
    print("format: no clang-format 14")
    sys.exit(1 if {"--require", "--fix"} & set(sys.argv) else 77)
files = source.code(tree, "src", "capi", "include", "tests")
mode = ["-i"] if "--fix" in sys.argv else ["--dry-run", "-Werror"]
run = subprocess.run([tool, "--style=file", *mode, *files], capture_output=True, text=True)
wrong = sorted(set(re.findall(r"^(.+?):\d+:\d+: error", run.stderr, re.M)))
source.finish("format", [f"{name}: not formatted (./dev format)" for name in wrong] or
              ([run.stderr] if run.returncode else []), len(files))
