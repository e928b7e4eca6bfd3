"""Contributors and institutions: who made the work, and where (crossref.md 5.4, 1.12).

Both forms of affiliation are read: the free text of 4.x and the institutions of 5.x.
Every person has an `affiliation` list, empty too, because each rendering of a work shows one.
"""

import re
from collections.abc import Callable
from typing import Any

from stdnum import isni
from stdnum.exceptions import InvalidChecksum, ValidationError

from services.deposits.crossref import markup
from services.deposits.crossref.dates import Work
from services.deposits.crossref.markup import Element
from services.deposits.crossref.rows import Notes, Row, Table, described, not_carried, text
from services.deposits.crossref.vocabulary import (
    INSTITUTION_ID_TYPES,
    OTHER_PEOPLE,
    PEOPLE_KEYS,
)

_ORCID = re.compile(r"(?i)^(?:https?://(?:www\.)?orcid\.org/)?(\d{4}-?\d{4}-?\d{4}-?\d{3}[\dX])/?$")


def _institution_id(element: Element, _: Notes) -> Work | None:
    value = markup.plain(element)
    if not value:
        return None
    kind = element.get("type") or ""
    return {
        "id": value,
        "id-type": INSTITUTION_ID_TYPES.get(kind, kind.upper()),
        "asserted-by": "publisher",
    }


INSTITUTION = Table(
    "institution",
    Row("institution_name", "name", text, kind="text"),
    Row(
        "institution_id",
        "id",
        _institution_id,
        kind="institution-id",
        many=True,
        since="5.3.0",
        note="a list of {id, id-type: ROR | ISNI | WIKIDATA, asserted-by: publisher}",
    ),
    Row("institution_acronym", "acronym", text, kind="text", many=True),
    Row("institution_place", "place", text, kind="text", many=True),
    Row("institution_location", "place", text, many=True, until="4.3.0", note="older spelling"),
    Row("institution_department", "department", text, kind="text", many=True),
)


def institution(element: Element, notes: Notes) -> Work | None:
    """Read an institution element."""
    return INSTITUTION.read(element, notes) or None


def _affiliation(element: Element, _: Notes) -> Work | None:
    name = markup.plain(element)
    return {"name": name} if name else None


AFFILIATIONS = Table(
    "affiliations",
    Row(
        "institution",
        "affiliation",
        institution,
        kind="institution",
        many=True,
        inside=INSTITUTION,
        since="5.3.0",
    ),
)


def _affiliations(element: Element, notes: Notes) -> Work:
    return AFFILIATIONS.read(element, notes)


def _role(element: Element, _: Notes) -> Work | None:
    role = (element.get("type") or "").strip()
    vocabulary = element.get("vocab") or "crossref"
    return {"role": role, "vocabulary": vocabulary} if role else None


def _attribute_role(element: Element, _: Notes) -> Work | None:
    role = (element.get("contributor_role") or "").strip()
    return {"role": role, "vocabulary": "crossref"} if role else None


def orcid(element: Element, notes: Notes) -> Work | None:
    """Read an ORCID iD into its https form; one that is none is a failure of the record."""
    written = markup.plain(element)
    found = _ORCID.match(written)
    if found is None:
        if written:
            notes.add("orcid-form", element, role=_role_title(element), orcid=written[:100])
        return None
    try:
        digits = isni.validate(found[1])  # an ORCID iD is an ISNI: ISO 7064 mod 11-2
    except InvalidChecksum:
        notes.add("orcid-checksum", element, role=_role_title(element), orcid=written)
        return None
    except ValidationError:
        notes.add("orcid-form", element, role=_role_title(element), orcid=written)
        return None
    grouped = "-".join(digits[at : at + 4] for at in range(0, 16, 4))
    proven = element.get("authenticated", "").strip().lower() in {"true", "1"}
    return {"ORCID": f"https://orcid.org/{grouped}", "authenticated-orcid": proven}


def _role_title(element: Element) -> str:
    person = element.getparent()
    if person is None:
        return "Contributor"
    role = person.get("contributor_role") or next(
        (r.get("type") or "" for r in person.iterchildren("{*}role")), ""
    )
    return (role or "contributor").replace("-", " ").title()


def _alternatives(element: Element, _: Notes) -> Work:
    names = [markup.collapsed(name) for name in element if isinstance(name.tag, str)]
    return {"alternate-name": [name for name in names if name]}


