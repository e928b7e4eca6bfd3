"""Crossmark: policy, domains, updates, assertions, and the programs inside custom_metadata."""

from services.deposits.crossref import dates, markup
from services.deposits.crossref.dates import Work
from services.deposits.crossref.markup import Element
from services.deposits.crossref.programs import PROGRAMS, RESOLVER
from services.deposits.crossref.rows import Notes, Row, Table, described, not_carried, table
from services.deposits.crossref.vocabulary import UPDATE_LABELS


def _policy(element: Element, _: Notes) -> str | None:
    written = markup.plain(element)  # a bare DOI by the schema; a URL stays as it is
    return f"https://doi.org/{written}" if written.startswith("10.") else written or None


def _domains(element: Element, _: Notes) -> Work | None:
    found = [
        markup.plain(name)
        for domain in element.iterchildren("{*}crossmark_domain")
        for name in domain.iterchildren("{*}domain")
    ]
    return {"content-domain": {"domain": found}} if found else None


def _exclusive(element: Element, _: Notes) -> Work:
    restricted = markup.plain(element).lower() in {"true", "1"}
    return {"content-domain": {"crossmark-restriction": restricted}}


def _update(element: Element, _: Notes) -> Work | None:
    doi = RESOLVER.sub("", markup.plain(element))
    kind = element.get("type") or ""
    if not doi:
        return None
    label = element.get("label") or UPDATE_LABELS.get(kind, kind.replace("_", " ").capitalize())
    update: Work = {"DOI": doi, "type": kind, "label": label, "source": "publisher"}
    day = dates.iso_parts((element.get("date") or "").strip())
    return {**update, "updated": dates.stamp(day)} if day else update


def _assertion(element: Element, _: Notes) -> Work:
    found: Work = {"name": element.get("name") or ""}
    if value := markup.loose(element):
        found["value"] = value
    if label := element.get("label"):
        found["label"] = label
    if (order := (element.get("order") or "").strip()) and order.lstrip("+-").isdigit():
        found["order"] = int(order)
    if href := element.get("href"):
        found["URL"] = href
    if explanation := element.get("explanation"):
        found["explanation"] = {"URL": explanation}
    group = {
        k: v for k, a in (("name", "group_name"), ("label", "group_label")) if (v := element.get(a))
    }
    return {**found, "group": group} if group else found


UPDATES = Table("updates", Row("update", "update-to", _update, kind="update", many=True))

CUSTOM = Table(
    "custom_metadata",
    Row("assertion", "assertion", _assertion, kind="assertion", many=True),
    *PROGRAMS,
)

DOMAIN = Table(
    "crossmark_domain",
    described("domain", "content-domain", "content-domain.domain"),
    not_carried("filter", "Crossref's content-domain has no filter"),
)
DOMAINS = Table("crossmark_domains", Row("crossmark_domain", "content-domain", inside=DOMAIN))

CROSSMARK = Table(
    "crossmark",
    not_carried("crossmark_version", "Crossref's work object has no Crossmark version"),
    Row("crossmark_policy", "update-policy", _policy, kind="policy"),
    Row(
        "crossmark_domains", "*", _domains, kind="domains", keys=("content-domain",), inside=DOMAINS
    ),
    Row(
        "crossmark_domain_exclusive",
        "*",
        _exclusive,
        kind="domain-exclusive",
        keys=("content-domain",),
    ),
    Row("updates", "*", table(UPDATES), keys=("update-to",), inside=UPDATES),
    Row(
        "custom_metadata",
        "*",
        table(CUSTOM),
        keys=("assertion", "funder", "license", "free-to-read", "clinical-trial-number"),
        inside=CUSTOM,
    ),
)

CROSSMARK_ROW = Row(
    "crossmark",
    "*",
    table(CROSSMARK),
    keys=("update-policy", "content-domain", "update-to", "assertion"),
    inside=CROSSMARK,
)
