"""The benchmark's hand-written loop and fivefold do the same work: equal weights after the same steps."""

from __future__ import annotations

import pytest
import torch

from benchmarks.trainers import fivefold_trainer, hand
from benchmarks.trainers.problems import PROBLEMS
from benchmarks.trainers.trial import Length, Trial

LENGTH = Length(steps=10, warm_up=2)


@pytest.mark.parametrize("name", ["mlp", "dcgan"])
def test_the_hand_written_loop_and_fivefold_train_equal_weights(name: str) -> None:
    theirs, ours = (Trial(PROBLEMS[name], LENGTH, torch.device("cpu")) for _ in range(2))
    initial = ours.weights()
    hand.train(theirs)
    fivefold_trainer.train(ours)
    trained = ours.weights()
    torch.testing.assert_close(trained, theirs.weights())
    assert not any(torch.equal(initial[key], trained[key]) for key in initial)
    assert theirs.begun == ours.begun == LENGTH.total
