"""P7: nothing is allowed without a consent that stands: in any order of what people and clocks do.

Everything that ever happened may happen again at any time, as a caller that saw no answer repeats
it: links are opened twice, letters entered twice, pages sent twice. What was said last counts.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.consent.model import consents, erasures
from services.consent.model.consents import Grounds, KeptConsent, Said
from services.consent.model.notices import KeptNotice, post, ref_of
from shared.events.decisions import Accepted, Refused
from shared.policy.consent import in_force, standing
from shared.policy.uses import Allowed, Use, load_uses, use_allowed
from tests.unit.consent.given import (
    AT,
    NEWS,
    POLICIES,
    a_notice,
    a_request,
    a_text,
)

pytestmark = [pytest.mark.law("P7"), pytest.mark.clause("DOAJ-10a"), pytest.mark.clause("DOAJ-10b")]

POLICY = load_uses(POLICIES)
MAIL = Use("mail", "list", "subscriber", name="newsletter", opt_out_link=True)
Step = Callable[[KeptConsent | None, datetime], consents.Decided]


class ConsentMachine(RuleBasedStateMachine):
    """One consent, its notice, and an oracle that knows only what the person last said."""

    def __init__(self) -> None:
        super().__init__()
        self.state: KeptConsent | None = None
        self.notice: KeptNotice = a_notice(a_text("1"))
        self.minutes = 0.0
        self.sent: list[Step] = []
        self.noes: list[Step] = []
        self.pages: list[Step] = []
        self.links = 0
        # The oracle: whether the last word was yes, to which version, and until when it holds;
        # and the one link that is good, if there is one.
        self.yes = False
        self.told = 0
        self.until: datetime | None = None
        self.link: str | None = None
        self.link_until = AT

    def now(self) -> datetime:
        return AT + timedelta(minutes=self.minutes)

    def grounds(self, days: int | None, at: datetime | None = None) -> Grounds:
        said = at or self.now()
        version = in_force(self.notice, said)
        assert version is not None
        until = None if days is None else said + timedelta(days=days)
        return Grounds(ref_of(self.notice.notice, version), until)

    def do(self, step: Step, *, again: bool = False) -> bool:
        """Carry a step out; say whether it changed anything."""
        decided = step(self.state, self.now())
        if not again:
            self.sent.append(step)
        if isinstance(decided, Refused):
            return False
        self.state = decided.state
        if step in self.noes:
            self.yes, self.link = False, None
        return isinstance(decided, Accepted) and bool(decided.events)

    def said_yes(self, grounds: Grounds) -> None:
        self.yes, self.told, self.until = True, grounds.notice.number, grounds.valid_until
        self.link = None

    @rule(minutes=st.sampled_from([1, 11, 60, 1441, 12000]))
    def time_passes(self, minutes: int) -> None:
        self.minutes += minutes

    @rule()
    def asks(self) -> None:
        self.minutes += 1

        def step(known: KeptConsent | None, now: datetime) -> consents.Decided:
            self.links += 1  # each mail has a link of its own, one that is sent again as well
            request = a_request(f"r{self.links}", minutes=self.minutes)
            before = now - timedelta(minutes=10)
            decided = consents.ask(known, NEWS, request, again_before=before)
            if isinstance(decided, Accepted):
                self.link, self.link_until = request.id, request.until
            return decided

        self.do(step)

    @rule(back=st.integers(0, 3), days=st.sampled_from([None, 1, 30]))
    def opens_a_link(self, back: int, days: int | None) -> None:
        """Open one of the last links that were sent, in force or not."""
        self.minutes += 1
        number, grounds = f"r{self.links - back}", self.grounds(days)
        good = number == self.link and self.now() < self.link_until
        changed = self.do(
            lambda known, now: consents.confirm(known, number, self.grounds(days), now=now)
        )
        assert changed == good
        if good:
            self.said_yes(grounds)

    @rule(days=st.sampled_from([None, 1, 30]))
    def chooses_on_their_page(self, days: int | None) -> None:
        self.minutes += 1
        there = self.state is not None and not self.state.erased
        grounds, seen = self.grounds(days), self.state.version if self.state and there else 0

        def step(known: KeptConsent | None, now: datetime) -> consents.Decided:
            said = Said("person", "link", now)
            return consents.choose(known, NEWS, said, self.grounds(days), seen=seen)

        self.pages.append(step)
        assert self.do(step)
        self.said_yes(grounds)

    @rule(ago=st.integers(0, 2000))
    def writes_a_letter(self, ago: int) -> None:
        """Staff enter a letter that was written some time ago."""
        self.minutes += 1
        written = max(AT, self.now() - timedelta(minutes=ago))

        def step(known: KeptConsent | None, now: datetime) -> consents.Decided:
            said = Said("operator", "letter", now, written)
            grounds = self.grounds(None, written)
            return consents.give(known, NEWS, said, grounds, no_since=None)

        if self.do(step):
            self.said_yes(self.grounds(None, written))

    @rule(letter=st.booleans())
    def says_no(self, letter: bool) -> None:  # noqa: FBT001
        self.minutes += 1
        by = ("operator", "e-mail") if letter else ("person", "one-click")

        def step(known: KeptConsent | None, now: datetime) -> consents.Decided:
            return consents.decline(known, NEWS, Said(*by, now))  # type: ignore[arg-type]

        self.noes.append(step)
        self.do(step)

    @precondition(lambda self: self.state is not None)
    @rule()
    def is_erased(self) -> None:
        """From here on nothing that was said before counts, whoever repeats it (law P2).

        A page is found by the pseudonym that went: no choice on it can be repeated.
        """
        self.minutes += 1
        before = self.state.version if self.state else 0
        for step in (
            lambda known, now: erasures.erase(known, "p", now=now, on=now.date()),
            lambda known, _now: erasures.moved(known, "p"),
        ):
            self.do(step, again=True)
        assert self.state is not None
        assert self.state.proof is None
        assert self.state.version > before or not self.yes
        self.sent = [one for one in self.sent if one not in self.pages]
        self.yes, self.link = False, None

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def something_is_repeated(self, data: st.DataObject) -> None:
        """Repeat any earlier step: nothing but another no may come of it."""
        self.minutes += 1
        step = data.draw(st.sampled_from(self.sent))
        before = standing(self.state, self.notice, self.now())
        self.do(step, again=True)
        after = standing(self.state, self.notice, self.now())
        note(f"{before} -> {after}")
        assert after != "given" or before == "given"

    @rule(change=st.sampled_from(["material", "editorial"]), touches=st.booleans())
    def a_notice_is_posted(self, change: str, touches: bool) -> None:  # noqa: FBT001
        self.minutes += 1
        purposes = ("list",) if touches else ("marketing",)
        label = str(len(self.notice.versions) + 1)
        text = a_text(label, change=change, purposes=purposes)  # type: ignore[arg-type]
        decided = post(self.notice, text, now=self.now())
        assert isinstance(decided, Accepted)
        self.notice = decided.state

    @rule()
    def the_clock_is_looked_at(self) -> None:
        if self.state is not None:
            self.do(lambda known, now: consents.expire(known, now=now))

    @invariant()
    def allowed_is_exactly_what_the_person_last_said(self) -> None:
        now = self.now()
        worth = standing(self.state, self.notice, now)
        stale = any(
            one.change == "material" and one.number > self.told and "list" in one.purposes
            for one in self.notice.versions[1:]
        )
        in_time = self.until is None or now < self.until
        expected = self.yes and in_time and not stale
        assert (worth == "given") == expected, worth
        assert isinstance(use_allowed(POLICY, MAIL, worth), Allowed) == expected

    @invariant()
    def no_link_is_good_but_the_newest_that_was_not_used_or_declined(self) -> None:
        now, grounds = self.now(), self.grounds(None)
        for number in range(max(1, self.links - 3), self.links + 1):
            decided = consents.confirm(self.state, f"r{number}", grounds, now=now)
            good = f"r{number}" == self.link and now < self.link_until
            assert isinstance(decided, Accepted) == good

    @invariant()
    def history_only_grows_and_says_the_standing(self) -> None:
        if self.state is None or self.state.erased:
            return
        times = [fact.at for fact in self.state.facts]
        assert times == sorted(times)
        words = {"reconfirmed": "given"}
        told = [words.get(fact.what, fact.what) for fact in self.state.facts]
        said = [one for one in told if one != "requested"] or ["requested"]
        assert self.state.standing == said[-1]


TestConsent = ConsentMachine.TestCase
