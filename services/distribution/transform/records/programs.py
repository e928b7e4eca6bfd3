"""Funding, licences, trials, relations and Crossmark."""

import re

from services.distribution.transform.records.elements import (
    Work,
    element,
    escaped,
    many,
    quoted,
    text,
)

_INTRA_WORK = {
    "is-translation-of",
    "has-translation",
    "is-preprint-of",
    "has-preprint",
    "is-manuscript-of",
    "has-manuscript",
    "is-expression-of",
    "has-expression",
    "is-manifestation-of",
    "has-manifestation",
    "is-replaced-by",
    "replaces",
    "is-same-as",
    "is-identical-to",
    "is-variant-form-of",
    "is-original-form-of",
    "is-version-of",
    "has-version",
    "is-format-of",
    "has-format",
}


def programs(work: Work) -> str:
    """Return funding, licences and trials."""
    return funding(work) + access(work) + _trials(work)


def funding(work: Work) -> str:
    """Return the funders, a group each."""
    groups = (element("fr:assertion", _funder(f), name="fundgroup") for f in work.get("funder", ()))
    return element("fr:program", *groups, name="fundref")


def _funder(funder: Work) -> str:
    identifier = text(
        "fr:assertion",
        funder.get("DOI"),
        name="funder_identifier",
        provider=funder.get("doi-asserted-by"),
    )
    name = element("fr:assertion", escaped(funder.get("name", "")), identifier, name="funder_name")
    rors = [i["id"] for i in funder.get("id", ()) if i["id-type"] == "ROR"]
    grants = [a["DOI"] for a in funder.get("award-info", ()) if "DOI" in a]
    return "".join(
        (
            name if "name" in funder else identifier,
            *(text("fr:assertion", ror, name="ror") for ror in rors),
            *(text("fr:assertion", a, name="award_number") for a in funder.get("award", ())),
            *(text("fr:assertion", grant, name="grant_doi") for grant in grants),
        )
    )


def _day(partial: Work) -> str:
    year, *rest = partial["date-parts"][0]
    return "-".join((f"{year:04d}", *(f"{part:02d}" for part in rest)))


def access(work: Work) -> str:
    """Return licences and whether it is free to read."""
    free = work.get("free-to-read")
    attributes = {
        name: _day(free[key])
        for name, key in (("start_date", "start-date"), ("end_date", "end-date"))
        if free and key in free
    }
    shown = "".join(f" {name}={quoted(day)}" for name, day in attributes.items())
    return element(
        "ai:program",
        f"<ai:free_to_read{shown}/>" if free is not None else "",
        *(_licence(licence) for licence in work.get("license", ())),
        name="AccessIndicators",
    )


def _licence(licence: Work) -> str:
    version = licence.get("content-version", "unspecified")
    return text(
        "ai:license_ref",
        licence["URL"],
        applies_to=None if version == "unspecified" else version,
        start_date=_day(licence["start"]) if "start" in licence else None,
    )


def _trials(work: Work) -> str:
    return element(
        "ct:program",
        *(
            text(
                "ct:clinical-trial-number",
                trial["clinical-trial-number"],
                registry=trial["registry"],
                type=trial.get("type"),
            )
            for trial in work.get("clinical-trial-number", ())
        ),
    )


def relations(work: Work) -> str:
    """Return what this work asserts; what others assert about it is theirs to deposit."""
    items = [
        (name, item)
        for name, related in work.get("relation", {}).items()
        for item in related
        if item.get("asserted-by") == "subject"
    ]
    return element("rel:program", *(_related(name, item) for name, item in items), name="relations")


def camel(name: str) -> str:
    """Return a relation's name as the schema spells it: is-part-of -> isPartOf."""
    return re.sub(r"-(.)", lambda found: found[1].upper(), name)


def _related(name: str, item: Work) -> str:
    return element(
        "rel:related_item",
        text(
            f"rel:{'intra' if name in _INTRA_WORK else 'inter'}_work_relation",
            item["id"],
            relationship_DASH_type=camel(name),
            identifier_DASH_type=item["id-type"],
        ),
    )


def crossmark(work: Work) -> str:
    """Return crossmark, with the programs inside."""
    domain = work.get("content-domain", {})
    named = many(domain.get("domain", ()), lambda d: element("crossmark_domain", text("domain", d)))
    restricted = domain.get("crossmark-restriction")
    return element(
        "crossmark",
        text("crossmark_policy", re.sub(r"^https?://(dx\.)?doi\.org/", "", work["update-policy"])),
        element("crossmark_domains", named),
        text("crossmark_domain_exclusive", None if restricted is None else str(restricted).lower()),
        element("updates", *(_update(update) for update in work.get("update-to", ()))),
        element(
            "custom_metadata",
            *(_assertion(assertion) for assertion in work.get("assertion", ())),
            programs(work),
        ),
    )


def _update(update: Work) -> str:
    return text("update", update["DOI"], type=update["type"], date=_day(update["updated"]))


def _assertion(assertion: Work) -> str:
    group = assertion.get("group", {})
    said = {
        "name": assertion["name"],
        "label": assertion.get("label"),
        "order": str(assertion["order"]) if "order" in assertion else None,
        "href": assertion.get("URL"),
        "explanation": assertion.get("explanation", {}).get("URL"),
        "group_name": group.get("name"),
        "group_label": group.get("label"),
    }
    shown = "".join(f" {key}={quoted(value)}" for key, value in said.items() if value)
    return f"<assertion{shown}>{escaped(assertion.get('value', ''))}</assertion>"
