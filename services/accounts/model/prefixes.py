"""Prefixes: who owns one, what its owner chose for its references, and the dated facts of that.

There is one setting per prefix and one default per account, and nothing smaller (CRR-3).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.accounts.errors import Refusal
from services.accounts.model.organisations import Assignment, KeptOrganisation, Taking, began
from shared.events import (
    AccountDefaultSet,
    PreferenceFact,
    PrefixAssigned,
    PrefixState,
    PrefixTransferred,
    ReferencePreferenceSet,
    Setting,
)
from shared.events.base import Instant, OrganisationId, State
from shared.events.decisions import Accepted, Refused, Unchanged, saying

MOST_FACTS: Final = 1000  # as PrefixState bounds them


class FormerOwner(State):
    """An organisation that owned a prefix, until when."""

    organisation: OrganisationId
    until: Instant


class KeptPrefix(PrefixState):
    """A prefix's document.

    ``assignment`` is how it was given; ``default_version`` the organisation's version that the
    account default was copied from; ``former`` who owned it before, in order; ``complete_since`` is
    where the facts begin if older ones had to go, null where they are whole.
    """

    assignment: Assignment
    default_version: int = 0
    former: tuple[FormerOwner, ...] = ()
    complete_since: Instant | None = None


Decided = Accepted[KeptPrefix] | Unchanged[KeptPrefix] | Refused[Refusal]


@dataclass(frozen=True, slots=True)
class Said:
    """Who chooses, when, under which policy; ``actor`` never names a person."""

    actor: str
    now: datetime
    policy_version: str

    def fact(
        self, setting: Setting | None, default: Setting | None, *, version: int
    ) -> PreferenceFact:
        """Write down that from now on this is the choice."""
        return PreferenceFact(
            at=self.now,
            setting=setting,
            account_default=default,
            actor=self.actor,
            policy_version=self.policy_version,
            version=version,
        )


def assign(
    known: KeptPrefix | None, assignment: Assignment, owner: KeptOrganisation, *, said: Said
) -> Decided:
    """Give a prefix to an organisation, with its account default and what was chosen before.

    A prefix has one owner. Unset stays unset: the policy's default applies (CRR-4, CRR-8).
    """
    if known is not None:
        return _assigned_before(known, assignment, owner.organisation)
    facts: list[PreferenceFact] = []
    if assignment.setting is not None:
        chosen = said.fact(assignment.setting, None, version=1)
        at = began(assignment.since) if assignment.since else said.now
        facts.append(chosen.model_copy(update={"at": at}))
    if owner.account_default is not None:
        facts.append(said.fact(assignment.setting, owner.account_default, version=1))
    state = KeptPrefix(
        prefix=assignment.prefix,
        owner=owner.organisation,
        owner_name=assignment.name,
        setting=assignment.setting,
        account_default=owner.account_default,
        facts=tuple(facts),
        assigned_at=said.now,
        version=1,
        assignment=assignment,
        default_version=owner.default_version,
    )
    return Accepted(state, (saying(PrefixAssigned, state),))


def _assigned_before(known: KeptPrefix, assignment: Assignment, organisation: int) -> Decided:
    if known.owner != organisation:
        detail = f"{known.prefix} is owned by organisation {known.owner}."
        return Refused(Refusal("prefix-owned-by-another", detail, "one-owner-per-prefix"))
    if known.assignment != assignment:
        return Refused(Refusal("prefix-assigned-differently"))
    return Unchanged(known)


def transfer(
    known: KeptPrefix | None, taking: Taking, owner: KeptOrganisation, *, said: Said
) -> Decided:
    """Give a prefix to another organisation, on condition of the version that was seen.

    What the former owner chose does not move along: from now on there is no choice, the new
    owner's account default, and a dated fact that says so even where both are as before.
    """
    if known is None:
        return Refused(Refusal("prefix-unknown"))
    if known.owner == owner.organisation:
        return Unchanged(known)
    if known.version != taking.seen:
        return Refused(moved_on(known))
    version = known.version + 1
    fact = said.fact(None, owner.account_default, version=version)
    former = FormerOwner(organisation=known.owner, until=said.now)
    state = _with_fact(known, fact).model_copy(
        update={
            "owner": owner.organisation,
            "owner_name": taking.name,
            "setting": None,
            "account_default": owner.account_default,
            "default_version": owner.default_version,
            "assignment": Assignment(prefix=known.prefix, name=taking.name),
            "former": (*known.former, former),
            "version": version,
        }
    )
    return Accepted(state, (saying(PrefixTransferred, state),))


def owner_at(state: KeptPrefix, at: datetime) -> int:
    """Return the organisation that owned a prefix at a past moment; its first one before that."""
    return next((one.organisation for one in state.former if at < one.until), state.owner)


def choose(
    known: KeptPrefix | None, organisation: int, setting: Setting | None, *, said: Said
) -> Decided:
    """Set the owner's own choice for a prefix; null takes it back to the default (CRR-9)."""
    if known is None or known.owner != organisation:
        return Refused(not_owned())
    if known.setting == setting:
        return Unchanged(known)
    version = known.version + 1
    fact = said.fact(setting, known.account_default, version=version)
    state = _with_fact(known, fact).model_copy(update={"setting": setting, "version": version})
    return Accepted(state, (saying(ReferencePreferenceSet, state),))


