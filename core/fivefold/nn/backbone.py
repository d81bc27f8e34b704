"""Any Hugging Face network as a backbone: images or tokens in, one vector a sample out.

`transformers` is imported when a backbone is asked for, not before. Weights are read from safetensors
only, and no code that a repository carries is run. Shapes: ``B`` batch, ``C`` channels, ``H W`` height and
width, ``T`` tokens, ``E`` width of token vectors, ``F`` features.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from fivefold.errors import ConfigError, DataError, DependencyError
from fivefold.nn.preprocessing import image_input
from fivefold.nn.sequence_pooling import mean_over_steps

if TYPE_CHECKING:
    import transformers

Pooling = Literal["mean", "first"]
_MAP_AXES = 4  # (B, F, h, w), what convolutional networks give


class Backbone(nn.Module):
    """A Hugging Face network with pooled outputs; made by `load_backbone`, in evaluation mode.

    Attributes:
        features: width ``F`` of the vector.
        reads: ``images`` or ``tokens``.
        pooling: ``mean`` over places or true tokens; ``first`` takes the first token (a class token).
        image: mean, standard deviation and size that images should have; None where tokens are read.
    """

    def __init__(
        self,
        network: transformers.PreTrainedModel,
        pooling: Pooling = "mean",
        processor: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if pooling not in {"mean", "first"}:
            raise ConfigError(f"pooling '{pooling}' is not known; choose mean or first")
        self.config: dict[str, Any] = network.config.to_dict()
        self.network = network = _encoder(network)
        self.pooling = pooling
        self.reads = _reads(network)
        self.image = image_input(network.config, processor or {}) if self.reads == "images" else None
        self.features = self._probe()
        # The network's own pooler is not used; frozen, it is neither decayed nor missed by a gradient
        # reduction.
        pooler = getattr(network, "pooler", None)
        if isinstance(pooler, nn.Module):
            pooler.requires_grad_(requires_grad=False)

    def forward(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pooled features.

        Args:
            inputs: normalised images ``(B, C, H, W)``, or token ids ``(B, T)`` int64, or what `embed` gave for
                them, ``(B, T, E)``.
            mask: ``(B, T)``, 1 or True at tokens that exist; at least one a row. For tokens only.

        Returns:
            ``(B, features)``.
        """
        if self.reads == "images":
            hidden: Tensor = self.network(pixel_values=inputs).last_hidden_state
        else:
            tokens = {"inputs_embeds" if inputs.is_floating_point() else "input_ids": inputs}
            hidden = self.network(**tokens, attention_mask=mask).last_hidden_state
        if hidden.ndim == _MAP_AXES:  # (B, F, h, w), which has no class token: the mean either way
            return hidden.mean(dim=(2, 3))
        if self.pooling == "first":
            return hidden[:, 0]
        if mask is None:
            return hidden.mean(dim=1)  # (B, T, F) -> (B, F)
        return mean_over_steps(hidden, mask)

    def embed(self, ids: Tensor) -> Tensor:
        """Token ids, int64 ``(B, T)``, to the vectors that the network has for them, ``(B, T, E)``."""
        vectors: Tensor = self.network.get_input_embeddings()(ids)
        return vectors

    @property
    def takes_vectors(self) -> bool:
        """Whether `forward` takes what `embed` gives, in place of ids."""
        return self.reads == "tokens" and "inputs_embeds" in signature(self.network.forward).parameters

    def describe(self) -> dict[str, Any]:
        """JSON-ready values from which `build_backbone` makes the same network again, without its weights."""
        processor = {} if self.image is None else self.image.to_processor()
        return {"config": self.config, "pooling": self.pooling, "processor": processor}

    def _probe(self) -> int:
        """The width of the vector, from one blank sample: configs name it in too many ways."""
        if self.image is None:
            blank = torch.zeros(1, 2, dtype=torch.int64)
        else:
            blank = torch.zeros(1, self.image.channels, self.image.size, self.image.size)
        self.eval()
        with torch.no_grad():
            features = self(blank).shape[1]
        return int(features)


