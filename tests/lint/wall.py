#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every public function is defined once in capi/, and its body runs inside the wall against exceptions,
Guard( of capi/guard.hh, unless it says `// wall: cannot throw`. --self-test: breaches are seen."""
import re
import sys

import source

DEFINITION = re.compile(r"^(?:MPROC_API\s+|extern \"C\"\s+)?[\w:]+[\w:\s*&]*?\b(mproc_\w+)\s*\(", re.M)
EXCUSE = "// wall: cannot throw"


def closing(text, start, pair):
    """The place after the bracket that closes the one at `start`."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == pair[0]) - (text[i] == pair[1])
        if depth == 0:
            return i + 1
    return len(text)


def definitions(text):
    """(name, line, body as written, body without comments) of every function defined in `text`."""
    bare = source.strip(text)
    for match in DEFINITION.finditer(bare):
        end = closing(bare, match.end() - 1, "()")
        brace = re.compile(r"\s*(noexcept\s*)?\{").match(bare, end)
        if brace:
            stop = closing(bare, brace.end() - 1, "{}")
            line_end = (text + "\n").find("\n", stop)
            yield (match[1], text.count("\n", 0, match.start()) + 1, text[match.start():line_end],
                   bare[match.start():stop])


def behind_wall(written, bare):
    return bool(re.search(r"\bGuard\w*\s*(<[^;{]*>)?\s*\(", bare)) or EXCUSE in written


def self_test():
    text = """
MPROC_API mproc_status_t mproc_a_x(int a) { return Guard([&] { return mproc_other(a); }); }
MPROC_API mproc_status_t mproc_a_y(int a) {
  // Guard( is only named here
  return 0;
}
MPROC_API int32_t mproc_a_z(void) { return 1; }  // wall: cannot throw
const char* mproc_a_w(int32_t code) { return "Guard("; }
int32_t mproc_a_declared(int a);
"""
    seen = {name: behind_wall(written, bare) for name, _, written, bare in definitions(text)}
    wanted = {"mproc_a_x": True, "mproc_a_y": False, "mproc_a_z": True, "mproc_a_w": False}
    source.finish("wall self-test", [] if seen == wanted else [f"saw {seen}"], len(wanted))


if "--self-test" in sys.argv:
    self_test()
tree = source.root()
public = source.public_functions(tree)
problems, places = [], {}
for path in source.code(tree, "capi"):
    if path.suffix != ".cc" or "bindings" in path.parts:
        continue
    for name, line, written, bare in definitions(path.read_text()):
        place = f"{path.relative_to(tree)}:{line}: {name}"
        if name not in public:
            problems.append(f"{place} is no public function; give it another name or declare it")
        if name in places:
            problems.append(f"{place} is defined a second time")
        places[name] = place
        if not behind_wall(written, bare):
            problems.append(f"{place} does not run inside Guard(")
problems += [f"{header.relative_to(tree)}:{line}: {name} is not defined in capi/"
             for name, (header, line) in public.items() if name not in places]
source.finish("wall", problems, len(places))
