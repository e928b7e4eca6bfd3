"""HTTP: sites made of routes as data, problems as RFC 9457 says, and who is calling.

aiohttp is used here and in the api rooms of services; no interface rule of a service is here.
"""

from shared.web.answers import json_answer, text_answer
from shared.web.bodies import body_of, chunks, query_of
from shared.web.callers import ANONYMOUS, Caller, Callers, Credentials
from shared.web.correlation import correlation
from shared.web.documents import Answer, Body
from shared.web.logins import Limits
from shared.web.openapi import Info
from shared.web.operators import OperatorsAlone
from shared.web.pace import Pace
from shared.web.presented import FIELDS, VARY, unauthorised
from shared.web.problems import Error, Problem, from_validation, pointer, render_problem
from shared.web.rooms import Unbound, bound
from shared.web.routes import Route
from shared.web.serve import PortTaken, serve
from shared.web.site import build_site, caller_of

__all__ = [
    "ANONYMOUS",
    "FIELDS",
    "VARY",
    "Answer",
    "Body",
    "Caller",
    "Callers",
    "Credentials",
    "Error",
    "Info",
    "Limits",
    "OperatorsAlone",
    "Pace",
    "PortTaken",
    "Problem",
    "Route",
    "Unbound",
    "body_of",
    "bound",
    "build_site",
    "caller_of",
    "chunks",
    "correlation",
    "from_validation",
    "json_answer",
    "pointer",
    "query_of",
    "render_problem",
    "serve",
    "text_answer",
    "unauthorised",
]
