"""Works that say what filters, facets and field queries ask for: one of each kind."""

from typing import Any

NSF, WELLCOME = "100000001", "100010269"
FUNDED = {
    "funder": [
        {"name": "NSF", "DOI": f"10.13039/{NSF}", "award": ["CBET-07 56_451"]},
        {
            "name": "Wellcome",
            "DOI": f"https://doi.org/10.13039/{WELLCOME}",
            "doi-asserted-by": "crossref",
            "award": ["X1"],
        },
    ]
}
LICENSED = {
    "license": [
        {"URL": "https://a.example/by?v=(1)", "content-version": "vor", "delay-in-days": 365},
        {"URL": "https://b.example/tdm", "content-version": "tdm", "delay-in-days": 0},
    ]
}
LINKED = {
    "link": [
        {"content-type": "text/xml", "content-version": "vor", "intended-application": "a"},
        {"content-type": "application/pdf", "content-version": "am", "intended-application": "b"},
    ]
}
RELATED = {
    "relation": {
        "is-preprint-of": [{"id-type": "doi", "id": "10.9999/X"}],
        "has-part": [{"id-type": "issn", "id": "1234-5678"}],
        "cites": [{"id-type": "doi", "id": "10.9999/secret"}],
    }
}
PLACED = {
    "author": [
        {
            "family": "Doe",
            "ORCID": "https://orcid.org/0000-0001-5109-370x",
            "authenticated-orcid": True,
            "affiliation": [
                {"name": "A Place", "id": [{"id-type": "ROR", "id": "https://ror.org/05gq02987"}]}
            ],
        }
    ],
    "ISBN": ["0-306-40615-2"],
    "publisher": "A House",
    "update-to": [{"DOI": "10.9999/OLD", "type": "correction"}],
    "updated-by": [{"DOI": "10.9999/NEW", "type": "retraction"}],
    "archive": ["Portico"],
    "assertion": [{"name": "received", "value": "1", "group": {"name": "history"}}],
    "content-domain": {"domain": ["a.example"], "crossmark-restriction": True},
    "alternative-id": ["ALT 1"],
    "article-number": "e12",
    "clinical-trial-number": [{"clinical-trial-number": "ISRCTN1", "registry": "10.18810/isrctn"}],
    "group-title": "Ecology",
    "container-title": ["A Journal, with commas"],
    "subject": ["Pharmacy, general"],
    "abstract": "<jats:p>Words of an abstract</jats:p>",
    "description": "A widget",
    "degree": ["PhD"],
    "publisher-location": "Boston, MA",
    "standards-body": {"name": "Body of Standards", "acronym": "BOS"},
    "editor": [{"family": "Fitz"}],
    "chair": [{"family": "Chairman"}],
    "translator": [{"family": "Overset"}],
    "issue": "7",
    "volume": "n 95",
    "posted": {"date-parts": [[2016, 3]]},
    "accepted": {"date-parts": [[2015, 3]]},
    "approved": {"date-parts": [[2014]]},
    "update-policy": "https://doi.org/10.9999/policy",
}
GRANT = {
    "award": "G-1",
    "award-start": {"date-parts": [[2021, 5]]},
    "project": [
        {
            "award-amount": {"amount": 5000.4, "currency": "EUR"},
            "funding": [{"funder": {"id": [{"id-type": "DOI", "id": f"10.13039/{NSF}"}]}}],
        }
    ],
    "event": {
        "name": "Meeting",
        "acronym": "MTG",
        "location": "Nairobi",
        "theme": "Widgets",
        "sponsor": ["Sponsors Inc"],
        "start": {"date-parts": [[2020, 2, 3]]},
        "end": {"date-parts": [[2020, 2, 5]]},
    },
}
WORKS: dict[str, dict[str, Any]] = {
    "funded": FUNDED,
    "licensed": LICENSED,
    "linked": LINKED,
    "related": RELATED,
    "placed": PLACED,
    "grant": GRANT,
}
