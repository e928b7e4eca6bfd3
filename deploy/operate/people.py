"""Rows of the table about erasures, requests and packages."""

from typing import Final

from deploy.operate.table import ROWS, Option, Verb, choice, who
from deploy.operate.values import EXEMPT, MOMENT, TEXT, UNITS

EXEMPTIONS: Final = Option(
    "/exempt", "What is kept, why, and when that is looked at again.", EXEMPT, many=True
)
LETTER: Final = Option("/by-letter", "It was sent by post already.", flag=True)
TELL: Final = Option("/text", "What the person is told; - reads it.", TEXT, required=True)
WHO: Final = ("name", "email", "post", "on-file", "text", "representative", "notes")
PLAN: Final = Verb(
    "erasures",
    "plan",
    "POST",
    "/erasures",
    "Plan an erasure: every service says what it holds. Nothing is erased yet.",
    (
        Option("/email", "An address; - reads it.", TEXT, argument=True),
        Option("/person", "A pseudonym in the place of an address."),
        Option("/subjects", "Blind indexes in the place of an address.", name="subject", many=True),
        Option("/records", "Single keys in the place of a person.", UNITS, name="keys", many=True),
        EXEMPTIONS,
        who("/requester"),
    ),
    one_of=("/email", "/person", "/subjects", "/records"),
    private=("salt",),
    once=True,
)


def on_request(name: str, says: str, *options: Option) -> Verb:
    """Return a command on one request."""
    return Verb("requests", name, "POST", f"/requests/{{request}}/{name}", says, options)


ERASURES: Final = (
    PLAN,
    Verb(
        "erasures",
        "list",
        "GET",
        "/erasures",
        "List erasures, the newest first.",
        (
            Option("?state", "Only those at this step."),
            Option("?untold", "Those with a processor that nobody told yet.", flag=True),
            Option("?cursor", "From a page before."),
        ),
        "erasures",
        ("erasure", "state", "cause", "since", "overdue", "processors-overdue", "waits"),
        "cursor",
    ),
    Verb(
        "erasures",
        "show",
        "GET",
        "/erasures/{erasure}",
        "Show an erasure: its plan, its levels, what each service said, what it waits for.",
        private=("salt",),
    ),
    Verb(
        "erasures",
        "approve",
        "POST",
        "/erasures/{erasure}/approve",
        "Approve a plan; it is carried out after the cooling-off.",
        (
            Option("/plan", "The hash of the plan that you saw; of another it is not approved."),
            Option("/at-once", "Waive the cooling-off.", flag=True),
            who("/approver"),
        ),
        private=("salt",),
    ),
    Verb(
        "erasures",
        "take-back",
        "POST",
        "/erasures/{erasure}/take-back",
        "Take an erasure back while nothing is destroyed.",
        (who("/requester"),),
        private=("salt",),
    ),
    Verb(
        "erasures",
        "refuse",
        "POST",
        "/erasures/{erasure}/refuse",
        "Refuse an erasure before anything is fenced.",
        (Option("/reason", "In a word, as not-verified.", required=True), who("/approver")),
        private=("salt",),
    ),
    Verb(
        "erasures",
        "attest",
        "POST",
        "/erasures/{erasure}/processors/{processor}",
        "Attest that a processor was told, or that it confirmed.",
        (
            Option("/what", "What happened.", choice("told", "completed"), required=True),
            Option("/at", "When it did.", MOMENT, required=True),
            who("/attester"),
        ),
        private=("salt",),
    ),
)

REQUESTS: Final = (
    Verb(
        "requests",
        "list",
        "GET",
        "/requests",
        "List requests without who asks: newest first, or by limit with --due-before.",
        (
            Option("?kind", "Only of this kind."),
            Option("?state", "Only those that stand so."),
            Option("?due-before", "Open ones due before a time.", MOMENT),
            ROWS,
            Option("?cursor", "From a page before."),
        ),
        "items",
        ("request", "kinds", "status", "due", "handler", "received-at"),
        "next",
    ),
    Verb(
        "requests",
        "show",
        "GET",
        "/requests/{request}",
        "Show a request; --who shows who asks, too.",
        private=WHO,
    ),
    Verb(
        "requests",
        "register",
        "POST",
        "/requests",
        "Put a request on record that came in any form.",
        (
            Option(
                "/kinds", "What is asked for, as access.", name="kind", many=True, required=True
            ),
            Option(
                "/channel",
                "How it came.",
                choice("web", "mail", "letter", "phone", "in-person"),
                required=True,
            ),
            Option("/received-at", "When it reached us.", MOMENT, default="now"),
            Option("/requester/name", "Who asks.", TEXT),
            Option("/requester/email", "Their address.", TEXT),
            Option("/requester/post", "Where a letter reaches them.", TEXT),
            Option(
                "/requester/on-file", "A further address; a code is not for it.", TEXT, many=True
            ),
            Option("/text", "The letter; - reads it.", TEXT),
            Option("/representative/name", "Who asks for them.", TEXT, "behalf-name"),
            Option("/representative/email", "Their address.", TEXT, "behalf-email"),
            Option("/representative/authority", "What they showed.", TEXT, "behalf-authority"),
            Option("/against", "Of a complaint: whom it is about.", many=True),
            Option("/about-request", "Of a complaint: the request that it is about."),
        ),
        always=("/requester",),
        once=True,
    ),
    on_request(
        "confirm",
        "Write down how the person showed who they are, or mail them a code.",
        Option("/by-code", "Mail a code to the address in the request.", flag=True),
        Option("/identity", "How, in a word, as document."),
        Option("/evidence", "What was shown; - reads it.", TEXT),
        Option("/authority", "The representative's authority holds.", flag=True),
        Option("/authority-evidence", "How that was checked; - reads it.", TEXT),
    ),
    on_request(
        "assign",
        "Give a request to somebody whom it is not about.",
        Option("/handler", "A role, or staff by their pseudonym.", required=True),
    ),
    on_request("assess", "Decide to do it: its tasks, and what an erasure keeps.", EXEMPTIONS),
    on_request(
        "pause",
        "Let the limits wait for the person.",
        Option("/reason", "As identity or clarification.", required=True),
    ),
    on_request("resume", "Let the limits run on."),
    on_request(
        "extend",
        "Take more time, within the first period.",
        Option("/reason", "As complexity or number.", required=True),
        TELL,
        LETTER,
    ),
    Verb(
        "requests",
        "task",
        "POST",
        "/requests/{request}/tasks/{task}",
        "Write down that a task was done, with its evidence.",
        (
            Option("/outcome", "What came of it.", choice("done", "nothing-to-do")),
            Option("/evidence", "What shows it; - reads it.", TEXT, required=True),
        ),
    ),
    on_request("answer", "Answer, once all that was asked is done.", TELL, LETTER),
    on_request(
        "refuse",
        "Answer with a no, and why.",
        Option("/reason", "As no-match.", required=True),
        TELL,
        LETTER,
    ),
    on_request("take-back", "End a request that the person wants no more."),
)

PACKAGES: Final = (
    Verb(
        "packages",
        "ask",
        "POST",
        "/packages",
        "Have a package made of all that is held of a person. The code is said once.",
        (
            Option("/request", "The request that it answers.", required=True),
            Option(
                "/emails",
                "A confirmed address; - reads it.",
                TEXT,
                "email",
                many=True,
                required=True,
            ),
        ),
    ),
    Verb("packages", "show", "GET", "/packages/{package}", "Show how a package stands."),
)
