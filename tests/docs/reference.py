#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""reference.py TREE: Doxygen makes the reference of the public headers without a warning, and every public
function, also each of a group with one comment, has its description in it. Ends with 77 where there is no
Doxygen; else the last line is 'N passed, N failed'."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lint"))
import source  # noqa: E402

if not shutil.which("doxygen"):
    print("skipped: no doxygen")
    sys.exit(77)
tree = pathlib.Path(sys.argv[1]).resolve()
passed, problems = 0, []
with tempfile.TemporaryDirectory(prefix="mproc-reference-") as folder:
    settings = (tree / "docs/reference/Doxyfile").read_text() + f"\nOUTPUT_DIRECTORY = {folder}\nGENERATE_XML = YES\n"
    ran = subprocess.run(["doxygen", "-"], input=settings, cwd=tree, text=True, timeout=100,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if ran.returncode or ran.stdout:
        problems.append(f"doxygen ended with {ran.returncode} and said:\n{ran.stdout}")
    described = {}
    for page in pathlib.Path(folder, "xml").glob("*.xml"):
        for member in xml.etree.ElementTree.parse(page).iter("memberdef"):
            text = " ".join("".join(member.find(part).itertext()) for part in ("briefdescription", "detaileddescription"))
            described[member.findtext("name")] = text
    for name in source.public_functions(tree):
        if "Since " in described.get(name, ""):
            passed += 1
        else:
            problems.append(f"{name}: its comment is not in the reference")
    main_page = pathlib.Path(folder, "html/index.html")
    if "Conventions" in (main_page.read_text() if main_page.is_file() else ""):
        passed += 1
    else:
        problems.append("the main page does not tell the conventions")
for problem in problems:
    print(f"failed: {problem}")
print(f"{passed} passed, {len(problems)} failed")
sys.exit(bool(problems) or not passed)
