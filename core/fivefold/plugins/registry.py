"""What the plugins brought: pipelines, datasets, models, commands and sources by name, each with its owner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

from fivefold.errors import ConfigError, DataError, PluginError, RunError
from fivefold.plugins.discovery import Broken, Candidate, Owner, Plugin, candidates, isolated, load
from fivefold.plugins.settings import Selection, selection
from fivefold.plugins.spec import CommandSpec, DatasetSpec, ModelSpec, PipelineSpec, SourceSpec
from fivefold.plugins.targets import load_pipeline
from fivefold.plugins.validation import Contribution, collect, returned

if TYPE_CHECKING:
    from fivefold.pipeline import Pipeline
    from fivefold.runs import Run
    from fivefold.training.callback import Callback

Spec = TypeVar("Spec", PipelineSpec, DatasetSpec, ModelSpec, CommandSpec, SourceSpec)
Named = dict[str, tuple[Spec, Owner]]


@dataclass(frozen=True)
class Disabled:
    """A plugin that was not imported, and the setting that says so."""

    owner: Owner
    reason: str


@dataclass
class Registry:
    """Everything that the enabled plugins registered.

    Attributes:
        pipelines: name to (spec, owner); so are `datasets`, `models` and `commands`, and `sources` by prefix.
        plugins: the plugins that work.
        broken: those that were refused.
        disabled: those that were not imported.
    """

    pipelines: Named[PipelineSpec] = field(default_factory=dict)
    datasets: Named[DatasetSpec] = field(default_factory=dict)
    models: Named[ModelSpec] = field(default_factory=dict)
    commands: Named[CommandSpec] = field(default_factory=dict)
    sources: Named[SourceSpec] = field(default_factory=dict)
    plugins: list[Plugin] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    disabled: list[Disabled] = field(default_factory=list)

    @property
    def dataset_specs(self) -> list[DatasetSpec]:
        """Every named dataset, by name."""
        return [self.datasets[name][0] for name in sorted(self.datasets)]

    @property
    def source_specs(self) -> list[SourceSpec]:
        """Every source of addresses, by prefix."""
        return [self.sources[prefix][0] for prefix in sorted(self.sources)]

    @property
    def domains(self) -> list[str]:
        """The domains that have pipelines or commands, in alphabetical order."""
        specs = [spec for spec, _ in self.pipelines.values()] + [spec for spec, _ in self.commands.values()]
        return sorted({spec.domain for spec in specs})

    def pipeline_spec(self, name: str) -> PipelineSpec:
        """The spec of the pipeline ``domain/task``.

        Raises:
            PluginError: there is none, its plugin is broken, or disabled; says which.
        """
        if name in self.pipelines:
            return self.pipelines[name][0]
        self.refuse_unusable(name.partition("/")[0])
        close = get_close_matches(name, self.pipelines, n=1)
        hint = (
            f"did you mean '{close[0]}'?"
            if close
            else f"there are {', '.join(sorted(self.pipelines)) or 'none'}"
        )
        raise PluginError(f"no pipeline '{name}' is installed; {hint}")

    def dataset_spec(self, name: str) -> DatasetSpec:
        """The spec of the dataset ``name``.

        Raises:
            DataError: there is none.
        """
        if name in self.datasets:
            return self.datasets[name][0]
        close = get_close_matches(name, self.datasets, n=1)
        hint = (
            f"did you mean '{close[0]}'?"
            if close
            else f"there are {', '.join(sorted(self.datasets)) or 'none'}"
        )
        raise DataError(f"no dataset '{name}' is known; {hint}")

    def owner(self, name: str) -> Owner:
        """Who registered the pipeline ``name``.

        Raises:
            PluginError: there is no such pipeline.
        """
        return self.pipelines[self.pipeline_spec(name).name][1]

    def pipeline_class(self, name: str) -> type[Pipeline]:
        """The class of the pipeline ``name``, imported.

        Raises:
            PluginError: there is no such pipeline, or it cannot be imported.
            DependencyError: a package that it needs is not installed.
        """
        return load_pipeline(self.pipeline_spec(name))

    def pipeline_of(self, run: Run) -> Pipeline:
        """The pipeline of a run, with the run's settings.

        Raises:
            RunError: the settings saved in the run do not fit the pipeline as it is installed.
            PluginError: the pipeline is not installed, or cannot be imported.
        """
        from fivefold.config import build_config  # noqa: PLC0415 - help texts need no pydantic

        kind = self.pipeline_class(run.pipeline)
        try:
            return kind(build_config(kind, file=run.path / "config.yaml"))
        except ConfigError as error:
            made_by = run.info.get("plugin", {}).get("version", "unknown")
            raise RunError(
                f"{error}; the run was made by version {made_by} of its plugin, "
                f"installed is {self.owner(run.pipeline)}"
            ) from error

    def refuse_unusable(self, domain: str) -> None:
        """Say so where ``domain`` belongs only to a plugin that is broken or disabled.

        Raises:
            PluginError: it does.
        """
        if domain in self.domains:
            return
        for broken in self.broken:
            if domain in broken.domains:
                raise PluginError(
                    f"'{domain}' cannot be used: {broken.reason}; run 'fivefold plugins doctor'"
                )
        for disabled in self.disabled:
            if domain == disabled.owner.plugin:
                raise PluginError(
                    f"'{domain}' cannot be used: {disabled.owner} is disabled ({disabled.reason})"
                )

    def callbacks(self) -> list[Callback]:
        """Listeners of trainings; a plugin whose hook fails moves to `broken` and brings none."""
        from fivefold.training.callback import Callback  # noqa: PLC0415 - only trainings need it

        found: list[Callback] = []
        for plugin in self.plugins:
            with isolated(plugin.owner) as outcome:
                found += returned(plugin, "fivefold_callbacks", Callback)
            if outcome.failure:
                self.broken.append(outcome.failure)
        return found

    def add(self, candidate: Candidate) -> None:
        """Import a plugin and register what it brings: all of it, or nothing where anything is wrong."""
        owner = candidate.owner
        plugin = None
        contribution = Contribution()
        with isolated(owner) as outcome:
            self._check_plugin_name(owner)
            plugin = load(candidate)
            contribution = collect(plugin)
            outcome.domains |= contribution.domains
            self._check_free(owner, contribution)
        if outcome.failure:
            self.broken.append(outcome.failure)
        elif plugin is not None:
            self.plugins.append(plugin)
            self.pipelines |= {spec.name: (spec, owner) for spec in contribution.pipelines}
            self.datasets |= {spec.name: (spec, owner) for spec in contribution.datasets}
            self.models |= {spec.name: (spec, owner) for spec in contribution.models}
            self.commands |= {spec.name: (spec, owner) for spec in contribution.commands}
            self.sources |= {spec.name: (spec, owner) for spec in contribution.sources}

    def _check_plugin_name(self, owner: Owner) -> None:
        others = [plugin.owner for plugin in self.plugins] + [broken.owner for broken in self.broken]
        for other in others:
            if other.plugin == owner.plugin:
                raise PluginError(f"{owner} has the name of {other}; uninstall one of the two")

    def _check_free(self, owner: Owner, contribution: Contribution) -> None:
        """Refuse names that stand already, in this plugin or in another."""
        commands_taken = {**_owners(self.pipelines), **_owners(self.commands)}
        _claim("command", owner, _names((*contribution.pipelines, *contribution.commands)), commands_taken)
        _claim("dataset", owner, _names(contribution.datasets), _owners(self.datasets))
        _claim("model", owner, _names(contribution.models), _owners(self.models))
        _claim("prefix", owner, _names(contribution.sources), _owners(self.sources))


def _owners(named: Mapping[str, tuple[object, Owner]]) -> dict[str, Owner]:
    return {name: owner for name, (_, owner) in named.items()}


def _names(specs: Iterable[PipelineSpec | DatasetSpec | ModelSpec | CommandSpec | SourceSpec]) -> list[str]:
    return [spec.name for spec in specs]


def _claim(kind: str, owner: Owner, names: Iterable[str], taken: dict[str, Owner]) -> None:
    for name in names:
        if name in taken:
            raise PluginError(
                f"{owner} registers the {kind} '{name}', which {taken[name]} has already; uninstall one"
            )
        taken[name] = owner


def load_registry() -> Registry:
    """Import the enabled plugins, in a fixed order, each in isolation.

    Raises:
        ConfigError: ``fivefold.toml`` or ``FIVEFOLD_PLUGINS`` cannot be understood.
    """
    found = candidates()
    chosen: Selection = selection([candidate.owner.plugin for candidate in found])
    registry = Registry()
    for candidate in found:
        reason = chosen.disabled.get(candidate.owner.plugin)
        if reason is None:
            registry.add(candidate)
        else:
            registry.disabled.append(Disabled(candidate.owner, reason))
    return registry
