#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every public function has a comment right above it, its own or that of a group of declarations without a
blank line between them, that says since when it exists; the comment of a function that returns a status lists
what it returns or names the function that does."""
import re

import source

tree = source.root()
functions = source.public_functions(tree)
problems = []
for name, (header, line) in functions.items():
    lines = header.read_text().splitlines()
    comment, first = [], line - 1
    while first and lines[first - 1].strip() and not lines[first - 1].startswith(("//", "#")):
        first -= 1  # up to the first declaration of the group
    for text in reversed(lines[:first]):
        if not text.startswith("//"):
            break
        comment.insert(0, text[2:].strip())
    words = " ".join(comment)
    place = f"{header.relative_to(tree)}:{line}: {name}"
    if not re.search(r"\bSince \d+\.\d+", words):
        problems.append(f"{place} has no comment with 'Since X.Y'")
    elif "mproc_status_t" in lines[line - 1] and not re.search(
            r"\b([Rr]eturns|[Aa]s mproc_\w+|The same|callbacks as)\b", words):
        problems.append(f"{place} does not say what it returns")
source.finish("words", problems, len(functions))
