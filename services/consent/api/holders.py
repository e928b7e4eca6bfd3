"""What holders of accounts see and say of themselves, signed in: the switch of every account."""

from typing import Final

from aiohttp import web

from services.consent.api.bodies import Choice
from services.consent.api.links import ALONE, answered, consents_of
from services.consent.api.problems import agreed, problem_of
from services.consent.api.shown.consents import Consent, Consents
from services.consent.commands import holders
from services.consent.commands.context import Consenting
from services.consent.errors import Refusal
from shared.policy.roles import Forbidden, Relation, action_permitted
from shared.web import Unbound, body_of, caller_of, correlation, json_answer, unauthorised

OPERATOR: Final = frozenset({"operator"})


async def page(consenting: Consenting, request: web.Request) -> web.Response:
    """Show all that the holder of an account said yes or no to; what is not there is a no."""
    holder = _holder(consenting, request, "consents-read")
    person = agreed(await holders.page(consenting, holder))
    return json_answer(await consents_of(consenting, person), headers=ALONE)


async def choose(consenting: Consenting, request: web.Request) -> web.Response:
    """Say yes or no to one purpose; both take one call (DOAJ-10b)."""
    holder = _holder(consenting, request, "consents-choose")
    body = await body_of(request, Choice)
    settled = agreed(
        await holders.choose(
            consenting,
            holder,
            request.match_info["purpose"],
            body.consent,
            seen=body.seen,
            correlation=correlation(request),
        )
    )
    return await answered(consenting, request, settled)


def _holder(consenting: Consenting, request: web.Request, action: str) -> str:
    """Return whose page it is, where the caller may do this there; to others there is none."""
    caller, holder = caller_of(request), request.match_info["person"]
    person = caller.person
    if caller.kind != "operator" and (person is None or person.claims is None):
        raise unauthorised("Sign in: Authorization: Bearer <token>.")
    roles = OPERATOR if person is None else person.roles
    relation: Relation = "own" if person is not None and person.person == holder else "any"
    judged = action_permitted(consenting.rows.roles, action, roles, relation)
    if isinstance(judged, Forbidden):
        raise problem_of(Refusal("person-unknown"))
    return holder


ONE: Final = "/people/{person}/consents"
ROUTES: Final = (
    Unbound(
        "GET",
        ONE,
        page,
        "All that the holder of an account said yes or no to",
        "caller",
        responses={200: Consents},
    ),
    Unbound(
        "PUT",
        ONE + "/{purpose}",
        choose,
        "Say yes or no to one purpose, signed in",
        "caller",
        request=Choice,
        responses={200: Consent, 202: Consent},
    ),
)
