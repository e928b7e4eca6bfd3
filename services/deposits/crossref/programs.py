"""Programs: funding, licences, trials and relations.

A program stands beside the record's other elements or inside crossmark/custom_metadata; both
places are read alike. crossref.md 1.12 and 5.4; fundref.xsd, AccessIndicators.xsd,
clinicaltrials.xsd and relations.xsd are the sources of their shapes.
"""

import re

from services.deposits.crossref import dates, markup
from services.deposits.crossref.dates import Work
from services.deposits.crossref.markup import Element
from services.deposits.crossref.rows import Notes, Row, Table, not_carried, table
from services.deposits.crossref.vocabulary import kebab, short_name

RESOLVER = re.compile(r"(?i)^(https?://(dx\.)?doi\.org/|doi:\s*)(?=10\.)")
_PROGRAM_NAME = not_carried("@name", "fixed by the schema")


# -- funding -----------------------------------------------------------------------------------


def _children(element: Element, name: str) -> list[Element]:
    return [
        child
        for child in element
        if isinstance(child.tag, str)
        and short_name(child.tag) == "fr:assertion"
        and child.get("name") == name
    ]


def _own_text(element: Element) -> str:
    """Return the text beside child assertions: a funder's name wraps its identifier."""
    parts = [element.text or "", *(child.tail or "" for child in element)]
    return "".join(parts).strip(markup.SPACE)


def _identifier(element: Element) -> Work | None:
    """Read funder_identifier: a registry DOI, also as bare number or URL."""
    written = RESOLVER.sub("", markup.plain(element))
    if not written:
        return None
    doi = f"10.13039/{written}" if written.isdigit() else written
    asserted = element.get("provider") or "publisher"
    identifier = {"id": doi, "id-type": "DOI", "asserted-by": asserted}
    return {"DOI": doi, "doi-asserted-by": asserted, "id": [identifier]}


def _funder(named: Element | None, group: list[Element]) -> Work | None:
    """Read one funder from its name assertion and the other assertions of its group."""
    funder: Work = {}
    if named is not None and _own_text(named):
        funder["name"] = _own_text(named)
    nested = [] if named is None else [c for c in named if isinstance(c.tag, str)]
    awards: list[str] = []
    grants: list[Work] = []
    for assertion in [*nested, *group]:
        value = markup.plain(assertion)
        match assertion.get("name"):
            case "funder_identifier" if "DOI" not in funder:
                funder.update(_identifier(assertion) or {})
            case "ror" if value:
                ror = {"id": value, "id-type": "ROR", "asserted-by": "publisher"}
                funder.setdefault("id", []).append(ror)
            case "award_number" | "funding_identifier" if value:
                awards.append(value)
            case "grant_doi" if value:
                grants.append({"DOI": RESOLVER.sub("", value)})
    if awards:
        funder["award"] = awards
    if awards or grants:
        funder["award-info"] = [*([{"award-number": awards}] if awards else []), *grants]
    return funder or None


def _groups(program: Element) -> list[tuple[Element | None, list[Element]]]:
    """Return (name, other assertions) per funder, with and without fundgroup wrappers.

    Outside a fundgroup an award belongs to the name before it, or to the first one after it.
    """
    found: list[tuple[Element | None, list[Element]]] = []
    loose: list[Element] = []
    for assertion in program:
        if not isinstance(assertion.tag, str) or short_name(assertion.tag) != "fr:assertion":
            continue
        match assertion.get("name"):
            case "fundgroup":
                names = _children(assertion, "funder_name")
                if len(names) > 1:
                    found.extend(_groups(assertion))
                    continue
                rest = [c for c in assertion if isinstance(c.tag, str) and c not in names[:1]]
                found.append((names[0] if names else None, rest))
            case "funder_name":
                found.append((assertion, loose))
                loose = []
            case _ if found:
                found[-1][1].append(assertion)
            case _:
                loose.append(assertion)
    return found or ([(None, loose)] if loose else [])


def funding(element: Element, _: Notes) -> Work | None:
    """Read an fr:program into `funder`."""
    found = [funder for named, rest in _groups(element) if (funder := _funder(named, rest))]
    return {"funder": found} if found else None


