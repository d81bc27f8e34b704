import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from fivefold.nn import SameConv2d
from fivefold.nn.same_conv import same_padding


@given(size=st.integers(1, 300), kernel=st.integers(1, 7), stride=st.integers(1, 4))
def test_padding_is_tensorflows(size: int, kernel: int, stride: int) -> None:
    # the formula of TensorFlow's documentation (tf.nn, "notes on padding")
    along = max(kernel - (size % stride or stride), 0)
    before, after = same_padding(size, kernel, stride)
    assert (before, after) == (along // 2, along - along // 2)
    assert (size + before + after - kernel) // stride + 1 == math.ceil(size / stride)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 9), (8, 5)])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_convolves_the_padded_image(height: int, width: int, kernel: int, stride: int) -> None:
    layer = SameConv2d(4, 4, kernel, stride, groups=2)
    images = torch.randn(2, 4, height, width)
    padded = F.pad(images, (*same_padding(width, kernel, stride), *same_padding(height, kernel, stride)))
    expected = F.conv2d(padded, layer.weight, stride=stride, groups=2)
    outputs = layer(images)
    assert outputs.shape[2:] == (math.ceil(height / stride), math.ceil(width / stride))
    torch.testing.assert_close(outputs, expected)


def test_the_odd_pixel_comes_after() -> None:
    layer = SameConv2d(1, 1, 3, 2)
    torch.nn.init.zeros_(layer.weight)
    layer.weight.data[0, 0, 0, 0] = 1  # picks the top left pixel under the kernel
    images = torch.arange(16.0).reshape(1, 1, 4, 4)
    torch.testing.assert_close(layer(images), images[:, :, ::2, ::2])
