"""Crossref's interfaces: asynchronous and synchronous deposits, and the submission log."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from services.deposits.api import pages
from services.deposits.api.forms import Intake
from services.deposits.api.logs import completed_log, log
from services.deposits.api.shown import PERMISSION, links_of
from services.deposits.api.view import contents, stream
from services.deposits.commands import Accepting
from services.deposits.errors import NO_CREDENTIALS, Refusal
from services.deposits.permissions import Permissions
from services.deposits.store import Diagnostics, RawFiles, RawKeys, Submission, Submissions
from services.deposits.store.diagnostics import PAGE
from services.deposits.store.keys import SCHEMA
from services.deposits.waiting import Ends
from shared.events import SubmissionState
from shared.privacy.envelope import UnsealError, open_text
from shared.web import correlation, text_answer


@dataclass(frozen=True, slots=True)
class Servlet:
    """Handlers of Crossref's routes."""

    intake: Intake
    accepting: Accepting
    submissions: Submissions
    diagnostics: Diagnostics
    files: RawFiles
    keys: RawKeys
    ends: Ends
    permissions: Permissions
    sync_seconds: float
    public_url: str

    async def deposit(self, request: web.Request) -> web.StreamResponse:
        """Take a deposit in; the answer means queued, not accepted."""
        number = await self._accept(request)
        return pages.received(number, links_of(number, self.public_url).self)

    async def deposit_now(self, request: web.Request) -> web.StreamResponse:
        """Take a deposit in and answer with its log.

        Accepted as durably as the other way; where its end takes longer than the limit the answer
        is 202 with the log as far as it is, to be asked for again.
        """
        submission = await self._accept(request)
        found = await self.ends.of(submission, within=self.sync_seconds)
        if found is None or found.state.status != "completed":
            status = found.status if found else "queued"
            said = log(status, submission)
            monitor = f'<{links_of(submission, self.public_url).self}>; rel="monitor"'
            headers = {**pages.NO_STORE, "Link": monitor}
            return text_answer(said, status=202, headers=headers, content_type=pages.XML)
        return await self._log(request, found, status=await self._status(found.state))

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Show the log or the content of a submission of one's own, by batch id or file name."""
        fields = dict(request.query)
        if request.method == "POST":
            form = await request.post()
            fields |= {name: text for name, text in form.items() if isinstance(text, str)}
        caller = await self.intake.caller(request, fields)
        if caller is None or caller.credential is None:
            raise pages.problem_of(NO_CREDENTIALS)
        found = await self._named(fields, caller.credential)
        if found is None:
            said = log("unknown_submission")
            return text_answer(said, headers=pages.NO_STORE, content_type=pages.XML)
        if fields.get("type", "").lower() == "contents":
            return await contents(request, self.files, self.keys, found)
        return await self._log(request, found)

    async def info(self, request: web.Request) -> web.StreamResponse:
        """Say whether ``pid=login:password`` is right: 200 with its prefixes, a line each."""
        login, _, password = request.query.get("pid", "").partition(":")
        fields = {"usr": login, "pwd": password} if login else {}
        caller = await self.intake.caller(request, fields)
        if caller is None or caller.organisation is None:
            raise pages.problem_of(NO_CREDENTIALS)
        prefixes = sorted(self.permissions.of(caller.organisation).prefixes)
        return text_answer("".join(f"{one}\n" for one in prefixes), headers=pages.NO_STORE)

    async def _accept(self, request: web.Request) -> str:
        taken = await self.intake.take(request)
        if isinstance(taken, Refusal):
            raise pages.problem_of(taken)
        return await self.accepting.submit(
            taken.sealed, correlation=correlation(request), callback=taken.callback
        )

    async def _named(self, fields: Mapping[str, str], credential: str) -> Submission | None:
        # The file name is preferred: it is known from the moment of the upload on.
        for field, kind in (("file_name", "file"), ("doi_batch_id", "batch")):
            if fields.get(field):
                hashed = self.submissions.hashed(kind, fields[field], credential=credential)
                found = await self.submissions.named(hashed)
                if found is not None:
                    return found
        return None

    async def _status(self, state: SubmissionState) -> int:
        if not state.failure_count or state.success_count or state.warning_count:
            return 200
        first = await self.diagnostics.page(state.submission, start=0, rows=100)
        return 403 if any(one.verdict.rule in PERMISSION for one in first) else 200

    async def _log(
        self, request: web.Request, found: Submission, *, status: int = 200
    ) -> web.StreamResponse:
        batch_id = await self._batch_id(found)
        if found.state.status != "completed":
            said = log(found.status, found.id, batch_id)
            return text_answer(said, headers=pages.NO_STORE, content_type=pages.XML)
        records = self.diagnostics.all(found.id, records=found.state.record_count)
        pieces = completed_log(found.state, records, batch_id=batch_id)
        if found.state.record_count <= PAGE:
            said = b"".join([piece async for piece in pieces]).decode()
            return text_answer(said, status=status, headers=pages.NO_STORE, content_type=pages.XML)
        first = await anext(pieces)
        headers = {"Content-Type": pages.XML}
        return await stream(request, first, pieces, status=status, headers=headers)

    async def _batch_id(self, found: Submission) -> str:
        if found.batch_id is None:
            return ""
        try:
            key = await self.keys.open(found)
            return open_text(key, found.batch_id, schema=SCHEMA, field="/batch_id", record=found.id)
        except UnsealError:
            return ""  # its key is gone, what became of the works is not
