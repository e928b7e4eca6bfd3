"""The words of the wire that filters take, and the order in which it lists its filters."""

from typing import Final

VERSIONS: Final = ("vor", "am", "tdm")
APPLICATIONS: Final = ("unspecified", "text-mining", "similarity-checking")
ARCHIVES: Final = ("Portico", "CLOCKSS", "LOCKSS", "DWT")
ASSERTERS: Final = ("crossref", "publisher")
OBJECT_TYPES: Final = (
    *("doi", "issn", "isbn", "uri", "pmid", "pmcid", "purl", "arxiv", "ark", "handle", "uuid"),
    *("ecli", "accession", "other"),
)
RELATIONS: Final = (
    *("is-derived-from", "has-derivation", "is-review-of", "has-review", "is-comment-on"),
    *("has-comment", "is-reply-to", "has-reply", "based-on-data", "is-data-basis-for"),
    *("has-related-material", "is-related-material", "is-compiled-by", "compiles"),
    *("is-documented-by", "documents", "is-supplement-to", "is-supplemented-by", "is-continued-by"),
    *("continues", "is-part-of", "has-part", "references", "is-referenced-by", "is-based-on"),
    *("is-basis-for", "requires", "is-required-by", "finances", "is-financed-by"),
    *("has-translation", "is-translation-of", "has-preprint", "is-preprint-of", "has-manuscript"),
    *("is-manuscript-of", "has-expression", "is-expression-of", "has-manifestation"),
    *("is-manifestation-of", "replaces", "is-replaced-by", "is-same-as", "is-identical-to"),
    *("is-original-form-of", "is-variant-form-of", "has-version", "is-version-of", "has-format"),
    "is-format-of",
)

LISTED: Final = (
    *("until-approved-date", "has-assertion", "from-print-pub-date", "until-deposit-date"),
    *("from-accepted-date", "has-authenticated-orcid", "from-created-date", "relation.object"),
    *("issn", "ror-id", "lte-award-amount", "until-online-pub-date", "group-title"),
    *("full-text.application", "until-created-date", "license.version", "from-deposit-date"),
    *("has-abstract", "from-awarded-date", "has-event", "from-approved-date", "funder"),
    *("assertion-group", "from-online-pub-date", "from-issued-date", "content-domain"),
    *("affiliation", "license.url", "citation-id", "reference-visibility", "from-index-date"),
    *("full-text.version", "full-text.type", "until-posted-date", "has-orcid", "has-archive"),
    *("type", "has-ror-id", "is-update", "until-event-start-date", "publisher-name", "update-type"),
    *("from-pub-date", "has-license", "funder-doi-asserted-by", "isbn", "has-full-text", "doi"),
    *("orcid", "has-content-domain", "prefix", "until-event-end-date", "has-funder"),
    *("award.funder", "clinical-trial-number", "member", "has-domain-restriction"),
    *("until-accepted-date", "container-title", "license.delay", "from-posted-date"),
    *("has-affiliation", "from-update-date", "has-award", "until-print-pub-date"),
    *("from-event-start-date", "gte-award-amount", "has-funder-doi", "has-alias"),
    *("until-index-date", "has-update", "until-update-date", "has-prime-doi", "until-issued-date"),
    *("until-pub-date", "award.number", "has-references", "type-name", "has-relation"),
    *("alternative-id", "archive", "has-description", "relation.type", "updates"),
    *("relation.object-type", "category-name", "until-awarded-date", "has-clinical-trial-number"),
    *("assertion", "article-number", "has-update-policy", "from-event-end-date"),
)
"""The works' filters, in the order in which api.crossref.org lists them in a failure."""
