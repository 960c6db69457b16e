#!/usr/bin/python3
"""headers.py [JOBS]: compiles each public header alone, with g++ and with clang 19, all warnings
as errors, and nothing but include/ on the path: so no header of ours or of a dependency can be
needed by an embedder."""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

COMPILERS = ("g++", "clang++-19")
FLAGS = ["-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow",
         "-Wconversion", "-Wsign-conversion", "-Werror", "-x", "c++"]


def check(job):
    root, compiler, header = job
    extra = ["-Wthread-safety"] if compiler.startswith("clang") else []
    text = f'#include <{header}>\n#include <{header}>\n'
    done = subprocess.run([compiler, *FLAGS, *extra, "-I", str(root / "include"), "-"], input=text,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return compiler, header, done.returncode, done.stdout


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else os.cpu_count()
    headers = sorted(str(path.relative_to(root / "include"))
                     for path in (root / "include").rglob("*.h"))
    work = [(root, compiler, header) for header in headers for compiler in COMPILERS]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for compiler, header, code, text in pool.map(check, work):
            if code or text:
                failed += 1
                print(f"FAILED: {header} alone with {compiler}\n{text}")
    print(f"{len(work) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
