"""Preference requests: the support desk's form, judged and carried out (CRR-9)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from services.accounts.errors import Refusal
from services.accounts.model.organisations import KeptOrganisation
from services.accounts.model.prefixes import (
    KeptPrefix,
    carried_out,
    superseded,
)
from shared.events import Setting
from shared.events.base import Instant, OrganisationId, Prefix, State, Version
from shared.events.decisions import Accepted, Refused, Unchanged

PREFIX: Final = re.compile(r"10\.[0-9]{4,9}")
Outcome = Literal["set", "already-so", "superseded", "not-owned"]


class Result(State):
    """What a request came to at one prefix, and the prefix's version then."""

    prefix: Prefix
    outcome: Outcome
    version: Version | None = None


class KeptRequest(State):
    """A request that was accepted; ``results`` are empty until it was carried out."""

    request: str
    at: Instant
    organisation: OrganisationId
    prefixes: tuple[Prefix, ...]
    setting: Setting | None
    results: tuple[Result, ...] = ()
    unsettled: bool = True
    version: Version

    @property
    def actor(self) -> str:
        """Who the facts name as having chosen."""
        return f"support-request:{self.request}"


Decided = Accepted[KeptRequest] | Unchanged[KeptRequest] | Refused[Refusal]


@dataclass(frozen=True, slots=True)
class Form:
    """A request as received; an empty name or no prefixes means that it was left out."""

    organisation: str
    prefixes: tuple[str, ...]
    setting: Setting | None


def complete(form: Form) -> Refusal | None:
    """Refuse a form without an organisation's name or without prefixes (CRR-9)."""
    missing = []
    if not form.organisation.strip():
        missing.append("/organisation")
    if not form.prefixes:
        missing.append("/prefixes")
    missing += [
        f"/prefixes/{place}"
        for place, prefix in enumerate(form.prefixes)
        if not PREFIX.fullmatch(prefix)
    ]
    return Refusal("request-incomplete", rule="CRR-9", places=tuple(missing)) if missing else None


def judge(
    form: Form,
    named: Sequence[KeptOrganisation],
    owned: Mapping[str, KeptPrefix],
    *,
    request: str,
    now: datetime,
) -> Decided:
    """Accept a form, or refuse it whole: nothing is set where one prefix is foreign (CRR-9).

    ``named`` are the organisations of that name and ``owned`` the prefixes that exist.
    """
    if refusal := complete(form):
        return Refused(refusal)
    if not named:
        return Refused(Refusal("name-unknown", rule="CRR-9", places=("/organisation",)))
    if len(named) > 1:
        detail = f"{len(named)} organisations have this name."
        return Refused(Refusal("name-ambiguous", detail, "CRR-9", ("/organisation",)))
    organisation = named[0].organisation
    foreign = tuple(
        f"/prefixes/{place}"
        for place, prefix in enumerate(form.prefixes)
        if prefix not in owned or owned[prefix].owner != organisation
    )
    if foreign:
        return Refused(Refusal("prefixes-not-owned", rule="CRR-9", places=foreign))
    state = KeptRequest(
        request=request,
        at=now,
        organisation=organisation,
        prefixes=tuple(dict.fromkeys(form.prefixes)),
        setting=form.setting,
        version=1,
    )
    return Accepted(state, ())


def result_of(prefix: str, after: KeptPrefix | None, asked: KeptRequest) -> Result:
    """Say what came of a request at a prefix, from what that is afterwards; null is not owned."""
    if after is None:
        return Result(prefix=prefix, outcome="not-owned")
    outcome: Outcome = "already-so"
    if carried_out(after, asked.actor):
        outcome = "set"
    elif superseded(after, asked.at) and after.setting != asked.setting:
        outcome = "superseded"
    return Result(prefix=prefix, outcome=outcome, version=after.version)


def settled(known: KeptRequest | None, results: tuple[Result, ...]) -> Decided:
    """Write down what a request came to, once."""
    if known is None:
        return Refused(Refusal("request-unknown"))
    if not known.unsettled:
        return Unchanged(known)
    fields = {"results": results, "unsettled": False, "version": known.version + 1}
    return Accepted(known.model_copy(update=fields), ())
