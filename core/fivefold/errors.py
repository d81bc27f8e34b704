"""Every error that fivefold raises on purpose.

    FivefoldError
    ├── ConfigError        a setting, option or configuration file
    ├── DataError          a file, row, column or sample of the user's
    │   ├── DownloadError  a source that could not be fetched
    │   ├── ChecksumError  a file that is not the one its manifest names
    │   └── ArchiveError   an archive that is broken or unsafe to unpack
    ├── LeakageError       leakage between splits, under ``--strict``
    ├── PluginError        a plugin that is missing, broken, clashing or too old
    ├── DependencyError    a package that is missing or too old
    ├── RunError           a run directory that is missing, broken or of a newer format
    ├── CheckpointError    a checkpoint that is incomplete or does not fit
    ├── StorageError       a file that cannot be written (full disk, no permission)
    ├── TrainingError      a training that cannot go on (non-finite loss, no memory)
    ├── PeerError          another process of the same training failed, and says why itself
    └── Interrupted        a training stopped by a signal, saved and resumable

The message is one sentence for the user: which file and row, what was expected, what was found, what to do.
The command line prints it without a traceback and exits with ``exit_code``.
"""


class FivefoldError(Exception):
    """Root of the tree; catch this to catch everything that fivefold raises on purpose."""

    exit_code = 2


class ConfigError(FivefoldError):
    """A setting, option or configuration file is wrong."""


class DataError(FivefoldError):
    """A file, row, column or sample of the user's is wrong."""


class DownloadError(DataError):
    """A source could not be fetched."""


class ChecksumError(DataError):
    """A file is not the one that its manifest names."""


class ArchiveError(DataError):
    """An archive is broken or unsafe to unpack."""


class LeakageError(FivefoldError):
    """Samples stand on both sides of a split, under ``--strict``."""


class PluginError(FivefoldError):
    """A plugin is missing, broken, clashing, or built for another contract version."""


class DependencyError(FivefoldError):
    """A package is missing or too old."""


class RunError(FivefoldError):
    """A run directory is missing, broken, or of a newer format."""


class CheckpointError(FivefoldError):
    """A checkpoint is incomplete or does not fit the model."""


class StorageError(FivefoldError):
    """A file cannot be written."""


class TrainingError(FivefoldError):
    """A training cannot go on."""


class PeerError(FivefoldError):
    """Another process of the same training failed; that one says why, so this one is not shown.

    Args:
        exit_code: the one to end with.
    """

    def __init__(self, exit_code: int) -> None:
        super().__init__("another process of the training failed; its own message says why")
        self.exit_code = exit_code


class Interrupted(FivefoldError):  # noqa: N818 - it is no fault: like KeyboardInterrupt, it says what happened
    """A training was stopped by a signal; it was saved and can be resumed."""

    exit_code = 130
