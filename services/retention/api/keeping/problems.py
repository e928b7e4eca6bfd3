"""Refusals as problems: the one place where a slug gets a status and a title."""

from collections.abc import Mapping
from typing import Final

from services.retention.errors import Slug
from shared.web.refusals import Refusals

KINDS: Final[Mapping[Slug, tuple[int, str]]] = {
    "hold-unknown": (404, "There is no such hold"),
    "hold-differs": (409, "The hold was asked for with another body"),
    "hold-too-late": (409, "Nothing is left of what was to be held"),
    "hold-released": (409, "The hold was released"),
    "reason-unknown": (422, "Nothing is held for this reason"),
    "kind-unknown": (422, "The schedule has no such kind of record"),
    "rule-unknown": (422, "The schedule has no such rule"),
    "review-date-invalid": (422, "On this day nobody can look again"),
    "approver-asked": (403, "Whoever asked does not approve"),
    "review-unknown": (404, "There is no such review"),
    "review-decided": (409, "It was decided"),
    "review-not-of-record": (409, "The review does not name this record"),
    "review-held": (409, "A hold stands on the record"),
    "review-needs-record": (422, "Say which record of the list"),
    "record-unknown": (404, "No record is known by this name"),
    "schedule-invalid": (422, "This is no schedule that can be obeyed"),
    "schedule-unknown": (404, "The schedule has no such version"),
    "schedule-label-reused": (409, "Another text has this version"),
    "schedule-past": (422, "A version counts from now on, or later"),
    "schedule-in-force": (409, "The version was approved"),
    "schedule-withdrawn": (409, "The version was taken back"),
    "schedule-not-previewed": (409, "Nobody can say what the version would do"),
    "date-ahead": (422, "The date is not past"),
}


REFUSALS: Final = Refusals(KINDS)
problem_of = REFUSALS.problem
agreed = REFUSALS.agreed
