#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who may use whom: reads every #include of src/, capi/ and include/ and fails on a breach.

layers.py [TREE]       checks the tree
layers.py --self-test  checks that breaches are seen
"""
import pathlib
import re
import sys
import tempfile

import source

LOW = {"base", "platform"}
# Room -> rooms it may use. "x:entry" and "x:front" mean only the headers of x listed below.
ROOMS = {
    "base": set(),
    "platform": {"base"},
    "loop": LOW,
    "ipc": LOW,
    "runtime": LOW | {"ipc", "loop"},
    "task": {"base"},
    "worker": LOW | {"object", "task", "ipc"},
    "launcher": LOW | {"ipc", "loop", "worker:entry"},
    "start": LOW | {"runtime", "task", "ipc", "loop", "worker:entry"},
    "pool": LOW | {"object", "start", "runtime", "task", "ipc", "loop", "worker:entry"},
    "process": LOW | {"object", "start", "runtime", "task", "ipc", "loop", "worker:entry"},
    "object": LOW,
    "sync": LOW | {"object"},
    "connection": LOW | {"object"},
    "queue": LOW | {"object", "sync"},
    "shm": LOW | {"object", "sync"},
    "manager": LOW | {"runtime", "ipc", "loop"} | {f"{n}:front" for n in ("queue", "sync", "shm", "task", "pool")},
    "capi": {"base", "worker:entry", "launcher:entry"} | {f"{n}:front" for n in (
        "pool", "process", "object", "connection", "queue", "sync", "shm", "manager", "start", "task", "runtime", "platform")},
    "cli": set(),      # a user like any other: sees include/mproc only
    "include": set(),
}
ENTRY = {"worker": {"worker_main.hh", "call.hh", "exit_hooks.hh", "parent.hh", "process_key.hh", "process_self.hh", "puller.hh", "worker_state.hh"}, "launcher": {"launcher_main.hh"}}
FRONT = {
    # one load that tells a forked child, and what the wall holds; no system call
    "platform": {"cancellation.hh", "fork_lock.hh", "fork_mark.hh", "signals.hh"},
    "pool": {"pool.hh", "future.hh", "future_slab.hh", "imap.hh", "map.hh", "options.hh", "policy.hh", "shared_block.hh", "wait.hh", "callbacks.hh"},
    "task": {"arguments.hh", "table.hh", "call.hh", "task.hh", "value.hh"},
    "process": {"options.hh", "process.hh"},
    "runtime": {"runtime.hh"},
    "start": {"method.hh", "options.hh"},
    "object": {"message.hh", "object.hh"},
    "connection": {"connection.hh", "listener.hh", "wait_many.hh"},
    "queue": {"queue.hh"},
    "shm": {"array.hh", "memory.hh", "segment.hh", "shareable_list.hh"},
    "sync": {"barrier.hh", "condition.hh", "event.hh", "lock.hh", "passing.hh", "semaphore.hh", "sleep.hh"},
}
# Public headers are the vocabulary (numbers, callback types) of these rooms; base gets the status list.
VOCABULARY = {"task", "worker", "start", "pool", "process", "connection", "queue", "sync", "shm", "manager", "capi", "cli", "include"}

C_STANDARD = set("""assert.h complex.h ctype.h errno.h fenv.h float.h inttypes.h iso646.h limits.h locale.h math.h
    setjmp.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h
    tgmath.h time.h uchar.h wchar.h wctype.h""".split())
CPP_STANDARD = set("""algorithm any array atomic barrier bit bitset charconv chrono codecvt compare complex concepts
    condition_variable coroutine deque exception execution filesystem format forward_list fstream functional future
    initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory
    memory_resource mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator
    semaphore set shared_mutex source_location span sstream stack stdexcept stop_token streambuf string
    string_view system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility
    valarray variant vector version cassert cctype cerrno cfenv cfloat cinttypes climits clocale cmath cstdarg
    cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype""".split())
# Headers outside both standards that one room, and only that, may use besides platform.
SPECIAL = {
    "cxxabi.h": {"worker", "base", "include"},  # abi::__forced_unwind, type names of exceptions
    "signal.h": {"cli"},  # a program has handlers of its own
    "unistd.h": {"cli"},  # isatty
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:<([^>\n]+)>|"([^"\n]+)"|(\S.*))', re.M)


def room_of(tree, path):
    parts = path.relative_to(tree).parts
    return parts[1] if parts[0] == "src" and len(parts) > 2 else parts[0]


def includes(path):
    """(line, angle, quoted, other) of each include outside comments."""
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), path.read_text(), flags=re.S)
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match[1], match[2], match[3]


def judge_system(room, path, name):
    """Why `room` may not include <name>, or None."""
    if name.startswith("mproc/"):
        if name.endswith(".hpp") and path.suffix != ".hpp" and room != "cli" and (room, name) != ("task", "mproc/cpp/archive.hpp"):
            return "is for users in C++"
        if room in VOCABULARY or name in ("mproc/status.h", "mproc/export.h"):
            return None
        return "knows the public header"
    if name == "uv.h" or name.startswith("uv/"):
        return None if room == "loop" else "uses libuv, which only loop may"
    if name.startswith("cereal/"):
        return None if room == "task" or path.suffix == ".hpp" else "uses cereal, which only task may"
    if name.startswith(("CLI/", "nlohmann/")):
        return None if room == "cli" else "uses a library of the command line tool"
    if room == "include" and path.suffix == ".h":
        return None if name in C_STANDARD else "is no C standard header in a public C header"
    if name in C_STANDARD or name in CPP_STANDARD or room == "platform" or room in SPECIAL.get(name, ()):
        return None
    return "is a system header, which only platform may include"


def judge_own(tree, room, path, name):
    """Why `room` may not include our header "name", or None."""
    if "/" not in name and (path.parent / name).is_file():
        return None
    if (tree / name).is_file() and name.startswith("capi/"):
        return None if room == "capi" else "points up to the C edge"
    if ".." in name or not (tree / "src" / name).is_file():
        return "is not found (write \"room/file.hh\")"
    other, _, rest = name.partition("/")
    if other == room:
        return None
    allowed = ROOMS.get(room, set())
    if other in allowed:
        return None
    if f"{other}:entry" in allowed:
        return None if rest in ENTRY.get(other, ()) else f"is not the entry of {other}"
    if f"{other}:front" in allowed:
        return None if rest in FRONT.get(other, {other + ".hh"}) else f"is not a front header of {other}"
    return f"is not for {room}"


def check(tree):
    problems, checked = [], 0
    for path in source.code(tree, "src", "capi", "include"):
        room = room_of(tree, path)
        if "bindings" in path.parts or "meson-" in str(path):
            continue
        if room not in ROOMS:
            problems.append(f"{path.relative_to(tree)}: '{room}' is no room; add it to layers.py")
        for line, angle, quoted, other in includes(path):
            checked += 1
            name = angle or quoted or other
            if other:
                why = "is a macro: its target cannot be read"
            elif angle:
                why = judge_system(room, path, angle)
            else:
                why = judge_own(tree, room, path, quoted)
            if why:
                problems.append(f"{path.relative_to(tree)}:{line}: {name} {why}")
    return problems, checked


GOOD = {
    "include/mproc/pool.h": "#include <mproc/status.h>\n#include <stddef.h>\n",
    "include/mproc/mproc.hpp": "#include <cereal/cereal.hpp>\n#include <vector>\n#include <mproc/pool.h>\n",
    "src/base/bytes.hh": "#include <span>\n#include <errno.h>\n/* #include <uv.h> */\n// #include <uv.h>\n",
    "src/platform/fd.hh": '#include <unistd.h>\n#include "base/bytes.hh"\n',
    "src/cli/signals.cc": "#include <signal.h>\n#include <unistd.h>\n",
    "src/loop/loop.hh": '#include <uv.h>\n#include "platform/fd.hh"\n',
    "src/ipc/ring.hh": '#include "platform/fd.hh"\n',
    "src/runtime/runtime.hh": '#include "loop/loop.hh"\n#include "ipc/ring.hh"\n',
    "src/task/table.hh": '#include <cereal/cereal.hpp>\n#include <mproc/pool.h>\n#include "base/bytes.hh"\n',
    "src/worker/worker_main.hh": '#include "task/table.hh"\n#include "ipc/ring.hh"\n',
    "src/worker/runner.hh": '#include "worker/worker_main.hh"\n#include "runner.hh"\n',
    "src/launcher/main.cc": '#include "worker/worker_main.hh"\n#include "loop/loop.hh"\n',
    "src/pool/pool.hh": '#include "runtime/runtime.hh"\n#include "task/table.hh"\n',
    "src/pool/slot.hh": '#include "pool/pool.hh"\n#include "worker/worker_main.hh"\n',
    "src/cli/main.cc": '#include <mproc/pool.h>\n#include <CLI/CLI.hpp>\n#include "cli/x.hh"\n',
    "src/cli/x.hh": "#include <nlohmann/json.hpp>\n",
    "capi/pool.cc": '#include "pool/pool.hh"\n#include "capi/guard.hh"\n#include "guard.hh"\n',
    "capi/guard.hh": '#include "base/bytes.hh"\n',
    "src/base/unwind.hh": "#include <cxxabi.h>\n",
    "src/task/archive.hh": "#include <mproc/cpp/archive.hpp>\n",
}
BAD = [
    ("include/mproc/pool.h", "#include <sys/types.h>"), ("include/mproc/pool.h", "#include <vector>"),
    ("include/mproc/pool.h", "#include <cereal/cereal.hpp>"),
    ("src/base/b.hh", '#include "platform/fd.hh"'), ("src/base/b.hh", "#include <unistd.h>"),
    ("src/base/b.hh", "#include <mproc/pool.h>"), ("src/base/b.hh", '#include "base/missing.hh"'),
    ("src/base/b.hh", "#include SOME_MACRO"), ("src/base/b.hh", "  #  include <pthread.h>"),
    ("src/platform/p.cc", "#include <uv.h>"), ("src/platform/p.cc", '#include "loop/loop.hh"'),
    ("src/loop/l.cc", '#include "ipc/ring.hh"'), ("src/loop/l.cc", "#include <fcntl.h>"),
    ("src/ipc/i.cc", '#include "loop/loop.hh"'), ("src/ipc/i.cc", '#include "task/table.hh"'),
    ("src/ipc/i.cc", "#include <cereal/cereal.hpp>"), ("src/ipc/i.cc", "#include <linux/futex.h>"),
    ("src/runtime/r.cc", '#include "pool/pool.hh"'), ("src/runtime/r.cc", '#include "task/table.hh"'),
    ("src/runtime/r.cc", "#include <uv.h>"), ("src/task/t.cc", '#include "ipc/ring.hh"'),
    ("src/task/t.cc", "#include <dlfcn.h>"), ("src/task/t.cc", "#include <mproc/mproc.hpp>"),
    ("src/pool/p.cc", "#include <mproc/cpp/archive.hpp>"), ("include/mproc/pool.h", "#include <mproc/mproc.hpp>"),
    ("include/mproc/pool.h", "#include <cxxabi.h>"), ("src/worker/w.cc", '#include "pool/pool.hh"'),
    ("src/worker/w.cc", '#include "loop/loop.hh"'), ("src/worker/w.cc", "#include <csignal>"),
    ("src/launcher/l.cc", '#include "worker/runner.hh"'), ("src/launcher/l.cc", '#include "task/table.hh"'),
    ("src/pool/p.cc", '#include "worker/runner.hh"'), ("src/pool/p.cc", "#include <sched.h>"),
    ("src/cli/c.cc", '#include "pool/pool.hh"'), ("src/cli/c.cc", '#include "base/bytes.hh"'),
    ("src/cli/c.cc", "#include <sys/wait.h>"), ("capi/c.cc", '#include "ipc/ring.hh"'),
    ("capi/c.cc", '#include "pool/slot.hh"'), ("capi/c.cc", '#include "worker/runner.hh"'),
    ("capi/c.cc", "#include <signal.h>"), ("capi/c.cc", "#include <uv.h>"),
    ("src/base/b.hh", '#include "capi/guard.hh"'), ("src/base/b.hh", '#include "../platform/fd.hh"'),
    ("src/pool/p.cc", "#include <nlohmann/json.hpp>"), ("src/attic/a.cc", "#include <vector>"),
]


def self_test():
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)

        def write(name, text):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(text + "\n")
        for name, text in GOOD.items():
            write(name, text)
        problems += [f"good tree: {p}" for p in check(tree)[0]]
        for name, line in BAD:
            write(name, GOOD.get(name, "") + line)
            found = check(tree)[0]
            if len(found) != 1 or name not in found[0]:
                problems.append(f"{name}: {line!r} was judged {found}")
            if name in GOOD:
                write(name, GOOD[name])
            else:
                (tree / name).unlink()
    source.finish("layers self-test", problems, len(BAD))


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        self_test()
    source.finish("layers", *check(source.root()))