FUNDING = Table(
    "fr:program",
    _PROGRAM_NAME,
    Row(
        "fr:assertion[fundgroup]",
        "funder",
        funding,
        kind="funder",
        many=True,
        note="one funder each; without groups an award belongs to the name before it",
    ),
    Row("fr:assertion[funder_name]", "funder.name", funding),
    Row(
        "fr:assertion[funder_identifier]",
        "funder.DOI",
        funding,
        note="also doi-asserted-by (@provider, else publisher) and id",
    ),
    Row("fr:assertion[award_number]", "funder.award", funding, note="also award-info"),
    Row(
        "fr:assertion[funding_identifier]",
        "funder.award",
        funding,
        until="4.3.2",
        note="older name of award_number",
    ),
    Row("fr:assertion[ror]", "funder.id", funding, since="5.4.0"),
    Row("fr:assertion[grant_doi]", "funder.award-info", funding, since="5.4.0"),
)


# -- licences ----------------------------------------------------------------------------------


def _licence(element: Element, _: Notes) -> Work | None:
    """Read a licence; its start and delay are completed when the work's dates are known."""
    url = markup.plain(element)
    if not url:
        return None
    licence = {"content-version": element.get("applies_to") or "unspecified", "URL": url}
    start = dates.iso_parts((element.get("start_date") or "").strip())
    return {**licence, "start": dates.stamp(start)} if start else licence


def _free_to_read(element: Element, _: Notes) -> Work:
    found: Work = {}
    for name, key in (("start_date", "start-date"), ("end_date", "end-date")):
        parts = dates.iso_parts((element.get(name) or "").strip())
        if parts:
            found[key] = dates.partial(parts)
    return found


ACCESS = Table(
    "ai:program",
    _PROGRAM_NAME,
    Row("ai:free_to_read", "free-to-read", _free_to_read, kind="free-to-read"),
    Row(
        "ai:license_ref",
        "license",
        _licence,
        kind="license",
        many=True,
        note="content-version from @applies_to, start from @start_date else issued; "
        "delay-in-days from issued, never negative",
    ),
)


# -- trials and relations ----------------------------------------------------------------------


def _trial(element: Element, _: Notes) -> Work | None:
    number = markup.plain(element)
    if not number:
        return None
    trial = {"clinical-trial-number": number, "registry": element.get("registry") or ""}
    return {**trial, "type": element.get("type")} if element.get("type") else trial


TRIALS = Table(
    "ct:program",
    _PROGRAM_NAME,
    Row("ct:clinical-trial-number", "clinical-trial-number", _trial, kind="trial", many=True),
)


def _relation(element: Element, _: Notes) -> Work | None:
    name = kebab((element.get("relationship-type") or "").strip())
    target = markup.plain(element)
    if not name or not target:
        return None
    item = {
        "id-type": element.get("identifier-type") or "other",
        "id": target,
        "asserted-by": "subject",
    }
    return {"relation": {name: [item]}}


RELATED = Table(
    "rel:related_item",
    not_carried("rel:description", "Crossref's relation has no description"),
    Row("rel:inter_work_relation", "*", _relation, kind="relation", keys=("relation",)),
    Row("rel:intra_work_relation", "*", _relation, kind="relation", keys=("relation",)),
)
RELATIONS = Table(
    "rel:program",
    _PROGRAM_NAME,
    Row("rel:related_item", "*", table(RELATED), keys=("relation",), inside=RELATED),
)


# -- rows of a record ---------------------------------------------------------------------------

FUNDING_ROW = Row("fr:program", "*", funding, keys=("funder",), inside=FUNDING)
ACCESS_ROW = Row("ai:program", "*", table(ACCESS), keys=("license", "free-to-read"), inside=ACCESS)
TRIALS_ROW = Row("ct:program", "*", table(TRIALS), keys=("clinical-trial-number",), inside=TRIALS)
PROGRAMS = (FUNDING_ROW, ACCESS_ROW, TRIALS_ROW)
RELATIONS_ROW = Row("rel:program", "*", table(RELATIONS), keys=("relation",), inside=RELATIONS)
