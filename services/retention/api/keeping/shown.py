"""What goes out about holds, reviews, versions and past dates; never who a record is of."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from services.retention.commands.reports import Listing, Stood
from services.retention.model.clocks import Judged, Verdict
from services.retention.model.facts import Fact
from services.retention.model.holds import KeptHold, KeptMember, Outcome
from services.retention.model.previews import Preview
from services.retention.model.reports import Section
from services.retention.model.reviews import Choice, KeptReview
from services.retention.model.schedules import KeptSchedule, Stage
from shared.events.orders import KeptUnits
from shared.policy.retention import Action
from shared.web import Answer


class SignedView(Answer):
    """Who did something, when and why."""

    by: str
    at: datetime
    why: str | None
    review_on: date | None

    @classmethod
    def of(cls, one: Any) -> "SignedView":
        """Show it."""
        return cls.model_validate(one, from_attributes=True)


class ScopeView(Answer):
    """Which records are meant."""

    kind: str | None
    service: str | None
    rule: str | None
    cls: str | None
    person: str | None
    about: str | None


class HoldView(Answer):
    """A hold; ``standing`` from when everybody agreed until its release."""

    hold: str
    matter: str
    reason: str
    standing: bool
    overdue: bool
    placed_by: str
    placed_at: datetime
    review_on: date
    needs: int
    approvals: tuple[SignedView, ...]
    stood_from: datetime | None
    reviews: tuple[SignedView, ...]
    released: SignedView | None
    settled: bool
    scope: ScopeView | None
    named: int

    @classmethod
    def of(cls, state: KeptHold, today: date) -> "HoldView":
        """Show a hold."""
        return cls(
            **state.model_dump(include=_names(cls, "approvals", "reviews", "released", "scope")),
            standing=state.standing,
            overdue=state.standing and state.review_on <= today,
            approvals=tuple(map(SignedView.of, state.approvals)),
            reviews=tuple(map(SignedView.of, state.reviews)),
            released=SignedView.of(state.released) if state.released else None,
            scope=ScopeView(**state.scope.model_dump()) if state.scope else None,
            named=len(state.records) + len(state.keys),
        )


class HoldsView(Answer):
    """Holds, and where the next page begins."""

    holds: tuple[HoldView, ...]
    cursor: str | None


class OnKeysView(Answer):
    """What became of keys; ``at`` and ``cause`` say what was there before the hold."""

    keys_id: str
    outcome: Outcome
    at: datetime | None
    cause: str | None


class MemberView(Answer):
    """A record under a hold, or keys that were named themselves."""

    kind: str | None
    record: str | None
    came_at: datetime
    keys: tuple[KeptUnits, ...]
    on: tuple[OnKeysView, ...]

    @classmethod
    def of(cls, state: KeptMember) -> "MemberView":
        """Show it."""
        return cls(
            kind=state.kind,
            record=state.record,
            came_at=state.came_at,
            keys=state.keys,
            on=tuple(OnKeysView(**one.model_dump()) for one in state.on),
        )


class MembersView(Answer):
    """What is under a hold."""

    records: tuple[MemberView, ...]
    count: int
    cursor: str | None


class PlacedView(HoldView):
    """A hold that was just placed, and what became of the first of what it names."""

    on: tuple[MemberView, ...]


class DecisionView(Answer):
    """What was decided; ``erasure`` is what came of it."""

    record: str
    choice: Choice
    by: tuple[str, ...]
    at: datetime
    why: str
    until: date | None
    erasure: str | None


class CountsView(Answer):
    """What a list held when it was made."""

    records: int
    listed: int
    undated: int
    held: int


class ReviewView(Answer):
    """A review: of one record, or a list of many."""

    review: str
    rule: str
    clause: str
    schedule: str
    action: Action
    office: str
    needs: int
    kind: str
    record: str | None
    due: datetime
    asked_at: datetime
    open: bool
    counts: CountsView | None
    decisions: tuple[DecisionView, ...]

    @classmethod
    def of(cls, state: KeptReview) -> "ReviewView":
        """Show a review."""
        return cls(
            **state.model_dump(include=_names(cls, "counts", "decisions")),
            counts=CountsView(**state.counts.model_dump()) if state.counts else None,
            decisions=tuple(DecisionView(**one.model_dump()) for one in state.decisions),
        )


class ReviewsView(Answer):
    """Reviews, and where the next page begins."""

    reviews: tuple[ReviewView, ...]
    cursor: str | None


class VersionView(Answer):
    """A version of the schedule: how far it came, and from when it counts."""

    schedule: str
    sha: str
    stage: Stage
    in_force: bool
    in_force_from: datetime | None
    starts: datetime
    published_by: str
    published_at: datetime
    approvals: tuple[SignedView, ...]
    withdrawn: SignedView | None

    @classmethod
    def of(cls, state: KeptSchedule, now: KeptSchedule | None, **more: Any) -> Any:
        """Show a version beside the one that counts now."""
        return cls(
            **state.model_dump(include=_names(VersionView, "approvals", "withdrawn")),
            stage=state.stage,
            in_force=now is not None and state.schedule == now.schedule,
            approvals=tuple(map(SignedView.of, state.approvals)),
            withdrawn=SignedView.of(state.withdrawn) if state.withdrawn else None,
            **more,
        )


class WholeVersionView(VersionView):
    """A version with its text, and what its last preview came to."""

    text: str
    preview: Preview | None


class VersionsView(Answer):
    """All versions, oldest first."""

    schedules: tuple[VersionView, ...]


class ItemView(Answer):
    """A record in a list."""

    kind: str
    record: str
    started: datetime | None
    since: datetime | None
    holds: tuple[str, ...]


class ListView(Answer):
    """A page of a list; ``undated`` are those of which nobody knows how old they are."""

    rule: str
    clause: str
    schedule: str
    as_of: datetime
    listed: tuple[ItemView, ...]
    undated: tuple[ItemView, ...]
    scanned: int
    cursor: str | None

    @classmethod
    def of(cls, found: Listing) -> "ListView":
        """Show a page."""

        def section(name: Section) -> tuple[ItemView, ...]:
            items = (one for one in found.items if one.section == name)
            return tuple(ItemView(**one.model_dump(exclude={"section"})) for one in items)

        return cls(
            rule=found.rule.id,
            clause=found.rule.clause,
            schedule=found.schedule.version,
            as_of=found.at,
            listed=section("listed"),
            undated=section("undated"),
            scanned=found.scanned,
            cursor=found.after.partition(":")[2] if found.after else None,
        )


class FactView(Answer):
    """A dated fact."""

    what: str
    at: datetime | None
    about: str

    @classmethod
    def all(cls, facts: Sequence[Fact]) -> tuple["FactView", ...]:
        """Show facts."""
        return tuple(cls(what=one.what, at=one.at, about=one.about) for one in facts)


class ClockThen(Answer):
    """A clock as it stood; ``erasure`` where it had been acted on by then."""

    rule: str
    clause: str
    action: Action
    verdict: Verdict
    started: datetime | None
    due: datetime | None
    because: tuple[FactView, ...]
    waits_for: tuple[str, ...]
    settled_at: datetime | None
    erasure: str | None

    @classmethod
    def of(cls, one: Judged, found: Stood) -> "ClockThen":
        """Show a clock."""
        clock, settled = one.clock, found.settled.get(one.clock.rule)
        return cls(
            rule=clock.rule,
            clause=clock.clause,
            action=clock.action,
            verdict=one.verdict,
            started=clock.started,
            due=clock.due,
            because=FactView.all(clock.because),
            waits_for=one.waits_for,
            settled_at=settled.at if settled else None,
            erasure=settled.erasure if settled else None,
        )


class KeptThen(Answer):
    """A row of the schedule that kept the record."""

    keep: str
    clause: str
    because: tuple[FactView, ...]


class StoodView(Answer):
    """How a record stood on a past date, by what is known now of its facts until then."""

    kind: str
    record: str
    date: datetime
    schedule: str
    schedule_sha: str
    facts: tuple[FactView, ...]
    kept: tuple[KeptThen, ...]
    holds: tuple[str, ...]
    clocks: tuple[ClockThen, ...]

    @classmethod
    def of(cls, found: Stood, kind: str, record: str) -> "StoodView":
        """Show it."""
        return cls(
            kind=kind,
            record=record,
            date=found.at,
            schedule=found.schedule.version,
            schedule_sha=found.schedule.sha,
            facts=FactView.all(found.facts),
            kept=tuple(
                KeptThen(keep=one.keep, clause=one.clause, because=FactView.all(one.because))
                for one in found.kept
            ),
            holds=tuple(found.holds),
            clocks=tuple(ClockThen.of(one, found) for one in found.judged),
        )


def _names(view: type[Answer], *without: str) -> set[str]:
    return set(view.model_fields) - set(without)
