"""The works' filters: name -> how its values are read, and what is asked of the search projection.

Values of one filter are alternatives, different filters narrow each other. A filter on the owner
becomes a set of owner prefixes when the question is asked. Filters with a dot are asked together:
all that name parts of one kind of sub-record must be true of one and the same (crossref.md 1.5).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from services.distribution.rest.filters import (
    Reader,
    one_of,
    read_boolean,
    read_content_type,
    read_date,
    read_doi,
    read_funder,
    read_integer,
    read_issn,
    read_orcid,
    read_prefix,
    read_text,
    read_type,
    read_visibility,
)
from services.distribution.rest.owners import Owners
from services.distribution.rest.types import TYPE_IDS
from services.distribution.rest.vocabulary import (
    APPLICATIONS,
    ARCHIVES,
    ASSERTERS,
    LISTED,
    OBJECT_TYPES,
    RELATIONS,
    VERSIONS,
)
from services.distribution.search import (
    Amount,
    Between,
    Clause,
    During,
    Flagged,
    Having,
    Moment,
    OneOf,
    Part,
    Term,
    award_number,
    bare,
    isbn,
    owning_publisher,
    said_publisher,
    whole,
)

Asker: TypeAlias = Callable[[Sequence[Any], Owners], Clause | None]


@dataclass(frozen=True, slots=True)
class Filter:
    """How a filter's values are read, and the clause they make; None: nothing is narrowed."""

    read: Reader
    ask: Asker


@dataclass(frozen=True, slots=True)
class Dotted:
    """How the values of a filter with a dot are read, and which part of a sub-record they are."""

    read: Reader
    part: Part
    name: str
    form: Callable[[Any], str] = str
    """The value as the index has it."""


def _one_of(field: Term, form: Callable[[Any], str] = str) -> Asker:
    return lambda values, _: OneOf(field, frozenset(map(form, values)))


def _text(field: Term, form: Callable[[Any], str] = whole) -> Filter:
    return Filter(read_text, _one_of(field, form))


def _owned(prefixes: Callable[[Owners, Any], Collection[str]]) -> Asker:
    def ask(values: Sequence[Any], owners: Owners) -> Clause:
        owning = (prefix for value in values for prefix in prefixes(owners, value))
        return OneOf(Term.OWNER, frozenset(owning))

    return ask


def _published_by(values: Sequence[str], owners: Owners) -> Clause:
    """Return the works that name one of these publishers, or whose owner is called so now."""
    names = frozenset(map(whole, values))
    owning = (prefix for prefix, name in owners.publisher_names() if name in names)
    return OneOf(
        Term.PUBLISHER, frozenset({*map(said_publisher, names), *map(owning_publisher, owning)})
    )


def _type_named(values: Sequence[Any], _: Owners) -> Clause:
    return OneOf(Term.TYPE, frozenset(TYPE_IDS[name] for name in values if name in TYPE_IDS))


def _numbered(_: Sequence[Any], __: Owners) -> Clause:
    """Return no work: none has an internal number here."""
    return OneOf(Term.DOI, frozenset())


def _flag(name: str) -> Filter:
    def ask(values: Sequence[Any], _: Owners) -> Clause | None:
        wanted = set(values)  # true or false is no condition at all
        return Flagged(name, wanted.pop()) if len(wanted) == 1 else None

    return Filter(read_boolean, ask)


def _from(moment: Moment) -> Filter:
    return Filter(
        read_date, lambda spans, _: During(moment, tuple((first, None) for first, _last in spans))
    )


def _until(moment: Moment) -> Filter:
    return Filter(
        read_date, lambda spans, _: During(moment, tuple((None, last) for _first, last in spans))
    )


_DATES: Final = {
    "index-date": Moment.INDEXED,
    "deposit-date": Moment.DEPOSITED,
    "update-date": Moment.DEPOSITED,
    "created-date": Moment.CREATED,
    "pub-date": Moment.PUBLISHED,
    "issued-date": Moment.ISSUED,
    "online-pub-date": Moment.PUBLISHED_ONLINE,
    "print-pub-date": Moment.PUBLISHED_PRINT,
    "posted-date": Moment.POSTED,
    "accepted-date": Moment.ACCEPTED,
    "approved-date": Moment.APPROVED,
    "awarded-date": Moment.AWARDED,
    "event-start-date": Moment.EVENT_START,
    "event-end-date": Moment.EVENT_END,
}

_FLAGS: Final = {
    "has-abstract": "abstracts",
    "has-affiliation": "affiliations",
    "has-alias": "aliases",
    "has-archive": "archives",
    "has-assertion": "assertions",
    "has-authenticated-orcid": "authenticated-orcids",
    "has-award": "awards",
    "has-clinical-trial-number": "clinical-trial-numbers",
    "has-content-domain": "content-domains",
    "has-description": "descriptions",
    "has-domain-restriction": "domain-restrictions",
    "has-event": "events",
    "has-full-text": "full-texts",
    "has-funder": "funders",
    "has-funder-doi": "funder-dois",
    "has-license": "licenses",
    "has-orcid": "orcids",
    "has-prime-doi": "prime-dois",
    "has-references": "references",
    "has-relation": "relations",
    "has-ror-id": "ror-ids",
    "has-update": "updated-by",
    "has-update-policy": "update-policies",
    "is-update": "update-to",
}

