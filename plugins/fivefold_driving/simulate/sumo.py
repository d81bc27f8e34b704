"""The program ``sumo`` of Eclipse SUMO: found, and run with fixed arguments in a folder of its own.

Lopez et al.: Microscopic traffic simulation using SUMO (IEEE ITSC 2018).
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from fivefold.errors import ConfigError, DataError, DependencyError

NET, ROUTES, TRACKS = "network.net.xml", "routes.rou.xml", "tracks.fcd.xml"
"""What the files are called in the folder in which it runs, so that no name of a user's is taken for an option."""

_UNIT = 50  # milliseconds; intervals are whole multiples
_LONGEST_STEP = 500  # milliseconds; drivers react within a second
_LONGEST = 86_400.0  # seconds
_LARGEST_SEED = 2**31 - 1
_PATIENCE = 120.0  # seconds
_SHOWN = 300  # characters of an error of SUMO


@dataclass(frozen=True)
class Settings:
    """What is simulated of a network.

    Attributes:
        seconds: how long.
        interval: seconds between frames.
        seed: of all that is drawn at random.
    """

    seconds: float = 300.0
    interval: float = 0.4
    seed: int = 0

    def __post_init__(self) -> None:
        units = self.interval * 1000 / _UNIT
        if not 1 <= units <= 200 or abs(units - round(units)) > 1e-6:  # noqa: PLR2004 - 10 s, and rounding
            raise ConfigError(
                f"--interval: expected a multiple of 0.05 seconds up to 10, found {self.interval:g}; give 0.4, say"
            )
        if not self.interval <= self.seconds <= _LONGEST:
            raise ConfigError(
                f"--seconds: expected {self.interval:g} (one interval) to {_LONGEST:g}, found {self.seconds:g}; "
                "give 300, say"
            )
        if not 0 <= self.seed <= _LARGEST_SEED:
            raise ConfigError(
                f"--seed: expected an integer from 0 to {_LARGEST_SEED}, found {self.seed}; give 0, say"
            )

    @property
    def step(self) -> float:
        """Seconds of a step of the simulation: the longest that divides the interval and is 0.5 s at most."""
        units = round(self.interval * 1000 / _UNIT)
        fits = (part for part in range(units, 0, -1) if units % part == 0 and part * _UNIT <= _LONGEST_STEP)
        return next(fits) * _UNIT / 1000


def find_sumo() -> Path:
    """The program: of the installed package eclipse-sumo, else of ``$SUMO_HOME``, else on the path.

    Raises:
        DependencyError: it is nowhere.
    """
    folders = [Path(home) / "bin" for home in (_package(), os.environ.get("SUMO_HOME")) if home]
    places = [*map(str, folders), os.environ.get("PATH", "")]
    found = next((program for place in places if (program := shutil.which("sumo", path=place))), None)
    if found is None:
        raise DependencyError(
            "simulating traffic needs the program sumo, which is neither installed with the package eclipse-sumo, nor "
            'in $SUMO_HOME/bin, nor on the path; install it: pip install "fivefold[simulate]"'
        )
    # made absolute, as it runs in another folder
    return Path(found).absolute()


def _package() -> Path | None:
    """The folder of the module ``sumo`` of the package eclipse-sumo, which is not imported."""
    module = importlib.util.find_spec("sumo")
    return None if module is None or module.origin is None else Path(module.origin).parent


def version(program: Path) -> str:
    """The version of the program: ``1.28.0``.

    Raises:
        DependencyError: it does not run.
    """
    try:
        done = subprocess.run(  # noqa: S603 - a list of words, no shell
            [program, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DependencyError(f"{program}: does not run ({error}); install eclipse-sumo anew") from error
    found = re.match(r"Eclipse SUMO sumo (?:Version )?v?(\S+)", done.stdout)
    if found is None:
        said = " ".join((done.stderr or done.stdout).split())[:_SHOWN] or "nothing"
        raise DependencyError(
            f"{program}: expected Eclipse SUMO, which tells its version, found a program that says: {said}; install "
            "eclipse-sumo anew"
        )
    return found[1]


def arguments(begin: float, settings: Settings) -> list[str]:
    """What the program is called with.

    Lanes are changed sideways, within about two seconds (the sublane model), not at a jump; no vehicle is moved on by
    magic where it waits long or has collided. Positions have millimetres. No schema is fetched.
    """
    return [
        *("--net-file", NET, "--route-files", ROUTES, "--fcd-output", TRACKS),
        *("--fcd-output.attributes", "x,y,angle,type", "--precision", "3"),
        *("--begin", f"{begin:.3f}", "--end", f"{begin + settings.seconds:.3f}"),
        *("--step-length", f"{settings.step:g}", "--device.fcd.period", f"{settings.interval:g}"),
        *("--seed", str(settings.seed), "--lateral-resolution", "0.8"),
        *("--time-to-teleport", "-1", "--collision.action", "warn"),
        *("--xml-validation", "never", "--xml-validation.net", "never", "--xml-validation.routes", "never"),
        *("--language", "C", "--no-step-log", "--no-warnings"),
    ]


def run(program: Path, words: list[str], folder: Path, *, limit: float, name: str) -> None:
    """Run ``program`` in ``folder``, which holds the network and its routes; it writes the tracks there.

    Args:
        program: see `find_sumo`.
        words: see `arguments`.
        folder: holds its files.
        limit: seconds that it may take.
        name: what messages call the network.

    Raises:
        DataError: the simulation fails, or takes too long.
        DependencyError: the program does not run, or is too old.
    """
    # errors in English, whatever the user's language is
    environment = {**os.environ, "LC_ALL": "C", "LANGUAGE": "C"}
    try:
        done = subprocess.run(  # noqa: S603 - a list of words, no shell
            [program, *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(
            f"{name}: expected the simulation to end within {limit:g} seconds, found it running; give fewer --seconds, "
            "or a smaller network"
        ) from error
    except OSError as error:
        raise DependencyError(f"{program}: does not run ({error}); install eclipse-sumo anew") from error
    if "No option with the name" in done.stderr:
        raise DependencyError(
            f"{program}: expected SUMO 1.28 or newer, found one that lacks options ({_reason(done.stderr, 1)}); "
            "upgrade eclipse-sumo"
        )
    if done.returncode:
        raise DataError(
            f"{name}: expected a network and routes that SUMO can simulate, found that it cannot: "
            f"{_reason(done.stderr, done.returncode)}; correct the files"
        )


def time_limit(settings: Settings) -> float:
    """Seconds that a simulation may take: its own length, and some for a slow machine to start in."""
    return settings.seconds + _PATIENCE


def _reason(errors: str, code: int) -> str:
    """The first error that SUMO tells, in one line; the others follow from it."""
    lines = [line.removeprefix("Error:").strip() for line in errors.splitlines() if line.startswith("Error:")]
    if not lines:
        return f"it ended with code {code} and no message"
    return " ".join(lines[0].split())[:_SHOWN].rstrip(".")
