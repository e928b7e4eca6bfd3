"""How the registry behaves while it lasts: honest refusals, no surprises, and an end."""

from collections.abc import Iterator

from tests.fire.checks.base import Run, Violation
from tests.fire.history import UNKNOWN


def answers(run: Run) -> Iterator[Violation]:
    """A 503 says when to come back; nothing answers 500."""
    for entry in run.of("read", "deposit", "flip", "default", "move-prefix", "move"):
        status = entry.get("status")
        if status is None or status < 500:
            continue
        if status != 503:
            yield Violation("answers", f"{entry.kind} was answered {status}", (entry.number,))
        elif not entry.get("retry"):
            said = f"{entry.kind} was answered 503 without Retry-After"
            yield Violation("answers", said, (entry.number,))


def settled(run: Run) -> Iterator[Violation]:
    """When faults and clients are gone, everything that is due gets done."""
    for left in run.finals.get("unsettled", ()):
        yield Violation("settled", left)
    for entry in run.of("stuck"):
        yield Violation("settled", f"{entry['target']} did not end when asked", (entry.number,))


def worth_it(run: Run) -> list[str]:
    """Return what is missing for the verdict to mean anything."""
    counts = run.counts()
    missing = [
        kind
        for kind in ("deposit", "flip", "default", "move-prefix", "move", "read")
        if not counts.get(f"{kind} ok")
    ]
    shown = any(items[2] for entry in run.ok("read") for items in entry["items"])
    hidden = any(items[4] for entry in run.ok("read") for items in entry["items"])
    missing += [] if shown else ["references shown"]
    missing += [] if hidden else ["references withheld"]
    if not run.of("fault", "ended") and not counts.get(f"deposit {UNKNOWN}"):
        missing.append("faults")
    return missing
