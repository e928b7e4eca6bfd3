"""Grants: projects with their people and money, made by hand: a project is a work in a work."""

from hypothesis import strategies as st

from tests.strategies.deposits.values import (
    LANGUAGES,
    Fragment,
    Work,
    full_days,
    orcid,
    record,
    texts,
    titles,
)

_amounts = st.floats(0, 10**9, allow_nan=False)
_languages = st.sampled_from(LANGUAGES)


def worded(key: str) -> Fragment:
    """Return a text with or without its language."""
    return st.fixed_dictionaries({key: titles}, optional={"language": _languages})


def _identifier(kind: str, value: str) -> Work:
    return {"id": value, "id-type": kind, "asserted-by": "publisher"}


rors = st.text("abcdefghij0123456789", min_size=9, max_size=9).map(
    lambda word: _identifier("ROR", f"https://ror.org/{word}")
)
_registered = st.integers(100, 10**9).map(lambda n: _identifier("DOI", f"10.13039/{n}"))
amounts = st.fixed_dictionaries(
    {"amount": _amounts}, optional={"currency": st.sampled_from(("EUR", "USD", "KRW"))}
)
starts: Fragment = st.fixed_dictionaries(
    {"award-start": full_days}, optional={"award-planned-start": full_days}
)

_affiliations = st.fixed_dictionaries(
    {"name": texts(least=2)},
    optional={
        "country": st.sampled_from(("DE", "GB", "US")),
        "id": st.lists(rors, min_size=1, max_size=2),
    },
)
_people = st.fixed_dictionaries(
    {"family": texts(16), "affiliation": st.lists(_affiliations, max_size=2)},
    optional={
        "given": texts(16),
        "alternate-name": st.lists(texts(12), min_size=1, max_size=2),
        "role-start": full_days,
        "role-end": full_days,
    },
)
_known = st.tuples(
    _people,
    record(
        **{
            "ORCID": st.integers(0, 10**15 - 1).map(orcid),
            "authenticated-orcid": st.booleans(),
        }
    ),
).map(lambda found: found[0] | found[1])
_persons = st.lists(_people | _known, min_size=1, max_size=2)

_funders = st.fixed_dictionaries(
    {"name": texts(least=2)},
    optional={"id": st.lists(rors | _registered, min_size=1, max_size=2)},
)
_funding = st.fixed_dictionaries(
    {"funder": _funders},
    optional={
        "type": st.sampled_from(("grant", "award", "fellowship")),
        "scheme": texts(least=2),
        "award-amount": amounts
        | record(percentage=st.integers(0, 100).map(float))
        | st.tuples(amounts, record(percentage=st.integers(0, 100).map(float))).map(
            lambda found: found[0] | found[1]
        ),
    },
)


def _listed(value: st.SearchStrategy[Work]) -> st.SearchStrategy[list[Work]]:
    return st.lists(value, min_size=1, max_size=2)


projects = st.fixed_dictionaries(
    {"project-title": _listed(worded("title"))},
    optional={
        "lead-investigator": _persons,
        "co-lead-investigator": _persons,
        "investigator": _persons,
        "project-description": _listed(worded("description")),
        "award-amount": amounts,
        "funding": _listed(_funding),
        **{
            f"award-{key}": full_days.map(lambda day: [day])
            for key in ("start", "end", "planned-start", "planned-end")
        },
    },
)
