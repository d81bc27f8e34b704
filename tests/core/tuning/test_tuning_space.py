"""Search expressions and the search space that they make."""

from __future__ import annotations

import math
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field

from fivefold.config import OptimizerConfig, PipelineConfig, StrictModel
from fivefold.errors import ConfigError
from fivefold.tuning.expressions import (
    Choice,
    Range,
    find_setting,
    parse_domain,
    setting_names,
    split_expression,
)
from fivefold.tuning.space import search_space, value_of, with_values


class Model(StrictModel):
    kind: Literal["cnn", "resnet"] = "cnn"
    width: int | None = Field(None, ge=1)
    name: str | None = None


class Config(PipelineConfig):
    model: Model = Model()
    flip: bool = False
    share: float = Field(0.5, ge=0, lt=1)
    sizes: tuple[int, ...] = (1,)


def parsed(expression: str) -> Range | Choice:
    name, text = split_expression(expression)
    return parse_domain(Config, name, text, where=expression)


@pytest.mark.parametrize(
    ("expression", "domain"),
    [
        ("optimizer.lr=1e-4:1e-1:log", Range(1e-4, 1e-1, log=True)),
        ("optimizer.weight-decay = 0 : 0.5", Range(0.0, 0.5)),
        ("epochs=2:9", Range(2, 9)),
        ("batch-size=16:64:log", Range(16, 64, log=True)),
        ("batch_size=32,64,auto", Choice((32, 64, "auto"))),
        ("model.width=none,32", Choice((None, 32))),
        ("model.name=none,a", Choice((None, "a"))),
        ("model.name=a:b,c", Choice(("a:b", "c"))),
        ("model.kind=cnn,resnet", Choice(("cnn", "resnet"))),
        ("flip=true,false", Choice((True, False))),
        ("share=0.25", Choice((0.25,))),
        ("optimizer.lr=1,2", Choice((1.0, 2.0))),
    ],
)
def test_expressions(expression: str, domain: Range | Choice) -> None:
    found = parsed(expression)
    assert found == domain
    if isinstance(found, Choice) and isinstance(domain, Choice):
        assert [type(value) for value in found.values] == [type(value) for value in domain.values]
    if isinstance(found, Range):
        assert found.whole == isinstance(domain.low, int)  # type: ignore[union-attr]  # only numbers have a low end


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("optimizer.lr", "expected SETTING=DOMAIN"),
        ("=1:2", "expected SETTING=DOMAIN"),
        ("epochs=", "expected SETTING=DOMAIN"),
        ("optimizer.lrr=1:2", "unknown setting 'optimizer.lrr'; did you mean 'optimizer.lr'?"),
        ("optimizer.lr.x=1:2", "unknown setting 'optimizer.lr.x'"),
        ("zzz=1:2", "unknown setting 'zzz'; there are seed, epochs, batch_size, folds, fold, optimizer.name"),
        ("model=1:2", "'model' is a group of settings, expected one of model.kind, model.width, model.name"),
        ("optimizer.lr=2:1", "a range from a smaller to a greater number"),
        ("optimizer.lr=1:1", "a range from a smaller to a greater number"),
        ("share=0:0.5:log", "a logarithmic range above 0, found one that begins at 0.0"),
        ("optimizer.lr=1:2:3", "expected LOW:HIGH or LOW:HIGH:log"),
        ("optimizer.lr=1:2:log:log", "expected LOW:HIGH or LOW:HIGH:log"),
        ("optimizer.lr=0:1", "expected greater than 0, found '0'"),
        ("share=0:1", "expected less than 1, found '1'"),
        ("optimizer.lr=1:inf", "expected finite numbers around the colon, found inf"),
        ("epochs=1.5:3", "expected integer, found '1.5'"),
        ("epochs=1,x", "expected integer, found 'x'"),
        ("batch_size=x,1", "expected a number greater than or equal to 1, or auto, found 'x'"),
        ("flip=maybe,true", "expected true or false"),
        ("model.kind=cnn:resnet", "expected finite numbers around the colon, found cnn"),
        ("model.kind=vit,cnn", "expected 'cnn' or 'resnet', found 'vit'"),
        ("epochs=3,4,3", "expected different values, found 3 twice"),
        ("sizes=1,2", "found '1'"),
        ("model.width=,3", "found ''"),
    ],
)
def test_what_does_not_fit_is_one_sentence(expression: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parsed(expression)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


LEAVES = sorted(setting_names(Config))


@example("fold", "1")
@given(st.sampled_from(LEAVES), st.text("0123456789.e-:,logtrufansc ", min_size=1))
def test_any_text_is_a_domain_or_a_sentence(name: str, text: str) -> None:
    try:
        domain = parse_domain(Config, name, text, where="here")
    except ConfigError:
        return
    # What it allows, the setting takes; and it reads as it is written.
    values = (domain.low, domain.high) if isinstance(domain, Range) else domain.values
    for value in values:
        assert value in domain
        base = Config(folds=max(3, value + 1)) if name == "fold" else Config()  # a fold is one of the folds
        assert value_of(with_values(base, {name: value}), name) == value
    assert parse_domain(Config, name, str(domain), where="again") == domain


@given(
    st.floats(1e-300, 1e300, exclude_max=True),
    st.floats(1e-300, 1e300),
    st.booleans(),
)
def test_ranges_keep_every_digit(low: float, high: float, log: bool) -> None:
    low, high = sorted((low, high))
    if low < high:
        domain = Range(low, high, log)
        assert parse_domain(Config, "optimizer.lr", str(domain), where="here") == domain
        assert math.sqrt(low) * math.sqrt(high) in domain or math.isclose(low, high)
        assert math.nextafter(low, 0) not in domain
        assert "low" not in domain


def test_the_default_space_lies_around_the_settings() -> None:
    space = search_space(Config(optimizer=OptimizerConfig(lr=0.02), batch_size=16), {})
    assert space.texts == {
        "optimizer.lr": "0.002:0.2:log",
        "optimizer.weight_decay": "0.0001:0.1:log",
        "batch_size": "8,16,32",
    }
    assert space.held == {}
    for name, domain in space.domains.items():
        config = Config(optimizer=OptimizerConfig(lr=0.02), batch_size=16)
        assert value_of(config, name) in domain


@pytest.mark.parametrize(("size", "sizes"), [(1, "1,2"), (2, "1,2,4"), ("auto", None)])
def test_the_default_batch_sizes(size: int | Literal["auto"], sizes: str | None) -> None:
    assert search_space(Config(batch_size=size), {}).texts.get("batch_size") == sizes


def test_layers_lie_over_each_other_and_single_values_hold() -> None:
    declared = {"share": "0.1:0.9", "optimizer.weight_decay": "0"}
    space = search_space(Config(), declared, ["share=0.2:0.3", "batch-size=64"])
    assert space.texts == {"optimizer.lr": "0.0001:0.01:log", "share": "0.2:0.3"}
    assert space.held == {"optimizer.weight_decay": 0.0, "batch_size": 64}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["epochs=1:2", "epochs=2:3"], "'epochs' a second time"),
        (["seed=1:2"], "'seed' cannot be searched"),
        (["evaluation.level=0.6:0.7"], "'evaluation.level' cannot be searched"),
        (["trainer.monitor=a,b"], "'trainer.monitor' cannot be searched"),
        (["optimizer.lr=1", "optimizer.weight_decay=0", "batch_size=8"], "nothing is left to search"),
    ],
)
def test_spaces_that_make_no_sense(typed: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        search_space(Config(), {}, typed)


def test_a_wrong_declaration_names_the_setting() -> None:
    with pytest.raises(ConfigError, match="search space, widht=1:2: unknown setting 'widht'"):
        search_space(Config(), {"widht": "1:2"})


def test_values_are_put_into_settings() -> None:
    config = with_values(Config(flip=True), {"optimizer.lr": 0.5, "optimizer.name": "sgd", "epochs": 3})
    assert (config.optimizer.lr, config.optimizer.name, config.epochs, config.flip) == (0.5, "sgd", 3, True)
    with pytest.raises(ConfigError, match=r"option --optimizer\.lr"):
        with_values(Config(), {"optimizer.lr": -1.0})
    assert find_setting(Config, "optimizer.lr", "here").default == 1e-3