_SEQUENCE = Row(
    "@sequence",
    "sequence",
    lambda element, _: element.get("sequence") or "additional",
    kind="sequence",
)
_ROLE_ATTRIBUTE = Row(
    "@contributor_role",
    "role",
    _attribute_role,
    kind="role",
    many=True,
    until="5.4.0",
    note="author, editor, chair, translator have keys of their own, others are `contributor`",
)
_ROLE_ELEMENT = Row("role", "role", _role, kind="role", many=True, since="5.5.0")
_AFFILIATION = Row(
    "affiliation", "affiliation", _affiliation, kind="affiliation", many=True, until="4.8.0"
)
_AFFILIATIONS = Row(
    "affiliations",
    "*",
    _affiliations,
    kind="affiliations",
    keys=("affiliation",),
    inside=AFFILIATIONS,
    since="5.3.0",
)
_LANGUAGE = not_carried("@language", "Crossref's person has no language")
_STYLE = not_carried("@name-style", "Crossref's person has no name style")

_WRITING = tuple(
    not_carried(f"@{name}", "how a name is written")
    for name in ("content-type", "name-style", "specific-use", "language")
)
_IN_NAME = tuple(
    described(name, "alternate-name", "its text, in the order written")
    for name in ("degrees", "given_name", "prefix", "surname", "suffix")
)
ALTERNATIVE = Table(
    "alt-name",
    Row("name", "alternate-name", inside=Table("name", *_WRITING, *_IN_NAME[1:])),
    Row("string-name", "alternate-name", inside=Table("string-name", *_WRITING, *_IN_NAME)),
)

PERSON = Table(
    "person_name",
    _SEQUENCE,
    _ROLE_ATTRIBUTE,
    _LANGUAGE,
    _STYLE,
    Row("given_name", "given", text, kind="name"),
    Row("surname", "family", text, kind="surname"),
    Row("suffix", "suffix", text, kind="suffix"),
    _ROLE_ELEMENT,
    _AFFILIATION,
    _AFFILIATIONS,
    Row("ORCID", "*", orcid, kind="orcid", keys=("ORCID", "authenticated-orcid")),
    Row(
        "alt-name",
        "*",
        _alternatives,
        kind="alt-name",
        keys=("alternate-name",),
        inside=ALTERNATIVE,
        since="4.4.0",
        note="the name in other writing; no field of Crossref's wire",
    ),
    not_carried("email", "an address is personal data and no part of the record"),
)

ORGANIZATION = Table(
    "organization",
    _SEQUENCE,
    _ROLE_ATTRIBUTE,
    _LANGUAGE,
    _STYLE,
    Row(".", "name", lambda element, _: _own_text(element), kind="text"),
    _ROLE_ELEMENT,
)

ANONYMOUS = Table(
    "anonymous",
    _SEQUENCE,
    _ROLE_ATTRIBUTE,
    _LANGUAGE,
    _STYLE,
    _ROLE_ELEMENT,
    _AFFILIATION,
    _AFFILIATIONS,
)


def _own_text(element: Element) -> str | None:
    """Return an organization's name: the text beside its role elements, collapsed (xs:token)."""
    parts = [element.text or "", *(child.tail or "" for child in element)]
    return markup.collapse("".join(parts)) or None


def _named(made: Table, **fixed: Any) -> Callable[[Element, Notes], Work]:
    """Return a reader of one contributor: {key: [person]}."""

    def read(element: Element, notes: Notes) -> Work:
        person = {**fixed, **made.read(element, notes)}
        person.setdefault("affiliation", [])
        roles = person.setdefault("role", [{"role": "author", "vocabulary": "crossref"}])
        return {_key(roles): [person]}

    return read


def _key(roles: list[Work]) -> str:
    """Return the work object's key for a contributor: the first role that has one decides."""
    for role in roles:
        if role["vocabulary"] == "crossref" and role["role"] in PEOPLE_KEYS:
            return PEOPLE_KEYS[role["role"]]
    return OTHER_PEOPLE


_PEOPLE = ("author", "editor", "chair", "translator", OTHER_PEOPLE)

PERSON_ROW = Row("person_name", "*", _named(PERSON), kind="person", keys=_PEOPLE, inside=PERSON)
CONTRIBUTORS = Table(
    "contributors",
    PERSON_ROW,
    Row(
        "organization",
        "*",
        _named(ORGANIZATION),
        kind="organization",
        keys=_PEOPLE,
        inside=ORGANIZATION,
    ),
    Row(
        "anonymous",
        "*",
        _named(ANONYMOUS, name="Anonymous"),
        kind="anonymous",
        keys=_PEOPLE,
        inside=ANONYMOUS,
        note='listed as {"name": "Anonymous"}',
    ),
)


def contributors(element: Element, notes: Notes) -> Work:
    """Read contributors into lists by role."""
    return CONTRIBUTORS.read(element, notes)
