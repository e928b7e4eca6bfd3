"""The last look before a certificate: whether what services hold is what they proved. Pure.

A service that learned to hold something else says so by its manifest. Where that is the same, its
proof says that nothing was left, so whatever it holds now was written since: under a key from
before the order it is late, and under a newer one it is of somebody who registered anew.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.retention.model.answers import Answers
from services.retention.model.erasure_plans import kept_aside
from services.retention.model.erasure_states import KeptErasure, Round
from shared.events.orders import KeptUnits
from shared.privacy.lifecycle import KeptKeys


@dataclass(frozen=True, slots=True)
class Seen:
    """What a last look saw.

    ``services`` that have to prove anew, ``more`` keys from before the order beside the erasure's
    own, ``anew``: whether somebody registered anew, whom an order must not mean.
    """

    services: tuple[str, ...] = ()
    more: tuple[KeptUnits, ...] = ()
    anew: bool = False


def names_found(erasure: KeptErasure, answers: Answers) -> dict[str, dict[str, set[str]]]:
    """Return the units of keys that services found, by service and name; not what is kept."""
    exempt, aside = {one.cls for one in erasure.exempt}, kept_aside(erasure)
    found: dict[str, dict[str, set[str]]] = {}
    for service, answer in answers.items():
        for one in answer.keys_found:
            if one.keys_id.partition(".")[2] not in exempt and one.keys_id not in aside:
                names = found.setdefault(service, {})
                names.setdefault(one.keys_id, set()).update(one.units)
    return found


def seen(
    erasure: KeptErasure,
    order: Round,
    answers: Answers,
    documents: Mapping[str, KeptKeys],
    since: datetime,
) -> Seen:
    """Compare a last look with the evidence; ``since`` is when all of a person was ordered last."""
    proved = {one.service: one.manifest for one in erasure.evidence}
    differ = {name for name in order.services if answers[name].manifest != proved.get(name)}
    ours = {one.keys_id: one.units for one in erasure.keys}
    more: set[str] = set()
    anew = False
    for service, names in names_found(erasure, answers).items():
        for name, units in names.items():
            if name in ours:
                if not ours[name] or units & {*ours[name]}:
                    differ.add(service)
            elif erasure.subjects is None:
                continue  # other records of a person whose one clock was due are not meant
            elif made_since(documents.get(name), units, since):
                anew = True
            else:
                differ.add(service)
                more.add(name)
    keys = tuple(KeptUnits(keys_id=name) for name in sorted(more))
    return Seen(tuple(sorted(differ)), keys, anew)


def made_since(document: KeptKeys | None, units: Collection[str], since: datetime) -> bool:
    """Say whether all of these keys stand and were made after a moment."""
    if document is None:
        return False
    made = [document.units.get(unit) for unit in units or document.units]
    return bool(made) and all(one is not None and one.made_at > since for one in made)
