"""Deposits as they are sent, in every client's spelling: fields in any order, the file as a stream.

The file of a form is the first part with a file name, or one called ``fname`` or ``mdFile``. It is
sealed and written as it arrives, once it is known who sends it; where the credentials come after
it, it is held in memory up to a bound. Where a route takes it, the body may be the XML alone.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from aiohttp import BodyPartReader, web

from services.deposits.callbacks import Callbacks
from services.deposits.commands import Accepting, Depositor, Sealed
from services.deposits.errors import (
    BROKEN_FORM,
    FORM_TOO_LARGE,
    NO_CREDENTIALS,
    NO_FILE,
    NOT_A_DEPOSITOR,
    NOT_MULTIPART,
    NOT_XML,
    OPERATION,
    Refusal,
)
from shared.web import FIELDS, Caller, Callers, chunks

FILE_NAMES: Final = frozenset({"fname", "mdFile"})
# What is done follows from the file itself; the word says what its sender believes (5.1). Clients
# differ in its case. `area`, `subType` and whatever else they send says nothing to us.
OPERATIONS: Final = frozenset({"domdupload", "dodoicitupload"})
XML_TYPES: Final = frozenset(
    {
        "application/vnd.crossref.deposit+xml",
        "application/vnd.crossref.partial+xml",
        "application/vnd.crossref.any+xml",
        "application/xml",
        "text/xml",
    }
)
MOST_FIELDS: Final = 50
LONGEST_FIELD: Final = 8_192  # bytes
HELD_BYTES: Final = 1_000_000  # of a file that arrives before its credentials
MOST_HELD: Final = 20  # such files at once: anybody can send one


@dataclass(frozen=True, slots=True)
class Arrived:
    """A deposit that is durable, and the URL to call when it ends, if any."""

    sealed: Sealed
    callback: str | None


@dataclass(slots=True)
class Form:
    """What a request said so far; ``caller`` is whom its headers proved, where that was asked."""

    fields: dict[str, str]
    caller: Caller | None = None
    sealed: Sealed | None = None
    held: bytearray | None = None
    held_name: str | None = None
    parts: int = 0


@dataclass(slots=True)
class Intake:
    """Takes deposit forms in."""

    callers: Callers
    accepting: Accepting
    callbacks: Callbacks
    limit: int
    spellings: tuple[tuple[str, str], ...] = field(default=FIELDS)
    _holding: int = 0

    async def take(self, request: web.Request) -> Arrived | Refusal:
        """Read a form; return its file, sealed and durable, or why it is refused.

        Raises ``Problem`` for wrong credentials and for a file beyond the limit.
        """
        return await self._take(request, Form(dict(request.query)))

    async def take_any(self, request: web.Request, caller: Caller) -> Arrived | Refusal:
        """Read a form, or XML alone, of a caller whom the headers proved; as ``take``."""
        return await self._take(request, Form(dict(request.query), caller))

    async def _take(self, request: web.Request, form: Form) -> Arrived | Refusal:
        reading = self._read
        if request.content_type != "multipart/form-data":
            if form.caller is None:
                return NOT_MULTIPART
            if request.content_type not in XML_TYPES:
                return NOT_XML
            reading = self._whole
        try:
            refusal = await reading(request, form) or await self._finish(request, form)
        except (ValueError, AssertionError, EOFError):
            refusal = BROKEN_FORM  # how aiohttp says that a boundary is missing
        except BaseException:
            await self._give_up(form)
            raise
        finally:
            self._holding -= form.held is not None
        if refusal is not None:
            await self._give_up(form)
            return refusal
        if form.sealed is None:
            return NO_FILE
        return Arrived(form.sealed, form.fields.get("callback"))

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

    async def _whole(self, request: web.Request, form: Form) -> Refusal | None:
        """Take the body as the file; its name, if any, stands in the query."""
        ready = await self._depositor(request, form)
        if not isinstance(ready, Depositor):
            return ready
        form.sealed = await self.accepting.seal(
            ready, chunks(request, limit=self.limit), file_name=form.fields.get("file_name")
        )
        return NO_FILE if form.sealed.new.size == 0 else None

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
        if self._holding >= MOST_HELD:
            return NO_CREDENTIALS
        form.held_name = name
        form.held = bytearray()
        self._holding += 1
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
                ready, _once(bytes(form.held)), file_name=form.held_name
            )
        # What stands behind the file is known only now.
        return self._operation(form) or await self._callback(form, form.sealed.depositor)

    async def _depositor(self, request: web.Request, form: Form) -> Depositor | Refusal:
        caller = form.caller or await self.caller(request, form.fields)
        if caller is None:
            return NO_CREDENTIALS
        if caller.organisation is None or caller.credential is None:
            return NOT_A_DEPOSITOR
        if not caller.may("deposit", caller.organisation):
            return NOT_A_DEPOSITOR
        depositor = Depositor(caller.credential, caller.organisation)
        return (
            self._operation(form)
            or await self._callback(form, depositor)
            or await self.accepting.room(depositor)
            or depositor
        )

    def _operation(self, form: Form) -> Refusal | None:
        said = form.fields.get("operation") or "doMDUpload"
        return None if said.strip().lower() in OPERATIONS else OPERATION

    async def _callback(self, form: Form, depositor: Depositor) -> Refusal | None:
        url = form.fields.get("callback")
        return None if url is None else await self.callbacks.refused(url, depositor.credential)

    async def _give_up(self, form: Form) -> None:
        if form.sealed is not None:
            await self.accepting.give_up(form.sealed)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
