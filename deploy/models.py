"""``python -m deploy.models [check|show <command>|lock]``: the Alloy models of docs/models.

``check`` runs every command of every model and judges it: a check must find no counter-example, one
called ``broken_...`` must find one, and a run must find an instance. ``show`` tells the steps of
what one command found. ``lock`` writes the sum of the program anew.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from deploy.local.children import Child
from deploy.local.home import DEFAULT, ROOT
from deploy.local.maven import Program
from deploy.local.obstacle import Obstacle

MODELS: Final = ROOT / "docs" / "models"
HERE: Final = ROOT / "deploy" / "local" / "alloy"
ALLOY: Final = Program(
    "Alloy",
    HERE / "pom.xml",
    HERE / "jars.sha256",
    "without it the models are not checked, and nothing else is missing.",
)
LIBS: Final = DEFAULT / "alloy" / "libs"
# A solver in Java is as quick here as the native ones, and the same on every machine.
JAVA: Final = ("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
EXEC: Final = ("exec", "--solver", "sat4j", "--type", "text", "--quiet", "--force")
AT_ONCE: Final = 2
PATIENCE: Final = 900.0  # seconds a job; 25 are usual
RECEIPT: Final = "receipt.json"

Job = tuple[Path, Sequence[tuple[str, str]]]  # a model, and commands of it
COMMAND: Final = re.compile(r"^(check|run) (\w+)", re.MULTILINE)
BROKEN: Final = "broken_"
ATOM: Final = re.compile(r"[\w/]+\$\d+")
NOT_SHOWN: Final = re.compile(
    r"(univ|Int|seq/Int|String|none|flip/(Key|Decision|Mechanism))$|.*/Ord\b|skolem"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many states one command found, none where it found nothing; null: it was not run."""

    model: str
    kind: str
    name: str
    found: int | None

    @property
    def must_find(self) -> bool:
        """Whether there must be an instance, or a counter-example."""
        return self.kind == "run" or self.name.startswith(BROKEN)

    @property
    def as_it_must(self) -> bool:
        """Whether it found something exactly where it must."""
        return self.found is not None and bool(self.found) == self.must_find

    def told(self) -> str:
        """Return one line."""
        what = "instance" if self.kind == "run" else "counter-example"
        if self.found is None:
            said = "was not run"
        else:
            said = f"{what} of {self.found} states" if self.found else f"no {what}"
        wrong = "" if self.as_it_must else "   <-- this must not be"
        return f"{self.model:<10} {self.name:<30} {said}{wrong}"


def models(folder: Path = MODELS) -> list[Path]:
    """Return the models that have commands."""
    return [path for path in sorted(folder.glob("*.als")) if commands(path)]


def commands(model: Path) -> list[tuple[str, str]]:
    """Return the commands of a model, as kind and name, in order."""
    return COMMAND.findall(model.read_text(encoding="utf-8"))


def jobs(folder: Path = MODELS) -> list[Job]:
    """Return what is to be run, the honest commands and the broken ones of each model apart.

    The largest model comes first, since it takes longest.
    """
    largest_first = sorted(models(folder), key=lambda path: path.stat().st_size, reverse=True)
    return [
        (model, part)
        for model in largest_first
        for broken in (False, True)
        if (part := [one for one in commands(model) if one[1].startswith(BROKEN) == broken])
    ]


def judged(
    model: Path, written: Sequence[tuple[str, str]], found: Mapping[str, Any]
) -> list[Verdict]:
    """Return a verdict on each command that is written; ``found`` is of Alloy's receipt."""
    verdicts = []
    for kind, name in written:
        states = None
        if name in found:
            solutions = found[name].get("solution", [])
            states = len(solutions[0]["instances"]) if solutions else 0
        verdicts.append(Verdict(model.stem, kind, name, states))
    return verdicts


def execute(job: Job, into: Path) -> list[Verdict]:
    """Run commands of a model; what they find is written ``into`` a new folder.

    Raises Obstacle where Alloy cannot read the model.
    """
    model, written = job
    jar = next(ALLOY.get(LIBS).glob("*.jar"))
    into.mkdir()
    output = into / "found"
    named = f"{{{','.join(name for _, name in written)}}}"
    arguments = [*EXEC, "--command", named, "--output", str(output), str(model)]
    # Its copies of solvers go with what it made: by itself it leaves them.
    command = [*JAVA, f"-Djava.io.tmpdir={into}", "-jar", str(jar), *arguments]
    alloy = Child("alloy", command, into / "alloy.log")
    alloy.start()
    try:
        status = alloy.wait(PATIENCE)
    finally:
        alloy.kill()
    receipt = output / RECEIPT
    if status != 0 or not receipt.exists():
        said = f"ended with {status}" if status is not None else f"took more than {PATIENCE:.0f} s"
        raise Obstacle(f"Alloy {said} over {model.name}:", alloy.tail())
    verdicts = judged(model, written, orjson.loads(receipt.read_bytes())["commands"])
    if any(one.found is None for one in verdicts):
        print(alloy.tail(), file=sys.stderr)
    return verdicts


