"""A JSON view of submissions: states, counts and diagnostics with place, rule and remedy."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from services.deposits.api import pages
from services.deposits.commands import SCHEMA
from services.deposits.errors import NO_SUBMISSION
from services.deposits.store import (
    Diagnostic,
    Diagnostics,
    Submission,
    Submissions,
    SubmissionStatus,
)
from shared.privacy.envelope import UnsealError, open_text, unseal
from shared.privacy.epochs import KeyProvider
from shared.web import Caller, caller_of, json_answer, query_of


class SubmissionView(BaseModel):
    """A submission as its depositor sees it."""

    id: str
    organisation: int
    status: SubmissionStatus
    file_name: str | None = Field(description="Null where none was given or it was erased.")
    batch_id: str | None = Field(description="Known when the submission is completed.")
    size: int = Field(description="Bytes of the file.")
    sha256: str
    received_at: datetime
    completed_at: datetime | None
    record_count: int
    success_count: int
    warning_count: int
    failure_count: int


class SubmissionsView(BaseModel):
    """A page of submissions, newest first."""

    items: list[SubmissionView]
    next: str | None = Field(description="Value of `before` for the next page; null at the end.")


class RecordView(BaseModel):
    """The diagnostic of one record."""

    record: int = Field(description="Its place in the file, from 0.")
    status: Literal["Success", "Warning", "Failure"]
    doi: str
    msg: str
    rule: str | None = None
    msg_id: int | None = None
    at: str | None = Field(default=None, description="Element path in the file.")
    line: int | None = None
    remedy: str | None = None
    version: str | None = Field(default=None, description="The timestamp that lost.")
    winning: dict[str, Any] | None = Field(
        default=None, description="The version that won, and the record that brought it."
    )
    advice: list[dict[str, Any]] = Field(
        default=[], description="What was taken as it is and could be better."
    )


class SubmissionWhole(SubmissionView):
    """A submission and the first of its diagnostics."""

    records: list[RecordView]
    next: int | None = Field(description="Value of `start` in /records; null at the end.")


class RecordsView(BaseModel):
    """A page of diagnostics, in file order."""

    items: list[RecordView]
    next: int | None = Field(description="Value of `start` for the next page; null at the end.")


class ListQuery(BaseModel):
    """Which submissions, and how many."""

    rows: int = Field(default=20, ge=1, le=200)
    before: str | None = Field(default=None, pattern=r"^[0-9]{1,20}$")
    status: Literal["queued"] | None = Field(
        default=None, description="`queued`: only those not completed yet."
    )


class RecordsQuery(BaseModel):
    """Which diagnostics, and how many."""

    start: int = Field(default=0, ge=0)
    rows: int = Field(default=100, ge=1, le=500)


@dataclass(frozen=True, slots=True)
class View:
    """Handlers of the JSON view."""

    submissions: Submissions
    diagnostics: Diagnostics
    keys: KeyProvider

    async def listed(self, request: web.Request) -> web.StreamResponse:
        """List submissions: an operator's view holds all, a login's its own."""
        caller = caller_of(request)
        query = query_of(request, ListQuery)
        if caller.kind != "operator" and caller.credential is None:
            raise pages.problem_of(NO_SUBMISSION)
        found = await self.submissions.newest(
            credential=None if caller.kind == "operator" else caller.credential,
            open_only=query.status == "queued",
            before=query.before,
            rows=query.rows,
        )
        items = [self._shown(one) for one in found]
        more = found[-1].id if len(found) == query.rows else None
        return json_answer(SubmissionsView(items=items, next=more), headers=pages.NO_STORE)

    async def one(self, request: web.Request) -> web.StreamResponse:
        """Show a submission and the first of its diagnostics."""
        found = await self._own(request)
        records, more = await self._records(found, RecordsQuery())
        shown = self._shown(found).model_dump()
        return json_answer(
            SubmissionWhole(**shown, records=records, next=more), headers=pages.NO_STORE
        )

    async def records(self, request: web.Request) -> web.StreamResponse:
        """Show diagnostics of a submission, also while it is being processed."""
        found = await self._own(request)
        records, more = await self._records(found, query_of(request, RecordsQuery))
        return json_answer(RecordsView(items=records, next=more), headers=pages.NO_STORE)

    async def _own(self, request: web.Request) -> Submission:
        found = await self.submissions.one(request.match_info["id"])
        if found is None or not _sees(caller_of(request), found):
            raise pages.problem_of(NO_SUBMISSION)
        return found

    async def _records(
        self, found: Submission, query: RecordsQuery
    ) -> tuple[list[RecordView], int | None]:
        page = await self.diagnostics.page(found.id, start=query.start, rows=query.rows)
        end = query.start + query.rows
        more = end < found.state.record_count or (
            found.state.status != "completed" and len(page) == query.rows
        )
        return [_record(one) for one in page], end if more else None

    def _shown(self, one: Submission) -> SubmissionView:
        state = one.state
        return SubmissionView(
            id=one.id,
            organisation=state.organisation,
            status=one.status,
            file_name=self._opened(one, one.file_name, "/file_name"),
            batch_id=self._opened(one, one.batch_id, "/batch_id"),
            size=one.size,
            sha256=one.sha256,
            received_at=state.received_at,
            completed_at=state.completed_at,
            record_count=state.record_count,
            success_count=state.success_count,
            warning_count=state.warning_count,
            failure_count=state.failure_count,
        )

    def _opened(self, one: Submission, sealed: str | None, field: str) -> str | None:
        if sealed is None:
            return None
        try:
            key = unseal(self.keys, one.key)
            return open_text(key, sealed, schema=SCHEMA, field=field, record=one.id)
        except UnsealError:
            return None


def _sees(caller: Caller, submission: Submission) -> bool:
    """Say whose submissions a caller sees: an operator all, a login its own, an admin its house's.

    Another login of the same organisation sees none: a file holds names and addresses.
    """
    if caller.kind == "operator" or caller.credential == submission.credential:
        return True
    return "admin" in caller.scopes and caller.organisation == submission.state.organisation


def _record(one: Diagnostic) -> RecordView:
    verdict = one.verdict
    return RecordView(
        record=one.index,
        status=verdict.status,
        doi=verdict.doi,
        msg=verdict.msg,
        rule=verdict.rule,
        msg_id=verdict.msg_id,
        at=verdict.at,
        line=verdict.line,
        remedy=verdict.remedy,
        **verdict.details,
    )
