"""Routes of the transparency log: checkpoints, proofs, records and keys, for everybody.

Nothing of it is secret, and nothing of it is personal. What is written is a witness' line, which
proves itself.
"""

import re
from functools import partial
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, Field

from services.retention.commands.log import Log
from services.retention.model.log import Unfit
from shared.events.decisions import Refused
from shared.events.tree import CheckpointState
from shared.privacy.checkpoints import write_keys
from shared.privacy.notes import LONGEST, Note, NoteError
from shared.privacy.transparency import consistency, inclusion, prove
from shared.web import Problem, Route, Unbound, json_answer, query_of, text_answer

NOTE: Final = "text/plain"
NO_CHECKPOINT: Final = Problem(404, "no-checkpoint", "The log has signed no checkpoint of it.")
NO_LEAF: Final = Problem(404, "no-leaf", "The tree has no such leaf, or none at this size.")
NO_TREE: Final = Problem(404, "no-tree", "The log has signed no such trees.")
NO_NOTE: Final = Problem(422, "no-note", "The body is no signed note of a checkpoint.")
UNFIT: Final = {
    Unfit.UNKNOWN_CHECKPOINT: NO_CHECKPOINT,
    Unfit.OTHER_TEXT: Problem(
        409, "other-checkpoint", "The log's checkpoint of that size is another one."
    ),
    Unfit.NO_WITNESS: Problem(
        403, "unknown-witness", "No line of the note is by a witness that is known here."
    ),
    Unfit.BAD_LINE: Problem(422, "bad-cosignature", "A line of a known witness does not hold."),
}
Index = Annotated[int, Field(ge=0, lt=2**53)]
NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,15}")
SIGNED_NOTE: Final = "A C2SP signed note (tlog-checkpoint), text/plain."
HASHES: Final = "Hashes in hex, as RFC 9162 orders them."


class InclusionQuery(BaseModel):
    """In which tree a leaf is to be shown."""

    size: Index | None = Field(default=None, description="None: that of the newest checkpoint.")


class ConsistencyQuery(BaseModel):
    """Of which two trees it is to be shown that the second only added to the first."""

    older: Index = Field(alias="from", description="Size of the older tree.")
    newer: Index = Field(alias="to", description="Size of the newer tree.")


class Inclusion(BaseModel):
    """A leaf's place, and the proof that it is in the tree of this size."""

    index: int
    size: int
    leaf: str = Field(description="SHA-256 of a zero byte and the record, in hex.")
    proof: tuple[str, ...] = Field(description=HASHES)


class Consistency(BaseModel):
    """The proof that a tree only added to another."""

    older: int = Field(serialization_alias="from")
    newer: int = Field(serialization_alias="to")
    proof: tuple[str, ...] = Field(description=HASHES)


class Found(BaseModel):
    """Where a record stands."""

    index: int


async def newest(log: Log, _request: web.Request) -> web.Response:
    """Show the newest checkpoint."""
    return text_answer((await _newest(log)).text)


async def of_size(log: Log, request: web.Request) -> web.Response:
    """Show the checkpoint of a size, with every line that was attached to it since."""
    state = await log.checkpoints.load(_number(request, "size"))
    if state is None:
        raise NO_CHECKPOINT
    return text_answer(state.text)


async def included(log: Log, request: web.Request) -> web.Response:
    """Prove that a leaf is in a tree, by default in that of the newest checkpoint."""
    index, last = _number(request, "index"), (await _newest(log)).size
    size = query_of(request, InclusionQuery).size
    size = last if size is None else size
    state = await log.leaves.leaf(index)
    if state is None or not index < size <= last:
        raise NO_LEAF
    proof = await prove(log.leaves, inclusion(index, size))
    hashes = tuple(one.hex() for one in proof)
    return json_answer(Inclusion(index=index, size=size, leaf=state.leaf, proof=hashes))


async def consistent(log: Log, request: web.Request) -> web.Response:
    """Prove that a tree only added to an older one."""
    asked = query_of(request, ConsistencyQuery)
    if not asked.older <= asked.newer <= (await _newest(log)).size:
        raise NO_TREE
    proof = await prove(log.leaves, consistency(asked.older, asked.newer))
    hashes = tuple(one.hex() for one in proof)
    return json_answer(Consistency(older=asked.older, newer=asked.newer, proof=hashes))


