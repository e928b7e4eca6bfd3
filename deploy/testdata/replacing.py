"""Replacements: the same for the same, in every service, and nobody's once the run is over."""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.local.obstacle import Obstacle
from deploy.privacy.needles import ADDRESS
from shared.privacy.personal import KINDS, Personal

PSEUDONYM: Final = re.compile(r"\bp[0-9a-f]{32}\b")
BLIND: Final = re.compile(r"\bbi([1-9][0-9]*)\.[0-9a-f]{64}\b")
ENVELOPE: Final = re.compile(r"\bpe1\.[A-Za-z0-9_.:-]+")
DOMAIN: Final = "people.invalid"  # a name that never leads anywhere (RFC 2606)
GIVEN: Final = ("Ada", "Bruno", "Chidi", "Dalia", "Emre", "Farah", "Goran", "Hana", "Ines", "Jun")
FAMILY: Final = ("Abel", "Brandt", "Costa", "Diallo", "Eriksen", "Fofana", "Garcia", "Haddad")


@dataclass(slots=True)
class Replacing:
    """Gives what stands for values, under a key that nothing keeps."""

    key: bytes = field(repr=False)
    replaced: int = 0
    made: set[str] = field(default_factory=set, repr=False)  # pseudonyms and blind indexes

    def document(self, said: Any, place: str) -> Any:
        """Return a document, or a part of one, with replacements.

        Raises ``Obstacle`` for a sealed record of a schema or with a field that nobody declared.
        """
        return self._part(said, place, _subject(said))

    def _part(self, said: Any, place: str, subject: str | None) -> Any:
        match said:
            case str():
                return self._text(said)
            case Mapping() if _is_sealed(said):
                return self._sealed(said, place, subject)
            case Mapping():
                own = _subject(said) or subject
                return {
                    self._text(str(name)): self._part(value, f"{place}.{name}", own)
                    for name, value in said.items()
                }
            case list() | tuple():
                return [self._part(one, place, subject) for one in said]
            case bytes() | bytearray():
                raise Obstacle(
                    f"{place} holds bytes, which may be anything. Nothing was copied.",
                    "List the field in deploy/testdata/rows.toml under `without`.",
                )
            case _:
                return said

    def _sealed(self, said: Mapping[str, Any], place: str, subject: str | None) -> dict[str, Any]:
        """Put made-up values where a record's envelopes were; none of them is opened.

        Who is found by a blind index is the same person wherever that stands; others are who their
        service's pseudonym says.
        """
        kind = KINDS.get(said["schema_id"])
        if kind is None:
            raise _undeclared(place, said["schema_id"])
        who = subject or said["person"]
        own = next((name for name, one in kind.fields_.items() if _is_address(name, one)), None)
        values = {}
        for pointer in said["values"]:
            name = pointer.removeprefix("/")
            if name not in kind.fields_:
                raise _undeclared(place, f"{said['schema_id']}{pointer}")
            # The first address is the person's; others are of whoever else stands in the record.
            whose = who if name == own or not _is_address(name, kind.fields_[name]) else None
            values[pointer] = self.value(name, kind.fields_[name], whose or f"{who}|{name}")
        return {
            "schema_id": said["schema_id"],
            "person": self._text(said["person"]),
            "cls": said["cls"],
            "unit": self._text(said["unit"]),
            "record": self._text(said["record"]),
            "values": values,
        }

    def value(self, name: str, personal: Personal, who: str) -> str:
        """Return a made-up value of a field for somebody."""
        self.replaced += 1
        mark = self._mark("person", who)
        if _is_address(name, personal):
            return f"{mark[:16]}@{DOMAIN}"
        if personal.free_text:
            return f"Text {self._mark(name, who)[:16]}."
        if "name" in name:
            number = int(mark[:8], 16)
            return f"{GIVEN[number % len(GIVEN)]} {FAMILY[number % len(FAMILY)]} {mark[:8]}"
        return f"{name} {self._mark(name, who)[:16]}"

    def _text(self, text: str) -> str:
        """Replace what stands for a person in any text, and addresses that stand there in clear."""

        def pseudonym(found: re.Match[str]) -> str:
            return self._made(f"p{self._mark('pseudonym', found[0])[:32]}")

        def blind(found: re.Match[str]) -> str:
            return self._made(f"bi{found[1]}.{self._mark('blind', found[0])}")

        def address(found: re.Match[str]) -> str:
            return self._made(f"{self._mark('address', found[0].lower())[:16]}@{DOMAIN}")

        for pattern, by in ((PSEUDONYM, pseudonym), (BLIND, blind), (ADDRESS, address)):
            text = pattern.sub(by, text)
        return text

    def _made(self, said: str) -> str:
        self.replaced += 1
        self.made.add(said)
        return said

    def _mark(self, what: str, said: str) -> str:
        return hmac.digest(self.key, f"{what}|{said}".encode(), hashlib.sha256).hex()


def _is_address(name: str, personal: Personal) -> bool:
    return personal.address or "email" in name


def _is_sealed(said: Mapping[str, Any]) -> bool:
    return {"schema_id", "person", "values"} <= set(said)


def _subject(said: Any) -> str | None:
    """Return the newest blind index that a document is found by, if any."""
    if not isinstance(said, Mapping):
        return None
    inner = said.get("state")
    named = said.get("subjects") or said.get("subject") or (inner and _subject(inner))
    if isinstance(named, Sequence) and not isinstance(named, str):
        named = named[-1] if named else None
    return named if isinstance(named, str) and BLIND.fullmatch(named) else None


def _undeclared(place: str, what: str) -> Obstacle:
    return Obstacle(
        f"{place} holds {what}, which no service declares. Nothing was copied.",
        "Declare it (shared/privacy/personal.py), or leave the field out in"
        " deploy/testdata/rows.toml.",
    )
