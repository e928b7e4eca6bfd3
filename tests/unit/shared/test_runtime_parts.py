"""Clock, ids, log, health, crash points and the life of a process."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from services.retention.model.erasures import TRANSITIONS
from shared.runtime import crashpoints
from shared.runtime.clock import SYSTEM, ManualClock, parse_rfc3339, rfc3339
from shared.runtime.health import Health
from shared.runtime.ids import jitter, new_id, new_number, new_token
from shared.runtime.service import EX_SOFTWARE, wait_any
from shared.runtime.settings import ServiceSettings

ROOT = Path(__file__).resolve().parents[3]


def python(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_times_are_written_in_utc_with_milliseconds_and_read_only_with_their_offset() -> None:
    at = datetime(2026, 5, 1, 14, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(at) == "2026-05-01T12:00:00.123Z"
    assert parse_rfc3339("2026-05-01T14:00:00+02:00") == datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert SYSTEM.now().tzinfo is UTC
    with pytest.raises(ValueError, match="names no offset"):
        parse_rfc3339("2026-05-01T14:00:00")


def test_a_manual_clock_passes_time_on_both_clocks_and_jumps_on_one() -> None:
    clock = ManualClock()
    start = clock.now()
    clock.advance(5)
    clock.jump(-100)
    assert clock.now() - start == timedelta(seconds=-95)
    assert clock.monotonic() == 5


def test_ids_are_version_seven_unique_and_in_the_order_of_their_time() -> None:
    before = time.time_ns() // 1_000_000
    ids = [new_id() for _ in range(1000)]
    after = time.time_ns() // 1_000_000
    assert len(set(ids)) == 1000
    for one in map(uuid.UUID, ids):
        assert (one.version, one.variant) == (7, uuid.RFC_4122)
        assert before <= one.int >> 80 <= after
    assert 0 < new_number() < 2**53
    assert len({new_token() for _ in range(100)}) == 100
    assert 0 <= jitter() < 1


SAY = """
from shared.runtime.log import configure, get_log
early = get_log("module.of.somebody")  # as modules do, before configure() is called
configure(service="accounts", level="warning", json={json})
early.info("not shown")
early.warning("said", password="s3cret", token="s3cret", login="s3cret", email="s3cret", group="g")
"""


@pytest.mark.law("P1")
@pytest.mark.parametrize("json_lines", [True, False])
def test_the_log_obeys_its_settings_and_withholds_what_is_private_of_every_module(
    json_lines: bool,  # noqa: FBT001
) -> None:
    said = python(SAY.replace("{json}", str(json_lines))).stdout
    assert "s3cret" not in said
    assert said.count("[withheld]") == 4
    assert "not shown" not in said
    (line,) = said.splitlines()
    if json_lines:
        found = json.loads(line)
        assert (found["event"], found["service"], found["group"]) == ("said", "accounts", "g")
        assert found["module"] == "module.of.somebody"


def test_a_part_that_does_not_beat_within_its_promise_is_a_stall_and_a_retired_one_is_not() -> None:
    clock = ManualClock()
    health = Health(clock)
    health.promise("relay", within=10)
    health.promise("gate", within=60)
    clock.advance(11)
    stalled, well = health.liveness()
    assert (stalled.name, stalled.ok, stalled.since) == ("relay", False, 11.0)
    assert "no progress for 11 s" in stalled.why
    assert well.ok
    health.beat("relay")
    assert all(part.ok for part in health.liveness())
    health.retire("relay")
    clock.advance(59)
    assert [part.name for part in health.liveness()] == ["gate"]
    health.unready("gate", "stale")
    assert [(part.ok, part.why) for part in health.readiness()] == [(False, "stale")]
    health.ready("gate")
    assert health.readiness()[0].ok


def test_a_crash_point_kills_at_the_named_passage_and_nowhere_else() -> None:
    code = """
from shared.runtime.crashpoints import crashpoint
for n in range(5):
    crashpoint("consume.applied"); crashpoint("relay.sent"); print(n, flush=True)
"""
    assert python(code, COLOPHON_CRASH="").stdout.split() == ["0", "1", "2", "3", "4"]
    third = python(code, COLOPHON_CRASH="relay.sent:3")
    assert third.stdout.split() == ["0", "1"]
    assert third.returncode == -signal.SIGKILL
    unknown = python(code, COLOPHON_CRASH="no-such-place")
    assert "known: deposits.chunks-written" in unknown.stderr


def test_every_crash_point_is_passed_somewhere_in_the_code_and_every_passage_is_named() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("shared", "services")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "crashpoints.py"
    )
    calls = re.findall(r"crashpoint\(((?:[^()]|\[[^\]]*\])*)\)", code)
    passed = {name for call in calls for name in re.findall(r'(?<!f)"([a-z.-]+)"', call)}
    # An erasure passes one behind each step that it takes, by the table of its steps.
    assert 'f"saga.{TRANSITIONS[taken.verb][known.step]}"' in calls
    steps = {f"saga.{step}" for steps in TRANSITIONS.values() for step in steps.values()}
    assert passed <= set(crashpoints.NAMES)
    assert set(crashpoints.NAMES) <= passed | steps


LIFE = """
import asyncio, os
from shared.runtime.service import run, run_roles
async def steady(draining):
    print("up", flush=True)
    await draining.wait()
    print("drained", flush=True)
async def odd(draining):
    kind = os.environ["ODD"]
    if kind == "raises": raise ValueError("x")
    if kind == "ends": return
    if kind == "is-as-if-cancelled": raise asyncio.CancelledError
    await draining.wait()
    if kind == "hangs": await asyncio.sleep(1000)
run(lambda: run_roles({"steady": steady, "odd": odd}, drain_seconds=float(os.environ["DRAIN"])))
"""


@pytest.mark.parametrize("kind", ["raises", "ends", "is-as-if-cancelled"])
def test_a_role_that_fails_or_ends_by_itself_drains_the_others_and_ends_with_status_seventy(
    kind: str,
) -> None:
    done = python(LIFE, ODD=kind, DRAIN="5")
    assert done.returncode == EX_SOFTWARE
    assert "role failed" in done.stdout


@pytest.mark.parametrize(
    ("kind", "signals", "status"), [("waits", 1, 0), ("hangs", 1, EX_SOFTWARE), ("hangs", 2, 1)]
)
def test_the_first_signal_drains_the_second_ends_and_a_drain_has_its_deadline(
    kind: str, signals: int, status: int
) -> None:
    drain = "0.5" if signals == 1 else "30"
    with subprocess.Popen(
        [sys.executable, "-c", LIFE],
        cwd=ROOT,
        env=os.environ | {"ODD": kind, "DRAIN": drain},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while "up" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGTERM)
        while "drained" not in process.stdout.readline():
            pass
        if signals == 2:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == status


async def test_waiting_for_any_ends_with_the_first_or_with_time_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    one, two = asyncio.Event(), asyncio.Event()
    await wait_any(one, two, timeout=0.01)
    two.set()
    async with asyncio.timeout(5):
        await wait_any(one, two)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before


def test_every_setting_is_described_and_comes_from_the_environment(monkeypatch: Any) -> None:
    assert all(field.description for field in ServiceSettings.model_fields.values())
    monkeypatch.setenv("TOPIC_PREFIX", "p.")
    monkeypatch.setenv("MONGODB_DRIVER", "motor")
    found = ServiceSettings()
    assert (found.topic_prefix, found.mongodb_driver) == ("p.", "motor")
    monkeypatch.setenv("MONGODB_DRIVER", "another")
    with pytest.raises(ValueError, match="mongodb_driver"):
        ServiceSettings()
