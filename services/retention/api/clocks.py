"""Routes about clocks: what is due when, on which facts that rests, and what keeps it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.retention.commands.clocks import Clocks, Explained, Wanted, standing
from services.retention.model.facts import Fact
from shared.policy.retention import Action, Schedule
from shared.web import Problem, Route, json_answer, query_of

UNKNOWN: Final = Problem(404, "record-unknown", "No record is known by this name.")
Stands = Literal["due", "early", "cancelled", "undated", "kept", "held", "waiting", "settled"]


class ClocksQuery(BaseModel):
    """Which clocks, and where to begin; by the names of their records."""

    model_config = ConfigDict(extra="forbid")

    kind: str | None = Field(default=None, max_length=41)
    rule: str | None = Field(default=None, max_length=41)
    standing: Stands | None = None
    due_before: AwareDatetime | None = Field(default=None, alias="due-before")
    cursor: str = Field(default="", max_length=200, description="As the page before gave it.")
    rows: int = Field(default=100, ge=1, le=1000, description="About so many; records are whole.")


class FactView(BaseModel):
    """A dated fact; without a date where nobody knows it."""

    what: str
    at: datetime | None
    about: str | None = None


class KeepView(BaseModel):
    """A row of the schedule that keeps the record now, and the facts that it rests on.

    It is the clock's own rule where that stands still.
    """

    keep: str
    clause: str
    because: tuple[FactView, ...]


class SettledView(BaseModel):
    """What was decided by the clock; ``begun`` is the erasure or the review that came of it."""

    round: str
    schedule: str
    at: datetime
    due: datetime
    told_at: datetime | None
    begun: str | None


class ClockView(BaseModel):
    """One rule's clock on one record, and all that explains it."""

    kind: str
    record: str
    rule: str
    clause: str
    says: str
    version: str = Field(description="Of the schedule that it is judged by.")
    action: Action
    classes: tuple[str, ...]
    standing: Stands
    because: tuple[FactView, ...]
    started: datetime | None
    due: datetime | None
    ripe: datetime | None = Field(description="From when on it may be acted on, but for holds.")
    restarted_by: FactView | None
    cancelled_by: FactView | None
    extended_by: FactView | None
    stood: timedelta = Field(description="For how long it stood still before; due counts it.")
    kept: tuple[KeepView, ...]
    held: tuple[str, ...] = Field(description="Holds that stand on the record.")
    waits_for: tuple[str, ...] = Field(description="Rules that keep the same for longer.")
    settled: SettledView | None


class ClocksView(BaseModel):
    """The clocks of some records, or of one."""

    clocks: tuple[ClockView, ...]
    cursor: str | None = Field(default=None, description="Asks for what follows; null: nothing.")


async def shown(clocks: Clocks, request: web.Request) -> web.Response:
    """Show every clock of a record: why it runs, until when, and what keeps or holds it."""
    named = request.match_info
    found = await clocks.shown(named["kind"], named["record"])
    if found is None:
        raise UNKNOWN
    schedule = clocks.schedule()
    return json_answer(ClocksView(clocks=tuple(_view(one, schedule) for one in found)))


async def listed(clocks: Clocks, request: web.Request) -> web.Response:
    """List clocks, by the names of their records."""
    asked = query_of(request, ClocksQuery)
    page = await clocks.listed(
        Wanted(
            kind=asked.kind,
            rule=asked.rule,
            standing=asked.standing,
            due_before=asked.due_before,
            after=asked.cursor,
            most=asked.rows,
        )
    )
    schedule = clocks.schedule()
    views = tuple(_view(one, schedule) for one in page.clocks)
    return json_answer(ClocksView(clocks=views, cursor=page.after))


def _view(one: Explained, schedule: Schedule) -> ClockView:
    judged, settled = one
    clock = judged.clock
    return ClockView(
        kind=clock.kind,
        record=clock.record,
        rule=clock.rule,
        clause=clock.clause,
        says=schedule.rule(clock.rule).says,
        version=clock.version,
        action=clock.action,
        classes=clock.classes,
        standing=standing(one),
        because=_facts(clock.because),
        started=clock.started,
        due=clock.due,
        ripe=clock.ripe,
        restarted_by=_fact(clock.restarted_by),
        cancelled_by=_fact(clock.cancelled_by),
        extended_by=_fact(clock.extended_by),
        stood=clock.stood,
        kept=tuple(
            KeepView(keep=kept.keep, clause=kept.clause, because=_facts(kept.because))
            for kept in clock.kept
        ),
        held=judged.holds,
        waits_for=judged.waits_for,
        settled=SettledView(
            round=settled.clock,
            schedule=settled.schedule,
            at=settled.at,
            due=settled.due,
            told_at=settled.told_at,
            begun=settled.erasure,
        )
        if settled
        else None,
    )


def _facts(facts: Iterable[Fact]) -> tuple[FactView, ...]:
    return tuple(FactView(what=one.what, at=one.at, about=one.about or None) for one in facts)


def _fact(fact: Fact | None) -> FactView | None:
    return _facts([fact])[0] if fact else None


def routes(clocks: Clocks) -> list[Route]:
    """Return the routes."""
    return [
        Route(
            "GET",
            "/clocks",
            partial(listed, clocks),
            "List clocks: of a kind, a rule, a standing, or due before a time",
            query=ClocksQuery,
            responses={200: ClocksView},
            auth="operator",
            tags=("clocks",),
        ),
        Route(
            "GET",
            "/clocks/{kind}/{record}",
            partial(shown, clocks),
            "Show every clock of a record and what explains it",
            responses={200: ClocksView},
            auth="operator",
            tags=("clocks",),
        ),
    ]
