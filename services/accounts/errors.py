"""What accounts refuses: values with a stable slug, rendered as problems once, at the edge."""

from dataclasses import dataclass
from typing import Literal

Slug = Literal[
    "organisation-unknown",
    "organisation-differs",
    "prefix-not-owned",
    "prefix-unknown",
    "version-differs",
    "prefix-owned-by-another",
    "prefix-assigned-differently",
    "since-without-setting",
    "since-in-the-future",
    "login-taken",
    "credential-differs",
    "credential-unknown",
    "agreement-unknown",
    "token-unknown",
    "agreement-ends-before-it-starts",
    "too-many-tokens",
    "request-incomplete",
    "request-unknown",
    "name-unknown",
    "name-ambiguous",
    "prefixes-not-owned",
    "version-unknown",
    "history-not-kept",
    "person-unknown",
    "details-gone",
    "details-restricted",
    "address-taken",
    "address-invalid",
    "code-wrong",
    "sign-in-refused",
    "category-unknown",
    "role-unknown",
    "scope-unknown",
    "key-unknown",
    "too-many-keys",
    "too-many-asks",
    "not-permitted",
    "reason-needed",
    "ticket-needed",
    "deletion-unknown",
    "offer-void",
    "replacement-found",
    "replacement-goes-too",
    "volunteer-unknown",
    "volunteer-open",
    "volunteer-decided",
    "contact-unknown",
    "contact-role-unknown",
    "contact-moved",
    "contact-opted-out",
    "too-many-contacts",
    "link-void",
    "membership-unknown",
    "membership-incomplete",
    "membership-closed",
    "membership-active",
    "step-unknown",
    "step-in-the-future",
    "step-recorded-otherwise",
    "role-mail-unknown",
    "role-mail-differs",
    "purpose-reaches-no-role",
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decided no. ``rule`` is the clause or the rule's name; ``places`` are JSON pointers."""

    slug: Slug
    detail: str = ""
    rule: str = ""
    places: tuple[str, ...] = ()