def states(text: str) -> list[dict[str, str]]:
    """Return what each state shows, of the text that Alloy wrote."""
    found: list[dict[str, str]] = []
    for line in _ordered(text).splitlines():
        if line.startswith("------State"):
            found.append({})
        elif found and "=" in line:
            name, _, value = line.partition("=")
            if not NOT_SHOWN.match(name):
                found[-1][_plain(name)] = _plain(value)
    return found


def _ordered(text: str) -> str:
    """Give the atoms of each order numbers from 1 on: a greater one is newer."""
    places: dict[str, str] = {}
    for order in set(re.findall(r"^([\w/]+/Ord)<:First=\{[^}]", text, re.MULTILINE)):
        (first,) = set(re.findall(rf"^{order}<:First={{[^>]+->(.+)}}$", text, re.MULTILINE))
        (pairs,) = set(re.findall(rf"^{order}<:Next={{(.*)}}$", text, re.MULTILINE))
        following = dict(pair.split("->")[1:] for pair in pairs.split(", ") if pair)
        place, atom = 1, first
        while atom:
            places[atom] = f"{atom.partition('$')[0]}{place}"
            place, atom = place + 1, following.get(atom)
    return ATOM.sub(lambda found: places.get(found[0], found[0]), text)


def _plain(text: str) -> str:
    """Drop what only Alloy needs, modules and the marks of atoms and domains, and sort the rest."""
    text = re.sub(r"\b\w+/", "", text)
    text = re.sub(r"\b(\w+)<:", lambda found: f"{found[1]}.", text)
    text = re.sub(r"\$(\d+)", r"\1", text)
    return f"{{{', '.join(sorted(text[1:-1].split(', ')))}}}" if text.startswith("{") else text


def told(text: str) -> list[str]:
    """Return the lines that tell what Alloy found: the first state, then what each step changed."""
    lines: list[str] = []
    before: dict[str, str] = {}
    for number, shown in enumerate(states(text)):
        changed = [name for name in shown if shown[name] != before.get(name)]
        if not before:
            changed = [name for name in changed if not _obvious(name, shown[name])]
        lines += [f"state {number}", *(f"    {name} = {shown[name]}" for name in changed)]
        before = shown
    return lines


def _obvious(name: str, value: str) -> bool:
    """Whether a value says no more than that there is nothing, or which atoms there are."""
    return all(atom.startswith(name) for atom in value.strip("{}").split(", ") if atom)


def check() -> bool:
    """Run all models, two at a time; True where all is as it must be."""
    _require_programs()
    ALLOY.get(LIBS)
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(AT_ONCE) as pool:
        into = Path(temporary)
        running = [
            pool.submit(execute, job, into / str(number)) for number, job in enumerate(jobs())
        ]
        verdicts = [verdict for one in running for verdict in one.result()]
    for one in verdicts:
        print(one.told())
    wrong = sum(not one.as_it_must for one in verdicts)
    print(f"{len(verdicts)} commands, {wrong} not as they must be")
    return not wrong


def show(name: str) -> bool:
    """Tell what a command found; ``<model>.<command>`` where several models have one so called."""
    _require_programs()
    model_name, _, command = name.rpartition(".")
    chosen = [
        (model, [one])
        for model in models()
        for one in commands(model)
        if model_name in ("", model.stem) and one[1] == command
    ]
    if not chosen:
        raise Obstacle(f"No model has a command {name!r}.", "The names stand in docs/models.")
    for job in chosen:
        with tempfile.TemporaryDirectory() as temporary:
            into = Path(temporary) / "shown"
            (verdict,) = execute(job, into)
            print(verdict.told())
            for found in sorted(into.glob("found/*.txt")):
                print("\n".join(told(found.read_text(encoding="utf-8"))))
    return True


def _require_programs() -> None:
    packages = {"java": "openjdk-17-jre-headless"}
    if not ALLOY.present(LIBS):
        packages["mvn"] = "maven"
    for program, package in packages.items():
        if shutil.which(program) is None:
            raise Obstacle(
                f"`{program}` is needed for the models, and it is not on the PATH.",
                f"Install it (Debian and Ubuntu: `sudo apt install {package}`); {ALLOY.otherwise}",
            )


def main(arguments: Sequence[str]) -> bool:
    """Do what is asked; True where all is well."""
    match list(arguments) or ["check"]:
        case ["check"]:
            return check()
        case ["show", name]:
            return show(name)
        case ["lock"]:
            _require_programs()
            ALLOY.lock()
            return True
    print(__doc__)
    return False


if __name__ == "__main__":
    try:
        sys.exit(not main(sys.argv[1:]))
    except Obstacle as obstacle:
        sys.exit(f"colophon: {obstacle}")
