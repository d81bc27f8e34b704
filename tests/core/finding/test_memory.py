"""Memory is read from the system's own files, and a trial's peak is seen."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fivefold.finding.memory import MachineMemory, available_bytes, memory_of

GIB = 2**30


def system(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


MEMINFO = {"proc/meminfo": f"MemTotal: {32 * 2**20} kB\nMemAvailable:   {8 * 2**20} kB\n"}


def test_without_groups_it_is_what_the_kernel_calls_available(tmp_path: Path) -> None:
    assert available_bytes(system(tmp_path, MEMINFO)) == 8 * GIB


@pytest.mark.parametrize(
    ("limit", "usage", "cache", "left"),
    [
        (4 * GIB, 3 * GIB, GIB // 2, 3 * GIB // 2),  # the file cache can be dropped
        (64 * GIB, GIB, 0, 8 * GIB),  # more than the machine has
        ("max", GIB, 0, 8 * GIB),
        (GIB, 2 * GIB, 0, 0),
    ],
)
def test_a_container_has_what_its_group_leaves(
    tmp_path: Path, limit: int | str, usage: int, cache: int, left: int
) -> None:
    files = {
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": f"{limit}\n",
        "sys/fs/cgroup/memory.current": f"{usage}\n",
        "sys/fs/cgroup/memory.stat": f"anon 5\ninactive_file {cache}\n",
    }
    assert available_bytes(system(tmp_path, {**MEMINFO, **files})) == left


def test_the_limit_of_a_group_above_counts(tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "0::/jobs/mine\n"}
    for folder, limit in (("jobs", f"{2 * GIB}"), ("jobs/mine", "max")):
        files[f"sys/fs/cgroup/{folder}/memory.max"] = limit
        files[f"sys/fs/cgroup/{folder}/memory.current"] = "0"
        files[f"sys/fs/cgroup/{folder}/memory.stat"] = ""
    assert available_bytes(system(tmp_path, {**MEMINFO, **files})) == 2 * GIB


def test_the_first_version_of_groups_is_read_too(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "9:name=systemd:/\n4:memory:/job/7\n0::/\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{3 * GIB}\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{GIB}\n",
        "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 0\n",
    }
    assert available_bytes(system(tmp_path, {**MEMINFO, **files})) == 2 * GIB


def test_elsewhere_free_pages_are_counted(tmp_path: Path) -> None:
    assert 0 < available_bytes(tmp_path) < 2**50


def test_processes_of_a_machine_share_its_memory() -> None:
    alone = memory_of(torch.device("cpu"))
    assert isinstance(alone, MachineMemory)
    assert 0 < 100 * memory_of(torch.device("cpu"), sharing=1000).budget < alone.budget


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak can be reset on Linux only")
def test_the_peak_is_that_of_the_trial() -> None:
    memory = MachineMemory()
    memory.begin()
    torch.zeros(300 * 2**20, dtype=torch.uint8).fill_(1)
    assert memory.peak() > 250 * 2**20
    memory.begin()
    assert memory.peak() < 150 * 2**20
