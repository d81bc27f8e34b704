"""The commands that every pipeline has."""

from __future__ import annotations

from cyclopts import App

from fivefold.cli.examples import config_examples, evaluate_example, predict_example, train_example
from fivefold.cli.taught import add
from fivefold.cli.verbs.config import config_verb
from fivefold.cli.verbs.evaluate import evaluate_verb
from fivefold.cli.verbs.find_lr import find_lr_example, find_lr_verb
from fivefold.cli.verbs.predict import predict_verb
from fivefold.cli.verbs.settings import Settings
from fivefold.cli.verbs.train import train_help, train_verb
from fivefold.cli.verbs.tune import tune_example, tune_verb
from fivefold.plugins.spec import PipelineSpec

VERBS = {
    "train": "Train a model, judge it against its baselines and write the report.",
    "evaluate": "Judge a trained model again, on its own test split or on other data.",
    "predict": "Predict for files, folders or a dataset.",
    "find-lr": "Find a learning rate by a short test on the training samples.",
    "tune": "Search the settings that give the best validation metric.",
    "config": "Show the settings as YAML, or their JSON schema.",
}
"""Names and summaries, for the list of a pipeline's commands."""


def add_verbs(app: App, spec: PipelineSpec, verb: str) -> None:
    """Give a pipeline's ``app`` its commands; the settings are imported only for the ``verb`` that was typed.

    Raises:
        PluginError: the pipeline's settings cannot be imported, or clash with the commands' own options.
        DependencyError: a package that they need is not installed.
    """
    for name, summary in VERBS.items():
        if name != verb:
            app.command(_placeholder, name=name, help=summary)
    if verb == "train":
        settings = Settings.of(spec)
        summary = train_help(spec, settings)
        add(app, train_verb(spec, settings), verb, example=train_example(spec), summary=summary)
    elif verb == "evaluate":
        add(app, evaluate_verb(spec), verb, example=evaluate_example(spec))
    elif verb == "predict":
        add(app, predict_verb(spec), verb, example=predict_example(spec))
    elif verb == "find-lr":
        add(app, find_lr_verb(spec, Settings.of(spec)), verb, example=find_lr_example(spec))
    elif verb == "tune":
        add(app, tune_verb(spec, Settings.of(spec)), verb, example=tune_example(spec))
    elif verb == "config":
        settings = Settings.of(spec)
        example = config_examples(spec, list(settings.presets))
        add(app, config_verb(spec, settings), verb, example=example)


def _placeholder() -> None:
    """Stands in for a verb that was not typed, in the list of commands."""
