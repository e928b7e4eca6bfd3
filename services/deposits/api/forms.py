"""Deposit forms, in every client's spelling: fields in any order, the file as a stream.

The file is the first part with a file name, or one called ``fname`` or ``mdFile``. It is sealed
and written as it arrives, once it is known who sends it; where the credentials come after it, it
is held in memory up to a bound.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from aiohttp import BodyPartReader, web

from services.deposits.commands import Accepting, Depositor, Sealed
from services.deposits.errors import (
    BROKEN_FORM,
    FORM_TOO_LARGE,
    NO_CREDENTIALS,
    NO_FILE,
    NOT_A_DEPOSITOR,
    NOT_MULTIPART,
    OPERATION,
    Refusal,
)
from shared.web import FIELDS, Caller, Callers, chunks

FILE_NAMES: Final = frozenset({"fname", "mdFile"})
OPERATIONS: Final = frozenset({"doMDUpload"})
MOST_FIELDS: Final = 50
LONGEST_FIELD: Final = 8_192  # bytes
HELD_BYTES: Final = 1_000_000  # of a file that arrives before its credentials


@dataclass(slots=True)
class Form:
    """What a form said so far."""

    fields: dict[str, str]
    sealed: Sealed | None = None
    held: bytes | None = None
    held_name: str | None = None
    parts: int = 0


@dataclass(slots=True)
class Intake:
    """Takes deposit forms in."""

    callers: Callers
    accepting: Accepting
    limit: int
    spellings: tuple[tuple[str, str], ...] = field(default=FIELDS)

    async def take(self, request: web.Request) -> Sealed | Refusal:
        """Read a form; return its file, sealed and durable, or why it is refused.

        Raises ``Problem`` for wrong credentials and for a file beyond the limit.
        """
        if request.content_type != "multipart/form-data":
            return NOT_MULTIPART
        form = Form(dict(request.query))
        try:
            refusal = await self._read(request, form) or await self._finish(request, form)
        except (ValueError, AssertionError, EOFError):
            refusal = BROKEN_FORM  # how aiohttp says that a boundary is missing
        except BaseException:
            await self._give_up(form)
            raise
        if refusal is not None:
            await self._give_up(form)
            return refusal
        return form.sealed or NO_FILE

    async def caller(self, request: web.Request, fields: Mapping[str, str]) -> Caller | None:
        """Return whom the fields, or the headers, prove; None where they name nobody.

        Raises ``Problem`` 401 for wrong ones.
        """
        for login, password in self.spellings:
            if login in fields:
                return await self.callers.of_login(
                    fields[login], fields.get(password, ""), address=request.remote or "unknown"
                )
        if "Authorization" in request.headers:
            return await self.callers.of(request)
        return None

    async def _read(self, request: web.Request, form: Form) -> Refusal | None:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            form.parts += 1
            if form.parts > MOST_FIELDS or not isinstance(part, BodyPartReader):
                return FORM_TOO_LARGE
            if part.filename is not None or part.name in FILE_NAMES:
                refusal = await self._file(request, part, form)
            else:
                refusal = await self._field(part, form)
            if refusal is not None:
                return refusal
        return None

    async def _field(self, part: BodyPartReader, form: Form) -> Refusal | None:
        text = bytearray()
        while piece := await part.read_chunk(LONGEST_FIELD):
            text += piece
            if len(text) > LONGEST_FIELD:
                return FORM_TOO_LARGE
        if part.name:
            form.fields[part.name] = text.decode("utf-8", "replace")
        return None

    async def _file(self, request: web.Request, part: BodyPartReader, form: Form) -> Refusal | None:
        if form.sealed is not None or form.held is not None:
            await part.release()
            return None
        name = part.filename or None
        ready = await self._depositor(request, form)
        if isinstance(ready, Depositor):
            form.sealed = await self.accepting.seal(
                ready, chunks(part, limit=self.limit), file_name=name
            )
            return None
        if ready is not NO_CREDENTIALS:
            return ready
        form.held_name = name
        form.held = b""
        async for piece in chunks(part, limit=self.limit):
            form.held += piece
            if len(form.held) > HELD_BYTES:
                return NO_CREDENTIALS
        return None

    async def _finish(self, request: web.Request, form: Form) -> Refusal | None:
        if form.sealed is None:
            # Also without a file: who is not known is told that first.
            ready = await self._depositor(request, form)
            if not isinstance(ready, Depositor):
                return ready
            if form.held is None:
                return NO_FILE
            form.sealed = await self.accepting.seal(
                ready, _once(form.held), file_name=form.held_name
            )
        return self._operation(form)

    async def _depositor(self, request: web.Request, form: Form) -> Depositor | Refusal:
        caller = await self.caller(request, form.fields)
        if caller is None:
            return NO_CREDENTIALS
        if caller.organisation is None or caller.credential is None:
            return NOT_A_DEPOSITOR
        if not caller.may("deposit", caller.organisation):
            return NOT_A_DEPOSITOR
        depositor = Depositor(caller.credential, caller.organisation)
        return self._operation(form) or await self.accepting.room(depositor) or depositor

    def _operation(self, form: Form) -> Refusal | None:
        said = form.fields.get("operation", "doMDUpload")
        return None if said in OPERATIONS else OPERATION

    async def _give_up(self, form: Form) -> None:
        if form.sealed is not None:
            await self.accepting.give_up(form.sealed)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
