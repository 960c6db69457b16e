#!/usr/bin/python3
"""tally.py FOLDER: counts the cases of one ctest run.

FOLDER holds ctest.junit, and the XML of each GoogleTest program that ran to its end. A program
without one counts as one test, by what ctest says of it; so does one that ended badly although its
cases passed (a leak found at the end, a crash on the way out).
"""
import pathlib
import sys
import xml.etree.ElementTree as ET


def cases_of(path):
    """(passed, names of failed cases, skipped) of one program."""
    passed, failed, skipped = 0, [], 0
    for case in ET.parse(path).getroot().iter("testcase"):
        name = f'{case.get("classname")}.{case.get("name")}'
        if case.find("failure") is not None:
            failed.append(name)
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main():
    folder = pathlib.Path(sys.argv[1])
    passed, failed, skipped = 0, [], 0
    for test in ET.parse(folder / "ctest.junit").getroot().iter("testcase"):
        name, ended_well = test.get("name"), test.get("status") == "run"
        report = folder / f"{name}.xml"
        if report.exists():
            p, f, s = cases_of(report)
            passed, skipped = passed + p, skipped + s
            failed += [f"{name}: {case}" for case in f]
            if not ended_well and not f:
                failed.append(f"{name}: its cases passed, but it ended badly")
        elif ended_well:
            passed += 1
        else:
            failed.append(name)
    for name in failed:
        print("FAILED:", name)
    if skipped:
        print(skipped, "skipped")
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed else 0


sys.exit(main())
