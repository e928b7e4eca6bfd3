"""A work's state and the facts of this moment -> the work object of the wire. Pure.

What a deposit said is in the state; who owns the work, who cites it, what other works say of it and
who may see its references is known only when it is read. Every interface that shows a work uses
this one function, so none has a rule of its own (CRR-2); counts are shown whatever the setting
(L4). What is a third party's is named as that, with its terms, or left out where they say so
(CRP-12).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.distribution.claims import Claim, not_withheld, with_claims
from shared.policy import ReferencesPolicy, Visible, Withheld, withhold
from shared.policy.sources import STATED, attributed

SOURCE: Final = "Crossref"
RESOLVER: Final = "https://doi.org/"
WITHHELD: Final = "references-withheld"
UNKNOWN_DATE: Final = {"date-parts": [[None]]}
NO_DOMAIN: Final = {"domain": [], "crossmark-restriction": False}

EMPTY_IN_SINGLES: Final[Mapping[str, Any]] = {
    "title": [],
    "subtitle": [],
    "short-title": [],
    "original-title": [],
    "subject": [],
    "short-container-title": [],
    "relation": {},
}
"""What /works/{doi} shows empty where there is nothing; lists leave it out."""


@dataclass(frozen=True, slots=True)
class RegisteredWork:
    """A work as the registry holds it; times are aware, or RFC 3339.

    ``told`` is what other works say of it: no part of what was deposited.
    """

    doi: str
    work: Mapping[str, Any]
    created: dt.datetime | str
    deposited: dt.datetime | str
    indexed: dt.datetime | str
    told: Sequence[Claim] = ()


def registered(document: Mapping[str, Any]) -> RegisteredWork:
    """Return the record that a document of the read model holds."""
    return RegisteredWork(
        document["_id"],
        document["work"],
        document["created"],
        document["deposited"],
        document["indexed"],
        document.get("told") or (),
    )


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who owns a work now; member and name are None while the owner is unknown."""

    prefix: str
    member: int | None
    name: str | None


def stamp(moment: dt.datetime | str) -> dict[str, Any]:
    """Return a moment as the wire has it: date parts, seconds in UTC, milliseconds of the epoch."""
    when = dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    when = when.astimezone(dt.UTC)
    second = when.replace(microsecond=0)
    return {
        "date-parts": [[when.year, when.month, when.day]],
        "date-time": f"{second.replace(tzinfo=None).isoformat()}Z",
        "timestamp": int(second.timestamp()) * 1000 + when.microsecond // 1000,
    }


def render_single(
    record: RegisteredWork,
    ownership: Ownership,
    *,
    cited_by: int,
    visibility: Visible | Withheld,
    policy: ReferencesPolicy,
) -> dict[str, Any]:
    """Return the work object of /works/{doi}, with the empties that it shows there."""
    full = _whole(
        record, ownership, cited_by=cited_by, visibility=visibility, policy=policy, score=1
    )
    return {**EMPTY_IN_SINGLES, **full}


def render_item(
    record: RegisteredWork,
    ownership: Ownership,
    *,
    cited_by: int,
    visibility: Visible | Withheld,
    policy: ReferencesPolicy,
    score: float | None = None,
    select: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the work object of a list: no empty collections, and only what was selected.

    Who selects ``reference`` also learns why it is not there, and who selects what is a third
    party's, whose it is.
    """
    full = _whole(
        record,
        ownership,
        cited_by=cited_by,
        visibility=visibility,
        policy=policy,
        score=1.0 if score is None else score,
    )
    if not select:
        return {name: value for name, value in full.items() if value not in ([], {})}
    asked = [*select, *([WITHHELD] if "reference" in select else [])]
    shown = {name: full[name] for name in asked if full.get(name, []) not in ([], {})}
    told = _told(full.get(STATED, ()), select)
    return {**shown, STATED: told} if told else shown


def _whole(
    record: RegisteredWork,
    ownership: Ownership,
    *,
    cited_by: int,
    visibility: Visible | Withheld,
    policy: ReferencesPolicy,
    score: float,
) -> dict[str, Any]:
    said = record.work
    shown = said if isinstance(visibility, Visible) else withhold(policy, said, visibility)
    shown = with_claims(shown, not_withheld(record.told, policy.withheld_fields))
    if policy.sources is not None:
        shown = attributed(policy.sources, shown)
    references = _reference_count(said)
    # A book, a report or a dataset names its publisher; of an article it is the owner.
    name = said.get("publisher") or ownership.name
    owner = {"publisher": name, "member": _id(ownership.member)}
    return {
        "content-domain": NO_DOMAIN,
        "issued": UNKNOWN_DATE,
        **shown,
        "indexed": stamp(record.indexed),
        "created": stamp(record.created),
        "deposited": stamp(record.deposited),
        "DOI": record.doi,
        "URL": RESOLVER + record.doi,
        "prefix": ownership.prefix,
        **{name: value for name, value in owner.items() if value is not None},
        "source": SOURCE,
        "score": score,
        "is-referenced-by-count": cited_by,
        "reference-count": references,
        "references-count": references,
    }


def _told(sources: Sequence[Mapping[str, Any]], select: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return the sources of what was selected."""
    return [
        one
        for one in sources
        if any(path.partition(".")[0] in select for path in (*one["fields"], *one["withheld"]))
    ]


def _id(member: int | None) -> str | None:
    return None if member is None else str(member)


def _reference_count(said: Mapping[str, Any]) -> int:
    declared = said.get("references-count", said.get("reference-count"))
    return len(said.get("reference", ())) if declared is None else int(declared)
