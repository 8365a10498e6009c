#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""exports.py TREE LIBRARY [--sanitized]: the library exports the golden list, the headers declare it, and the
library is linked as a guest should be. exports.py TREE --update writes the list from the headers."""
import re
import subprocess
import sys

import source

tree = source.root()
golden_file = tree / "tests/abi/libmproc.symbols"
declared = set(source.public_functions(tree))
if "--update" in sys.argv:
    golden_file.write_text("".join(f"{name}\n" for name in sorted(declared)))
    sys.exit(0)


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


library = sys.argv[2]
golden = golden_file.read_text().split()
problems = []
if golden != sorted(set(golden)):
    problems.append("the golden list is not sorted or has doubles")
exported = set()
for line in output("nm", "-D", "--defined-only", "--with-symbol-versions", library).splitlines():
    kind, name = line.split()[-2:]
    name, _, version = name.partition("@@")
    if kind == "A":  # the version itself
        continue
    exported.add(name)
    if version != "MPROC_0":
        problems.append(f"{name}: version {version or 'none'}, expected MPROC_0")
    if not name.startswith("mproc_") or kind != "T":
        problems.append(f"{name}: exported, but no function of the C interface")


def differ(left, right, text):
    problems.extend(f"{name}: {text}" for name in sorted(left - right))


differ(set(golden), exported, "in the golden list, not exported")
differ(exported, set(golden), "exported, not in the golden list")
differ(declared, set(golden), "declared in a header, not in the golden list")
differ(set(golden), declared, "in the golden list, not declared in a header")

dynamic = output("readelf", "-d", "-W", library)
if "soname: [libmproc.so.0]" not in dynamic:
    problems.append("the soname is not libmproc.so.0")
if not re.search(r"\(FLAGS_1\).*\bNODELETE\b", dynamic):
    problems.append("the library may be unloaded: no NODELETE flag")
needed = re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)
if "--sanitized" not in sys.argv:
    problems += [f"needs {n}, which should be linked in" for n in needed if re.match(r"libstdc\+\+|libgcc", n)]
source.finish("exports", problems, len(exported))
