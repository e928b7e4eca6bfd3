"""Exports to a processor: asked for, approved, fetched while everybody in them still agrees.

Each person is asked of the gate when an export is made, and again whenever it is fetched; every
answer is recorded (law P7).
"""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from typing import Final

from services.consent.commands import people
from services.consent.commands.context import Consenting
from services.consent.commands.lists import CATEGORY
from services.consent.errors import Refusal
from services.consent.model import exports
from services.consent.model.exports import KeptExport, Row
from services.consent.model.people import Subscriber
from shared.mongo import Refused
from shared.policy.uses import Act, Recipient, Use
from shared.privacy.exports import RecipientError, encrypted
from shared.runtime.ids import new_id

PAGE: Final = 200
HELD: Final = f"{Subscriber.schema_id}/email"  # the one field of people that is held here


@dataclass(frozen=True, slots=True)
class Asked:
    """What an export is asked for as; ``listed`` is the name of a list."""

    act: Act
    recipient: Recipient
    purpose: str
    listed: str
    category: str
    fields: tuple[str, ...]
    reason: str
    requester: str


@dataclass(frozen=True, slots=True)
class File:
    """An encrypted file, and which edition of how many rows it is."""

    export: str
    edition: int
    rows: int
    content: bytes = field(repr=False)


async def ask(consenting: Consenting, asked: Asked, *, actor: str) -> KeptExport | Refused[Refusal]:
    """Ask for an export; what is barred for everybody is refused at once, and on record.

    No role lifts that: addresses are not sold or rented, and nothing goes outside (CRP-9a, DOAJ-7).
    """
    use = Use(
        act=asked.act,
        purpose=asked.purpose,
        category=asked.category,
        recipient=asked.recipient,
        name=asked.listed,
        fields=frozenset(asked.fields),
    )
    barred = await consenting.posting.gate.barred(use, actor=actor)
    if barred is not None:
        says = {row.id: row.says for row in consenting.rows.uses.file.never}
        told = f"{says.get(barred.why or '', barred.why)} Recorded as use {barred.decision}."
        return Refused(Refusal("use-barred", told, barred.clause))
    if asked.category != CATEGORY or asked.fields != (HELD,):
        return Refused(Refusal("field-not-held", f"Held here is {HELD}.", places=("/fields",)))
    key = consenting.rows.uses.processors[asked.recipient.name].public_key
    if key is None:
        return Refused(Refusal("processor-without-key", rule="DOAJ-5a2"))
    new = KeptExport(
        export=new_id(),
        processor=asked.recipient.name,
        purpose=asked.purpose,
        category=asked.category,
        listed=asked.listed,
        fields=asked.fields,
        reason=asked.reason,
        requester=asked.requester,
        asked_at=consenting.now(),
    )
    return await _saved(consenting, new.export, partial(exports.ask, new=new))


async def approve(
    consenting: Consenting, export: str, approver: str, *, actor: str
) -> KeptExport | Refused[Refusal]:
    """Approve an export, and make it of whoever is allowed in it now."""
    known = await consenting.store.exports.load(export)
    refused = exports.may_approve(known, approver)
    if refused is not None or known is None:
        return refused or exports.UNKNOWN
    row = consenting.rows.exports.export
    purpose = _use(known, "export").consent_purpose
    rows: list[Row] = []
    after = ""
    while page := await consenting.store.consents_to(purpose, after=after, most=PAGE):
        after = page[-1].consent
        found = [Row(row=new_id(), subject=state.subject) for state in page]
        rows += await _allowed(consenting, known, "export", found, actor=actor)
        if len(rows) > row.most_rows:
            detail = f"An export has {row.most_rows} rows at most; ask for a smaller list."
            return Refused(Refusal("too-many-rows", detail))
    now = consenting.now()
    made = partial(
        exports.approve, approver=approver, rows=rows, now=now, until=now + row.expires_after
    )
    return await _saved(consenting, export, made)


