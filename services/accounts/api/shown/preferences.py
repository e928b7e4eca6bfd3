"""Preferences, their history and receipts, and support requests as they are shown."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from services.accounts.api.shown.status import Status
from services.accounts.model.prefixes import KeptPrefix, owner_at
from services.accounts.model.requests import KeptRequest, Outcome
from services.accounts.receipts import OutletReceipt
from shared.events import PreferenceFact, Setting
from shared.policy import Change, EffectiveSetting
from shared.web import Answer


class Effective(Answer):
    """A setting in force, where it comes from, and the rule of the policy that says so."""

    reference_visibility: Setting
    source: Literal["own", "account", "policy-default"]
    rule: str

    @classmethod
    def of(cls, setting: EffectiveSetting) -> "Effective":
        """Show a setting in force."""
        return cls(reference_visibility=setting.setting, source=setting.source, rule=setting.rule)


class InForce(Answer):
    """A prefix's own choice, its account's, and what is in force by them."""

    reference_visibility: Setting | None = Field(description="Its own choice, if any.")
    account_default: Setting | None
    effective: Effective


class PrefixPreference(InForce):
    """Who may see the references of a prefix: the choice, the default, and what is in force."""

    organisation: int
    prefix: str
    name: str
    since: datetime = Field(description="When the choice was last changed.")
    version: int
    policy_version: str
    status: Status | None = Field(
        default=None, description="After a change: whether it is in effect already."
    )
    receipt: str = Field(description="Where to see since when each outlet obeys.")

    @classmethod
    def of(
        cls,
        state: KeptPrefix,
        effective: EffectiveSetting,
        *,
        policy_version: str,
        said: Status | None = None,
    ) -> "PrefixPreference":
        """Show a prefix's preference."""
        path = f"/organisations/{state.owner}/preferences/{state.prefix}/receipt"
        return cls(
            organisation=state.owner,
            prefix=state.prefix,
            name=state.owner_name,
            reference_visibility=state.setting,
            account_default=state.account_default,
            effective=Effective.of(effective),
            since=state.facts[-1].at if state.facts else state.assigned_at,
            version=state.version,
            policy_version=policy_version,
            status=said,
            receipt=f"{path}?version={state.version}",
        )


class PastPreference(InForce):
    """Who might see the references of a prefix at a past moment."""

    organisation: int = Field(description="Who owned the prefix then.")
    prefix: str
    at: datetime
    policy_version: str


class AccountPreference(Answer):
    """An account's default and what is in force for each of its prefixes."""

    organisation: int
    reference_visibility: Setting | None = Field(description="The account default, if any.")
    prefixes: tuple[PrefixPreference, ...]
    status: Status | None = None


class Choice(InForce):
    """A choice and what it came to."""

    @classmethod
    def of(cls, fact: PreferenceFact | None, effective: EffectiveSetting) -> "Choice":
        """Show a choice; null is none yet."""
        return cls(
            reference_visibility=fact.setting if fact else None,
            account_default=fact.account_default if fact else None,
            effective=Effective.of(effective),
        )


class Entry(Answer):
    """One change of a preference: old, new, who, when, under which policy (CRR-9)."""

    at: datetime
    organisation: int = Field(description="Who owned the prefix from then on.")
    version: int | None
    before: Choice
    after: Choice
    actor: str
    policy_version: str


class History(Answer):
    """Every change of a prefix's preference, oldest first."""

    organisation: int
    prefix: str
    complete_since: datetime | None = Field(description="Null where nothing was dropped.")
    changes: tuple[Entry, ...]

    @classmethod
    def of(cls, state: KeptPrefix, changes: Sequence[Change]) -> "History":
        """Show a prefix's history; ``changes`` are those of its facts, in order."""
        entries = []
        before: PreferenceFact | None = None
        for fact, change in zip(state.facts, changes, strict=True):
            entries.append(
                Entry(
                    at=change.at,
                    organisation=owner_at(state, change.at),
                    version=fact.version,
                    before=Choice.of(before, change.before),
                    after=Choice.of(fact, change.after),
                    actor=change.actor,
                    policy_version=change.policy_version,
                )
            )
            before = fact
        return cls(
            organisation=state.owner,
            prefix=state.prefix,
            complete_since=state.complete_since,
            changes=tuple(entries),
        )


class ReplicaReceipt(Answer):
    """One process that serves an outlet."""

    replica: str
    live: bool
    since: datetime | None = Field(description="Null while it has not said that it obeys.")
    started_later: bool = Field(description="It began after the decision, knowing it.")


class Outlet(Answer):
    """One outlet; ``obeyed-since`` is null while a live replica does not obey."""

    outlet: str
    obeyed_since: datetime | None
    replicas: tuple[ReplicaReceipt, ...]

    @classmethod
    def of(cls, receipt: OutletReceipt) -> "Outlet":
        """Show an outlet's receipt."""
        return cls(
            outlet=receipt.outlet,
            obeyed_since=receipt.obeyed_since,
            replicas=tuple(
                ReplicaReceipt(
                    replica=one.replica,
                    live=one.live,
                    since=one.since,
                    started_later=one.started_later,
                )
                for one in receipt.replicas
            ),
        )


class Receipt(Answer):
    """Since when each outlet obeys a version of a prefix's preference."""

    organisation: int
    prefix: str
    version: int
    decided_at: datetime | None = Field(description="Null where the facts no longer say.")
    published: bool = Field(description="Whether it is at the broker, and so in effect.")
    outlets: tuple[Outlet, ...]


class RequestResult(Answer):
    """What a request came to at one prefix."""

    prefix: str
    outcome: Outcome
    version: int | None


class PreferenceRequest(Answer):
    """A support request and what it came to."""

    id: str
    at: datetime
    organisation: int
    prefixes: tuple[str, ...]
    reference_visibility: Setting | None
    status: Literal["effective", "pending", "carried-out", "accepted"]
    results: tuple[RequestResult, ...]

    @classmethod
    def of(cls, state: KeptRequest, said: Status | None = None) -> "PreferenceRequest":
        """Show a request."""
        return cls(
            id=state.request,
            at=state.at,
            organisation=state.organisation,
            prefixes=state.prefixes,
            reference_visibility=state.setting,
            status=said or ("accepted" if state.unsettled else "carried-out"),
            results=tuple(
                RequestResult(prefix=one.prefix, outcome=one.outcome, version=one.version)
                for one in state.results
            ),
        )


class PreferenceRequests(Answer):
    """A page of support requests, newest first."""

    requests: tuple[PreferenceRequest, ...]
    next: str | None


class OpenMember(Answer):
    """A member with open references, and for which prefixes."""

    id: int
    name: str
    prefixes: tuple[str, ...]


class OpenMembers(Answer):
    """The members with some open references; any other's are limited or closed (CRR-13)."""

    at: datetime
    policy_version: str
    members: tuple[OpenMember, ...]
