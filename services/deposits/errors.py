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
    "Deposit metadata with operation=doMDUpload.",
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
