#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_docs.py TREE BUILD LIBRARY CC CXX [SANITIZERS]: what README.md and docs/ say is so.

A fenced block `cmake FILE`, `meson FILE` or `ini FILE` is an excerpt of that file of the tree, which a test uses: its
lines are lines of it, in that order. A fenced block `c FILE`, `cpp FILE` or `python FILE` is a part of that file; parts of one file on one page follow each
other. A block `sh` holds commands, one a line, that are run in a directory with these files, against the
library of the build; a block `text` behind it is what they print, with ... for anything. Commands that are
too much for a quick test stand in ELSEWHERE with the place that runs them. Then: links, names and paths lead
somewhere, the tests that the pages of comparison name are there, docs/errors.md lists every status, the example of the
README is short.
The last line is 'N passed, N failed'.
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lint"))
import source  # noqa: E402

STRICT = "-O2 -Wall -Wextra -Wpedantic -Werror"
EXCERPTS = ("cmake", "meson", "ini")
LONGEST_PAGE = 165
LONGEST_EXAMPLE = 30
# Command -> why it is not run here, and the file that shows where it is: the first that has the text counts.
ELSEWHERE = [
    (r"\./dev test", "installs packages and runs this very test", [(".ci/run", "./dev test")]),
    (r"\./dev run", "installs packages; the main job is a test of its own",
     [(".ci/run", "./dev run"), ("tests/demo/meson.build", "main_job.sh")]),
    (r"\./dev (asan|tsan)", "builds anew", [(".ci/run", "./dev asan"), (".ci/run", "./dev tsan")]),
    (r"meson setup \S+ --wrap-mode=forcefallback", "builds anew", [("tests/install/forcefallback.sh", "--wrap-mode=forcefallback")]),
    (r"doxygen docs/reference/Doxyfile", "a test of its own", [("tests/docs/meson.build", "reference.py")]),
    (r"\./dev bench( \S+)?", "takes long", [("dev", "mproc bench --w")]),
    (r"(meson setup|meson compile|meson install|ninja) .*", "builds anew", [(".ci/run", "meson install")]),
    (r"(taskset -c 0 )?\S*mproc bench .*", "takes long", [("dev", "mproc bench --w")]),
]


class Report:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0

    def test(self, good, what, why=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"failed: {what}" + (f"\n{why}" if why else ""))
        return good

    def skip(self, what):
        self.skipped += 1
        print(f"skipped: {what}")


class Block:
    def __init__(self, line, info):
        words = info.split()
        self.line, self.language, self.file = line, words[0] if words else "", words[1] if words[1:] else ""
        self.text = []


def blocks(text):
    """The fenced blocks of a page, and the page with their insides blanked."""
    found, rest, inside = [], [], None
    for number, line in enumerate(text.splitlines(), 1):
        fence = re.match(r"```(.*)", line)
        if fence and inside is None:
            inside = Block(number, fence[1])
            found.append(inside)
        elif fence:
            inside = None
        elif inside is not None:
            inside.text.append(line)
        rest.append("" if fence or inside is not None else line)
    return found, "\n".join(rest)


def commands(block):
    """The commands of a block: one a line, or several lines joined by a backslash at the end."""
    return [c for c in re.sub(r"\\\n\s*", "", "\n".join(block.text)).split("\n") if c.strip()]


def is_excerpt(wanted, whole):
    """Whether every line of `wanted` that is not empty stands in `whole`, in this order."""
    rest = iter(whole)
    return any(wanted) and all(line in rest for line in wanted if line)


def prints(expected, output):
    """Whether `output` is what a text block says."""
    wanted = "\n".join(re.escape(line).replace(r"\.\.\.", ".*") for line in expected)
    return re.fullmatch(wanted, output.rstrip("\n"), re.S) is not None


