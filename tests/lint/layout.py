#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The shape of the tree: what may stand at the top, how long a file may be, a licence line on each."""
import source

TOP = set("""src include capi tests subprojects docs meson.build meson_options.txt dev
    README.md CHANGELOG.md CONTRIBUTING.md LICENSE
    .clang-format .clang-tidy .editorconfig .gitignore .gitattributes .ci .git""".split())
NOT_OURS = ("build", ".cache", ".vscode", ".idea")  # made by builds and editors
LONGEST = 450
SPDX = "SPDX-License-Identifier: MIT"

tree = source.root()
problems = [f"{p.name}: does not belong at the top" for p in sorted(tree.iterdir())
            if p.name not in TOP and not p.name.startswith(NOT_OURS)]
problems += [f"{name}: is missing" for name in ("README.md", "LICENSE", "meson.build", "dev", ".ci/run")
             if not (tree / name).exists()]
files = source.code(tree, "src", "capi", "include", "tests")
scripts = [p for p in (tree / "tests").rglob("*") if p.suffix in (".py", ".sh")] + [tree / "dev", tree / ".ci/run"]
scripts = [p for p in scripts if p.is_file()]
for path in files + scripts:
    name = path.relative_to(tree)
    lines = path.read_text().splitlines()
    first = lines[1:2] if lines and lines[0].startswith("#!") else lines[:1]
    if not first or SPDX not in first[0]:
        problems.append(f"{name}: does not begin with the line '{SPDX}'")
    if name.parts[0] in ("src", "capi") and len(lines) > LONGEST:
        problems.append(f"{name}: {len(lines)} lines; split it, {LONGEST} are the most")
    if name.parts[0] == "src" and path.suffix == ".h" or name.parts[0] == "include" and path.suffix == ".hh":
        problems.append(f"{name}: .h is for public C headers, .hh for ours")
source.finish("layout", problems, len(files) + len(scripts))
