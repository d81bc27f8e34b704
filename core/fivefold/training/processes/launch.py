"""Several processes on this machine, each of which runs the same command: what ``--devices N`` does.

They are started by torch's elastic agent, as by ``torchrun --standalone --nproc-per-node N -m fivefold ...``.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import uuid
from collections.abc import Sequence

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from fivefold.errors import Interrupted

_INTERRUPTED = Interrupted.exit_code


def launch(count: int, words: Sequence[str]) -> int:
    """Run ``fivefold`` with ``words`` in ``count`` processes.

    Threads of the arithmetic are divided between them, unless OMP_NUM_THREADS says how many each takes.

    Returns:
        the exit code: that of the process which failed first, 130 after a signal.
    """
    # What the processes themselves say is for people; the agent's own account of their ends is not.
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // count)))
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=count,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.1,
    )
    try:
        elastic_launch(config, sys.executable)("-m", "fivefold", *words)
    except SignalException:
        return _INTERRUPTED
    except ChildFailedError as error:
        first = min(error.failures.values(), key=lambda failure: failure.timestamp)
        return _INTERRUPTED if first.exitcode == -signal.SIGINT else abs(first.exitcode)
    return 0
