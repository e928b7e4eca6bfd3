"""Having every host that answers rebuild its search index, and waiting until it did."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.distribution.rebuild import wishes
from services.distribution.rebuild.changing import Tell
from services.distribution.rebuild.insisting import insist
from services.distribution.rebuild.pointer import ReadModels
from shared.runtime.clock import SYSTEM, Clock

ANSWER_SECONDS: Final = 10.0  # until the first host answers; each looks every second
OTHERS_SECONDS: Final = 3.0  # until the others did
SILENT_SECONDS: Final = 30.0  # a host that builds tells each second
LOOK_SECONDS: Final = 0.5
ENDED: Final = frozenset({"done", "refused", "failed", "stopped"})


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a host's index, in its own words."""

    replica: str
    state: str
    works: int
    seconds: float
    said: Sequence[str] = ()


async def rebuild_lists(models: ReadModels, tell: Tell, clock: Clock = SYSTEM) -> list[Ended]:
    """Want a rebuild of the lists and wait for the hosts; none where no host answered.

    Hosts that do not run build when they start again.
    """
    number = await insist(lambda: wishes.want(models))
    began = clock.monotonic()
    heard: dict[str, tuple[Any, float]] = {}
    while True:
        hosts = await insist(lambda: wishes.told(models, number))
        now = clock.monotonic()
        for one in hosts:
            if heard.get(one["replica"], (None,))[0] != one["at"]:
                heard[one["replica"]] = (one["at"], now)
        done = sum(int(one["works"]) for one in hosts)
        left = sum(int(one["behind"]) for one in hosts if one["state"] == "building")
        if hosts:
            await tell("lists", done, done + left)
        silent = {name for name, (_, at) in heard.items() if now - at > SILENT_SECONDS}
        waiting = [
            one for one in hosts if one["state"] not in ENDED and one["replica"] not in silent
        ]
        patience = OTHERS_SECONDS if hosts else ANSWER_SECONDS
        if now - began > patience and not waiting:
            return [_ended(one) for one in hosts]
        await asyncio.sleep(LOOK_SECONDS)


def _ended(one: Mapping[str, Any]) -> Ended:
    said = one.get("said", ())
    return Ended(
        one["replica"],
        one["state"] if one["state"] in ENDED else "silent",
        int(one["works"]),
        float(one["seconds"]),
        [said] if isinstance(said, str) else said,
    )
