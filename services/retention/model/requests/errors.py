"""What is refused as to requests of people: values with a stable slug, rendered at the edge."""

from dataclasses import dataclass
from typing import Literal

Slug = Literal[
    "request-unknown",
    "request-differs",
    "kind-unknown",
    "kind-apart",
    "about-nobody",
    "received-in-the-future",
    "address-invalid",
    "address-needed",
    "nobody-left",
    "complained-about",
    "handler-unknown",
    "not-now",
    "authority-unchecked",
    "evidence-needed",
    "reason-unknown",
    "task-unknown",
    "task-done-otherwise",
    "tasks-open",
    "not-erased",
    "erasure-begun",
    "erasing-away",
    "paused-otherwise",
    "not-paused",
    "too-late-to-extend",
    "tell-by-letter",
    "code-wrong",
    "details-gone",
    "too-many-asks",
    "cursor-unreadable",
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decided no. ``rule`` is the clause or the rule's name; ``places`` are JSON pointers."""

    slug: Slug
    detail: str = ""
    rule: str = ""
    places: tuple[str, ...] = ()
