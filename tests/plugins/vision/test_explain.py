from pathlib import Path

import numpy as np
import pytest
import torch

from fivefold.config import EvaluationConfig
from fivefold.evaluation.classification_sections import confident_mistakes
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.judge import judge
from fivefold.images.decode import decode
from fivefold.tasks.base import Outputs
from fivefold_vision.classify.config import ClassifyConfig
from fivefold_vision.classify.explain import attention_section
from fivefold_vision.classify.pipeline import Classify
from plugins.vision.pictures import image_folder


def judged(classify: Classify, source: Path, outputs: Outputs | None = None) -> Evaluation:
    samples = classify.samples(classify.read(source))
    task = classify.task(samples.facts).eval()
    if outputs is None:
        with torch.no_grad():
            found = task.predict(samples.batch(torch.arange(len(samples))))
        outputs = {name: tensor.numpy() for name, tensor in found.items()}
    return judge(
        task=task, facts=samples.facts, outputs=outputs, samples=samples, split="test", baseline_outputs={},
        findings=(), config=EvaluationConfig(resamples=100), seed=0,
    )  # fmt: skip


def made_up(sure: list[float], target: list[int]) -> Outputs:
    """Outputs that give class 1 the probabilities ``sure``."""
    probabilities = np.array([[1 - share, share] for share in sure])
    return {"probabilities": probabilities, "logits": np.log(probabilities), "target": np.array(target)}


@pytest.mark.parametrize("shape", [{}, {"height": 90, "width": 120}])
def test_the_galleries_show_pictures(tmp_path: Path, shape: dict[str, int]) -> None:
    classify = Classify(ClassifyConfig(memory=0))
    outputs = made_up([0.9, 0.1, 0.2, 0.99, 0.9, 0.3, 0.8, 0.8], [0, 0, 0, 0, 1, 1, 1, 1])
    evaluation = judged(classify, image_folder(tmp_path, each=4, **shape), outputs)
    assert confident_mistakes(evaluation) == [3, 0, 5]
    sections = {section.key: section for section in classify.sections(evaluation)}
    assert list(sections) == ["mistake_pictures", "label_error_pictures", "attention"]
    mistakes = sections["mistake_pictures"].gallery
    assert [figure.caption for figure in mistakes] == [
        "cat/3.png: taken for dog (99 %), labelled cat",
        "cat/0.png: taken for dog (90 %), labelled cat",
        "dog/1.png: taken for cat (70 %), labelled dog",
    ]
    assert {figure.kind for figure in mistakes} == {"png"}
    picture = decode(mistakes[0].image, "figure")
    assert 112 <= max(picture.shape[:2]) <= 224
    assert sections["label_error_pictures"].gallery[0].caption == "cat/3.png: labelled cat, seems to be dog"
    attention = sections["attention"].gallery
    assert [figure.caption.split(":")[0] for figure in attention] == [
        "cat/1.png", "dog/0.png", "cat/3.png", "cat/0.png", "dog/1.png",
    ]  # fmt: skip
    pair = decode(attention[0].image, "figure")
    assert pair.shape[1] in {2 * side for side in range(112, 225)}


def test_without_mistakes_there_is_no_gallery_of_them(tmp_path: Path) -> None:
    evaluation = judged(
        Classify(), image_folder(tmp_path, each=2), made_up([0.1, 0.1, 0.9, 0.9], [0, 0, 1, 1])
    )
    assert [section.key for section in Classify().sections(evaluation)] == ["attention"]


def test_a_network_that_was_run_explains_itself(tmp_path: Path) -> None:
    torch.manual_seed(0)
    evaluation = judged(Classify(), image_folder(tmp_path, each=3))
    task = evaluation.task
    section = attention_section(evaluation, task)  # type: ignore[arg-type]  # the pipeline's own task
    assert section is not None
    assert len(section.gallery) >= 2
    assert not task.training