async def record(log: Log, request: web.Request) -> web.Response:
    """Show a record, byte by byte as it was hashed."""
    index = _number(request, "index")
    state = await log.leaves.leaf(index)
    if state is None or index >= (await _newest(log)).size:
        raise NO_LEAF
    return json_answer(state.record.encode())


async def found(log: Log, request: web.Request) -> web.Response:
    """Find the leaf of a record by its hash."""
    leaf = request.match_info["leaf"]
    index = (await log.leaves.indexes([leaf])).get(leaf)
    if index is None:
        raise NO_LEAF
    return json_answer(Found(index=index))


async def keys(log: Log, _request: web.Request) -> web.Response:
    """Show the public keys of the log, of all times, and those of its witnesses."""
    return text_answer(write_keys(await log.keys()))


async def cosign(log: Log, request: web.Request) -> web.Response:
    """Attach a witness' line to the checkpoint that it signed; show the note."""
    try:
        note = Note.parse((await request.read()).decode())
        done = await log.cosign(note)
    except (NoteError, UnicodeDecodeError):
        raise NO_NOTE from None
    if isinstance(done, Refused):
        raise UNFIT[done.reason]
    return text_answer(done.text)


async def _newest(log: Log) -> CheckpointState:
    state = await log.newest()
    if state is None:
        raise NO_CHECKPOINT
    return state


def _number(request: web.Request, name: str) -> int:
    text = request.match_info[name]
    if not NUMBER.fullmatch(text):
        raise NO_LEAF if name == "index" else NO_CHECKPOINT
    return int(text)


def routes(log: Log) -> list[Route]:
    """Return the routes."""
    return [
        Route(
            one.method,
            one.path,
            partial(one.handler, log),
            one.summary,
            query=one.query,
            accepts=(NOTE,) if one.method == "POST" else (),
            max_body=LONGEST * 4,
            responses=one.responses,
            tags=("proof",),
        )
        for one in ROUTES
    ]


ROUTES: Final = (
    Unbound(
        "GET",
        "/proof/checkpoint",
        newest,
        "The newest signed checkpoint",
        "none",
        responses={200: SIGNED_NOTE, 404: "None is signed yet."},
    ),
    Unbound(
        "GET",
        "/proof/checkpoints/{size}",
        of_size,
        "The checkpoint of a size",
        "none",
        responses={200: SIGNED_NOTE, 404: "None of this size is signed."},
    ),
    Unbound(
        "GET",
        "/proof/inclusion/{index}",
        included,
        "Proof that a record is in the tree",
        "none",
        query=InclusionQuery,
        responses={200: Inclusion, 404: "No signed tree of this size holds it."},
    ),
    Unbound(
        "GET",
        "/proof/consistency",
        consistent,
        "Proof that a tree only added to an older one",
        "none",
        query=ConsistencyQuery,
        responses={200: Consistency, 404: "No such trees are signed."},
    ),
    Unbound(
        "GET",
        "/proof/leaves/{index}",
        record,
        "A record of the tree",
        "none",
        responses={200: "The record, canonical JSON.", 404: "No signed tree holds it."},
    ),
    Unbound(
        "GET",
        "/proof/indexes/{leaf}",
        found,
        "Where the record of a leaf hash stands",
        "none",
        responses={200: Found, 404: "It is not in the tree."},
    ),
    Unbound(
        "GET",
        "/proof/keys",
        keys,
        "The public keys of the log and of its witnesses",
        "none",
        responses={200: "One key a line, with the sizes of the tree that it may sign."},
    ),
    Unbound(
        "POST",
        "/proof/cosignatures",
        cosign,
        "Attach a witness' cosignature to a checkpoint",
        "none",
        responses={
            200: SIGNED_NOTE,
            403: "No line is by a witness that is known here.",
            404: "None of this size is signed.",
            409: "The checkpoint of this size says something else.",
            422: "It is no note, or a line does not hold.",
        },
    ),
)
