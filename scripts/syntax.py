#!/usr/bin/python3
"""syntax.py BUILD [JOBS]: has clang read, without compiling, every file of ours that the build in
BUILD would compile, with all its warnings and -Wthread-safety as errors.

Left out: the library, the server, the commands and the fuzz targets, which the same stage compiles
in earnest with the same warnings. Needs: BUILD/compile_commands.json, made with clang.
"""
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys

COMPILED_ANYWAY = ("CMakeFiles/strata_objects.dir/", "src/server/CMakeFiles/strata_server.dir/",
                   "src/cli/CMakeFiles/strata_cli.dir/", "fuzz/")


def output_of(entry):
    words = shlex.split(entry["command"])
    return words[words.index("-o") + 1]


def syntax_command(entry):
    words = shlex.split(entry["command"])
    if pathlib.Path(words[0]).name == "ccache":
        words = words[1:]
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif word not in ("-c", "-MD", "-MMD"):
            kept.append(word)
    return kept + ["-fsyntax-only", "-Wthread-safety"]


def check(entry):
    done = subprocess.run(syntax_command(entry), cwd=entry["directory"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return entry["file"], done.returncode, done.stdout


def main():
    build = pathlib.Path(sys.argv[1])
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else os.cpu_count()
    root = pathlib.Path(__file__).resolve().parent.parent
    entries = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        ours = pathlib.Path(entry["file"]).is_relative_to(root)
        if ours and not output_of(entry).startswith(COMPILED_ANYWAY):
            entries.append(entry)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for file, code, text in pool.map(check, entries):
            if code:
                failed += 1
                print("FAILED:", os.path.relpath(file, root))
            if text:
                print(text, end="")
    print(f"{len(entries) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
