"""L1: what was acknowledged is there in the end, and what was refused never is."""

from collections.abc import Iterator
from typing import Any, Final

from tests.fire.checks.base import Run, Violation
from tests.fire.checks.gate import Gate
from tests.fire.checks.registers import NEVER, Absent
from tests.fire.history import REFUSED, Entry
from tests.fire.world import title_of

# Rules by which a record is refused whose title, work or prefix is another member's.
NOT_YOURS: Final = frozenset(
    {"prefix-not-yours", "handle-not-yours", "title-not-yours", "issn-owned"}
)


def acknowledged(run: Run) -> Iterator[Violation]:
    """Each record of an acknowledged deposit is shown at least at its version."""
    works: dict[str, list[Any]] = run.finals.get("works", {})
    said: dict[str, list[list[str]]] = run.finals.get("verdicts", {})
    gate = Gate(run)
    for entry in run.ok("deposit"):
        records = said.get(entry["submission"])
        if records is None or len(records) != len(entry["records"]):
            told = f"submission {entry['submission']} has {records} for {entry['records']}"
            yield Violation("L1", told, (entry.number,))
            continue
        for (doi, timestamp), (judged, status, rule) in zip(entry["records"], records, strict=True):
            shown = works.get(doi, [0, 0])[1]
            if judged.lower() != doi:
                said_of = f"record {doi} of {entry['submission']} was judged as {judged}"
                yield Violation("L1", said_of, (entry.number,))
            elif status == "Failure" and rule in NOT_YOURS:
                if not _may_be_refused(gate, entry, doi):
                    told = f"{doi} was refused by {rule} though it was the depositor's throughout"
                    yield Violation("L1", told, (entry.number,))
            elif status == "Failure" and rule != "version":
                yield Violation("L1", f"{doi} was refused by {rule}", (entry.number,))
            elif shown < timestamp:
                told = f"{doi} was acknowledged at {timestamp} and is shown at {shown}"
                yield Violation("L1", told, (entry.number,))


def _may_be_refused(gate: Gate, entry: Entry, doi: str) -> bool:
    """Say whether at some moment since the deposit somebody else owned what it is about."""
    begin, end = entry.begin, NEVER
    for subject in (doi, title_of(doi)):
        owned = gate.owners.get(subject)
        for prefix in owned.possible(begin, end) if owned else ():
            if isinstance(prefix, str) and _elsewhere(gate, prefix, entry["login"], begin):
                return True
    return _elsewhere(gate, doi.partition("/")[0], entry["login"], begin)


def _elsewhere(gate: Gate, prefix: str, organisation: int, begin: float) -> bool:
    register = gate.prefixes.get(prefix)
    if register is None:
        return True
    return any(
        value is None or isinstance(value, Absent) or value[1] != organisation
        for value in register.possible(begin, NEVER)
    )


def verdicts(run: Run) -> Iterator[Violation]:
    """Each submission that was acknowledged ends."""
    for submission in run.finals.get("open", ()):
        yield Violation("L1", f"submission {submission} never ended")


def refused(run: Run) -> Iterator[Violation]:
    """Nothing that was refused is ever shown, and each refusal for want of room says when."""
    never: dict[tuple[str, int], int] = {}
    for entry in run.of("deposit"):
        if entry.outcome == REFUSED:
            for doi, timestamp in entry["records"]:
                never[doi, timestamp] = entry.number
    for entry in run.seen.get("deposits.works.v1", ()):
        found = never.get((entry["key"], entry.get("timestamp", 0)))
        if found is not None:
            said = f"{entry['key']} at {entry['timestamp']} was refused and is published"
            yield Violation("L1", said, (found, entry.number))
