"""Refusals of requests as problems: the one place where a slug gets a status and a title."""

from collections.abc import Mapping
from typing import Final

from services.retention.model.requests.errors import Slug
from shared.web.refusals import Refusals

KINDS: Final[Mapping[Slug, tuple[int, str]]] = {
    "request-unknown": (404, "There is no such request"),
    "request-differs": (409, "Another request was sent under this key"),
    "kind-unknown": (422, "There is no such kind of request"),
    "kind-apart": (422, "A complaint is a case of its own"),
    "about-nobody": (422, "Only a complaint is about somebody, or about another request"),
    "received-in-the-future": (422, "What has not come yet is not put on record"),
    "address-invalid": (422, "This is no e-mail address"),
    "address-needed": (409, "No address is known under which anything could be looked for"),
    "nobody-left": (422, "The complaint is about everybody who could handle it"),
    "complained-about": (409, "A complaint is never handled by whom it is about"),
    "handler-unknown": (422, "Nobody of this name handles requests"),
    "not-now": (409, "The request does not stand where this can be done"),
    "authority-unchecked": (409, "Whether the representative may ask has to be checked first"),
    "evidence-needed": (409, "Further addresses count once staff say what was shown"),
    "reason-unknown": (422, "There is no such reason"),
    "task-unknown": (404, "The request has no such task"),
    "task-done-otherwise": (409, "The task stands on record with another outcome"),
    "tasks-open": (409, "Not everything that was asked is done"),
    "not-erased": (409, "The erasure is not certified yet"),
    "erasure-begun": (409, "An erasure was begun for it; stop that first"),
    "erasing-away": (503, "Nothing here carries out erasures at the moment"),
    "paused-otherwise": (409, "The request waits for something else already"),
    "not-paused": (409, "The request does not wait"),
    "too-late-to-extend": (409, "The first period is over, in which the person has to be told"),
    "tell-by-letter": (409, "No address is known: tell the person by letter, and say so"),
    "code-wrong": (401, "The code does not count: it is wrong, was tried too often, or is too old"),
    "details-gone": (410, "What was written can no longer be read"),
    "too-many-asks": (429, "Too many of these from one client"),
    "cursor-unreadable": (400, "The cursor is none of ours"),
}


REFUSALS: Final = Refusals(KINDS)
problem_of = REFUSALS.problem
agreed = REFUSALS.agreed
