"""Refusals and faults as problems: the one place where a slug gets a status and a title."""

from collections.abc import Mapping
from typing import Final, TypeVar

from services.accounts.errors import Refusal, Slug
from shared.privacy.keyring import FencedError
from shared.web import Problem
from shared.web.refusals import PASSING, RESTRICTED, Faults, Refusals, fenced

T = TypeVar("T")

KINDS: Final[Mapping[Slug, tuple[int, str]]] = {
    "organisation-unknown": (404, "There is no such organisation"),
    "organisation-differs": (409, "Another organisation has this number"),
    "prefix-not-owned": (404, "This organisation has no such prefix"),
    "prefix-unknown": (404, "Nobody has this prefix"),
    "version-differs": (412, "The prefix was changed since"),
    "prefix-owned-by-another": (409, "The prefix has an owner"),
    "prefix-assigned-differently": (409, "The prefix was assigned otherwise"),
    "since-without-setting": (422, "A date without a setting"),
    "since-in-the-future": (422, "What was chosen before cannot begin in the future"),
    "login-taken": (409, "The login is another organisation's"),
    "credential-differs": (409, "The login exists with another password or other scopes"),
    "credential-unknown": (404, "This organisation has no such login"),
    "agreement-unknown": (404, "This organisation has no such agreement"),
    "agreement-ends-before-it-starts": (422, "The agreement ends before it starts"),
    "token-unknown": (404, "This agreement has no such token"),
    "too-many-tokens": (409, "The agreement has too many tokens"),
    "request-incomplete": (
        422,
        "A request names the organisation and its prefixes, each as 10.nnnn",
    ),
    "request-unknown": (404, "There is no such request"),
    "name-unknown": (422, "No organisation has this name"),
    "name-ambiguous": (422, "Several organisations have this name"),
    "prefixes-not-owned": (422, "Not all of these prefixes are owned by this organisation"),
    "version-unknown": (404, "There is no such version yet"),
    "history-not-kept": (404, "What was chosen then is no longer kept here"),
    "person-unknown": (404, "There is no such account"),
    "details-gone": (410, "The details of this account can no longer be read"),
    "details-restricted": (RESTRICTED.status, RESTRICTED.title),
    "address-taken": (409, "The address has an account"),
    "address-invalid": (422, "This is no e-mail address"),
    "code-wrong": (401, "The code does not count: it is wrong, was used, or is too old"),
    "sign-in-refused": (401, "The address or the password is wrong"),
    "category-unknown": (422, "There is no such category of accounts"),
    "role-unknown": (422, "There is no such role"),
    "scope-unknown": (422, "There is no such scope of API keys"),
    "key-unknown": (404, "This account has no such key"),
    "too-many-keys": (409, "The account has too many keys"),
    "too-many-asks": (429, "Too many of these from one client"),
    "not-permitted": (403, "No role of yours allows this"),
    "reason-needed": (403, "Staff look at somebody's details for one of the notice's reasons only"),
    "ticket-needed": (403, "A partner names the ticket that asks for it"),
    "deletion-unknown": (404, "The deletion of this account was not asked for"),
    "offer-void": (404, "The code does not count: it is wrong, too old, or was mailed to another"),
    "replacement-found": (409, "Somebody else accepted these journals already"),
    "replacement-goes-too": (409, "An account that is being deleted takes no journals over"),
    "volunteer-unknown": (404, "There is no such application"),
    "volunteer-open": (409, "An application is archived once it was accepted or rejected"),
    "volunteer-decided": (409, "The application was decided otherwise"),
    "contact-unknown": (404, "This organisation has no contact for this role"),
    "contact-role-unknown": (422, "There is no such role of contacts"),
    "contact-moved": (409, "The contact was changed at the same time; ask again"),
    "contact-opted-out": (409, "Whoever has this address wants no mail of this role; name another"),
    "too-many-contacts": (429, "The role was given too many contacts today"),
    "link-void": (404, "The link does not count, or no more"),
    "membership-unknown": (404, "There is no such application"),
    "membership-incomplete": (422, "An application names a contact for each required role"),
    "membership-closed": (409, "The application was refused or withdrawn"),
    "membership-active": (409, "The membership is active, and no clause takes it back"),
    "step-unknown": (404, "Memberships have no such step"),
    "step-in-the-future": (422, "What has not happened yet is not put on record"),
    "step-recorded-otherwise": (409, "The step stands on record with another day"),
    "role-mail-unknown": (404, "There is no such request"),
    "role-mail-differs": (409, "Another mail was asked for under this id"),
    "purpose-reaches-no-role": (422, "No role of contacts has this purpose"),
}
UNKNOWN_FIELD: Final = "extra_forbidden"


REFUSALS: Final = Refusals(KINDS)
problem_of = REFUSALS.problem
agreed = REFUSALS.agreed


def there(found: T | None, unknown: Slug) -> T:
    """Return what was found, or raise that there is no such thing."""
    if found is None:
        raise problem_of(Refusal(unknown))
    return found


def no_smaller_switch(problem: Problem) -> Problem:
    """Say why a preference has no further fields, where that is what is wrong (CRR-3)."""
    if all(error.rule != UNKNOWN_FIELD for error in problem.errors):
        return problem
    return Problem(
        422,
        "no-smaller-switch",
        "References have one setting for each prefix and one for the account",
        "There is none for a single work, title or service (CRR-3); a preference has no other "
        "fields. Nothing was changed.",
        errors=problem.errors,
        rule="CRR-3",
    )


FAULTS: Final[Faults] = {
    **PASSING,
    FencedError: fenced(lambda: problem_of(Refusal("details-gone"))),
}
