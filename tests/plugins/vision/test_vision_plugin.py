import importlib
import subprocess
import sys

from fivefold_vision import plugin


def test_the_plugin_is_cheap_to_import() -> None:
    program = (
        "import sys, fivefold_vision.plugin, fivefold_vision.classify.config, fivefold_vision.generate.presets\n"
        "print([name for name in ('torch', 'cv2', 'numpy', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_targets_are_there() -> None:
    targets = [spec.target for spec in plugin.fivefold_pipelines()]
    targets += [spec.config for spec in plugin.fivefold_pipelines()]
    targets += [spec.target for spec in plugin.fivefold_models()]
    for target in targets:
        module, _, name = target.partition(":")
        assert isinstance(getattr(importlib.import_module(module), name), type)


def test_manifests_are_there() -> None:
    from fivefold.data.manifest import load_manifest

    for spec in plugin.fivefold_datasets():
        assert load_manifest(spec.manifest).name == spec.name
        assert spec.pipelines == ("vision/classify", "vision/generate")
    for model in plugin.fivefold_models():
        assert load_manifest(model.manifest).files
