"""The Inception-v3 of TensorFlow's FID, for weights under the names that pytorch-fid and torch-fidelity publish.

Szegedy et al. 2016, arXiv:1512.00567, as Heusel et al. 2017 used it (the graph of 2015-12-05): it differs from the
network that most libraries call Inception-v3 by average pooling that leaves out the padding, maximum pooling in the
last block, 1,008 classes, and the way images are resized. Features are the 2,048 numbers before the classifier.

Shapes: ``B`` batch, ``C`` channels, ``H W`` height and width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH = 2048
SIZE = 299
CLASSES = 1008
_CENTRE = 128  # of pixels from 0 to 255, which become -1 to 1

Kernel = int | tuple[int, int]
Layer = tuple[str, int, Kernel]
"""Name, channels and kernel of a convolution."""

_WIDE, _TALL = (1, 7), (7, 1)


class _Convolution(nn.Module):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: Kernel, stride: int = 1, *, padded: bool = True
    ) -> None:
        super().__init__()
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (height // 2, width // 2) if padded else 0
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, images: Tensor) -> Tensor:
        """``(B, inputs, H, W)`` to ``(B, outputs, H', W')``."""
        return F.relu(self.bn(self.conv(images)))


class _Mixed(nn.Module):
    """Several chains of convolutions beside each other, and one of pooling, whose outputs stand side by side.

    Args:
        inputs: channels.
        chains: layers of each; two that stand in a list at a chain's end both read what comes before them.
        pooled: channels of the convolution after pooling; None for halving the edges, by pooling and by the last
            layer of each chain.
        maximum: whether that pooling takes the maximum; else the mean without padding.
    """

    def __init__(
        self,
        inputs: int,
        chains: Sequence[Sequence[Layer | list[Layer]]],
        pooled: int | None = None,
        *,
        maximum: bool = False,
    ) -> None:
        super().__init__()
        self.maximum = maximum
        self.names: list[list[list[str]]] = []
        for chain in chains:
            self.names.append(self._add(chain, inputs, halves=pooled is None))
        self.branch_pool = None if pooled is None else _Convolution(inputs, pooled, 1)

    def _add(self, chain: Sequence[Layer | list[Layer]], inputs: int, *, halves: bool) -> list[list[str]]:
        names = []
        for place, step in enumerate(chain):
            last = halves and place == len(chain) - 1
            layers = step if isinstance(step, list) else [step]
            for name, outputs, kernel in layers:
                layer = _Convolution(inputs, outputs, kernel, 2 if last else 1, padded=not last)
                self.add_module(f"branch{name}", layer)
            names.append([f"branch{name}" for name, _, _ in layers])
            inputs = layers[0][1]
        return names

    def forward(self, images: Tensor) -> Tensor:
        """``(B, inputs, H, W)`` to ``(B, outputs, H, W)``, or half the height and width."""
        found = []
        for chain in self.names:
            parts = [images]
            for names in chain:
                parts = [self.get_submodule(name)(parts[0]) for name in names]
            found += parts
        return torch.cat([*found, self._pooled(images)], dim=1)

    def _pooled(self, images: Tensor) -> Tensor:
        if self.branch_pool is None:
            return F.max_pool2d(images, 3, 2)
        if self.maximum:
            around = F.max_pool2d(images, 3, 1, 1)
        else:
            around = F.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
        outputs: Tensor = self.branch_pool(around)
        return outputs


class InceptionV3(nn.Module):
    """Images to 2,048 features; the classifier is there for the weights' sake only."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Convolution(3, 32, 3, 2, padded=False)
        self.Conv2d_2a_3x3 = _Convolution(32, 32, 3, padded=False)
        self.Conv2d_2b_3x3 = _Convolution(32, 64, 3)
        self.Conv2d_3b_1x1 = _Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = _Convolution(80, 192, 3, padded=False)
        self.Mixed_5b = _five(192, 32)
        self.Mixed_5c = _five(256, 64)
        self.Mixed_5d = _five(288, 64)
        self.Mixed_6a = _Mixed(
            288, [[("3x3", 384, 3)], [("3x3dbl_1", 64, 1), ("3x3dbl_2", 96, 3), ("3x3dbl_3", 96, 3)]]
        )
        self.Mixed_6b = _seven(128)
        self.Mixed_6c = _seven(160)
        self.Mixed_6d = _seven(160)
        self.Mixed_6e = _seven(192)
        self.Mixed_7a = _Mixed(
            768,
            [
                [("3x3_1", 192, 1), ("3x3_2", 320, 3)],
                [("7x7x3_1", 192, 1), ("7x7x3_2", 192, _WIDE), ("7x7x3_3", 192, _TALL), ("7x7x3_4", 192, 3)],
            ],
        )
        self.Mixed_7b = _three(1280)
        self.Mixed_7c = _three(2048, maximum=True)
        self.fc = nn.Linear(WIDTH, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Pixels ``(B, 3, H, W)`` from 0 to 255, of any size, to features ``(B, 2048)``."""
        x = (resized_as_tensorflow(images, SIZE) - _CENTRE) / _CENTRE
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, 2)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(F.max_pool2d(x, 3, 2))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        maps: Tensor = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return maps.mean(dim=(2, 3))


def resized_as_tensorflow(images: Tensor, size: int) -> Tensor:
    """Bilinear resizing as TensorFlow 1 did it: the corners of pixels, not their centres, lie upon each other.

    Args:
        images: ``(B, C, H, W)``.
        size: edge to reach.

    Returns:
        ``(B, C, size, size)``.
    """
    return _along(_along(images, 2, size), 3, size)


def fitting(weights: Mapping[str, Tensor]) -> str | None:
    """Why ``weights`` are not this network's, in a few words; None where they are."""
    with torch.device("meta"):  # shapes are all that is looked at
        network = InceptionV3()
    own = {name: tensor for name, tensor in network.state_dict().items() if "num_batches" not in name}
    given = {name: tensor for name, tensor in weights.items() if "num_batches" not in name}
    for name in sorted(own.keys() - given.keys()):
        return f"there is no '{name}'"
    for name in sorted(given.keys() - own.keys()):
        return f"'{name}' is none of its weights"
    for name, tensor in own.items():
        if tensor.shape != given[name].shape:
            return f"'{name}' has the shape {list(given[name].shape)}, expected {list(tensor.shape)}"
    return None


def _along(images: Tensor, axis: int, size: int) -> Tensor:
    edge = images.shape[axis]
    places = torch.arange(size, device=images.device, dtype=torch.float32) * (edge / size)
    low = places.floor().long().clamp_max(edge - 1)
    high = (low + 1).clamp_max(edge - 1)
    share = (places - low).view(-1, *[1] * (images.ndim - 1 - axis))
    return torch.lerp(images.index_select(axis, low), images.index_select(axis, high), share)


def _five(inputs: int, pooled: int) -> _Mixed:
    """At 35 by 35."""
    return _Mixed(
        inputs,
        [
            [("1x1", 64, 1)],
            [("5x5_1", 48, 1), ("5x5_2", 64, 5)],
            [("3x3dbl_1", 64, 1), ("3x3dbl_2", 96, 3), ("3x3dbl_3", 96, 3)],
        ],
        pooled,
    )


def _seven(narrow: int) -> _Mixed:
    """At 17 by 17, convolutions of 7 by 7 taken apart."""
    double: list[Layer | list[Layer]] = [
        ("7x7dbl_1", narrow, 1),
        ("7x7dbl_2", narrow, _TALL),
        ("7x7dbl_3", narrow, _WIDE),
        ("7x7dbl_4", narrow, _TALL),
        ("7x7dbl_5", 192, _WIDE),
    ]
    single: list[Layer | list[Layer]] = [
        ("7x7_1", narrow, 1),
        ("7x7_2", narrow, _WIDE),
        ("7x7_3", 192, _TALL),
    ]
    return _Mixed(768, [[("1x1", 192, 1)], single, double], 192)


def _three(inputs: int, *, maximum: bool = False) -> _Mixed:
    """At 8 by 8, convolutions of 3 by 3 spread out."""
    single: list[Layer | list[Layer]] = [
        ("3x3_1", 384, 1),
        [("3x3_2a", 384, (1, 3)), ("3x3_2b", 384, (3, 1))],
    ]
    double: list[Layer | list[Layer]] = [
        ("3x3dbl_1", 448, 1),
        ("3x3dbl_2", 384, 3),
        [("3x3dbl_3a", 384, (1, 3)), ("3x3dbl_3b", 384, (3, 1))],
    ]
    return _Mixed(inputs, [[("1x1", 320, 1)], single, double], 192, maximum=maximum)