async def fetch(consenting: Consenting, export: str, *, actor: str) -> File | Refused[Refusal]:
    """Give an export out, encrypted for its processor, without those who left it meanwhile."""
    refused = exports.open_at(await consenting.store.exports.load(export), consenting.now())
    if refused is not None:
        return refused
    known = await look_again(consenting, export, actor=actor)
    if isinstance(known, Refused):
        return known
    content = await _encrypted(consenting, known)
    if isinstance(content, Refused):
        return content
    sha = hashlib.sha256(content).hexdigest()
    given = partial(exports.give, edition=known.edition, sha=sha, now=consenting.now())
    saved = await _saved(consenting, export, given)
    if isinstance(saved, Refused):
        return saved
    return File(export, known.edition, len(known.there), content)


async def look_again(
    consenting: Consenting, export: str, *, actor: str
) -> KeptExport | Refused[Refusal]:
    """Take out whoever may not be in an export any more, or whose address cannot be read.

    Over or not: a processor has what it was given, and is told of ``to_delete``.
    """
    known = await consenting.store.exports.load(export)
    if known is None:
        return exports.UNKNOWN
    left = await _allowed(consenting, known, "hand-over", known.there, actor=actor)
    gone = {row.row for row in known.there} - {row.row for row in left}
    return await _saved(consenting, export, partial(exports.leave, gone=gone, now=consenting.now()))


async def deleted(
    consenting: Consenting, export: str, rows: Sequence[str]
) -> KeptExport | Refused[Refusal]:
    """Write down that the processor deleted these."""
    told = partial(exports.deleted, rows=frozenset(rows), now=consenting.now())
    return await _saved(consenting, export, told)


async def _allowed(
    consenting: Consenting, known: KeptExport, act: Act, rows: Sequence[Row], *, actor: str
) -> list[Row]:
    """Ask for each row and record it; return those that may be given and have an address."""
    use, gate = _use(known, act), consenting.posting.gate
    allowed: list[Row] = []
    for start in range(0, len(rows), PAGE):
        page = rows[start : start + PAGE]
        answers = await gate.ask_each(use, [(row.whose,) for row in page], actor=actor)
        allowed += [row for row, one in zip(page, answers, strict=True) if one.allowed]
    readable = await people.addresses_of(consenting, [row.whose for row in allowed])
    return [row for row in allowed if row.whose in readable]


async def _encrypted(consenting: Consenting, known: KeptExport) -> bytes | Refused[Refusal]:
    processor = consenting.rows.uses.processors.get(known.processor)
    if processor is None or processor.public_key is None:
        return Refused(Refusal("processor-without-key", rule="DOAJ-5a2"))
    addresses = await people.addresses_of(consenting, [row.whose for row in known.there])
    if len(addresses) < len(known.there):
        return Refused(Refusal("export-changed", "Somebody was erased; fetch it again."))
    try:
        return encrypted(_written(known.there, addresses), processor.public_key)
    except RecipientError as fault:
        return Refused(Refusal("processor-without-key", str(fault), "DOAJ-5a2"))


def _use(known: KeptExport, act: Act) -> Use:
    return Use(
        act=act,
        purpose=known.purpose,
        category=known.category,
        recipient=Recipient("processor", known.processor),
        name=known.listed,
        fields=frozenset(known.fields),
    )


def _written(rows: Sequence[Row], addresses: dict[str, str]) -> bytes:
    """Write the rows as CSV (RFC 4180): the row's number, by which it is deleted, and the field."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(("row", "email"))
    writer.writerows((row.row, addresses[row.whose]) for row in rows)
    return text.getvalue().encode()


async def _saved(
    consenting: Consenting, export: str, decide: exports.Decide
) -> KeptExport | Refused[Refusal]:
    saved = await consenting.store.exports.update(export, decide)
    return saved if isinstance(saved, Refused) else saved.state
