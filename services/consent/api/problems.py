"""Refusals and faults as problems: the one place where a slug gets a status and a title."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from services.consent.errors import Refusal, Slug
from shared.mail import MessageError
from shared.mongo import Refused
from shared.privacy.keyring import FencedError
from shared.runtime.faults import Busy, Transient
from shared.web import Error, Problem

T = TypeVar("T")
RETRY_SECONDS: Final = 2
UNKNOWN_FIELD: Final = "extra_forbidden"

KINDS: Final[Mapping[Slug, tuple[int, str]]] = {
    "notice-unknown": (404, "There is no such notice"),
    "notice-version-unknown": (404, "The notice has no such version"),
    "notice-unreadable": (422, "A notice cannot be read; none was posted"),
    "label-reused": (409, "A text changed without a new label; none was posted"),
    "purpose-unknown": (404, "There is nothing of this name to consent to"),
    "list-unknown": (404, "There is no such list"),
    "address-invalid": (422, "This is no e-mail address"),
    "consent-unknown": (404, "Nothing is known of such a consent"),
    "consent-superseded": (409, "A no was said later, or at the same time"),
    "consent-suppressed": (409, "A no was said later at this address"),
    "said-in-the-future": (422, "Nobody can have said it in the future"),
    "version-differs": (412, "It was changed since it was shown"),
    "link-void": (410, "The link is not good any more"),
    "no-notice-in-force": (503, "No notice that tells of this is in force"),
    "use-unknown": (404, "There is no such recorded answer"),
}


def problem_of(refusal: Refusal) -> Problem:
    """Render a refusal."""
    status, title = KINDS[refusal.slug]
    rule = refusal.rule or refusal.slug
    errors = [Error(place, rule) for place in refusal.places]
    return Problem(status, refusal.slug, title, refusal.detail, errors=errors, rule=rule)


def agreed(decided: T | Refused[Refusal]) -> T:
    """Return what was decided, or raise the refusal as a problem."""
    if isinstance(decided, Refused):
        raise problem_of(decided.reason)
    return decided


def address_alone(problem: Problem) -> Problem:
    """Say why a subscription has no further fields, where that is what is wrong (CRP-3a)."""
    if all(error.rule != UNKNOWN_FIELD for error in problem.errors):
        return problem
    return Problem(
        422,
        "address-alone",
        "A list is asked for with an e-mail address and nothing else",
        "No name and no other field is taken (CRP-3a). Nothing was kept.",
        errors=problem.errors,
        rule="CRP-3a",
    )


def _later(slug: str, title: str) -> Problem:
    return Problem(
        503,
        slug,
        title,
        "Nothing is lost; ask again shortly.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


FAULTS: Final[Mapping[type[Exception], Callable[[Exception], Problem]]] = {
    Transient: lambda _fault: _later("store-away", "The store does not answer at the moment"),
    Busy: lambda _fault: _later("broker-away", "Too many changes of this record are waiting"),
    MessageError: lambda fault: Problem(422, "mail-invalid", "This is no mail", str(fault)),
    FencedError: lambda _fault: _later("being-erased", "What is kept here is being erased"),
}
