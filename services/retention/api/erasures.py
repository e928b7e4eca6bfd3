"""Routes of erasures: planned, approved, looked at step by step, and the certificate in the end."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from aiohttp import web
from pydantic import BaseModel

from services.retention.api.erasure_bodies import (
    PAGE,
    Approval,
    Attesting,
    ErasurePage,
    ErasureSummary,
    ErasureView,
    Listing,
    NewErasure,
    Refusing,
    TakingBack,
)
from services.retention.commands.erasures import Answer, Erasures
from services.retention.model.erasure_states import KeptErasure
from services.retention.model.erasures import Refusal, Slug
from shared.events.orders import KeptUnits
from shared.mongo import Refused
from shared.privacy.blind import AddressError
from shared.privacy.certificates import Certificate
from shared.privacy.certificates.page import as_page
from shared.runtime.ids import new_id
from shared.web import Error, Problem, Route, body_of, json_answer, query_of, text_answer

KINDS: Final[Mapping[Slug, tuple[int, str]]] = {
    "erasure-unknown": (404, "There is no such erasure"),
    "erasure-step": (409, "The erasure is not at a step where this can be done"),
    "erasure-plan-changed": (409, "This is not the plan of the erasure"),
    "erasure-overtaken": (409, "The erasure changed meanwhile"),
    "processor-unknown": (404, "This processor is not on the erasure's list"),
    "processor-attested": (409, "Another time is attested of this processor already"),
    "processor-time": (422, "This cannot have happened then"),
}
UNCERTIFIED: Final = Problem(
    404,
    "erasure-not-certified",
    "The erasure has no certificate yet",
    "Look at what it waits for.",
)
NO_ADDRESS: Final = Problem(
    422,
    "address-invalid",
    "This is no e-mail address",
    errors=[Error("/email", "address-invalid")],
)
LONGEST_KEY: Final = 200
Verb = Callable[[Erasures, web.Request], Awaitable[web.Response]]


async def plan(erasures: Erasures, request: web.Request) -> web.Response:
    """Plan an erasure: every service is asked what it holds. Nothing is erased yet."""
    body = await body_of(request, NewErasure)
    key = request.headers.get("Idempotency-Key", "") or new_id()
    if len(key) > LONGEST_KEY:
        raise Problem(400, "key-too-long", "An Idempotency-Key has 200 characters at most")
    subjects = None
    if body.email or body.subjects:
        subjects = await erasures.sealed(key, _indexes(erasures, body))
    records = body.records
    if body.person is not None:
        classes = erasures.saga.house.personal.file.classes
        records = tuple(KeptUnits(keys_id=f"{body.person}.{one.id}") for one in classes)
    erasure = await erasures.asked(
        key,
        subjects,
        exempt=[(one.cls, one.reason, one.review_at) for one in body.exempt],
        actor=body.requester,
        records=records,
    )
    shown = await _view(erasures, await _known(erasures, erasure))
    return json_answer(shown, status=201, headers={"Location": f"/erasures/{erasure}"})


async def listed(erasures: Erasures, request: web.Request) -> web.Response:
    """List erasures, the newest first, those of one state where it is named."""
    asked = query_of(request, Listing)
    found = await erasures.saga.store.page(
        step=asked.state, untold=asked.untold, before=asked.cursor, most=PAGE + 1
    )
    policy, now = erasures.saga.policy, erasures.saga.now()
    page = ErasurePage(
        erasures=tuple(ErasureSummary.of(one, policy, now) for _place, one in found[:PAGE]),
        cursor=found[PAGE - 1][0] if len(found) > PAGE else None,
    )
    return json_answer(page)


async def show(erasures: Erasures, request: web.Request) -> web.Response:
    """Show an erasure: its levels with their times, what each service said, what it waits for."""
    return json_answer(await _view(erasures, await _asked_for(erasures, request)))


async def approve(erasures: Erasures, request: web.Request) -> web.Response:
    """Approve the plan; it is carried out after the cooling-off."""
    body = await body_of(request, Approval)
    done = await erasures.approve(
        request.match_info["erasure"], body.approver, plan=body.plan, at_once=body.at_once
    )
    return json_answer(await _view(erasures, _agreed(done)))


async def take_back(erasures: Erasures, request: web.Request) -> web.Response:
    """Take an erasure back while nothing is destroyed; what was fenced can be read again."""
    body = await body_of(request, TakingBack)
    done = await erasures.take_back(request.match_info["erasure"], body.requester)
    return json_answer(await _view(erasures, _agreed(done)))


async def refuse(erasures: Erasures, request: web.Request) -> web.Response:
    """Refuse an erasure before anything is fenced."""
    body = await body_of(request, Refusing)
    done = await erasures.refuse(request.match_info["erasure"], body.approver, body.reason)
    return json_answer(await _view(erasures, _agreed(done)))


async def attest(erasures: Erasures, request: web.Request) -> web.Response:
    """Attest that a processor was told, or that it confirmed."""
    body = await body_of(request, Attesting)
    named = request.match_info
    done = await erasures.attest(
        named["erasure"], named["processor"], body.what, body.attester, body.at
    )
    return json_answer(await _view(erasures, _agreed(done)))


async def certificate(erasures: Erasures, request: web.Request) -> web.Response:
    """Hand the certificate out as it was signed."""
    return json_answer(_certified(await _asked_for(erasures, request)).encode())


async def page(erasures: Erasures, request: web.Request) -> web.Response:
    """Show the certificate as a page."""
    said = Certificate.model_validate_json(_certified(await _asked_for(erasures, request)))
    return text_answer(as_page(said), content_type="text/html; charset=utf-8")


def routes(erasures: Erasures) -> list[Route]:
    """Return the routes."""
    bodies: dict[str, tuple[Verb, str, type[BaseModel]]] = {
        "approve": (approve, "Approve the plan of an erasure", Approval),
        "take-back": (take_back, "Take an erasure back while nothing is destroyed", TakingBack),
        "refuse": (refuse, "Refuse an erasure before anything is fenced", Refusing),
        "processors/{processor}": (
            attest,
            "Attest that a processor was told, or that it confirmed",
            Attesting,
        ),
    }
    return [
        Route(
            "POST",
            "/erasures",
            partial(plan, erasures),
            "Plan an erasure; with an Idempotency-Key once, however often it is asked",
            request=NewErasure,
            responses={201: ErasureView},
            auth="operator",
            tags=("erasures",),
        ),
        Route(
            "GET",
            "/erasures",
            partial(listed, erasures),
            "List erasures",
            query=Listing,
            responses={200: ErasurePage},
            auth="operator",
            tags=("erasures",),
        ),
        Route(
            "GET",
            "/erasures/{erasure}/certificate.html",
            partial(page, erasures),
            "The certificate of an erasure, as a page",
            responses={200: "A page that fetches nothing."},
            auth="operator",
            tags=("erasures",),
        ),
        Route(
            "GET",
            "/erasures/{erasure}/certificate",
            partial(certificate, erasures),
            "The certificate of an erasure, as it was signed",
            responses={200: Certificate},
            auth="operator",
            tags=("erasures",),
        ),
        *(
            Route(
                "POST",
                f"/erasures/{{erasure}}/{verb}",
                partial(handler, erasures),
                summary,
                request=body,
                responses={200: ErasureView},
                auth="operator",
                tags=("erasures",),
            )
            for verb, (handler, summary, body) in bodies.items()
        ),
        Route(
            "GET",
            "/erasures/{erasure}",
            partial(show, erasures),
            "An erasure: how far it is, and what it waits for",
            responses={200: ErasureView},
            auth="operator",
            tags=("erasures",),
        ),
    ]


def _indexes(erasures: Erasures, body: NewErasure) -> tuple[str, ...]:
    if body.email is None:
        return body.subjects
    try:
        return erasures.saga.house.index.all(body.email)
    except AddressError:
        raise NO_ADDRESS from None


def _certified(known: KeptErasure) -> str:
    if known.certificate is None:
        raise UNCERTIFIED
    return known.certificate


async def _asked_for(erasures: Erasures, request: web.Request) -> KeptErasure:
    return await _known(erasures, request.match_info["erasure"])


async def _known(erasures: Erasures, erasure: str) -> KeptErasure:
    known = await erasures.shown(erasure)
    return _agreed(known if known is not None else Refused(Refusal("erasure-unknown")))


async def _view(erasures: Erasures, known: KeptErasure) -> ErasureView:
    store = erasures.saga.store
    looks = [one.order for one in known.rounds if one.kind == "look" and not one.late]
    orders = [one.order for one in known.rounds if one.kind == "erase"]
    return ErasureView.of(
        known,
        await store.answers(looks[-1]) if looks else {},
        await store.answers(orders[-1]) if orders else {},
        erasures.saga.policy,
        erasures.saga.now(),
        holds=await erasures.held(known),
        expected=erasures.expected(known),
    )


def _agreed(done: Answer) -> KeptErasure:
    if isinstance(done, Refused):
        slug = done.reason.slug
        status, title = KINDS[slug]
        detail = f"It is {done.reason.step}." if done.reason.step is not None else ""
        raise Problem(status, slug, title, detail)
    return done
