"""The leak gate: nothing leaves that could be somebody's, by rules that know nothing of the making.

Each rule has a control, which it must find in every run before it is believed.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from deploy.privacy.needles import ADDRESS
from deploy.testdata.replacing import BLIND, DOMAIN, ENVELOPE, PSEUDONYM

Rule = Callable[[str, Collection[str]], bool]


def _address(text: str, _made: Collection[str]) -> bool:
    return any(not one[0].endswith(f"@{DOMAIN}") for one in ADDRESS.finditer(text))


def _pseudonym(text: str, made: Collection[str]) -> bool:
    found = [one[0] for rule in (PSEUDONYM, BLIND) for one in rule.finditer(text)]
    return any(one not in made for one in found)


def _envelope(text: str, _made: Collection[str]) -> bool:
    return ENVELOPE.search(text) is not None


def _secret(text: str, _made: Collection[str]) -> bool:
    return any(mark in text for mark in ("$argon2", '"wrapped"', "BEGIN PRIVATE KEY", "whsec_"))


RULES: Final[Mapping[str, Rule]] = {
    "an e-mail address": _address,
    "a pseudonym or blind index of the original": _pseudonym,
    "an envelope": _envelope,
    "a password's hash or a key": _secret,
}
CONTROLS: Final[Mapping[str, str]] = {
    "an e-mail address": '{"a": "Zoë Canary <zoe.canary@press.example>"}',
    "a pseudonym or blind index of the original": '{"a": "p' + "0" * 32 + '|x"}',
    "an envelope": '{"a": "pe1.p0.account.details.' + "A" * 60 + '"}',
    "a password's hash or a key": '{"a": "$argon2id$v=19$m=65536"}',
}


@dataclass(slots=True)
class Gate:
    """Looks at every line that would leave."""

    lines: int = 0
    found: dict[str, str] = field(default_factory=dict)  # what, and where first

    def look(self, line: str, place: str, made: Collection[str]) -> None:
        """Look at a line; it is not kept."""
        self.lines += 1
        for what, rule in RULES.items():
            if rule(line, made):
                self.found.setdefault(what, place)


def blind() -> list[str]:
    """Return the rules that do not find their own control."""
    return [what for what, rule in RULES.items() if not rule(CONTROLS[what], frozenset())]
