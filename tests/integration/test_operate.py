"""The command line as operators have it, against a real retention and real keys."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import pytest

from deploy.local.ports import free_ports
from shared.privacy.personal import Personal, PersonalData
from shared.runtime.ids import new_id, new_pseudonym
from tests.consenting import a_place
from tests.erasing import Holder, World, hasty, world
from tests.platform import Platform
from tests.processes import ROOT, service, until

DONE, REFUSED, USAGE, SILENT, WAITING = range(5)


class Details(PersonalData, schema="test.operated-details.v1"):
    """What a test keeps of a person."""

    name: Annotated[str, Personal("account", ("account-admin",))]


SOMEBODY: Final = Details(name="cnry-0c7e55d1b2aa")


@pytest.fixture(scope="module")
async def here(
    platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    place = await a_place(platform, tmp_path_factory.mktemp("operate"))
    policies = hasty(place.folder / "policies")
    async with (
        service("retention", place, POLICIES_DIR=str(policies)) as running,
        world(place, running) as found,
    ):
        yield found


async def colophon(
    here: World, *words: str, given: str = "", **environment: str
) -> tuple[int, str, str]:
    """Run a command; return its status, what it said, and what it complained of."""
    assert here.retention is not None
    settings = here.place.environment("operator") | {"RETENTION_URL": here.retention.url}
    process = await asyncio.create_subprocess_exec(
        str(ROOT / "colophon"),
        *words,
        env=settings | environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate(given.encode())
    assert process.returncode is not None
    return process.returncode, said.decode(), complained.decode()


async def document(here: World, *words: str, **more: str) -> Any:
    end, said, complained = await colophon(here, *words, "--json", **more)
    assert end == DONE, complained
    return json.loads(said)


@pytest.mark.soak  # thirty processes, a second each
@pytest.mark.clause("DOAJ-8b")
async def test_an_erasure_is_planned_shown_approved_and_watched_to_its_certificate(
    here: World, tmp_path: Path
) -> None:
    person = new_pseudonym()
    mine = await here.kept(SOMEBODY, person)
    here.answering.fresh = {"accounts": Holder({f"{person}.account": ["u"]})}
    made = await document(here, "erasures", "plan", "-", "--as", "officer", given="a@example.org\n")
    erasure = made["erasure"]
    assert "salt" not in made
    planned = ("erasures", "watch", erasure, "--until", "planned", "--every", "0.1")
    end, said, _ = await colophon(here, *planned)
    assert (end, [line for line in said.splitlines() if line.endswith("  planned")] != []) == (
        DONE,
        True,
    )
    end, said, _ = await colophon(here, "erasures", "show", erasure)
    assert "  accounts: found, 1 records" in said.splitlines()
    plan = said.partition("plan: ")[2].split()[0]
    listing = await document(here, "erasures", "list", "--state", "planned")
    assert [one["erasure"] for one in listing["erasures"]] == [erasure]
    other = ("erasures", "approve", erasure, "--plan", "0" * 64, "--as", "officer")
    end, _, complained = await colophon(here, *other)
    assert (end, "This is not the plan of the erasure (409)" in complained) == (REFUSED, True)
    here.answering.of(erasure)["deposits"].silent = True
    agreed = ("erasures", "approve", erasure, "--plan", plan, "--as", "officer")
    assert (await document(here, *agreed))["approved-by"] == "officer"

    async def left() -> bool:
        shown = await here.ok("GET", f"/erasures/{erasure}")
        return [one["who"] for one in shown["waits"]] == [["deposits"]]

    await until(left, what="only deposits to be waited for")
    end, said, complained = await colophon(here, "erasures", "watch", erasure, "--timeout", "0.1")
    assert (end, "waits for evidence of deposits" in said) == (WAITING, True)
    here.answering.of(erasure)["deposits"].silent = False
    onward = ("--every", "0.1", "--until", "evidenced", "--timeout", "30")
    end, said, _ = await colophon(here, "erasures", "watch", erasure, *onward)
    assert end == DONE
    assert not await here.reads(mine)


@pytest.mark.clause("DOAJ-8b")
async def test_erase_does_it_all_once_the_plan_was_agreed_to_and_the_certificate_verifies(
    here: World, tmp_path: Path
) -> None:
    asked = ("erase", "b@example.org", "--as", "officer", "--every", "0.1")
    end, said, complained = await colophon(here, *asked, given="n\n")
    assert (end, "Approve this plan?" in complained) == (REFUSED, True)
    end, said, complained = await colophon(here, *asked, "--yes", "--timeout", "60")
    assert (end, said.splitlines()[-1].split()[-1]) == (DONE, "closed"), complained
    listing = await document(here, "erasures", "list", "--state", "closed")
    erasure, file = listing["erasures"][0]["erasure"], tmp_path / "certificate.json"
    fetching = ("erasures", "certificate", erasure, "--to", str(file))
    assert (await colophon(here, *fetching))[0] == DONE
    keys = tmp_path / "keys.txt"
    keys.write_text(await here.ok("GET", "/proof/keys"))
    assert (await colophon(here, "verify-certificate", str(file), str(keys)))[0] == DONE
    keys.write_text("")
    assert (await colophon(here, "verify-certificate", str(file), str(keys)))[0] == REFUSED


@pytest.mark.soak  # thirty processes, a second each
async def test_holds_are_placed_listed_page_by_page_and_released(here: World) -> None:
    person = new_pseudonym()
    await here.kept(SOMEBODY, person)
    day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    words = ("holds", "place", "--matter", "case-7", "--reason", "legal-claims", "--review-on", day)
    keys = ("--keys", f"{person}.account", "--as", "operator-1")
    made = await asyncio.gather(*(document(here, *words, *keys) for _ in range(2)))
    assert made[0]["on"][0]["on"][0]["outcome"] == "held"
    end, said, complained = await colophon(here, "holds", "list", "--rows", "1")
    assert (end, len(said.splitlines()), "--all" in complained) == (DONE, 2, True)
    everything = await document(here, "holds", "list", "--rows", "1", "--all")
    assert {one["hold"] for one in everything["holds"]} == {one["hold"] for one in made}
    release = ("holds", "release", made[0]["hold"], "--why", "settled", "--as", "operator-1")
    assert (await document(here, *release))["standing"] is False


@pytest.mark.soak  # thirty processes, a second each
async def test_clocks_requests_and_epochs_are_listed_and_who_asks_is_shown_where_it_is_asked(
    here: World,
) -> None:
    assert (await colophon(here, "clocks", "due"))[:2] == (DONE, "Nothing.\n")
    words = ("requests", "register", "--kind", "access", "--channel", "letter", "--email", "-")
    made = await document(here, *words, given="c@example.org")
    shown = await document(here, "requests", "show", made["request"])
    whole = await document(here, "requests", "show", made["request"], "--who")
    assert ("email" in shown, whole["email"]) == (False, "c@example.org")
    assert (await colophon(here, "epochs", "show"))[1].splitlines()[0].startswith("number")


@pytest.mark.soak  # thirty processes, a second each
async def test_a_wrong_use_an_unknown_erasure_and_a_service_that_is_away_end_each_with_their_status(
    here: World, tmp_path: Path
) -> None:
    away = f"http://127.0.0.1:{free_ports(['http'])['http']}"
    ends = await asyncio.gather(
        colophon(here, "erasures", "plan"),
        colophon(here, "erasures", "show", new_id()),
        colophon(here, "erasures", "plan", "nobody"),
        colophon(here, "erasures", "plan", "d@example.org", RETENTION_URL=away),
        colophon(here, "erasures", "list", OPERATOR_TOKEN_FILE=str(tmp_path / "none")),
    )
    assert [end for end, _, _ in ends] == [USAGE, REFUSED, REFUSED, SILENT, USAGE]
    assert "at /email: address-invalid" in ends[2][2]
    assert "say it again with --key" in ends[3][2]
