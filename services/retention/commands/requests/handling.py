"""What staff do with requests: each verb may be repeated, and does nothing the second time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from services.retention.commands.requests import erasing, packing, settling
from services.retention.commands.requests.context import Requests
from services.retention.commands.requests.receiving import vouched
from services.retention.model.calendar import after
from services.retention.model.requests import handling as model
from services.retention.model.requests import receiving
from services.retention.model.requests.errors import Refusal
from services.retention.model.requests.state import (
    UNKNOWN,
    Decided,
    Exempt,
    KeptRequest,
    no,
)
from shared.events.decisions import Refused
from shared.events.requests import Outcome

Done = KeptRequest | Refused[Refusal]


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody of the staff at work on one request; ``actor`` is who facts name."""

    requests: Requests
    actor: str
    correlation: str

    async def confirm(
        self,
        request: str,
        *,
        identity: str | None,
        evidence: str | None,
        authority: bool,
        authority_evidence: str | None,
    ) -> Done:
        """Write down how the person showed who they are, and that authority was checked.

        Of what staff saw, evidence is wanted where it vouches for further addresses.
        """
        known = await self._known(request)
        if isinstance(known, Refused):
            return known
        if authority and not authority_evidence:
            return no("authority-unchecked", "", "DOAJ-1a10", "/authority-evidence")
        requests = self.requests
        addresses = await vouched(requests, known, identity, evidence)
        if isinstance(addresses, Refused):
            return addresses
        notes = {
            **await requests.note(known, "identity", evidence),
            **await requests.note(known, "authority", authority_evidence),
        }
        by = requests.by(self.actor)
        return await self._save(
            request,
            lambda state: receiving.confirm(
                state,
                by,
                identity=identity,
                authority=authority,
                notes=notes,
                vouched=addresses,
            ),
        )

    async def assign(self, request: str, *, handler: str) -> Done:
        """Give it to somebody else (DOAJ-11)."""
        requests = self.requests
        by = requests.by(self.actor)
        return await self._save(
            request,
            lambda state: model.assign(state, by, handler=handler, policy=requests.policy),
        )

    async def assess(self, request: str, *, exempt: Sequence[tuple[str, str, datetime]]) -> Done:
        """Decide that it is done; where only an erasure was asked for, that begins at once.

        ``exempt``: class, reason and date of review of what an erasure keeps, beside the row of
        the policy.
        """
        requests = self.requests
        known = await self._known(request)
        if isinstance(known, Refused):
            return known
        away = erasing.away(requests, known)
        if away is not None:
            return away
        by, kept = requests.by(self.actor), requests.policy.file.kept
        review = after(by.now, requests.policy.kept.period, requests.policy.schedule.zone)
        rows = [Exempt(cls=cls, reason=why, review_at=at) for cls, why, at in exempt]
        if requests.policy.erases(known.kinds) and all(one.cls != kept.cls for one in rows):
            rows.append(Exempt(cls=kept.cls, reason=kept.reason, review_at=review))
        if known.assessed_at is not None and not exempt:
            rows = list(known.exempt)
        return await self._save(
            request,
            lambda state: model.assess(state, by, exempt=tuple(rows), policy=requests.policy),
        )

    async def do(self, request: str, *, task: str, outcome: Outcome, evidence: str) -> Done:
        """Write down that a task was done, with its evidence; the last may begin an erasure."""
        known = await self._known(request)
        if isinstance(known, Refused):
            return known
        if all(one.task != task for one in known.tasks):
            return no("task-unknown")
        notes = await self.requests.note(known, f"task-{task}", evidence)
        by = self.requests.by(self.actor)
        return await self._save(
            request, lambda state: model.do(state, by, task=task, outcome=outcome, notes=notes)
        )

    async def pause(self, request: str, *, reason: str) -> Done:
        """Let the limits wait for the person."""
        requests = self.requests
        by = requests.by(self.actor)
        return await self._save(
            request, lambda state: model.pause(state, by, reason=reason, policy=requests.policy)
        )

    async def resume(self, request: str) -> Done:
        """Let the limits run on."""
        by = self.requests.by(self.actor)
        return await self._save(request, lambda state: model.resume(state, by))

    async def extend(self, request: str, *, reason: str, text: str, by_letter: bool) -> Done:
        """Take more time and tell the person why."""
        step = partial(model.extend, reason=reason, by_letter=by_letter)
        return await self._say(request, "extension", text, step)

    async def answer(self, request: str, *, text: str, by_letter: bool) -> Done:
        """Answer the person."""
        return await self._say(request, "answer", text, partial(model.answer, by_letter=by_letter))

    async def refuse(self, request: str, *, reason: str, text: str, by_letter: bool) -> Done:
        """Answer with a no, and why."""
        step = partial(model.refuse, reason=reason, by_letter=by_letter)
        return await self._say(request, "answer", text, step)

    async def take_back(self, request: str) -> Done:
        """End it because the person wants it no more."""
        by = self.requests.by(self.actor)
        return await self._save(request, lambda state: model.take_back(state, by))

    async def _known(self, request: str) -> Done:
        return await self.requests.store.requests.load(request) or UNKNOWN

    async def _say(self, request: str, kind: str, text: str, step: Callable[..., Decided]) -> Done:
        """Keep what the person is told beside the request, then take the step that says it."""
        known = await self._known(request)
        if isinstance(known, Refused):
            return known
        requests = self.requests
        notes = await requests.note(known, kind, text)
        by = requests.by(self.actor)
        return await self._save(
            request, lambda state: step(state, by, notes=notes, policy=requests.policy)
        )

    async def _save(self, request: str, decide: Callable[[KeptRequest | None], Decided]) -> Done:
        """Save a step, then do what follows from it; the loop does it where this process dies."""
        saved = await self.requests.store.requests.update(
            request, decide, correlation=self.correlation
        )
        if isinstance(saved, Refused):
            return saved
        packed = await packing.begin(self.requests, saved.state)
        begun = await erasing.begin(self.requests, packed, correlation=self.correlation)
        return await settling.settle(self.requests, begun)
