#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compilers.py TREE LIBRARY WORKER: mproc.hpp as users compile it. The program of several files and its module
are built by hand with each compiler that is there, every warning an error, against include/ and the library of
the build, and run; then one of files from both compilers. A C program must not see cereal or C++.
The last line is 'N passed, N failed'."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TREE, LIBRARY, WORKER = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
HERE = TREE / "tests/cpp"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", f"-I{TREE}/include"]
LINK = [f"-L{LIBRARY.parent}", "-lmproc", "-pthread", f"-Wl,-rpath,{LIBRARY.parent}"]
COUNTS = {"passed": 0, "failed": 0, "skipped": 0}


def note(good, what, why=""):
    COUNTS["passed" if good else "failed"] += 1
    print(f"{'ok' if good else 'FAILED'} {what}" + (f"\n{why}" if not good else ""))
    return good


def run(what, *command):
    """One test: the command succeeds. Returns what it printed, or None."""
    ended = subprocess.run([str(c) for c in command], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=240, env={**os.environ, "MPROC_WORKER": str(WORKER)})
    return ended.stdout if note(ended.returncode == 0, what, ended.stdout) else None


def compiled(name, compiler, folder):
    """The object of each file; None for one that does not compile."""
    objects = {}
    for source in ("main.cc", "sum.cc", "work.cc", "module.cc"):
        objects[source] = folder / f"{source}.o"
        run(f"{name}: {source}", compiler, "-std=c++20", "-O1", "-fPIC", *STRICT, "-c", HERE / source, "-o", objects[source])
    run(f"{name}: with sanitizers", compiler, "-std=c++20", "-O1", *STRICT, "-fsanitize=address,undefined", "-fsyntax-only",
        HERE / "main.cc")  # they change what g++ takes for a constant
    return objects


def program(name, compiler, objects, folder):
    """Links the program and its module, and runs them."""
    users, module = folder / "program", folder / "module.so"
    run(f"{name}: links", compiler, *(objects[s] for s in ("main.cc", "sum.cc", "work.cc")), *LINK, "-o", users)
    run(f"{name}: links a module", compiler, "-shared", objects["module.cc"], objects["work.cc"], "-o", module)
    printed = run(f"{name}: runs", users, module) if users.exists() and module.exists() else None
    last = (printed or "").strip().splitlines()[-1:]
    note(last and re.fullmatch(r"[1-9]\d* passed, 0 failed", last[0]), f"{name}: {last}", printed or "")


def plain_c(compiler, folder):
    """What a C user sees: no other headers than those of C and our own."""
    source = folder / "user.c"
    source.write_text("#include <mproc/mproc.h>\nint main(void) { return mproc_version_string()[0] == 0; }\n")
    run(f"{compiler}: C", compiler, "-std=c11", *STRICT, source, *LINK, "-o", folder / "user")
    seen = subprocess.run([compiler, "-std=c11", f"-I{TREE}/include", "-M", str(source)], text=True, capture_output=True)
    strange = [word for word in seen.stdout.split() if "cereal" in word or "/c++/" in word or word.endswith(".hpp")]
    note(seen.returncode == 0 and "mproc/pool.h" in seen.stdout and not strange, f"{compiler}: C sees neither cereal nor C++",
         str(strange) + seen.stderr)


def main():
    there = {name: shutil.which(name) for name in ("g++", "clang++")}
    objects = {}
    with tempfile.TemporaryDirectory(prefix="mproc-cpp-") as work:
        for name, path in there.items():
            folder = pathlib.Path(work) / name
            folder.mkdir()
            if not path:
                COUNTS["skipped"] += 1
                print(f"skipped: no {name}")
                continue
            objects[name] = compiled(name, path, folder)
            program(name, path, objects[name], folder)
            plain_c({"g++": "gcc", "clang++": "clang"}[name], folder)
        if all(there.values()):
            folder = pathlib.Path(work) / "both"
            folder.mkdir()
            program("both", there["g++"], {**objects["g++"], "work.cc": objects["clang++"]["work.cc"]}, folder)
    print(", ".join(f"{n} {what}" for what, n in COUNTS.items() if n or what != "skipped"))
    return 1 if COUNTS["failed"] or not COUNTS["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
