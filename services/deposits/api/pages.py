"""Pages and problems: what refusals and answers look like on Crossref's routes."""

from html import escape

from aiohttp import web

from services.deposits.errors import Refusal
from shared.web import Problem, text_answer

HTML = "text/html; charset=utf-8"
XML = "application/xml; charset=utf-8"
NO_STORE = {"Cache-Control": "private, no-store"}
# A depositor's file is shown as nothing that a browser would run.
CONTENTS = {
    "Content-Type": XML,
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


def problem_of(refusal: Refusal) -> Problem:
    """Turn a refusal into a problem."""
    retry = refusal.retry_after
    return Problem(
        refusal.status,
        refusal.slug,
        refusal.title,
        refusal.detail,
        headers={} if retry is None else {"Retry-After": str(retry)},
    )


def received(submission: str, link: str) -> web.Response:
    """Say that a deposit is queued, in the words that clients look for (crossref.md 5.1).

    ``link`` is where its status stands, which Crossref's page does not say.
    """
    return text_answer(
        "<html>\n<head><title>SUCCESS</title></head>\n<body>\n<h2>SUCCESS</h2>\n"
        "<p>Your batch submission was successfully received.</p>\n"
        f"<p>Submission ID: {submission}</p>\n"
        f'<p><a href="{escape(link)}">Status</a></p>\n</body>\n</html>\n',
        headers={**NO_STORE, "Link": f'<{link}>; rel="monitor"'},
        content_type=HTML,
    )


def refused(_request: web.Request, problem: Problem) -> web.Response:
    """Say what is wrong on a page; never with the word that clients take for a yes."""
    answer = text_answer(
        "<html>\n<head><title>FAILURE</title></head>\n<body>\n<h2>FAILURE</h2>\n"
        f"<p>{escape(problem.title)}.</p>\n<p>{escape(problem.detail)}</p>\n</body>\n</html>\n",
        status=problem.status,
        headers=NO_STORE,
        content_type=HTML,
    )
    answer.headers.update(problem.headers)
    return answer
