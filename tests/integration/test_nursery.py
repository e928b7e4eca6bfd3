"""Tests leave nothing running, also when they are killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.waiting import until
from tests.processes import ROOT

STARTER = """
import os, sys
from pathlib import Path
from tests import nursery
nursery.CONTEXT.set_forkserver_preload([])
print(nursery.start("http.server", ("0",), environment=dict(os.environ), log=Path(sys.argv[1])).pid)
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_service_ends_with_the_test_run_that_started_it(tmp_path: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path / "log")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with starter:
        assert starter.stdout is not None
        of_service = Path("/proc", starter.stdout.readline().decode().strip())
        assert of_service.exists()
        starter.kill()
    assert until(lambda: not of_service.exists(), 20)
