"""Records, their facts, and the shipped schedule."""

from datetime import UTC, datetime
from pathlib import Path

from services.retention.model.clocks import Clock, Hold, Verdict, clocks, judge
from services.retention.model.facts import Fact, History
from shared.policy.retention import Schedule, load_retention, parse_retention

FILE = Path(__file__).resolve().parents[3] / "deploy" / "policies" / "retention.toml"
TEXT = FILE.read_text()
SCHEDULE = load_retention(FILE)
HEAD = TEXT[: TEXT.index("\n[[kind]]")]


def at(text: str) -> datetime:
    """Return a moment in UTC: a date, or a date and a time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def fact(what: str, when: str | None, about: str = "") -> Fact:
    return Fact(what, at(when) if when else None, about)


def history(kind: str, *facts: tuple[str, str | None] | tuple[str, str | None, str]) -> History:
    return History(kind, "r1", tuple(fact(*one) for one in facts))


def one(of: History, rule: str, schedule: Schedule = SCHEDULE) -> Clock:
    """Return the clock of a rule, which there must be."""
    return next(clock for clock in clocks(of, schedule) if clock.rule == rule)


def verdict(of: History, rule: str, now: str, *holds: Hold) -> Verdict:
    every = clocks(of, SCHEDULE)
    return next(found.verdict for found in judge(every, at(now), holds) if found.clock.rule == rule)


def schedule_of(*rows: str, zone: str = "UTC") -> Schedule:
    """Make a schedule of one kind, ``thing``, with facts a to f."""
    kind = (
        '[[kind]]\nid = "thing"\nclause = "DOAJ-6a1"\nsince = 2023-11-01\nsays = "A thing."\n'
        'facts = ["a", "b", "c", "d", "e", "f"]\n'
    )
    head = HEAD.replace('zone = "UTC"', f'zone = "{zone}"')
    return parse_retention("\n".join([head, kind, *rows]).encode())


def rule(name: str, what: str, since: str = "2001-01-01", falls: str = "end-of-day") -> str:
    """Write a rule of ``thing`` that deletes, unless ``what`` says otherwise."""
    action = "" if "action" in what else 'action = "delete"\n'
    return (
        f'[[rule]]\nid = "{name}"\nclause = "DOAJ-6a2"\nsince = {since}\nsays = "A rule."\n'
        f'of = "thing"\nfalls = "{falls}"\n{action}{what}\n'
    )
