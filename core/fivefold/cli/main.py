"""Entry point: runs what was typed and turns errors into one sentence and an exit code.

0 is success, 2 an error of the user's, 130 an interruption, 1 a defect of fivefold's or a plugin's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from fivefold.cli.session import Session
from fivefold.errors import FivefoldError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: words after ``fivefold``; those of the process where not given.

    Returns:
        the exit code.
    """
    session = Session.start(list(sys.argv[1:] if arguments is None else arguments))
    try:
        code = run(session)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has gone (head, less); what Python still holds must not raise at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return session.fail("interrupted", "Interrupted", 130)
    except FivefoldError as error:
        if session.debug:
            raise
        return session.fail(str(error), type(error).__name__, error.exit_code)
    except ModuleNotFoundError as error:
        if session.debug:
            raise
        text = f"fivefold needs the package '{error.name}', which is not installed"
        return session.fail(f"{text}; run: pip install --upgrade fivefold", "DependencyError", 2)
    except Exception as error:  # the outermost frame: people get a sentence, --debug the traceback
        if session.debug:
            raise
        said = str(error).strip().splitlines()
        text = f"{type(error).__name__}: {said[0] if said else 'no message'}"
        return session.fail(
            f"unexpected error ({text}); run again with --debug for the traceback", "Unexpected", 1
        )
    return code


def run(session: Session) -> int:
    """Answer the root's own options at once; build the rest of the command line for anything else."""
    first = session.words[0] if session.words else "--help"
    if first in {"--help", "-h"}:
        from fivefold.cli.root_help import root_help  # noqa: PLC0415 - each branch imports what it needs

        sys.stdout.write(root_help(session.registry()))
        return 0
    if first == "--version":
        from importlib.metadata import version  # noqa: PLC0415 - imported where it is used

        sys.stdout.write(f"fivefold {version('fivefold')}\n")
        return 0
    from fivefold.cli.app import execute  # noqa: PLC0415 - imported where it is used

    return execute(session)
