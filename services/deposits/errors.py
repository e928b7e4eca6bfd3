"""Refusals of whole requests, each with a stable slug; verdicts on records are in ``model``."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not accepted; ``retry_after`` in seconds where coming back helps."""

    status: int
    slug: str
    title: str
    detail: str = ""
    retry_after: int | None = None


NO_CREDENTIALS = Refusal(
    401,
    "unauthorised",
    "The caller did not prove who it is",
    "Give login_id and login_passwd (or usr and pwd), as form fields before the file, in the "
    "query, or as HTTP Basic.",
)
NOT_A_DEPOSITOR = Refusal(
    403, "not-a-depositor", "This login may not deposit", "Its scopes do not hold `deposit`."
)
NO_FILE = Refusal(
    400,
    "no-file",
    "The request holds no file",
    "Send multipart/form-data with a part that has a file name, customarily called fname.",
)
NOT_XML = Refusal(
    415,
    "not-a-deposit",
    "A deposit is sent as multipart/form-data, or as its XML alone",
    "Send the XML as application/vnd.crossref.deposit+xml, application/vnd.crossref.partial+xml or "
    "application/xml.",
)
NOT_MULTIPART = Refusal(
    415, "not-multipart", "A deposit is sent as multipart/form-data", "It was sent otherwise."
)
BROKEN_FORM = Refusal(
    400,
    "broken-form",
    "The form does not arrive whole",
    "Its last boundary is missing; nothing was accepted. Send it again.",
)
FORM_TOO_LARGE = Refusal(
    413, "form-too-large", "The form has too many fields or too long ones", "A file is one part."
)
OPERATION = Refusal(
    400,
    "operation-not-supported",
    "This operation is not supported here",
    "Supported are doMDUpload (metadata) and doDOICitUpload (references and other parts of works "
    "that exist). Queries are asked of the reading interfaces; transfers are made by operators.",
)
USER_QUEUE_FULL = Refusal(
    503,
    "too-many-pending",
    "Too many submissions of this login wait to be processed",
    "Send more when some have been processed.",
    retry_after=60,
)
QUEUE_FULL = Refusal(
    503,
    "queue-full",
    "Too many submissions wait to be processed",
    "Send it again later.",
    retry_after=60,
)
NO_SUBMISSION = Refusal(404, "no-such-submission", "There is no such submission of yours")
CONTENTS_GONE = Refusal(
    410, "contents-gone", "The file of this submission cannot be opened any more"
)
CONTENTS_OF_DEPOSITORS = Refusal(
    403,
    "contents-of-depositors",
    "Files are shown to their depositors",
    "They hold names and addresses; ask the login that deposited, or an administrator of its "
    "organisation.",
)
NO_SECRET = Refusal(
    409,
    "no-callback-secret",
    "This login has no secret to sign callbacks with",
    "Make one with POST /callbacks/secret, then send the deposit again; nothing was accepted.",
)
NOT_A_LOGIN = Refusal(
    403,
    "logins-only",
    "Only a login that may deposit has callbacks",
    "Show the login and password that deposits.",
)
NO_DELIVERY = Refusal(404, "no-such-delivery", "There is no such delivery")
NOT_DEAD = Refusal(409, "delivery-not-given-up", "Only a delivery that was given up is tried anew")
NO_TITLE = Refusal(404, "no-such-title", "There is no such title")
NOT_A_MEMBER = Refusal(
    403, "members-only", "Conflicts are shown to members and operators", "Show a member's login."
)
OWNER_UNKNOWN = Refusal(
    404,
    "no-such-owner",
    "No account of this name is known here",
    "An account that was just made is known in a moment; send it again.",
)
OWNER_CLOSING = Refusal(
    409,
    "owner-closing",
    "This account is being deleted, so no journal may come to it",
    "Name another account, or have the deletion taken back first (DOAJ-8a2).",
)
OWNER_FULL = Refusal(409, "too-many-journals", "This account has as many journals as it may have")
NO_JOURNAL = Refusal(404, "no-such-journal", "No account owns a journal of this id")
JOURNAL_OWNED = Refusal(
    409,
    "journal-owned-by-another",
    "The journal is another account's",
    "To transfer it, name in `from` whose it is; nothing was changed.",
)
JOURNAL_OVERTAKEN = Refusal(
    409,
    "journal-changed",
    "The journal changed hands meanwhile",
    "Look whose it is now, then send it again; nothing was changed.",
)
PREFIXES_STALE = Refusal(
    503,
    "knowledge-stale",
    "What is known of prefixes is too old to decide by",
    "Nothing was done; send it again.",
    retry_after=2,
)


def callback_refused(why: str) -> Refusal:
    """Refuse a callback's URL, without repeating it."""
    return Refusal(422, "callback-refused", "This callback cannot be called", f"The URL: {why}.")
