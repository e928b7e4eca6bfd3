"""Rows of the table about holds, clocks, schedules and epochs."""

from typing import Final

from deploy.operate.table import ROWS, Option, Verb, choice, who
from deploy.operate.values import CONTENTS, MOMENT, RECORD, UNITS

WHY: Final = Option("/why", "A word for why.", required=True)
CLOCKS: Final = ("kind", "record", "rule", "standing", "due", "clause")
STATES: Final = ("schedule", "stage", "in-force", "starts", "published-by", "sha")
HOLDS: Final = (
    Verb(
        "holds",
        "list",
        "GET",
        "/holds",
        "List holds, the newest last.",
        (
            Option("?matter", "Only of this matter."),
            Option("?reason", "Only for this reason."),
            Option("?standing", "Only those that stand, or not.", choice("true", "false")),
            Option("?overdue", "Those whose day of review has passed.", flag=True),
            ROWS,
            Option("?cursor", "From a page before."),
        ),
        "holds",
        ("hold", "matter", "reason", "standing", "review-on", "placed-by", "named"),
        "cursor",
    ),
    Verb(
        "holds",
        "place",
        "POST",
        "/holds",
        "Place a hold, or ask for one that others must agree to.",
        (
            Option("/matter", "A number that says nothing of a person.", required=True),
            Option("/reason", "Why, as legal-claims.", required=True),
            Option("/review-on", "The day on which it is looked at again.", required=True),
            Option("/records", "A record that stays.", RECORD, name="record", many=True),
            Option("/keys", "Keys that stay.", UNITS, many=True),
            *(
                Option(f"/scope/{name}", f"All records of this {name}.", name=f"scope-{name}")
                for name in ("kind", "service", "rule", "class", "person", "about")
            ),
            who("/placed-by"),
        ),
        once=True,
    ),
    Verb("holds", "show", "GET", "/holds/{hold}", "Show a hold."),
    Verb(
        "holds",
        "records",
        "GET",
        "/holds/{hold}/records",
        "List what is under a hold, and what became of its keys.",
        (ROWS, Option("?cursor", "From a page before.")),
        "records",
        ("kind", "record", "came-at", "on"),
        "cursor",
    ),
    Verb(
        "holds",
        "approve",
        "POST",
        "/holds/{hold}/approve",
        "Agree to a hold that another asked for.",
        (who("/by"),),
    ),
    Verb(
        "holds",
        "review",
        "POST",
        "/holds/{hold}/review",
        "Say that a hold goes on, and until when.",
        (WHY, Option("/review-on", "The next day of review.", required=True), who("/by")),
    ),
    Verb("holds", "release", "POST", "/holds/{hold}/release", "End a hold.", (WHY, who("/by"))),
)

OTHERS: Final = (
    Verb(
        "clocks",
        "due",
        "GET",
        "/clocks",
        "List clocks that are due before a time, by default now.",
        (
            Option("?due-before", "A time, as +30d.", MOMENT, "before", default="now"),
            Option("?kind", "Only of records of this kind."),
            Option("?rule", "Only of this rule of the schedule."),
            Option(
                "?standing",
                "Only those that stand so.",
                choice(
                    "due", "early", "cancelled", "undated", "kept", "held", "waiting", "settled"
                ),
            ),
            ROWS,
            Option("?cursor", "From a page before."),
        ),
        "clocks",
        CLOCKS,
        "cursor",
    ),
    Verb(
        "clocks",
        "show",
        "GET",
        "/clocks/{kind}/{record}",
        "Show every clock of a record, and what explains it.",
    ),
    Verb(
        "schedules",
        "list",
        "GET",
        "/schedules",
        "List every version of the schedule, and which is in force.",
        (),
        "schedules",
        STATES,
    ),
    Verb("schedules", "show", "GET", "/schedules/{schedule}", "Show a version, with its text."),
    Verb(
        "schedules",
        "publish",
        "POST",
        "/schedules",
        "Publish a version. It counts once it was previewed and approved.",
        (
            Option("/text", "", CONTENTS, "file", required=True, argument=True),
            Option("/starts", "When it is wished to count.", MOMENT),
            who("/by"),
        ),
    ),
    Verb(
        "schedules",
        "preview",
        "POST",
        "/schedules/{schedule}/preview",
        "Say who becomes due by a version, and when, before anything happens.",
    ),
    Verb(
        "schedules",
        "approve",
        "POST",
        "/schedules/{schedule}/approve",
        "Approve a version that another published.",
        (who("/by"),),
    ),
    Verb(
        "schedules",
        "withdraw",
        "POST",
        "/schedules/{schedule}/withdraw",
        "Take a version back before it counts.",
        (WHY, who("/by")),
    ),
    Verb(
        "epochs",
        "show",
        "GET",
        "/epochs",
        "Show the epochs that keys are wrapped under.",
        (),
        "epochs",
        ("number", "made_at", "took_over_at", "gone_at"),
    ),
    Verb(
        "epochs",
        "begin",
        "POST",
        "/epochs",
        "Begin a key epoch, so that copies of keys become useless.",
    ),
)
