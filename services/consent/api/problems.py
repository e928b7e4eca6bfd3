"""Refusals and faults as problems: the one place where a slug gets a status and a title."""

from collections.abc import Mapping
from typing import Final

from services.consent.errors import Slug
from shared.mail import MessageError
from shared.privacy.keyring import FencedError
from shared.web import Problem
from shared.web.refusals import PASSING, Faults, Refusals, fenced, later

UNKNOWN_FIELD: Final = "extra_forbidden"

KINDS: Final[Mapping[Slug, tuple[int, str]]] = {
    "notice-unknown": (404, "There is no such notice"),
    "notice-version-unknown": (404, "The notice has no such version"),
    "notice-unreadable": (422, "A notice cannot be read; none was posted"),
    "label-reused": (409, "A text changed without a new label; none was posted"),
    "purpose-unknown": (404, "There is nothing of this name to consent to"),
    "list-unknown": (404, "There is no such list"),
    "issue-unknown": (404, "The list has no such issue"),
    "issue-differs": (409, "The issue was asked for with another text"),
    "address-invalid": (422, "This is no e-mail address"),
    "consent-unknown": (404, "Nothing is known of such a consent"),
    "person-unknown": (404, "There is no such account"),
    "account-unheard": (503, "Accounts did not tell of this account yet"),
    "address-needed": (409, "This is agreed to by a link that is mailed to an address"),
    "withdrawal-unknown": (404, "Nothing is known of such a withdrawal"),
    "consent-superseded": (409, "A no was said later, or at the same time"),
    "consent-suppressed": (409, "A no was said later at this address"),
    "said-in-the-future": (422, "Nobody can have said it in the future"),
    "version-differs": (412, "It was changed since it was shown"),
    "link-void": (410, "The link is not good any more"),
    "no-notice-in-force": (503, "No notice that tells of this is in force"),
    "use-unknown": (404, "There is no such recorded answer"),
    "use-barred": (403, "This may be done with nobody's data"),
    "field-not-held": (422, "An export has the fields that are held here"),
    "processor-without-key": (409, "The register has no public key of this processor"),
    "export-unknown": (404, "There is no such export"),
    "export-unapproved": (409, "Nobody approved the export"),
    "export-approved": (409, "The export was approved before"),
    "export-expired": (410, "The export is over; ask for another"),
    "export-changed": (409, "The export changed meanwhile"),
    "approver-asked": (403, "Whoever asked for an export does not approve it"),
    "too-many-rows": (422, "The export has too many rows"),
    "row-not-told": (422, "The processor was not told to delete all of these"),
    "dimension-unknown": (400, "Analytics have no such dimension"),
    "days-invalid": (400, "These are not days that can be asked for"),
}


REFUSALS: Final = Refusals(KINDS)
problem_of = REFUSALS.problem
agreed = REFUSALS.agreed


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


FAULTS: Final[Faults] = {
    **PASSING,
    MessageError: lambda fault: Problem(422, "mail-invalid", "This is no mail", str(fault)),
    FencedError: fenced(lambda: later("being-erased", "What is kept here is being erased")),
}
