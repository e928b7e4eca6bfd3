"""Contributors and institutions, in the spelling of 5.3.1 or, with role elements, of 5.5.0."""

from services.distribution.transform.records.elements import (
    PLAIN_SCHEMA,
    RICH_SCHEMA,
    Work,
    element,
    many,
    quoted,
    text,
)

PEOPLE = ("author", "editor", "chair", "translator", "contributor")
_OWN_ROLE = {"contributor": "author"}  # of whom no role is told


def _role(name: str) -> list[Work]:
    return [{"role": name, "vocabulary": "crossref"}]


_PLAIN_ROLES = [_role(name) for name in ("author", "editor", "chair", "reviewer", "translator")]


def contributors(work: Work, version: str) -> str:
    """Return all people and organisations of a work."""
    people = [(key, person) for key in PEOPLE for person in work.get(key, ())]
    return element("contributors", *(_contributor(key, p, version) for key, p in people))


def is_plain(roles: list[Work]) -> bool:
    """Whether an attribute can say the roles of a person, as schemas before 5.5.0 have it."""
    return roles in _PLAIN_ROLES


def _contributor(key: str, person: Work, version: str) -> str:
    roles = person.get("role") or _role(_OWN_ROLE.get(key, key))
    # Given out again, a record is spelled as it was deposited first: richly where it must be.
    rich = version == RICH_SCHEMA or (version != PLAIN_SCHEMA and not is_plain(roles))
    elements = "".join(
        f"<role type={quoted(r['role'])} vocab={quoted(r['vocabulary'])}/>" for r in roles
    )
    said = {
        "sequence": person.get("sequence", "additional"),
        "contributor_role": None if rich else roles[0]["role"],
    }
    where = element("affiliations", *(institution(a) for a in person.get("affiliation", ())))
    if person.get("name") == "Anonymous":
        inner = (elements if rich else "") + where
        shown = "".join(f" {k}={quoted(v)}" for k, v in said.items() if v)
        return f"<anonymous{shown}>{inner}</anonymous>"
    if "name" in person:
        said["contributor_role"] = roles[0]["role"]  # organisations keep the attribute
        return text("organization", person["name"], **said)
    orcid = text(
        "ORCID",
        person.get("ORCID"),
        authenticated=str(person.get("authenticated-orcid", False)).lower(),
    )
    names = many(person.get("alternate-name", ()), lambda n: text("string-name", n))
    return element(
        "person_name",
        text("given_name", person.get("given")),
        text("surname", person.get("family")),
        text("suffix", person.get("suffix")),
        elements if rich else "",
        where,
        orcid,
        element("alt-name", names),
        **said,
    )


def institution(said: Work) -> str:
    """Return an institution element."""
    return element(
        "institution",
        text("institution_name", said.get("name")),
        *(text("institution_id", i["id"], type=i["id-type"].lower()) for i in said.get("id", ())),
        *(text("institution_acronym", a) for a in said.get("acronym", ())),
        *(text("institution_place", p) for p in said.get("place", ())),
        *(text("institution_department", d) for d in said.get("department", ())),
    )
