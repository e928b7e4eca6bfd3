"""``make clauses``: docs/clauses.md, each clause with its decision, its tests and their results.

Clauses and laws stand in deploy/clauses.toml; tests name theirs by the markers ``clause`` and
``law``; results are those of the last ``make test``. Fails on a clause or law that has neither a
passing test nor a written reason, on one whose test fails, and on a marker that names neither.
"""

import contextlib
import io
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from xml.etree.ElementTree import ParseError

import pytest
from lxml import etree

ROOT: Final = Path(__file__).resolve().parents[1]
DATA: Final = ROOT / "deploy" / "clauses.toml"
RESULTS: Final = ROOT / ".local" / "test-results.xml"
PAGE: Final = ROOT / "docs" / "clauses.md"
MARKERS: Final = ("clause", "law")
SECTIONS: Final = {
    "CRR": "Crossref, reference distribution policy",
    "CRP": "Crossref, privacy policy",
    "DOAJ": "DOAJ, privacy notice",
}

Result = Literal["passed", "failed", "skipped", "not run"]
Shown = Mapping[str, Mapping[str, Result]]  # by clause or law, the result of each of its tests
_WEIGHT: Final[Mapping[Result, int]] = {"failed": 3, "passed": 2, "skipped": 1, "not run": 0}


class Unknown(Exception):
    """The page cannot be made; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause or a law as deploy/clauses.toml has it."""

    id: str
    rule: str
    decision: str = ""
    later: str = ""
    outside: str = ""

    @property
    def reason(self) -> str:
        """Why no test needs to show it today."""
        if self.outside:
            return f"outside the software: {self.outside}"
        return f"later: {self.later}" if self.later else ""


@dataclass(slots=True)
class Marked:
    """Remembers which test functions carry which markers; a plugin of pytest."""

    tests: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Look at every test before any is deselected."""
        for item in items:
            for marker in MARKERS:
                for found in item.iter_markers(marker):
                    self.tests[found.args[0]].add(item.nodeid.partition("[")[0])


def read(path: Path = DATA) -> tuple[dict[str, Clause], dict[str, Clause]]:
    """Return clauses and laws by id. Raises ``Unknown`` where a row says both reasons."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    clauses, laws = (
        {name: Clause(name, **row) for name, row in document[kind].items()} for kind in MARKERS
    )
    for one in (*clauses.values(), *laws.values()):
        if one.later and one.outside:
            raise Unknown(f"{path.name}: {one.id} says both later and outside; keep one")
    return clauses, laws


def marked() -> dict[str, set[str]]:
    """Return the test functions by the clause or law they show, as pytest collects them."""
    found, said = Marked(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = pytest.main(
            ["--collect-only", "-qq", "--rootdir", str(ROOT), str(ROOT / "tests")], plugins=[found]
        )
    if status != pytest.ExitCode.OK:
        raise Unknown(f"The tests cannot be collected; `make test` says why.\n{said.getvalue()}")
    return found.tests


def results(path: Path = RESULTS) -> dict[str, Result]:
    """Return the worst result of each test function in a JUnit report."""
    try:
        report = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True))
    except (OSError, ParseError, etree.XMLSyntaxError):
        raise Unknown(f"{path} is not a report of a test run; run `make test` first.") from None
    worst: dict[str, Result] = {}
    for case in report.iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name', '').partition('[')[0]}"
        result = _result(case)
        if _WEIGHT[result] >= _WEIGHT[worst.get(name, "not run")]:
            worst[name] = result
    return worst


def _result(case: etree._Element) -> Result:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "passed" if case.find("skipped") is None else "skipped"


def junit_name(test: str) -> str:
    """Return how a JUnit report names a test function: dots for slashes, no suffix."""
    path, *names = test.split("::")
    return ".".join([path.removesuffix(".py").replace("/", "."), *names])


def judge(clause: Clause, tests: Mapping[str, Result]) -> str:
    """Return what is wrong with a clause, empty where nothing is."""
    failed = sorted(test for test, result in tests.items() if result == "failed")
    if failed:
        return f"{clause.id}: {failed[0]} fails"
    if "passed" in tests.values() or clause.reason:
        return ""
    if tests:
        return f"{clause.id}: its tests were not run; run `make test` without ARGS"
    return (
        f"{clause.id}: no test is marked with it and deploy/clauses.toml gives no reason"
        " (`later` or `outside`)"
    )


def page(
    clauses: Mapping[str, Clause],
    laws: Mapping[str, Clause],
    shown: Shown,
) -> str:
    """Render the page."""
    lines = [
        "# Clauses and laws",
        "",
        "<!-- Written by `make clauses` from deploy/clauses.toml and the last `make test`. -->",
        "",
        *_summary(clauses, shown),
        "",
        "## Laws of the system",
        "",
        *_table(laws.values(), shown, what="law"),
    ]
    for prefix, title in SECTIONS.items():
        chosen = [one for one in clauses.values() if one.id.startswith(f"{prefix}-")]
        lines += ["", f"## {title}", "", *_table(chosen, shown, what="clause")]
    return "\n".join(lines) + "\n"


def _summary(clauses: Mapping[str, Clause], shown: Shown) -> Iterator[str]:
    passing = sum("passed" in shown.get(one, {}).values() for one in clauses)
    reasoned = sum(
        bool(one.reason) and "passed" not in shown.get(one.id, {}).values()
        for one in clauses.values()
    )
    yield (
        f"{len(clauses)} clauses: {passing} with passing tests, {reasoned} without and with a"
        " written reason. The texts are Crossref's privacy and reference distribution policies and"
        " DOAJ's privacy notice; the rules stand here in our words."
    )


def _table(rows: Iterable[Clause], shown: Shown, *, what: str) -> Iterator[str]:
    yield from (f"| {what} | rule | decision | tests | result |", "|---|---|---|---|---|")
    for one in rows:
        tests = shown.get(one.id, {})
        links = "<br>".join(_link(test) for test in sorted(tests))
        said = "; ".join(filter(None, [one.decision, one.reason]))
        yield f"| {one.id} | {one.rule} | {said} | {links} | {_said(tests.values())} |"


def _link(test: str) -> str:
    path, *names = test.split("::")
    return f"[{'.'.join(names)}](../{path})"


def _said(found: Iterable[Result]) -> str:
    return max(found, key=_WEIGHT.__getitem__, default="")


def main() -> int:
    """Write the page; 0 where every clause and law is accounted for."""
    try:
        clauses, laws = read()
        tests, found = marked(), results()
    except Unknown as fault:
        sys.stderr.write(f"colophon: {fault}\n")
        return 1
    shown: Shown = {
        one: {test: found.get(junit_name(test), "not run") for test in names}
        for one, names in tests.items()
    }
    PAGE.write_text(page(clauses, laws, shown), encoding="utf-8")
    known = clauses | laws
    wrong = [
        f"{one}: a test is marked with it, and deploy/clauses.toml does not know it"
        for one in sorted(set(tests) - set(known))
    ]
    wrong += filter(None, (judge(one, shown.get(one.id, {})) for one in known.values()))
    for sentence in wrong:
        sys.stderr.write(f"colophon: {sentence}\n")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} written; {len(wrong)} clauses or laws to mend\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
