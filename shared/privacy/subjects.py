"""Whom an erasure is about, as all services are told: blind indexes, sealed under a key of its own.

The key is of the request's pseudonym, in a retention class of its own, so that it outlives the
person's keys and goes when the erasure has been certified.
"""

from collections.abc import Iterable
from typing import Annotated

from shared.privacy.personal import Personal, PersonalData

INDEXES = Annotated[str, Personal("erasure-request", ("people-requests",), source="system")]


class Subjects(PersonalData, schema="retention.subjects.v1"):
    """Blind indexes of every address of one person, with a space between them."""

    indexes: INDEXES

    @classmethod
    def of(cls, indexes: Iterable[str]) -> "Subjects":
        """Make them of single indexes."""
        return cls(indexes=" ".join(sorted(set(indexes))))

    @property
    def every(self) -> frozenset[str]:
        """The single indexes."""
        return frozenset(self.indexes.split())