_PLAIN: Final[Mapping[str, Filter]] = {
    "doi": Filter(read_doi, _one_of(Term.DOI)),
    "member": Filter(read_integer, _owned(lambda owners, id_: owners.prefixes_of_member(id_))),
    "prefix": Filter(read_prefix, _one_of(Term.OWNER)),
    "reference-visibility": Filter(
        read_visibility, _owned(lambda owners, name: owners.prefixes_with_visibility(name))
    ),
    "publisher-name": Filter(read_text, _published_by),
    "type": Filter(read_type, _one_of(Term.TYPE)),
    "type-name": Filter(read_text, _type_named),
    "issn": Filter(read_issn, _one_of(Term.ISSN)),
    "isbn": _text(Term.ISBN, isbn),
    "orcid": Filter(read_orcid, _one_of(Term.ORCID)),
    "ror-id": _text(Term.ROR, bare),
    "funder": Filter(read_funder, _one_of(Term.FUNDER)),
    "funder-doi-asserted-by": Filter(
        one_of("funder-doi-asserted-by-not-valid", "Funder DOI asserted by party", ASSERTERS),
        _one_of(Term.FUNDER_ASSERTED_BY),
    ),
    "gte-award-amount": Filter(
        read_integer, lambda values, _: Between(Amount.AWARD, min(values), None)
    ),
    "lte-award-amount": Filter(
        read_integer, lambda values, _: Between(Amount.AWARD, None, max(values))
    ),
    "container-title": _text(Term.CONTAINER_TITLE),
    "group-title": _text(Term.GROUP_TITLE),
    "affiliation": _text(Term.AFFILIATION),
    "category-name": _text(Term.CATEGORY),
    "article-number": _text(Term.ARTICLE_NUMBER),
    "alternative-id": _text(Term.ALTERNATIVE_ID),
    "archive": Filter(one_of("archive-not-valid", "Archive", ARCHIVES), _one_of(Term.ARCHIVE)),
    "assertion": _text(Term.ASSERTION),
    "assertion-group": _text(Term.ASSERTION_GROUP),
    "content-domain": _text(Term.CONTENT_DOMAIN),
    "clinical-trial-number": _text(Term.CLINICAL_TRIAL, bare),
    "updates": Filter(read_doi, _one_of(Term.UPDATES)),
    "update-type": _text(Term.UPDATE_TYPE),
    "citation-id": Filter(read_integer, _numbered),
    **{name: _flag(flag) for name, flag in _FLAGS.items()},
    **{f"from-{name}": _from(moment) for name, moment in _DATES.items()},
    **{f"until-{name}": _until(moment) for name, moment in _DATES.items()},
}

_VERSION: Final = one_of("version-not-valid", "Version", VERSIONS)

DOTTED: Final[Mapping[str, Dotted]] = {
    "award.number": Dotted(read_text, Part.AWARD, "number", award_number),
    "award.funder": Dotted(read_funder, Part.AWARD, "funder"),
    "license.url": Dotted(read_text, Part.LICENSE, "url", whole),
    "license.version": Dotted(_VERSION, Part.LICENSE, "version"),
    "license.delay": Dotted(read_integer, Part.LICENSE, "delay"),
    "full-text.type": Dotted(read_content_type, Part.FULL_TEXT, "type"),
    "full-text.version": Dotted(_VERSION, Part.FULL_TEXT, "version"),
    "full-text.application": Dotted(
        one_of("intended-application-not-valid", "Intended application", APPLICATIONS),
        Part.FULL_TEXT,
        "application",
    ),
    "relation.type": Dotted(
        one_of("relation-type-not-valid", "Relation type", RELATIONS), Part.RELATION, "type"
    ),
    "relation.object": Dotted(read_text, Part.RELATION, "object", bare),
    "relation.object-type": Dotted(
        one_of("relation-object-type-not-valid", "Relation object type", OBJECT_TYPES),
        Part.RELATION,
        "object-type",
    ),
}

_READERS: Final[Mapping[str, Reader]] = {
    name: row.read for table in (_PLAIN, DOTTED) for name, row in table.items()
}
WORK_FILTERS: Final[Mapping[str, Reader]] = {name: _READERS[name] for name in LISTED}
"""The works routes' filters, in the order in which a failure lists them, and their readers."""


def clauses_of(filters: Iterable[tuple[str, Sequence[Any]]], owners: Owners) -> tuple[Clause, ...]:
    """Return the clauses of filters with their values, one of each kind of sub-record."""
    found: list[Clause] = []
    parts: dict[Part, dict[str, Sequence[Any]]] = {}
    for name, values in filters:
        dotted = DOTTED.get(name)
        if dotted is not None:
            parts.setdefault(dotted.part, {})[dotted.name] = [dotted.form(v) for v in values]
        elif (clause := _PLAIN[name].ask(values, owners)) is not None:
            found.append(clause)
    return (*found, *(_having(part, named) for part, named in parts.items()))


def _having(part: Part, named: Mapping[str, Sequence[str]]) -> Having:
    within = named.get("delay")
    return Having(
        part,
        tuple((name, frozenset(values)) for name, values in named.items() if name != "delay"),
        None if within is None else max(map(int, within)),
    )
