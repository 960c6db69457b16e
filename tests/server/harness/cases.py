"""Named cases, run one after another and counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Case = Callable[[Any], None]


class Suite:
    """Cases in the order in which they were written; a name is a sentence."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.cases: list[tuple[str, Case]] = []

    def case(self, name: str) -> Callable[[Case], Case]:
        def register(function: Case) -> Case:
            self.cases.append((name, function))
            return function

        return register


def expect(got: object, wanted: object) -> None:
    """Unlike `assert`, stays under -O, and shows both sides."""
    if got != wanted:
        raise AssertionError(f"expected {wanted!r}, got {got!r}")


def expect_in(part: object, whole: object) -> None:
    if part not in whole:  # type: ignore[operator]
        raise AssertionError(f"expected {part!r} in {str(whole)[:2000]!r}")


class Tally:
    """Prints one line a case and counts."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def add(self, suite: str, name: str, problem: str = "") -> None:
        if problem:
            self.failed += 1
            print(f"FAIL {suite}: {name}: {problem}", flush=True)
        else:
            self.passed += 1
            print(f"ok   {suite}: {name}", flush=True)

    def summary(self) -> int:
        """Prints the last line; a run in which nothing passed is a failure too."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0
