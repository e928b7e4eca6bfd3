"""What the JSON interface shows: submissions, their records and problems, callbacks, deliveries."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import quote

from pydantic import BaseModel, Field

from services.deposits.store import Diagnostic, Submission, SubmissionStatus
from shared.mongo.deliveries import Delivery, State

PROBLEM: Final = "urn:colophon:problem:"
# What kind of refusal a rule is, with the HTTP status of its like; any other is about the content.
PERMISSION: Final = {
    "prefix-not-yours": "The prefix belongs to another member",
    "handle-not-yours": "The DOI belongs to another member",
    "title-not-yours": "The title belongs to another member",
    "issn-owned": "The ISSN belongs to a title of another member",
    "isbn-owned": "The ISBN belongs to a title of another member",
}
_KINDS: Final[Mapping[str, tuple[int, str]]] = {
    "version": (409, "A version that is as new or newer is registered"),
    "doi-unknown": (404, "The DOI is not registered"),
    "system-error": (500, "Something failed here"),
    **{rule: (403, title) for rule, title in PERMISSION.items()},
}
_CONTENT: Final = (422, "The record is not as it must be")


class Links(BaseModel):
    """Where more about it stands."""

    self: str
    records: str
    contents: str


class ProgressView(BaseModel):
    """How far a submission is."""

    judged: int = Field(description="Records that have their diagnostic, exact to a few hundred.")
    records: int | None = Field(description="All of them; known when it is completed.")


class CallbackView(BaseModel):
    """How far the callback of a submission is."""

    state: Literal["waiting", "delivered", "given-up", "forgotten"] = Field(
        description="`forgotten`: it ended too long ago to be looked at."
    )
    tries: int
    last_status: int | None = Field(description="HTTP status of the last try's answer.")
    last_fault: str | None = Field(description="Why the last try had no answer.")
    next_try: datetime | None
    ended_at: datetime | None


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
    links: Links


class SubmissionsView(BaseModel):
    """A page of submissions, newest first."""

    items: list[SubmissionView]
    next: str | None = Field(description="Value of `before` for the next page; null at the end.")


class Received(BaseModel):
    """A deposit that is durable and will be processed."""

    id: str
    status: Literal["queued"] = "queued"
    callback: bool = Field(description="Whether its end will be called back.")
    links: Links


class Fault(BaseModel):
    """One place in the file and what is wrong there."""

    at: str = Field(description="Element path in the file; empty where it is about the record.")
    rule: str
    remedy: str | None = None
    line: int | None = None


class Winning(BaseModel):
    """The version that won."""

    version: str = Field(description="Its timestamp.")
    record: str = Field(description="The record that brought it, as `<submission>#<record>`.")


class RecordProblem(BaseModel):
    """Why a record was not registered, as a problem document (RFC 9457)."""

    type: str
    title: str
    status: int = Field(
        description="403 not permitted, 404 no such work, 409 not newer, 422 content, 500 ours."
    )
    detail: str = Field(description="The sentence of the submission log.")
    doi: str
    errors: list[Fault]
    version: str | None = Field(default=None, description="The timestamp that lost.")
    winning: Winning | None = None


class Citations(BaseModel):
    """The references of a record."""

    total: int
    with_doi: int = Field(description="Those that name a DOI.")


class Conflict(BaseModel):
    """Other works with the same bibliographic metadata."""

    id: str
    dois: list[str]


class Work(BaseModel):
    """What a record made of its work."""

    doi: str
    version: int | None = Field(description="Of the work, from 1; readers see it or a later one.")
    links: dict[str, str] = Field(
        description="`work`: to read it; `position`: whether its version is visible yet."
    )


class RecordView(BaseModel):
    """The diagnostic of one record."""

    record: int = Field(description="Its place in the file, from 0.")
    status: Literal["Success", "Warning", "Failure"]
    doi: str
    msg: str
    msg_id: int | None = None
    rule: str | None = None
    problem: RecordProblem | None = Field(default=None, description="Of a failure.")
    work: Work | None = Field(default=None, description="Of a record that was registered.")
    conflict: Conflict | None = Field(default=None, description="Of a warning.")
    citations: Citations | None = None
    advice: list[dict[str, Any]] = Field(
        default=[], description="What was taken as it is and could be better."
    )


class SubmissionWhole(SubmissionView):
    """A submission and the first of its diagnostics."""

    progress: ProgressView
    callback: CallbackView | None
    records: list[RecordView]
    next: int | None = Field(description="Value of `start` in /records; null at the end.")


class RecordsView(BaseModel):
    """A page of diagnostics, in file order."""

    items: list[RecordView]
    next: int | None = Field(
        description="Value of `start` to go on from; null at the end. With filters a page may hold "
        "fewer items than asked for, or none, and not be the last."
    )


def links_of(submission: str, public_url: str) -> Links:
    """Return where more about a submission stands."""
    here = f"{public_url}/submissions/{submission}"
    return Links(self=here, records=f"{here}/records", contents=f"{here}/contents")


def record_of(one: Diagnostic, works_url: str) -> RecordView:
    """Show a diagnostic."""
    verdict, details = one.verdict, one.verdict.details
    failed = verdict.status == "Failure"
    cited = details.get("citations")
    return RecordView(
        record=one.index,
        status=verdict.status,
        doi=verdict.doi,
        msg=verdict.msg,
        msg_id=verdict.msg_id,
        rule=verdict.rule,
        problem=_problem(one) if failed else None,
        work=None if failed else _work(one, works_url),
        conflict=_conflict(details),
        citations=cited and Citations(total=cited["total"], with_doi=cited["with-doi"]),
        advice=list(details.get("advice", ())),
    )


def _conflict(details: Mapping[str, Any]) -> Conflict | None:
    if "conflict_id" not in details:
        return None
    return Conflict(id=details["conflict_id"], dois=list(details["dois_in_conflict"]))


def _problem(one: Diagnostic) -> RecordProblem:
    verdict, details = one.verdict, one.verdict.details
    rule = verdict.rule or "unknown"
    status, title = _KINDS.get(rule, _CONTENT)
    fault = Fault(at=verdict.at or "", rule=rule, remedy=verdict.remedy, line=verdict.line)
    return RecordProblem(
        type=PROBLEM + rule,
        title=title,
        status=status,
        detail=verdict.msg,
        doi=verdict.doi,
        errors=[fault],
        version=details.get("version"),
        winning=Winning(**details["winning"]) if "winning" in details else None,
    )


def _work(one: Diagnostic, works_url: str) -> Work:
    verdict = one.verdict
    here = f"{works_url}/v1/works/{quote(verdict.doi, safe='/')}"
    return Work(
        doi=verdict.doi,
        version=verdict.details.get("work_version"),
        links={"work": here, "position": f"{here}/position"},
    )


def callback_of(submission: Submission, delivery: Delivery | None) -> CallbackView | None:
    """Show how far a callback is; None where none was asked for."""
    if submission.callback is None:
        return None
    if delivery is None:
        # Between its end and its delivery's enqueuing lies half a second.
        waiting = submission.state.status != "completed" or submission.calls
        return CallbackView(
            state="waiting" if waiting else "forgotten",
            tries=0,
            last_status=None,
            last_fault=None,
            next_try=None,
            ended_at=None,
        )
    said = delivery.said
    answered = said is not None and said.isdecimal()
    states: dict[State, Literal["waiting", "delivered", "given-up"]] = {
        "waiting": "waiting",
        "done": "delivered",
        "dead": "given-up",
    }
    return CallbackView(
        state=states[delivery.state],
        tries=delivery.tries,
        last_status=int(said) if said is not None and answered else None,
        last_fault=None if answered else said,
        next_try=delivery.due if delivery.state == "waiting" else None,
        ended_at=delivery.ended_at,
    )
