"""Handlers of submissions as JSON: send one, list one's own, see what became of it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import AfterValidator, BaseModel, Field, model_validator

from services.deposits.api import pages
from services.deposits.api.forms import Intake
from services.deposits.api.shown import (
    ProgressView,
    Received,
    RecordsView,
    RecordView,
    SubmissionsView,
    SubmissionView,
    SubmissionWhole,
    callback_of,
    links_of,
    record_of,
)
from services.deposits.callbacks import Callbacks
from services.deposits.errors import (
    CONTENTS_GONE,
    CONTENTS_OF_DEPOSITORS,
    NO_SUBMISSION,
    Refusal,
)
from services.deposits.store import (
    Asked,
    Diagnostics,
    Filters,
    RawFiles,
    RawKeys,
    Submission,
    Submissions,
    SubmissionStatus,
    using,
)
from services.deposits.store.keys import opened
from shared.privacy.envelope import OpenKey, UnsealError
from shared.privacy.keyring import HeldError
from shared.web import Caller, caller_of, correlation, json_answer, query_of
from shared.web.refusals import RESTRICTED

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2200


def _aware(at: datetime) -> datetime:
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"a time between the years {FIRST_YEAR} and {LAST_YEAR}")
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_aware)]


class PostQuery(BaseModel):
    """How a deposit is sent; a form may say the same in fields."""

    callback: str | None = Field(
        default=None,
        description="URL to call when it ends, http or https. The login needs a secret first.",
    )
    file_name: str | None = Field(
        default=None, description="For XML that is sent alone: the name to find it by."
    )
    operation: str | None = Field(default=None, description="doMDUpload or doDOICitUpload.")


class ListQuery(BaseModel):
    """Which submissions, and how many."""

    rows: int = Field(default=20, ge=1, le=200)
    before: str | None = Field(default=None, pattern=r"^[0-9]{16}$")
    status: SubmissionStatus | None = None
    from_received: Moment | None = Field(
        default=None, description="Received then or later; RFC 3339, or a date in UTC."
    )
    until_received: Moment | None = Field(default=None, description="Received before that time.")
    file_name: str | None = Field(default=None, description="With exactly this file name.")
    batch_id: str | None = Field(default=None, description="With exactly this doi_batch_id.")

    @model_validator(mode="after")
    def _one_name(self) -> "ListQuery":
        if self.file_name is not None and self.batch_id is not None:
            raise ValueError("ask by file_name or by batch_id")
        return self


class RecordsQuery(BaseModel):
    """Which diagnostics, and how many."""

    start: int = Field(default=0, ge=0)
    rows: int = Field(default=100, ge=1, le=500)
    status: Literal["Success", "Warning", "Failure"] | None = None
    rule: str | None = Field(default=None, description="Failed by exactly this rule.")
    doi: str | None = Field(default=None, description="Of this DOI, in whatever case.")


@dataclass(frozen=True, slots=True)
class View:
    """Handlers of these routes."""

    intake: Intake
    submissions: Submissions
    diagnostics: Diagnostics
    files: RawFiles
    callbacks: Callbacks
    keys: RawKeys
    works_url: str

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Take a deposit in; the answer means queued, and says where to look."""
        taken = await self.intake.take_any(request, caller_of(request))
        if isinstance(taken, Refusal):
            raise pages.problem_of(taken)
        number = await self.intake.accepting.submit(
            taken.sealed, correlation=correlation(request), callback=taken.callback
        )
        links = links_of(number, self.callbacks.public_url)
        shown = Received(id=number, callback=taken.callback is not None, links=links)
        headers = {**pages.NO_STORE, "Location": links.self}
        return json_answer(shown, status=202, headers=headers)

    async def listed(self, request: web.Request) -> web.StreamResponse:
        """List submissions: an operator's view holds all, a login's its own."""
        query = query_of(request, ListQuery)
        asked = Asked(
            lookup=self._lookup(caller_of(request), query),
            status=query.status,
            since=query.from_received,
            until=query.until_received,
            before=query.before,
        )
        found = await self.submissions.newest(asked, rows=query.rows)
        items = await self._shown(found)
        more = found[-1].id if len(found) == query.rows else None
        return json_answer(SubmissionsView(items=items, next=more), headers=pages.NO_STORE)

    async def one(self, request: web.Request) -> web.StreamResponse:
        """Show a submission, how far it and its callback are, and the first of its diagnostics."""
        found = await self._own(request)
        records, more = await self._records(found, RecordsQuery())
        done = found.state.status == "completed"
        judged = found.state.record_count if done else await self.diagnostics.judged(found.id)
        delivery = await self.callbacks.delivery(found) if found.callback else None
        whole = SubmissionWhole(
            **dict((await self._shown([found]))[0]),
            progress=ProgressView(
                judged=judged, records=found.state.record_count if done else None
            ),
            callback=callback_of(found, delivery),
            records=records,
            next=more,
        )
        return json_answer(whole, headers=pages.NO_STORE)

    async def records(self, request: web.Request) -> web.StreamResponse:
        """Show diagnostics of a submission, also while it is being processed."""
        found = await self._own(request)
        records, more = await self._records(found, query_of(request, RecordsQuery))
        return json_answer(RecordsView(items=records, next=more), headers=pages.NO_STORE)

    async def contents(self, request: web.Request) -> web.StreamResponse:
        """Give a file back to the login that deposited it, or its house's administrator."""
        found = await self._own(request)
        if caller_of(request).kind == "operator":
            raise pages.problem_of(CONTENTS_OF_DEPOSITORS)
        return await contents(request, self.files, self.keys, found)

    def _lookup(self, caller: Caller, query: ListQuery) -> str | None:
        names = (("file", query.file_name), ("batch", query.batch_id))
        named = [(kind, name) for kind, name in names if name is not None]
        if caller.credential is None:
            if caller.kind != "operator" or named:
                # Names are found by hashes that hold the login, which an operator has not.
                raise pages.problem_of(NO_SUBMISSION)
            return None
        for kind, name in named:
            return self.submissions.hashed(kind, name, credential=caller.credential)
        return caller.credential

    async def _own(self, request: web.Request) -> Submission:
        found = await self.submissions.one(request.match_info["id"])
        if found is None or not _sees(caller_of(request), found):
            raise pages.problem_of(NO_SUBMISSION)
        return found

    async def _records(
        self, found: Submission, query: RecordsQuery
    ) -> tuple[list[RecordView], int | None]:
        filters = Filters(query.status, query.rule, query.doi.lower() if query.doi else None)
        page, end, full = await self.diagnostics.matching(
            found.id, filters, start=query.start, rows=query.rows
        )
        done = found.state.status == "completed"
        more = end < found.state.record_count if done else full
        return [record_of(one, self.works_url) for one in page], end if more else None

    async def _shown(self, found: Sequence[Submission]) -> list[SubmissionView]:
        keys = await self.keys.many(found)
        return [self._view(one, keys.get(one.id)) for one in found]

    def _view(self, one: Submission, key: OpenKey | None) -> SubmissionView:
        state = one.state
        return SubmissionView(
            id=one.id,
            organisation=state.organisation,
            status=one.status,
            file_name=opened(key, one, one.file_name, "/file_name"),
            batch_id=opened(key, one, one.batch_id, "/batch_id"),
            size=one.size,
            sha256=one.sha256,
            received_at=state.received_at,
            completed_at=state.completed_at,
            record_count=state.record_count,
            success_count=state.success_count,
            warning_count=state.warning_count,
            failure_count=state.failure_count,
            links=links_of(one.id, self.callbacks.public_url),
        )


