"""Whether this process is alive and ready, said by its parts and asked by the HTTP site.

A part that promises progress beats; a beat that stays away longer than promised is a stall, and a
stalled process should be restarted (streams.md 4.10: a silent stall is the commonest end of a
stream processor).
"""

from dataclasses import dataclass, field

from shared.runtime.clock import SYSTEM, Clock


@dataclass(frozen=True, slots=True)
class Part:
    """One part as last told; ``since`` is seconds since its last beat, if it promised any."""

    name: str
    ok: bool
    why: str = ""
    since: float | None = None


@dataclass(slots=True)
class Health:
    """The states of the parts of one process."""

    clock: Clock = SYSTEM
    _promised: dict[str, float] = field(default_factory=dict)
    _beats: dict[str, float] = field(default_factory=dict)
    _ready: dict[str, tuple[bool, str]] = field(default_factory=dict)

    def promise(self, part: str, *, within: float) -> None:
        """Promise a beat of ``part`` at least every ``within`` seconds, from now on."""
        self._promised[part] = within
        self.beat(part)

    def beat(self, part: str) -> None:
        """Say that ``part`` made progress, or has nothing to do."""
        self._beats[part] = self.clock.monotonic()

    def retire(self, part: str) -> None:
        """Take the promise of ``part`` back: it stopped on purpose."""
        self._promised.pop(part, None)

    def ready(self, part: str) -> None:
        """Say that ``part`` can serve."""
        self._ready[part] = (True, "")

    def unready(self, part: str, why: str) -> None:
        """Say that ``part`` cannot serve, and why in a few plain words."""
        self._ready[part] = (False, why)

    def liveness(self) -> list[Part]:
        """Return each part that promised beats; ``ok`` is whether it kept the promise."""
        now = self.clock.monotonic()
        parts = []
        for part, within in self._promised.items():
            since = now - self._beats[part]
            stalled = since > within
            why = f"no progress for {since:.0f} s, promised every {within:.0f} s" if stalled else ""
            parts.append(Part(part, not stalled, why, round(since, 3)))
        return parts

    def readiness(self) -> list[Part]:
        """Return each part that said whether it can serve."""
        return [Part(name, ok, why) for name, (ok, why) in self._ready.items()]
