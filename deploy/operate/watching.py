"""Following an erasure until its last step, however often the service is away meanwhile."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, Protocol

from deploy.operate.ends import Fault, Silent, Waiting
from deploy.operate.shown import News, news

GIVEN_UP: Final = frozenset({"refused", "taken-back"})
ENDS: Final = GIVEN_UP | {"closed"}
LONGEST_PAUSE: Final = 10.0


class Asks(Protocol):
    """What of the client is used here."""

    def json(self, method: str, path: str, **more: Any) -> Any:
        """Return an answer; raises ``Silent`` where there is none."""


@dataclass(slots=True)
class Watch:
    """One erasure is looked at every ``every`` seconds; each change is told once.

    ``timeout``: seconds in all, None for no end; ``patience``: seconds that the service may be
    away.
    """

    client: Asks
    tell: Callable[[News], None]
    remark: Callable[[str], None]
    every: float = 1.0
    timeout: float | None = None
    patience: float = 600.0

    def until(self, erasure: str, steps: Collection[str]) -> dict[str, Any]:
        """Return the erasure at one of these steps, or past them.

        Raises ``Fault`` where it was refused or taken back, ``Waiting`` when the time is up,
        ``Silent`` where the service was away for too long.
        """
        begun = heard = time.monotonic()
        seen: dict[str, Any] | None = None
        pause = self.every
        while True:
            try:
                view = self.client.json("GET", f"/erasures/{erasure}")
            except Silent as fault:
                away = time.monotonic() - heard
                if away > self.patience or self._over(begun):
                    raise
                if pause == self.every:
                    self.remark(f"{fault}; it is asked again")
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                heard, pause = time.monotonic(), self.every
                for one in news(view, seen):
                    self.tell(one)
                seen = view
                if reached(view, steps):
                    return seen
            if self._over(begun):
                at = "not known" if seen is None else seen["state"]
                raise Waiting(f"Time is up; the erasure is {at}. Watch it again whenever you like.")
            time.sleep(pause)

    def _over(self, begun: float) -> bool:
        return self.timeout is not None and time.monotonic() - begun >= self.timeout


def reached(view: dict[str, Any], steps: Collection[str]) -> bool:
    """Say whether an erasure came to one of these steps; raises ``Fault`` where it was given up."""
    state = view["state"]
    if state in GIVEN_UP and state not in steps:
        reason = f" for {view['refused-for']}" if view.get("refused-for") else ""
        raise Fault(f"The erasure was {state.replace('-', ' ')}{reason}.")
    return any(step in view.get("times", {}) for step in steps) or state in ENDS