async def contents(
    request: web.Request, files: RawFiles, keys: RawKeys, found: Submission
) -> web.StreamResponse:
    """Answer with the file of a submission; raises ``Problem`` where it is held, or gone."""
    try:
        pieces = files.read(found.id, using(partial(keys.open, found)))
        first = await anext(pieces)
    except HeldError:
        raise RESTRICTED.problem() from None
    except (UnsealError, LookupError):
        raise pages.problem_of(CONTENTS_GONE) from None
    headers = {"Content-Length": str(found.size), **pages.CONTENTS}
    return await stream(request, first, pieces, headers=headers)


async def stream(
    request: web.Request,
    first: bytes,
    pieces: AsyncIterator[bytes],
    *,
    status: int = 200,
    headers: dict[str, str],
) -> web.StreamResponse:
    """Answer with ``first`` and what follows it."""
    response = web.StreamResponse(status=status, headers={**pages.NO_STORE, **headers})
    await response.prepare(request)
    await response.write(first)
    async for piece in pieces:
        await response.write(piece)
    await response.write_eof()
    return response


def _sees(caller: Caller, submission: Submission) -> bool:
    """Say whose submissions a caller sees: an operator all, a login its own, an admin its house's.

    Another login of the same organisation sees none: a file holds names and addresses.
    """
    if caller.kind == "operator" or caller.credential == submission.credential:
        return True
    return "admin" in caller.scopes and caller.organisation == submission.state.organisation
