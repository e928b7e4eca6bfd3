"""Where something failed, without its words."""

import traceback


def place_of(fault: BaseException, *, frames: int = 4) -> str:
    """Return the innermost calls of a fault, newest last; no message and no value."""
    stack = traceback.extract_tb(fault.__traceback__)[-frames:]
    return " > ".join(
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in stack
    )