def choose_by_request(
    known: KeptPrefix | None,
    organisation: int,
    setting: Setting | None,
    *,
    said: Said,
    asked_at: datetime,
) -> Decided:
    """Carry out a support request, once, and never over a choice made after it was asked."""
    if known is None or known.owner != organisation:
        return Refused(not_owned())
    if carried_out(known, said.actor) or superseded(known, asked_at):
        return Unchanged(known)
    return choose(known, organisation, setting, said=said)


def carried_out(known: KeptPrefix, actor: str) -> bool:
    """Say whether ``actor``, a support request, has had its way."""
    return any(fact.actor == actor for fact in known.facts)


def superseded(known: KeptPrefix, asked_at: datetime) -> bool:
    """Say whether the owner's own choice was changed after ``asked_at``."""
    before: Setting | None = None
    for fact in known.facts:
        if fact.at > asked_at and fact.setting != before and fact.version != 1:
            return True
        before = fact.setting
    return False


def copy_default(known: KeptPrefix | None, owner: KeptOrganisation, *, said: Said) -> Decided:
    """Copy the account default of the prefix's owner, unless a newer one is there already."""
    if known is None or known.owner != owner.organisation:
        return Refused(not_owned())
    if known.default_version >= owner.default_version:
        return Unchanged(known)
    version = known.version + 1
    fact = said.fact(known.setting, owner.account_default, version=version)
    # The version is said even where the value is the same: it keeps an older copier out.
    noted = known if known.account_default == owner.account_default else _with_fact(known, fact)
    state = noted.model_copy(
        update={
            "account_default": owner.account_default,
            "default_version": owner.default_version,
            "version": version,
        }
    )
    return Accepted(state, (saying(AccountDefaultSet, state),))


def not_owned() -> Refusal:
    """Refuse a prefix that this organisation does not own, saying nothing of who does."""
    return Refusal("prefix-not-owned")


def moved_on(known: KeptPrefix) -> Refusal:
    """Refuse what was decided on another version of a prefix."""
    return Refusal("version-differs", f"The prefix is at version {known.version}.")


def decided_at(state: KeptPrefix, version: int) -> datetime | None:
    """Return when a version's choice was made, None where the facts no longer say."""
    said = [fact for fact in state.facts if 1 < (fact.version or 0) <= version]
    if said:
        return said[-1].at
    return state.assigned_at if state.complete_since is None else None


def _with_fact(state: KeptPrefix, fact: PreferenceFact) -> KeptPrefix:
    facts = (*state.facts, fact)
    if len(facts) <= MOST_FACTS:
        return state.model_copy(update={"facts": facts})
    kept = facts[-MOST_FACTS:]
    return state.model_copy(update={"facts": kept, "complete_since": kept[0].at})
