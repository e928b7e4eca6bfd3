"""Grants: a schema of their own. The schema was not at hand; the elements are the reader's."""

from collections.abc import Iterable

from services.distribution.transform.records.elements import (
    Work,
    element,
    many,
    markup,
    quoted,
    text,
)
from services.distribution.transform.records.identifiers import doi_data
from services.distribution.transform.records.programs import relations

SCHEMA = "0.1.1"
_ROLES = {
    "lead-investigator": "lead_investigator",
    "co-lead-investigator": "co-lead_investigator",
    "investigator": "investigator",
}
_DATES = ("start", "end", "planned-start", "planned-end")


def opening() -> str:
    """Return the opening of a file of grants."""
    return (
        f'<doi_batch version="{SCHEMA}" xmlns="http://www.crossref.org/grant_id/{SCHEMA}"'
        ' xmlns:rel="http://www.crossref.org/relations.xsd"'
        ' xmlns:mml="http://www.w3.org/1998/Math/MathML">'
    )


def grants(works: list[Work], _: str) -> Iterable[str]:
    """Yield a grant element each."""
    return map(_grant, works)


def _grant(work: Work) -> str:
    started = _day(work.get("award-start"))
    planned = _attributes({"planned-start-date": _day(work.get("award-planned-start"))})
    return element(
        "grant",
        *(_project(project) for project in work.get("project", ())),
        text("award-number", work.get("award")),
        f"<award-start-date{planned}>{started or ''}</award-start-date>"
        if started or planned
        else "",
        relations(work),
        doi_data(work),
    )


def _day(partial: Work | None) -> str | None:
    if partial is None:
        return None
    year, month, day = partial["date-parts"][0]
    return f"{year:04d}-{month:02d}-{day:02d}"


def _attributes(said: dict[str, str | None]) -> str:
    return "".join(f" {key}={quoted(value)}" for key, value in said.items() if value)


def _project(project: Work) -> str:
    people = "".join(
        _person(person, _ROLES[key]) for key in _ROLES for person in project.get(key, ())
    )
    dates = _attributes(
        {f"{key}-date": _day((project.get(f"award-{key}") or [None])[0]) for key in _DATES}
    )
    return element(
        "project",
        *(_worded("project-title", "title", x) for x in project.get("project-title", ())),
        element("investigators", people),
        *(_worded("description", "description", x) for x in project.get("project-description", ())),
        _amount(project.get("award-amount")),
        *(_funding(funding) for funding in project.get("funding", ())),
        f"<award-dates{dates}/>" if dates else "",
    )


def _worded(name: str, key: str, said: Work) -> str:
    """Return a text, which is XML already, with its language."""
    return f"<{name}{_attributes({'xml:lang': said.get('language')})}>{markup(said[key])}</{name}>"


def _person(person: Work, role: str) -> str:
    dates = {f"{key}-date": _day(person.get(f"role-{key}")) for key in ("start", "end")}
    orcid = text("ORCID", person.get("ORCID"), authenticated=_flag(person))
    inner = (
        text("givenName", person.get("given")),
        text("familyName", person.get("family")),
        many(person.get("alternate-name", ()), lambda name: text("alternateName", name)),
        *(_affiliation(affiliation) for affiliation in person.get("affiliation", ())),
        orcid,
    )
    return f"<person{_attributes({'role': role, **dates})}>{''.join(inner)}</person>"


def _flag(person: Work) -> str:
    return str(person.get("authenticated-orcid", False)).lower()


def _affiliation(said: Work) -> str:
    return element(
        "affiliation",
        text("institution", said.get("name"), country=said.get("country")),
        *(text("ROR", identifier["id"]) for identifier in said.get("id", ())),
    )


def _amount(said: Work | None) -> str:
    return text("award_amount", said["amount"], currency=said.get("currency")) if said else ""


def _funding(said: Work) -> str:
    amount = said.get("award-amount", {})
    percentage = amount.get("percentage")
    shown = {
        "funding-type": said.get("type"),
        "funding-percentage": None if percentage is None else str(percentage),
    }
    funder = said.get("funder", {})
    inner = (
        _amount(amount if "amount" in amount else None),
        text("funder-name", funder.get("name")),
        *(
            text("ROR" if i["id-type"] == "ROR" else "funder-id", i["id"])
            for i in funder.get("id", ())
        ),
        text("funding-scheme", said.get("scheme")),
    )
    return f"<funding{_attributes(shown)}>{''.join(inner)}</funding>"
