"""The one question about references: may this reader see them here? (CRR-2, CRR-5, CRR-6, CRR-7).

Fails closed: an unknown setting or an unknown owner shows nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from shared.events import Setting
from shared.policy.rules import ReferencesPolicy

Reason = Literal["closed", "limited", "unknown-owner", "knowledge-stale", "outlet-restricted"]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, as far as references are concerned.

    ``organisation`` is set when the reader proved to act for it, ``plus`` when its Metadata Plus
    agreement runs at this moment, ``operator`` when it runs the registry.
    """

    organisation: int | None = None
    plus: bool = False
    operator: bool = False


ANYBODY: Final = Reader()


@dataclass(frozen=True, slots=True)
class Visible:
    """The references may be shown."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """The references may not be shown; ``setting`` is null where it is not known."""

    reason: Reason
    setting: Setting | None

    def stated(self) -> dict[str, str]:
        """Return the value of ``references-withheld`` in an answer."""
        if self.setting is None:
            return {"reason": self.reason}
        return {"reason": self.reason, "reference-visibility": self.setting}


VISIBLE: Final = Visible()

# Answers are asked for per record of a list: made once each.
_BY_SETTING: Final[Mapping[Setting, Withheld]] = {
    "closed": Withheld("closed", "closed"),
    "limited": Withheld("limited", "limited"),
    # Only an outlet that is not for this reader at all withholds what is open.
    "open": Withheld("outlet-restricted", "open"),
}


def references_visible(
    policy: ReferencesPolicy,
    setting: Setting | None,
    *,
    outlet: str,
    owner: int | None,
    reader: Reader,
) -> Visible | Withheld:
    """Say whether ``reader`` may see, at ``outlet``, the references of a work of ``owner``.

    ``setting`` is the effective setting of the owning prefix, null where unknown; ``owner`` the
    owning organisation, null where unknown. At Cited-by ``owner`` is the cited work's. Raises
    ``PolicyError`` for an outlet without a row. Pure; clauses CRR-2, CRR-5, CRR-6, CRR-7.
    """
    if setting is None or owner is None:
        return Withheld("unknown-owner", setting)
    shown = policy.at(outlet)
    if (
        setting in shown.anyone
        or (reader.plus and setting in shown.subscriber)
        or (reader.organisation == owner and setting in shown.owner)
        or (reader.operator and setting in shown.operator)
    ):
        return VISIBLE
    return _BY_SETTING[setting]


def stale(setting: Setting | None = None) -> Withheld:
    """Return the answer of a reader process whose knowledge of preferences is too old."""
    return Withheld("knowledge-stale", setting)


def withhold(
    policy: ReferencesPolicy, work: Mapping[str, Any], withheld: Withheld
) -> dict[str, Any]:
    """Return ``work`` without what the policy keeps back; ``work`` itself stays as it is.

    ``references-withheld`` says why wherever ``reference`` would have stood. Counts stay (CRR-12).
    """
    shown = dict(work)
    for field in policy.withheld_fields:
        _drop(shown, field.split("."))
    if "reference" in work:
        shown["references-withheld"] = withheld.stated()
    return shown


def _drop(document: dict[str, Any], path: list[str]) -> None:
    name, *rest = path
    if name not in document:
        return
    if not rest:
        del document[name]
    elif isinstance(document[name], Mapping):
        document[name] = dict(document[name])
        _drop(document[name], rest)
