"""Reference matching: which registered work a reference without a DOI means.

Pure: `words`, `cards`, `references` (what is compared) and `scoring` (what is decided). `kept` is
what is kept beside each work in the store, `matcher` the roles that write it.

Each work has a document in ``matches``: its card, the features under which references may look for
it, the works it cites and since when each is known, what was found for which reference, and the
features that references still wait for. A work that arrives looks for who waits for it; one whose
references wait looks for what is offered after it has said so: of two that meet one sees the
other.
"""
