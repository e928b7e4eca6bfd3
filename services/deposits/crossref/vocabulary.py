"""The words of Crossref's schemas: namespaces, versions, and the terms that change on the way in.

Everything here is a table. An element is named by its *short name*: the local name in a deposit
namespace, else with the customary prefix (`fr:`, `ai:`, `ct:`, `rel:`, `jats:`, `mml:`), so that
one table reads all schema versions from 4.3.0 to 5.5.0 and nothing depends on the depositor's
choice of prefixes.
"""

import re
from functools import lru_cache

DEPOSIT_NAMESPACE = re.compile(r"https?://www\.crossref\.org/schema/(?P<version>\d+\.\d+\.\d+)")
RESOURCES_NAMESPACE = re.compile(
    r"https?://www\.crossref\.org/doi_resources_schema/(?P<version>\d+\.\d+\.\d+)"
)
GRANTS_NAMESPACE = re.compile(r"https?://www\.crossref\.org/grant_id/(?P<version>\d+\.\d+\.\d+)")
_SUPPORTED = (
    (DEPOSIT_NAMESPACE, (4, 3, 0), (5, 5, 0)),
    (RESOURCES_NAMESPACE, (4, 3, 0), (5, 5, 0)),
    (GRANTS_NAMESPACE, (0, 0, 1), (0, 2, 0)),
)

JATS = "http://www.ncbi.nlm.nih.gov/JATS1"
MATHML = "http://www.w3.org/1998/Math/MathML"
XML = "http://www.w3.org/XML/1998/namespace"

# Some vocabularies carry a version in their namespace since 5.4.0 (fundingdata5.4.0.xsd).
_PREFIXES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"https?://www\.crossref\.org/((doi_resources_)?schema|grant_id)/.*"), ""),
    (re.compile(r"https?://www\.crossref\.org/(fundref|fundingdata[\d.]*)\.xsd"), "fr:"),
    (re.compile(r"https?://www\.crossref\.org/AccessIndicators[\d.]*\.xsd"), "ai:"),
    (re.compile(r"https?://www\.crossref\.org/clinicaltrials[\d.]*\.xsd"), "ct:"),
    (re.compile(r"https?://www\.crossref\.org/relations[\d.]*\.xsd"), "rel:"),
    (re.compile(re.escape(JATS)), "jats:"),
    (re.compile(re.escape(MATHML)), "mml:"),
    (re.compile(re.escape(XML)), "xml:"),
)


@lru_cache(maxsize=4096)  # bounded: a hostile file may invent names without end
def short_name(tag: str) -> str:
    """Return the short name of a `{namespace}local` tag; unknown namespaces give `?local`."""
    if not tag.startswith("{"):
        return tag
    namespace, _, local = tag[1:].partition("}")
    for pattern, prefix in _PREFIXES:
        if pattern.fullmatch(namespace):
            return prefix + local
    return "?" + local


def supported_version(namespace: str) -> str | None:
    """Return the schema version a root namespace names, or None when it is not supported."""
    for pattern, oldest, newest in _SUPPORTED:
        found = pattern.fullmatch(namespace)
        if found is not None:
            version = tuple(int(part) for part in found["version"].split("."))
            return found["version"] if oldest <= version <= newest else None
    return None


def kebab(name: str) -> str:
    """Return a relation's name as the work object spells it: isPreprintOf -> is-preprint-of."""
    return re.sub(r"([A-Z])", r"-\1", name).lower()


# contributor_role and <role type> -> the key of the work object that lists the person.
# Other roles are listed under `contributor`, with the role itself in `role`.
PEOPLE_KEYS: dict[str, str] = {
    "author": "author",
    "corresponding-author": "author",
    "editor": "editor",
    "chair": "chair",
    "translator": "translator",
}
OTHER_PEOPLE = "contributor"

# collection/@property (and the crawler) -> link/intended-application, in the order the wire has.
LINK_APPLICATIONS: tuple[tuple[str, str | None, str], ...] = (
    ("text-mining", None, "text-mining"),
    ("unspecified", None, "unspecified"),
    ("syndication", None, "syndication"),
    ("crawler-based", "iParadigms", "similarity-checking"),
)

INSTITUTION_ID_TYPES: dict[str, str] = {"ror": "ROR", "isni": "ISNI", "wikidata": "WIKIDATA"}

UPDATE_LABELS: dict[str, str] = {
    "addendum": "Addendum",
    "clarification": "Clarification",
    "correction": "Correction",
    "corrigendum": "Corrigendum",
    "erratum": "Erratum",
    "expression_of_concern": "Expression of concern",
    "new_edition": "New edition",
    "new_version": "New version",
    "partial_retraction": "Partial retraction",
    "removal": "Removal",
    "retraction": "Retraction",
    "withdrawal": "Withdrawal",
}
