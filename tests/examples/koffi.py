# SPDX-License-Identifier: MIT
"""koffi.py FOLDER: puts koffi, the FFI of Node that the example and a test use, below a folder as npm would: both
packages of one version, checked against the hashes that are known here."""
import base64
import fcntl
import hashlib
import io
import pathlib
import platform
import sys
import tarfile
import urllib.request

VERSION = "3.3.4"
PACKAGES = {
    "koffi": "31Vr+LM+w1dEsNcOJtJWvYyUTjVc/SWOxNDZJxfhsBC6qZ5YVn98n5x1oBbDq5skxCbWD4SByJpNmq63fvg9Aw==",
    "@koromix/koffi-linux-x64": "xi47MKuoQ9fA2SsrH6wljl9t9120hO66qEmb1le6q636q55J974cZfcwDrK5nW1GalJ+0NLXoH2T3/NGQBzPNw==",
}


def fetch(name):
    url = f"https://registry.npmjs.org/{name}/-/{name.split('/')[-1]}-{VERSION}.tgz"
    for attempt in range(3):
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return answer.read()
        except OSError as problem:
            last = problem
    raise last


def install(folder):
    """Returns why it cannot be had, or None."""
    if platform.machine() != "x86_64":
        return "no koffi for this processor is known here"
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    with open(pathlib.Path(folder) / "koffi.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two tests may want it at once
        return unpack(pathlib.Path(folder) / "node_modules")


def unpack(modules):
    for name, wanted in PACKAGES.items():
        place = modules / name
        if (place / "package.json").exists():
            continue
        try:
            data = fetch(name)
        except OSError as problem:
            return f"koffi cannot be fetched: {problem}"
        if base64.b64encode(hashlib.sha512(data).digest()).decode() != wanted:
            raise RuntimeError(f"{name}: what came is not what is expected")
        with tarfile.open(fileobj=io.BytesIO(data)) as packed:
            for member in packed.getmembers():
                if not member.isfile():
                    continue
                inside = pathlib.PurePosixPath(member.name).relative_to("package")
                if ".." in inside.parts:
                    raise RuntimeError(f"{name}: a path leads out")
                (place / inside).parent.mkdir(parents=True, exist_ok=True)
                (place / inside).write_bytes(packed.extractfile(member).read())
    return None


if __name__ == "__main__":
    sys.exit(install(sys.argv[1]))
