"""Finishing what stands decided in one document and not yet in the others it concerns.

Idempotent, safe to run anywhere at any time and by several at once: each document takes over only
what is newer than what it has, and the deciding one is settled only at the version that was seen.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from services.accounts.commands.context import Accounts
from services.accounts.model import agreements, credentials, organisations, prefixes, requests
from services.accounts.model.organisations import KeptOrganisation
from services.accounts.model.prefixes import KeptPrefix
from services.accounts.model.requests import KeptRequest
from shared.mongo import Accepted, Aggregates, Refused, Saved
from shared.runtime.faults import Transient
from shared.runtime.log import get_log

TRIES: Final = 20  # changes of the deciding document while its others are being told

log = get_log(__name__)


async def settle_organisation(
    accounts: Accounts, organisation: int, *, correlation: str | None = None
) -> None:
    """Make or take over the prefixes an organisation was promised, and tell all its default."""
    for _ in range(TRIES):
        owner = await accounts.store.organisations.load(organisation)
        if owner is None or not owner.unsettled:
            return
        await _assign(accounts, owner, correlation)
        await _take_over(accounts, owner, correlation)
        await _tell_default(accounts, owner, correlation)
        seen = owner.version
        await accounts.store.organisations.update(
            organisation,
            lambda known, seen=seen: organisations.settled(known, seen=seen),  # type: ignore[misc]
        )
    raise Transient("this organisation is changed by too many at once")


async def _assign(accounts: Accounts, owner: KeptOrganisation, correlation: str | None) -> None:
    for assignment in owner.assigning:
        said = accounts.said("operator")
        await accounts.store.prefixes.update(
            assignment.prefix,
            lambda known, one=assignment, said=said: prefixes.assign(known, one, owner, said=said),  # type: ignore[misc]
            correlation=correlation,
        )


async def _take_over(accounts: Accounts, owner: KeptOrganisation, correlation: str | None) -> None:
    for taking in owner.taking:
        said = accounts.said("operator")
        await accounts.store.prefixes.update(
            taking.prefix,
            lambda known, one=taking, said=said: prefixes.transfer(known, one, owner, said=said),  # type: ignore[misc]
            correlation=correlation,
        )


async def _tell_default(
    accounts: Accounts, owner: KeptOrganisation, correlation: str | None
) -> None:
    """Copy the account default in one round trip; prefixes that moved meanwhile are tried again."""
    said = accounts.said(owner.default_actor)
    for _ in range(TRIES):
        owned = await accounts.store.prefixes_of(owner.organisation)
        decided: dict[str, Accepted[KeptPrefix]] = {}
        for known in owned:
            judged = prefixes.copy_default(known, owner, said=said)
            if isinstance(judged, Accepted):
                decided[known.prefix] = judged
        if not decided:
            return
        saved = await accounts.store.prefixes.save_many(decided, correlation=correlation)
        if None not in saved.values():
            return
    raise Transient("these prefixes are changed by too many at once")


async def settle_agreement(
    accounts: Accounts, agreement: str, *, correlation: str | None = None
) -> None:
    """Copy an agreement's times into the credential of each of its tokens."""
    for _ in range(TRIES):
        found = await accounts.store.agreements.load(agreement)
        if found is None or not found.unsettled:
            return
        for token in found.tokens:
            await accounts.store.credentials.update(
                token,
                lambda known, token=token, found=found: credentials.carry_agreement(  # type: ignore[misc]
                    known, token, found
                ),
                correlation=correlation,
            )
        seen = found.version
        await accounts.store.agreements.update(
            agreement,
            lambda known, seen=seen: agreements.settled(known, seen=seen),  # type: ignore[misc]
        )
    raise Transient("this agreement is changed by too many at once")


async def settle_request(
    accounts: Accounts, request: str, *, correlation: str | None = None
) -> KeptRequest | None:
    """Carry out a preference request at each of its prefixes and write down what came of it."""
    asked = await accounts.store.requests.load(request)
    if asked is None or not asked.unsettled:
        return asked
    results = []
    for prefix in asked.prefixes:
        said = accounts.said(asked.actor)
        done = await accounts.store.prefixes.update(
            prefix,
            lambda known, said=said: prefixes.choose_by_request(  # type: ignore[misc]
                known, asked.organisation, asked.setting, said=said, asked_at=asked.at
            ),
            correlation=correlation,
        )
        after = done.state if isinstance(done, Saved) else None
        results.append(requests.result_of(prefix, after, asked))
    settled = await accounts.store.requests.update(
        request, lambda known: requests.settled(known, tuple(results))
    )
    return None if isinstance(settled, Refused) else settled.state


async def settle_all(accounts: Accounts) -> int:
    """Finish everything that stands unsettled; return how many documents that were."""
    store = accounts.store
    work: Sequence[tuple[Aggregates[Any], Callable[[Any], Awaitable[Any]]]] = (
        (store.organisations, lambda one: settle_organisation(accounts, one.organisation)),
        (store.agreements, lambda one: settle_agreement(accounts, one.agreement)),
        (store.requests, lambda one: settle_request(accounts, one.request)),
    )
    count = 0
    for aggregates, settle in work:
        for state in await aggregates.where(unsettled=True):
            await settle(state)
            count += 1
    return count


async def settle_whole(accounts: Accounts, also: Callable[[], Awaitable[int]]) -> bool:
    """Finish everything that stands unsettled; False, for that is all there is at this moment.

    ``also`` finishes what other rooms left, and says of how many documents.
    """
    count = await settle_all(accounts) + await also()
    if count:
        log.info("settled", count=count)
    return False
