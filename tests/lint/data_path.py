#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The names that docs/data-path.md uses still exist: paths, files, rooms' files and functions in backticks.

`src/pool/pool.cc`, `capi/`, `tests/model/x.pml`   a path of the tree
`pool/dispatcher`                                  a file of that room, whatever its extension
`ring.hh`                                          a file anywhere in src, capi, include or tests
`Dispatcher::Take`, `Complete()`, `mproc_pool_map` a name that the code contains
"""
import re

import source

tree = source.root()
document = tree / "docs/data-path.md"
files = [p.relative_to(tree) for f in ("src", "capi", "include", "tests") for p in (tree / f).rglob("*")]
words = set()
for path in source.code(tree, "src", "capi", "include"):
    words.update(re.findall(r"\w+", source.strip(path.read_text())))


def exists(name):
    if re.fullmatch(r"(src|capi|include|tests|docs)(/[\w.+-]+)*/?", name):
        return (tree / name).exists()
    if re.fullmatch(r"[\w-]+\.(cc|hh|h|hpp|c|py|sh|map|pml)", name):
        return any(p.name == name for p in files)
    if re.fullmatch(r"[a-z_]+/[\w.]+", name):
        return any(str(p).startswith((f"src/{name}.", f"capi/{name}.", f"{name}.")) or
                   str(p) in (f"src/{name}", name, f"include/{name}") for p in files)
    match = re.fullmatch(r"((?:\w+::)+\w+|mproc_\w+|\w+)(\(\))?", name)
    if match and ("::" in name or name.startswith("mproc_") or match[2]):
        return all(part in words for part in match[1].split("::"))
    return None  # a literal, not a name of ours


problems, checked = [], 0
for number, line in enumerate(document.read_text().splitlines(), 1):
    for name in re.findall(r"`([^`\n]+)`", line):
        found = exists(name)
        checked += found is not None
        if found is False:
            problems.append(f"docs/data-path.md:{number}: `{name}` does not exist")
source.finish("data path", problems, checked)