def load_backbone(
    name: str | Path,
    *,
    pooling: Pooling = "mean",
    revision: str | None = None,
    offline: bool = False,
) -> Backbone:
    """A trained backbone, in float32.

    Args:
        name: a name on the hub, such as ``facebook/dinov2-small``, or a local folder with ``config.json`` and
            ``model.safetensors``. Of a network that reads both images and text, the part that reads images
            is taken; of an encoder and decoder, the encoder.
        pooling: ``mean`` over places or tokens, or the ``first`` token.
        revision: branch, tag or commit on the hub.
        offline: whether to look on this machine only.

    Raises:
        DependencyError: transformers is not installed.
        DataError: no such folder or repository, the hub cannot be reached, or the files are not a model.
    """
    transformers = _transformers()
    origin = _origin(name)
    places: dict[str, Any] = {"revision": revision, "local_files_only": offline}
    try:
        network = transformers.AutoModel.from_pretrained(
            origin, use_safetensors=True, trust_remote_code=False, dtype=torch.float32, **places
        )
        processor = transformers.models.auto.image_processing_auto.get_image_processor_config(
            origin, **places
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise DataError(
            f"backbone '{name}' cannot be read ({_first_sentence(error)}); give a folder with config.json "
            "and model.safetensors, or a name on the hub whose weights are safetensors; without a network, "
            "one that is already in the folder that HF_HUB_CACHE names"
        ) from error
    return Backbone(network, pooling, processor)


def build_backbone(description: Mapping[str, Any]) -> Backbone:
    """The network that `Backbone.describe` told of, with fresh weights: for a state dict that is loaded next.

    Raises:
        DependencyError: transformers is not installed, or too old to know the network.
    """
    transformers = _transformers()
    config = dict(description["config"])
    kind = config.pop("model_type")
    try:
        network = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(kind, **config))
    except ValueError as error:
        raise DependencyError(
            f"the installed transformers ({transformers.__version__}) does not know the network '{kind}'; "
            "upgrade it: pip install --upgrade transformers"
        ) from error
    return Backbone(network, description["pooling"], description["processor"])


def _encoder(network: transformers.PreTrainedModel) -> Any:
    """The part of ``network`` that reads images, or the encoder of a pair, or the network itself."""
    if hasattr(network.config, "vision_config"):
        return network.get_encoder(modality="image")
    return network.get_encoder() if network.config.is_encoder_decoder else network


def _reads(network: transformers.PreTrainedModel) -> Literal["images", "tokens"]:
    """What ``network`` reads.

    Raises:
        DataError: neither images nor tokens.
    """
    if network.main_input_name == "pixel_values":
        return "images"
    if network.main_input_name == "input_ids":
        return "tokens"
    raise DataError(
        f"backbone {type(network).__name__} reads '{network.main_input_name}', expected pixel_values, "
        "which are images, or input_ids, which are tokens; choose a network of images or of texts"
    )


def _transformers() -> Any:
    try:
        import transformers  # noqa: PLC0415 - takes seconds, and is optional
    except ModuleNotFoundError as error:
        raise DependencyError(
            "Hugging Face backbones need the package transformers, which is not installed; run: "
            "pip install transformers"
        ) from error
    return transformers


def _origin(name: str | Path) -> str:
    """What transformers should open; a path that is not there would be taken for a name on the hub.

    Raises:
        DataError: the folder does not exist, or holds no ``config.json``.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise DataError(
                f"{path}: no config.json, so this is no backbone; give the folder that save_pretrained wrote"
            )
        return str(path)
    hub_parts = 2  # owner/name
    if (
        isinstance(name, Path)
        or path.is_absolute()
        or name.startswith((".", "~"))
        or len(path.parts) > hub_parts
    ):
        raise DataError(
            f"{path}: no such folder; give a folder with config.json and model.safetensors, or a hub name"
        )
    return name


def _first_sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text.partition(". ")[0].rstrip(".") or type(error).__name__
