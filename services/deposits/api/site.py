"""The routes of deposits."""

from aiohttp import web

from services.deposits.api import calls, owners, pages, registry
from services.deposits.api.calls import Calls
from services.deposits.api.forms import XML_TYPES
from services.deposits.api.owners import JournalOwners
from services.deposits.api.registry import Registry
from services.deposits.api.servlet import Servlet
from services.deposits.api.shown import (
    Received,
    RecordsView,
    SubmissionsView,
    SubmissionWhole,
)
from services.deposits.api.view import ListQuery, PostQuery, RecordsQuery, View
from shared.runtime.faults import Busy, Transient
from shared.runtime.health import Health
from shared.web import Callers, Info, Problem, Route, build_site

_HTML = {
    200: "A page with `SUCCESS`: the deposit is queued.",
    400: "A page that says what is wrong with the form.",
    401: "The login or the password is wrong.",
    403: "The login may not deposit.",
    409: "A callback is asked for, and the login has no secret for it.",
    413: "The file is too large.",
    422: "The callback's URL cannot be called.",
    503: "Too much waits to be processed; Retry-After says when to come back.",
}
_FORM = ("multipart/form-data",)
_LOG = "A `doi_batch_diagnostic`."


def site(
    servlet: Servlet,
    view: View,
    called: Calls,
    owned: Registry,
    journals: JournalOwners,
    *,
    health: Health,
    callers: Callers,
) -> web.Application:
    """Return the site."""
    info = Info(
        title="Colophon: deposits",
        version="1",
        description="Deposits of Crossref XML, in Crossref's interfaces, and a JSON view of them.",
    )
    return build_site(
        "deposits",
        [
            *_crossref(servlet),
            *_json(view),
            *calls.routes(called),
            *registry.routes(owned),
            *owners.routes(journals),
        ],
        health=health,
        callers=callers,
        info=info,
        faults={
            Transient: lambda _: _later("store-away", "The store does not answer at the moment"),
            Busy: lambda _: _later("busy", "Too much waits to be done"),
        },
    )


def _crossref(servlet: Servlet) -> list[Route]:
    tags = ("crossref",)
    return [
        Route(
            "POST",
            "/servlet/deposit",
            servlet.deposit,
            "Deposit a file; it is processed later",
            responses=_HTML,
            accepts=_FORM,
            tags=tags,
            max_body=None,
            render=pages.refused,
        ),
        Route(
            "POST",
            "/v2/deposits",
            servlet.deposit_now,
            "Deposit a file and wait for its log",
            responses={
                **_HTML,
                200: _LOG,
                202: "It takes longer; ask for the log later.",
                403: _LOG,
            },
            accepts=_FORM,
            tags=tags,
            max_body=None,
            render=pages.refused,
        ),
        *(
            Route(
                method,
                "/servlet/submissionDownload",
                servlet.download,
                "The log or the content of a submission, by file_name or doi_batch_id",
                responses={200: f"{_LOG[:-1]}, or the deposited file."},
                tags=tags,
                render=pages.refused,
            )
            for method in ("GET", "POST")
        ),
        Route(
            "GET",
            "/info",
            servlet.info,
            "Whether a login is right: rtype=prefixes and pid=login:password",
            responses={200: "Its member's prefixes, a line each.", 401: "It is wrong."},
            tags=tags,
            render=pages.refused,
        ),
    ]


def _json(view: View) -> list[Route]:
    tags = ("submissions",)
    return [
        Route(
            "POST",
            "/submissions",
            view.submit,
            "Deposit a file, as a form or as XML alone; it is processed later",
            query=PostQuery,
            responses={202: Received},
            accepts=(*_FORM, *sorted(XML_TYPES)),
            auth="caller",
            tags=tags,
            max_body=None,
        ),
        Route(
            "GET",
            "/submissions",
            view.listed,
            "Submissions, newest first",
            query=ListQuery,
            responses={200: SubmissionsView},
            auth="caller",
            tags=tags,
        ),
        Route(
            "GET",
            "/submissions/{id}",
            view.one,
            "A submission and the first of its diagnostics",
            responses={200: SubmissionWhole},
            auth="caller",
            tags=tags,
        ),
        Route(
            "GET",
            "/submissions/{id}/records",
            view.records,
            "Diagnostics of a submission",
            query=RecordsQuery,
            responses={200: RecordsView},
            auth="caller",
            tags=tags,
        ),
        Route(
            "GET",
            "/submissions/{id}/contents",
            view.contents,
            "The deposited file",
            responses={200: "The file as it was sent."},
            auth="caller",
            tags=tags,
        ),
    ]


def _later(slug: str, title: str) -> Problem:
    return Problem(503, slug, title, headers={"Retry-After": "2"})
