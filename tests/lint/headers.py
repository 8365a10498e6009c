#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""headers.py TREE CC CXX: each public header compiles alone, twice over, without a warning."""
import shlex
import subprocess
import sys

import source

tree = source.root()
cc, cxx = (shlex.split(a) for a in sys.argv[2:4])
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", f"-I{tree}/include", "-"]
problems, checked = [], 0
for header in sorted((tree / "include/mproc").rglob("*.h*")):
    name = header.relative_to(tree / "include")
    if header.suffix == ".h":
        ways = [(cc, "c", "c11"), (cxx, "c++", "c++11"), (cxx, "c++", "c++20")]
    elif header.suffix == ".hpp":
        ways = [(cxx, "c++", "c++20")]
    else:
        continue
    text = f"#include <{name}>\n" * 2 + "int main(void) { return 0; }\n"
    for compiler, language, standard in ways:
        run = subprocess.run([*compiler, "-x", language, f"-std={standard}", *STRICT], input=text,
                             capture_output=True, text=True)
        checked += 1
        if run.returncode:
            problems.append(f"{name} as {standard}:\n{run.stderr}")
source.finish("headers", problems, checked)
