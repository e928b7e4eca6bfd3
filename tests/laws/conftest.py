"""How hard the laws are tried: the same 60 programs each in every run, many others in `make soak`.

What is drawn for a run is drawn from the test itself, so that a change is judged by what it does.
"""

import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings

_COMMON = settings(
    deadline=None,  # the machine is shared; pytest-timeout ends what hangs
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("ci", _COMMON, max_examples=60, derandomize=True)
settings.register_profile(
    "soak", _COMMON, max_examples=20_000, phases=[Phase.reuse, Phase.generate, Phase.shrink]
)


def _soaking(config: pytest.Config) -> bool:
    return str(config.option.markexpr).strip() == "soak"


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile(os.environ.get("LAWS") or ("soak" if _soaking(config) else "ci"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Under `make soak` every law here is a soak: the same programs, some hundred times as many."""
    if _soaking(config):
        for item in items:
            if "tests/laws/" in item.path.as_posix():
                item.add_marker(pytest.mark.soak)
                item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Iterator[None]:
    """Thousands of programs need no log; their own notes say what happened."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()
