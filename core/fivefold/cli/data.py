"""``fivefold data``: named datasets, data elsewhere by address, and a look at data of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from fivefold.cli.data_check import check_command
from fivefold.cli.output import emit, grid, say, size
from fivefold.cli.session import Session, warn
from fivefold.cli.taught import group
from fivefold.cli.verbs.parameters import Json
from fivefold.data.addresses import fetch_address, find_source, is_address, source_terms
from fivefold.data.catalog import terms
from fivefold.data.fetch import dataset_folder, fetch, is_cached
from fivefold.data.manifest import Manifest, load_manifest
from fivefold.data.progress import DownloadBar
from fivefold.errors import DataError
from fivefold.files import written_aside
from fivefold.plugins.discovery import Owner
from fivefold.plugins.spec import DatasetSpec, SourceSpec

Name = Annotated[str, Parameter(name="NAME", help="Name of a dataset, or an address (fivefold data list).")]
To = Annotated[Path | None, Parameter(help="Copy it there, too: a new file or folder of your own.")]


def list_datasets(*, json: Json = False) -> None:
    """List the named datasets, with size, licence and the pipelines that read them, and addresses that are known.

    Example:
        fivefold data list
    """
    registry = Session.current.registry()
    found = [describe(spec, owner) for _, (spec, owner) in sorted(registry.datasets.items())]
    sources = [describe_source(spec, owner) for _, (spec, owner) in sorted(registry.sources.items())]
    if json:
        emit({"datasets": found, "sources": sources})
        return
    grid(
        ("name", "what", "size", "here", "licence", "pipelines"),
        (
            (
                dataset["name"],
                dataset["summary"],
                size(dataset["bytes"]) if "bytes" in dataset else dataset["error"],
                "yes" if dataset.get("cached") else "",
                dataset.get("licence"),
                ", ".join(dataset["pipelines"]),
            )
            for dataset in found
        ),
    )
    if sources:
        say("Addresses of data elsewhere may stand wherever a name may:")
        grid(("address", "what"), ((source["example"], source["summary"]) for source in sources))


def describe(spec: DatasetSpec, owner: Owner) -> dict[str, Any]:
    """A dataset as plain values; a manifest that cannot be read costs its own line only."""
    known: dict[str, Any] = {
        "name": spec.name,
        "summary": spec.summary,
        "pipelines": list(spec.pipelines),
        "owner": owner.describe(),
    }
    try:
        manifest = load_manifest(spec.manifest)
    except DataError as error:
        warn(str(error))
        return {**known, "error": str(error)}
    return {**known, "bytes": manifest.bytes, "licence": manifest.licence, "cached": is_cached(manifest)}


def describe_source(spec: SourceSpec, owner: Owner) -> dict[str, Any]:
    """A source of addresses as plain values."""
    return {
        "prefix": spec.prefix,
        "summary": spec.summary,
        "example": spec.example or f"{spec.prefix}:...",
        "terms": spec.terms,
        "owner": owner.describe(),
    }


def info(name: Name, /, *, json: Json = False) -> None:
    """Show a dataset: what it is, licence, citation, files and where they come from.

    Of an address, what its source is, and on which terms.

    Example:
        fivefold data info DATASET
    """
    registry = Session.current.registry()
    if is_address(name):
        source = find_source(name, registry.source_specs)
        if json:
            emit(describe_source(*registry.sources[source.prefix]))
        else:
            say(source_terms(source))
        return
    spec = registry.dataset_spec(name)
    manifest = load_manifest(spec.manifest)
    here = is_cached(manifest)
    if json:
        owner = registry.datasets[name][1]
        emit(
            {
                **describe(spec, owner),
                "manifest": manifest.model_dump(mode="json"),
                "folder": folder(manifest),
            }
        )
        return
    say(terms(manifest))
    grid(
        ("file", "size", "sources"),
        ((f.path, size(f.bytes), "\n".join(str(source) for source in f.sources)) for f in manifest.files),
    )
    say(
        f"In the cache: {dataset_folder(manifest)}"
        if here
        else f"Not fetched yet; run: fivefold data get {name}"
    )
    for pipeline in spec.pipelines:
        say(f"Train on it: fivefold {pipeline.replace('/', ' ')} train {name}")


def folder(manifest: Manifest) -> str | None:
    """Where the dataset's files are, or None where they are not fetched."""
    return str(dataset_folder(manifest)) if is_cached(manifest) else None


def get(name: Name, /, *, to: To = None, json: Json = False) -> None:
    """Fetch a dataset into the cache and verify it; licence and citation are shown first.

    An address is fetched by its source, whose terms are shown before the first use.

    Example:
        fivefold data get DATASET
    """
    if to is not None and to.exists():
        raise DataError(f"{to}: expected a path where nothing is yet to copy {name} to; choose another")
    registry = Session.current.registry()
    # Not `resolve`: a file of that name in the working directory would win over the dataset.
    if is_address(name):
        path = fetch_address(name, registry.source_specs, say)
    else:
        path = fetch_dataset(registry.dataset_spec(name))
    if to is not None:
        path = copy(path, to)
    if json:
        emit({"name": name, "path": path})
    else:
        say(f"{name} is at {path}")


def fetch_dataset(spec: DatasetSpec) -> Path:
    """Show a dataset's terms and see that it is in the cache, at the path returned."""
    manifest = load_manifest(spec.manifest)
    say(terms(manifest))
    if not is_cached(manifest):
        with DownloadBar() as bar:
            fetch(manifest, progress=bar)
    return dataset_folder(manifest) / manifest.entry


def copy(source: Path, target: Path) -> Path:
    """Copy a file or folder to ``target``, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    with written_aside(target) as part:
        if source.is_dir():
            part.unlink()
            shutil.copytree(source, part)
        else:
            shutil.copyfile(source, part)
    return target


def data_app(session: Session) -> App:
    """The command with its commands; ``check`` takes the settings of the pipeline that the words name."""
    check = check_command(session)
    return group("data", {"list": list_datasets, "info": info, "get": get, "check": check})
