"""A key file is made once, whole and private, or refused with its remedy."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from shared.privacy.epochs import FileEpochs
from shared.privacy.keyfile import KeyFileError, destroy, load_or_create
from shared.runtime.faults import Transient

ROOT = Path(__file__).resolve().parents[3]


def test_a_key_is_made_once_and_then_the_same(tmp_path: Path) -> None:
    path = tmp_path / "deeper" / "a.key"
    key = load_or_create(path)
    assert len(key) == 32
    assert load_or_create(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]  # no draft is left behind


def test_two_files_hold_two_keys(tmp_path: Path) -> None:
    assert load_or_create(tmp_path / "a.key") != load_or_create(tmp_path / "b.key")


def test_processes_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    program = (
        "import sys, pathlib; from shared.privacy.keyfile import load_or_create\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(load_or_create(pathlib.Path(sys.argv[1])).hex())"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    keys = {process.communicate(timeout=60)[0].strip() for process in started}
    assert keys == {load_or_create(path).hex()}


@pytest.mark.parametrize("text", ["", "abcd", "zz" * 32, "ab" * 33, "é"])
def test_a_broken_or_short_file_is_refused_with_the_remedy(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="restore it") as refused:
        load_or_create(path)
    assert str(path) in str(refused.value)
    assert not text or text not in str(refused.value).replace(str(path), "")


def test_a_file_that_others_may_read_is_refused_with_the_command_that_mends_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.key"
    load_or_create(path)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match=f"chmod 600 {path}"):
        load_or_create(path)


def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyFileError, match="access"):
        load_or_create(tmp_path / "file" / "a.key")


def test_epochs_begin_with_one_and_the_greatest_is_current(tmp_path: Path) -> None:
    first = FileEpochs(tmp_path / "kek")
    assert first.current() == 1
    load_or_create(tmp_path / "kek" / "kek-2.key")
    both = FileEpochs(tmp_path / "kek")
    assert both.current() == 2
    assert both.kek(1) == first.kek(1)
    with pytest.raises(LookupError):
        both.kek(3)


def test_epochs_come_and_go_while_a_process_runs(tmp_path: Path) -> None:
    here, there = FileEpochs(tmp_path), FileEpochs(tmp_path)
    first = here.kek(1)
    there.make(2)
    there.make(2)
    assert (here.current(), here.standing()) == (2, (1, 2))
    there.put_aside(1)
    there.put_aside(1)
    assert there.kek_aside(1) == first
    with pytest.raises(Transient):  # not gone yet: what is under it is being wrapped anew
        here.kek(1)
    assert (here.standing(), here.aside()) == ((2,), (1,))
    there.end(1)
    there.end(1)
    with pytest.raises(LookupError):
        here.kek(1)
    with pytest.raises(LookupError):
        there.kek_aside(1)
    assert [path.name for path in tmp_path.iterdir()] == ["kek-2.key"]
    assert FileEpochs(tmp_path).standing() == (2,)  # none is made where one stands


def test_a_key_file_that_ends_is_overwritten_before_it_goes(tmp_path: Path) -> None:
    path, other = tmp_path / "a.key", tmp_path / "b"
    load_or_create(path)
    text = path.read_bytes()
    other.hardlink_to(path)
    destroy(path)
    assert not path.exists()
    assert len(other.read_bytes()) == len(text)
    assert other.read_bytes() != text


def test_where_no_epoch_stands_any_more_the_remedy_is_said(tmp_path: Path) -> None:
    epochs = FileEpochs(tmp_path)
    (tmp_path / "kek-1.key").unlink()
    with pytest.raises(KeyFileError, match="bring the folder back"):
        epochs.current()


def test_a_misnamed_epoch_is_refused_rather_than_overlooked(tmp_path: Path) -> None:
    load_or_create(tmp_path / "kek-old.key")
    with pytest.raises(KeyFileError, match="kek-<number>"):
        FileEpochs(tmp_path)
