"""The access package of a request: asked for once the person is confirmed, and told of by mail.

Neither is a fact of the request's own history: what staff and auditors see of it is the package.
"""

from services.retention.model.requests.state import UNKNOWN, Decided, KeptRequest
from services.retention.model.requests.steps import UNCONFIRMED
from shared.events.base import Instant
from shared.events.decisions import Accepted, Unchanged
from shared.policy.requests import RequestsPolicy


def to_be_packed(known: KeptRequest, policy: RequestsPolicy) -> bool:
    """Say whether a package is to be asked for: who has no mail gets theirs from staff."""
    return (
        known.open
        and known.status not in UNCONFIRMED
        and known.package is None
        and known.mailable
        and policy.packs(known.kinds)
    )


def awaited(known: KeptRequest, policy: RequestsPolicy) -> bool:
    """Say whether an erasure waits for the package: it holds what is erased then."""
    return known.package == "asked" or to_be_packed(known, policy)


def asked(known: KeptRequest | None) -> Decided:
    """Write down that the package was asked for."""
    if known is None:
        return UNKNOWN
    if known.package is not None:
        return Unchanged(known)
    return _next(known, package="asked")


def ready(known: KeptRequest | None, until: Instant) -> Decided:
    """Write down that it can be fetched ``until`` then; the person is owed the code.

    Where the request was answered meanwhile they are told all the same.
    """
    if known is None:
        return UNKNOWN
    if known.package != "asked":
        return Unchanged(known)
    return _next(known, package="told", package_until=until, owed=(*known.owed, "package"))


def by_staff(known: KeptRequest | None) -> Decided:
    """Write down that the package is another's business: staff have its code, or it is over."""
    if known is None:
        return UNKNOWN
    if known.package == "told":
        return Unchanged(known)
    return _next(known, package="told")


def _next(known: KeptRequest, **changes: object) -> Decided:
    state = known.model_copy(update={**changes, "version": known.version + 1})
    return Accepted(state, ())
