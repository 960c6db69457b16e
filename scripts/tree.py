#!/usr/bin/python3
"""tree.py: fails when a source file is too long to hold one idea, when a file names a path of the
machine that it was made on, when a folder of src/ is missing from src/README.md, or when a lock of src/ is missing
from the lock order in docs/architecture.md."""
import pathlib
import re
import sys

LINES_MAX = 700
SOURCE = {".h", ".cc", ".py", ".sh", ".js", ".mjs", ".cmake"}
TEXT = SOURCE | {".md", ".txt", ".json", ".toml", ".in", ".map", ""}
TOPS = ("include", "src", "tests", "bench", "fuzz", "examples", "scripts", "cmake", "docs", "deps",
        "changes", "packaging")
OUTSIDE = {"node_modules", "corpus", "__pycache__"}
LOCK = re.compile(r"^\s*(mutable\s+)?(base::)?(Shared)?Mutex\s+\w+(\s+STRATA_\w+\(.*\))?;", re.M)
# Written so that this file does not find itself.
MACHINE = re.compile(r"(?<![\w.~}])/(?:wor[k]|roo[t]|tmp/bash_job[s])/")


def files_of(root):
    yield from (path for path in root.iterdir() if path.is_file() and path.name != ".git")
    for top in TOPS:
        for path in (root / top).rglob("*"):
            if path.is_file() and not OUTSIDE & set(path.parts):
                yield path


def unlisted(root):
    readme = (root / "src/README.md").read_text()
    for folder in sorted(path for path in (root / "src").iterdir() if path.is_dir()):
        if f"`src/{folder.name}/" not in readme:
            yield f"src/README.md does not mention src/{folder.name}/"
    order = (root / "docs/architecture.md").read_text()
    for file in sorted((root / "src").rglob("*")):
        if file.suffix in (".h", ".cc") and LOCK.search(file.read_text()):
            name = file.relative_to(root)
            if f"`{name}`" not in order:
                yield f"{name} has a lock that docs/architecture.md does not put in its order"


def faults_of(root):
    yield from unlisted(root)
    for path in sorted(files_of(root)):
        if path.suffix not in TEXT:
            continue
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        name = path.relative_to(root)
        if path.suffix in SOURCE and len(lines) > LINES_MAX:
            yield f"{name}: {len(lines)} lines, more than {LINES_MAX}: it holds more than one idea"
        for number, line in enumerate(lines, 1):
            if MACHINE.search(line) or (len(root.parts) > 2 and f"{root}/" in line):
                yield f"{name}:{number}: a path of one machine: {line.strip()[:80]}"


def main():
    faults = list(faults_of(pathlib.Path(__file__).resolve().parent.parent))
    print("\n".join(faults) or "the tree is in order")
    return 1 if faults else 0


sys.exit(main())