def slug(heading):
    """The name by which a link reaches a heading."""
    plain = re.sub(r"[`*]", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def elsewhere(command, tree):
    """None if the command is to be run here; else whether the place that runs it does."""
    for pattern, _, places in ELSEWHERE:
        if re.fullmatch(pattern, command):
            return any((tree / name).is_file() and text in (tree / name).read_text() for name, text in places)
    return None


class Runner:
    """Builds the files of one page and runs its commands, in a directory of its own."""

    def __init__(self, folder, tree, build, library, compilers, sanitizers):
        self.folder, self.tree, self.build, self.sanitizers = folder, tree, build, sanitizers
        flags = STRICT + (f" -fsanitize={sanitizers}" if sanitizers else "")
        (folder / "tools").mkdir()
        for name, standard, compiler in (("cc", "c11", compilers[0]), ("c++", "c++20", compilers[1])):
            # By their paths: what starts a compiler, as ccache does, would find the tool made here.
            words = [word if word.startswith("-") else shutil.which(word) or word for word in shlex.split(compiler)]
            tool = folder / "tools" / name
            tool.write_text(f"#!/bin/sh\nexec {shlex.join(words)} -std={standard} {flags} \"$@\"\n")
            tool.chmod(0o755)
        (folder / "tools/mproc.pc").write_text(
            f"Name: mproc\nDescription: as built\nVersion: 0\nCflags: -I{tree}/include\n"
            f"Libs: -L{library.parent} -lmproc\n")
        self.environment = dict(os.environ, PATH=f"{folder}/tools:{os.environ['PATH']}", LC_ALL="C.UTF-8",
                                PKG_CONFIG_PATH=f"{folder}/tools", LD_LIBRARY_PATH=str(library.parent))

    def work(self, page, found, report):
        place = self.folder / page.stem
        found = [b for b in found if b.language not in EXCERPTS]
        place.mkdir()
        (place / "build").symlink_to(self.build)
        for block in found:
            if block.file:
                with open(place / block.file, "a") as file:
                    file.write("\n".join(block.text) + "\n\n")
        everything = " ".join(c for b in found if b.language == "sh" for c in commands(b))
        for name in sorted({b.file for b in found if b.file}):
            report.test(re.search(rf"\b{re.escape(name)}\b", everything), f"{page.name}: no command uses {name}")
        for i, block in enumerate(found):
            if block.language == "sh":
                expected = found[i + 1].text if found[i + 1:] and found[i + 1].language == "text" else None
                self.run(page, place, block, expected, report)

    def run(self, page, place, block, expected, report):
        output, complete = "", True
        for command in commands(block):
            what = f"{page.name}:{block.line}: {command}"
            shown = elsewhere(command, self.tree)
            if shown is not None:
                complete = False
                report.test(shown, what, "nothing runs this command any more")
                continue
            words = command.split()
            if any(word.startswith("build/") and not (place / word).exists() for word in words):
                complete = False
                report.skip(f"{what}: not in this build")
                continue
            if self.sanitizers and words[0] == "python3":
                complete = False
                report.skip(f"{what}: needs a library without sanitizers")
                continue
            ran = subprocess.run(["bash", "-ec", command], cwd=place, env=self.environment, text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 timeout=100)
            complete = report.test(ran.returncode == 0, what, ran.stdout) and complete
            output += ran.stdout
        if expected is not None and complete:
            report.test(prints(expected, output), f"{page.name}:{block.line}: the output", output)


def check_shape(tree, page, text, found, report):
    lines = text.count("\n")
    report.test(lines <= LONGEST_PAGE, f"{page.name}: {lines} lines; {LONGEST_PAGE} are the most")
    for block in found:
        if block.language in EXCERPTS:
            whole = tree / block.file
            good = whole.is_file() and is_excerpt(block.text, whole.read_text().splitlines())
            report.test(good, f"{page.name}:{block.line}: is no excerpt of {block.file}")
            continue
        good = block.language in ("sh", "text", "") or block.language in ("c", "cpp", "python") and block.file
        report.test(good, f"{page.name}:{block.line}: '{block.language}' needs a file, or is of no known kind")


def check_links(page, rest, headings, report):
    for target in re.findall(r"\]\(([^)\s]+)\)", rest):
        if re.match(r"https?:", target):
            continue
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        good = other.exists() and (not anchor or slug(anchor) in headings.get(other, ()))
        report.test(good, f"{page.name}: the link {target} leads nowhere")


def check_names(tree, pages, report):
    """Paths, public functions and public numbers in backticks exist."""
    words = set()
    for file in source.code(tree, "include", "src", "capi") + [tree / "capi/libmproc.map"]:
        words.update(re.findall(r"\w+", file.read_text()))
    words.update(f"MPROC_{word}" for word in set(words))  # of the list of statuses
    for page, rest in pages:
        wrong = []
        for name in re.findall(r"`([^`\n]+)`", rest):
            if re.fullmatch(r"(src|capi|include|tests|docs|subprojects|\.ci)/[\w./-]*", name):
                good = (tree / name).exists()
            elif re.fullmatch(r"(mproc_[a-z_]+[a-z]|MPROC_[A-Z_0-9]+[A-Z0-9])(\(\))?", name):
                good = name.removesuffix("()") in words
            else:
                continue
            if not good:
                wrong.append(name)
        report.test(not wrong, f"{page.name}: not in the tree: {', '.join(wrong)}")


def check_comparison(tree, report):
    """Every row that says yes names a call or a value, and tests that are there: `FILE` *case*."""
    text = "".join((tree / "docs" / page).read_text() for page in ("comparison.md", "comparison-sharing.md"))
    rows = re.findall(r"^\| ([^|]*\S) *\| (yes|no): ([^|]*\S) *\| ([^|]*)\|$", text, re.M)
    report.test(len(rows) > 80, f"comparison: only {len(rows)} rows are understood")
    for feature, answer, how, tests in rows:
        named = re.findall(r"`([\w/.]+)` \*([^*]+)\*", tests)
        good = all((tree / file).is_file() and case in (tree / file).read_text() for file, case in named)
        report.test(good and (answer == "no" or named), f"comparison: '{feature}': no such test: {tests}")


def check_errors(tree, report):
    """The tables of docs/errors.md are the lists of the headers, row by row."""
    status = [("MPROC_" + n, v) for n, v in re.findall(r"X\((\w+), (-?\d+),", (tree / "include/mproc/status.h").read_text())]
    future = re.findall(r"(MPROC_(?:OUTCOME|CAUSE)_\w+) = (\d+)", (tree / "include/mproc/future.h").read_text())
    rows = re.findall(r"^\| `(MPROC_\w+)` \| (-?\d+) \| ([^|]*\S) *\| ([^|]*\S) *\|$", (tree / "docs/errors.md").read_text(), re.M)
    listed = [row[:2] for row in rows]
    for kind, wanted in (("statuses", status), ("outcomes", future)):
        mine = [row for row in listed if (row in status) == (kind == "statuses")]
        report.test(mine == wanted and wanted, f"errors.md: the {kind} are not those of the header, in its order",
                    f"only here: {set(mine) - set(wanted)}, only there: {set(wanted) - set(mine)}")


def self_test():
    report = Report()
    found, rest = blocks("a\n```c x.c\nint x;\n```\n[b](c.md)\n```sh\nls \\\n  -l\ntrue\n```\n```text\n1 ... 3\n```\n")
    report.test([(b.line, b.language, b.file) for b in found] == [(2, "c", "x.c"), (6, "sh", ""), (11, "text", "")], "blocks")
    report.test(rest == "a\n\n\n\n[b](c.md)" + "\n" * 8, "the rest", repr(rest))
    report.test(commands(found[1]) == ["ls -l", "true"], "commands", str(commands(found[1])))
    for output, wanted in (("1 2 3\n", True), ("1 2 2 3", True), ("1 2 4", False), ("1 3", False), ("", False)):
        report.test(prints(found[2].text, output) == wanted, f"prints {output!r}")
    for part, wanted in ((["b", "", "c"], True), (["c", "b"], False), (["b", "d"], False), ([""], False)):
        report.test(is_excerpt(part, ["a", "b", "c"]) == wanted, f"is_excerpt {part}")
    report.test(slug("What `mproc` *is*, shortly") == "what-mproc-is-shortly", "slug")
    tree = pathlib.Path(__file__).resolve().parents[2]
    report.test(elsewhere("./dev test", tree) is True, "a command that CI runs")
    report.test(elsewhere("./dev testify", tree) is None, "a command that is run here")
    report.test(elsewhere("./dev test", tree / "tests") is False, "a command that CI does not run")
    return report


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    report = Report()
    tree, build, library = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
    docs = [*sorted((tree / "docs").glob("*.md")), *sorted((tree / "docs/guide").glob("*.md"))]
    pages = [tree / "README.md", tree / "CONTRIBUTING.md", tree / "CHANGELOG.md", *docs]
    texts = {page: page.read_text() for page in pages}
    headings = {page: {slug(h) for h in re.findall(r"^#+ (.*)", blocks(text)[1], re.M)} for page, text in texts.items()}
    with tempfile.TemporaryDirectory(prefix="mproc-docs-") as folder:
        runner = Runner(pathlib.Path(folder), tree, build, library, sys.argv[4:6], "".join(sys.argv[6:7]))
        for page, text in texts.items():
            found, rest = blocks(text)
            check_shape(tree, page, text, found, report)
            check_links(page, rest, headings, report)
            runner.work(page, found, report)
    check_names(tree, [(page, blocks(text)[1]) for page, text in texts.items() if page.stem != "CONTRIBUTING"], report)
    check_errors(tree, report)
    check_comparison(tree, report)
    readme = blocks(texts[tree / "README.md"])[0]
    example = sum((b.text for b in readme if b.language == "c"), [])
    report.test(0 < len(example) <= LONGEST_EXAMPLE, f"README.md: the example has {len(example)} lines")
    linked = re.findall(r"\]\((docs/[\w/-]+\.md)", texts[tree / "README.md"])
    missing = {str(page.relative_to(tree)) for page in docs} ^ set(linked)
    report.test(not missing, f"README.md: does not link every page of docs: {', '.join(sorted(missing))}")
    return report


if __name__ == "__main__":
    result = main()
    print(f"{result.passed} passed, {result.failed} failed" + (f", {result.skipped} skipped" if result.skipped else ""))
    sys.exit(1 if result.failed or not result.passed else 0)
