#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""man.py TREE [MPROC]: the pages of docs/man have no fault that mandoc, man or groff would warn of, and tell
every option and exit code that the programs have, and no other option. What is not there to ask is skipped.
The last line is 'N passed, N failed'."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

LINTS = {
    "mandoc": ["mandoc", "-T", "lint", "-W", "warning"],
    "man": ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"],
    "groff": ["groff", "-mdoc", "-ww", "-z"],
}
OPTION = r"--?[A-Za-z][\w-]*"
tree = pathlib.Path(sys.argv[1]).resolve()
pages = {path.stem: path for path in sorted((tree / "docs/man").glob("*.1"))}
passed, failed, skipped = 0, 0, 0


def test(good, what):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"failed: {what}")


def run(*command):
    return subprocess.run(command, env={**os.environ, "LC_ALL": "C.UTF-8", "MAN_KEEP_STDERR": "1"}, timeout=60,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)


def part(text, macro, title):
    """What stands below a heading, up to the next one of the kind or of a higher one."""
    higher = r"\n\.Sh " if macro == "Sh" else r"\n\.S[hs] "
    found = re.search(rf"^\.{macro} {re.escape(title)}\n(.*?)(?={higher}|\Z)", text, re.M | re.S)
    return found[1] if found else ""


def described(text):
    """The options that have an entry of their own."""
    return {"-" + name for line in re.findall(r"^\.It (Fl .*)", text, re.M) for name in re.findall(r"\bFl (\S+)", line)}


def offered(text):
    """The options that a help text lists."""
    return {name for line in re.findall(rf"^ +({OPTION}(?:,{OPTION})*)", text, re.M) for name in line.split(",")}


def compare(where, has, tells):
    for name in sorted(has | tells):
        test(name in tells, f"{where}: {name} is not described")
        test(name in has, f"{where}: {name} is described but not there")


for name, command in LINTS.items():
    if not shutil.which(name):
        skipped += len(pages)
        print(f"skipped: no {name}")
        continue
    for page in pages.values():
        ran = run(*command, str(page))
        said = ran.stderr + (ran.stdout if name == "mandoc" else "")
        test(ran.returncode == 0 and not said.strip(), f"{name} on {page.name}: {said}")

worker = pages["mproc-worker"].read_text()
compare("mproc-worker.1", set(re.findall(r'"(--\w[\w-]*)"', (tree / "capi/mproc_worker.cc").read_text())), described(worker))
if sys.argv[2:]:
    page = pages["mproc"].read_text()
    text = run(sys.argv[2], "--help").stdout
    compare("mproc.1", offered(text), described(part(page, "Sh", "DESCRIPTION").split("\n.Ss ")[0]))
    commands = re.findall(r"^  ([a-z]+) ", text.partition("Subcommands:")[2], re.M)
    test(commands, "mproc --help lists no command")
    for command in commands:
        test(f".Cm {command}\n" in part(page, "Sh", "SYNOPSIS"), f"mproc.1: the synopsis has no {command}")
        usage = part(page, "Ss", command)
        compare(f"mproc.1, {command}", offered(run(sys.argv[2], command, "--help").stdout) - {"-h", "--help"}, described(usage))
    codes = re.findall(r"(?:: |; |;\n)(\d+) ", text.partition("Exit codes")[2])
    told = re.findall(r"^\.It (\d+)$", part(page, "Sh", "EXIT STATUS"), re.M)
    test(codes and codes == told, f"mproc.1: exit codes {told}; mproc --help has {codes}")
else:
    skipped += 1
    print("skipped: the program mproc is not built")
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(bool(failed) or not passed)
