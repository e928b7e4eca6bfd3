"""What holds, reviews and schedules refuse: values with a stable slug, problems at the edge."""

from dataclasses import dataclass
from typing import Literal

Slug = Literal[
    "hold-unknown",
    "hold-differs",
    "hold-too-late",
    "hold-released",
    "reason-unknown",
    "kind-unknown",
    "rule-unknown",
    "review-date-invalid",
    "approver-asked",
    "review-unknown",
    "review-decided",
    "review-not-of-record",
    "review-held",
    "review-needs-record",
    "record-unknown",
    "schedule-invalid",
    "schedule-unknown",
    "schedule-label-reused",
    "schedule-past",
    "schedule-in-force",
    "schedule-withdrawn",
    "schedule-not-previewed",
    "date-ahead",
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decided no. ``rule`` is the clause or the rule's name; ``places`` are JSON pointers."""

    slug: Slug
    detail: str = ""
    rule: str = ""
    places: tuple[str, ...] = ()
