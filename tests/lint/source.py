# SPDX-License-Identifier: MIT
"""What the lint tests share: finding files, stripping comments, reading the public headers."""
import pathlib
import re
import sys

CODE = {".c", ".cc", ".h", ".hh", ".hpp"}
FUNCTION = re.compile(r"^MPROC_API\s+[^;{}()]*?\b(mproc_\w+)\s*\(", re.M)


def root():
    """The source tree: the first argument, else the tree this script lies in."""
    given = [a for a in sys.argv[1:] if not a.startswith("--")]
    return pathlib.Path(given[0] if given else pathlib.Path(__file__).parents[2]).resolve()


def code(tree, *folders):
    """Every C and C++ file below these folders, sorted."""
    return sorted(p for f in folders for p in (tree / f).rglob("*") if p.suffix in CODE and p.is_file())


def strip(text):
    """The text with comments and the insides of string literals blanked, line numbers kept."""
    def blank(match):
        if match[0][0] == "/":
            return re.sub(r"[^\n]", " ", match[0])
        return match[0][0] + " " * (len(match[0]) - 2) + match[0][-1]
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\'',
                  blank, text, flags=re.S)


def public_functions(tree):
    """{name: (header, line)} of every function that the public C headers declare."""
    found = {}
    for header in sorted((tree / "include/mproc").glob("*.h")):
        text = strip(header.read_text())
        for match in FUNCTION.finditer(text):
            found[match[1]] = (header, text.count("\n", 0, match.start()) + 1)
    return found


def finish(name, problems, checked):
    """Prints the problems, one a line, and ends the test. A test that looked at nothing has failed."""
    for problem in problems:
        print(problem)
    if not checked:
        problems = ["nothing to check"]
        print(f"{name}: found nothing to check")
    print(f"{name}: {checked} checked, {len(problems)} problems")
    sys.exit(1 if problems else 0)
