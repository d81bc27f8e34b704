"""Network primitives: tensors in, tensors out, no knowledge of any domain.

`fivefold.nn.backbone` reads networks of the Hugging Face hub and `fivefold.nn.weights` trained weights;
the rest is written out here, one concept a file.
"""

from fivefold.nn.attention import Attention
from fivefold.nn.backbone import Backbone, load_backbone
from fivefold.nn.conv import CompactCNN, ConvBlock, ResidualPair
from fivefold.nn.efficientnet import EfficientNetLite0, efficientnet_lite0_imagenet
from fivefold.nn.forecasting import (
    TCN,
    DLinear,
    NLinear,
    PatchTST,
    RecurrentForecaster,
    RevIN,
    TCNForecaster,
)
from fivefold.nn.generation.dcgan import DCGANDiscriminator, DCGANGenerator
from fivefold.nn.initialise import he_initialise
from fivefold.nn.language import GPT, LanguageNetwork, RecurrentLanguageModel
from fivefold.nn.mlp import MLP
from fivefold.nn.positional import RotaryPositions, SinusoidalPositions
from fivefold.nn.preprocessing import ImageInput
from fivefold.nn.recurrent import GRU, LSTM, RecurrentEncoder
from fivefold.nn.resnet import ResNet
from fivefold.nn.same_conv import SameConv2d
from fivefold.nn.sequence import (
    BackboneClassifier,
    ConvolutionalClassifier,
    RecurrentClassifier,
    SequenceNetwork,
    TransformerClassifier,
)
from fivefold.nn.sequence_pooling import AttentionPooling, length_mask
from fivefold.nn.stochastic_depth import StochasticDepth
from fivefold.nn.transformer import TransformerBlock, TransformerEncoder
from fivefold.nn.volume import VolumeCNN
from fivefold.nn.weights import load_weights
from fivefold.nn.wide_resnet import WideResNet

__all__ = [
    "GPT",
    "GRU",
    "LSTM",
    "MLP",
    "TCN",
    "Attention",
    "AttentionPooling",
    "Backbone",
    "BackboneClassifier",
    "CompactCNN",
    "ConvBlock",
    "ConvolutionalClassifier",
    "DCGANDiscriminator",
    "DCGANGenerator",
    "DLinear",
    "EfficientNetLite0",
    "ImageInput",
    "LanguageNetwork",
    "NLinear",
    "PatchTST",
    "RecurrentClassifier",
    "RecurrentEncoder",
    "RecurrentForecaster",
    "RecurrentLanguageModel",
    "ResNet",
    "ResidualPair",
    "RevIN",
    "RotaryPositions",
    "SameConv2d",
    "SequenceNetwork",
    "SinusoidalPositions",
    "StochasticDepth",
    "TCNForecaster",
    "TransformerBlock",
    "TransformerClassifier",
    "TransformerEncoder",
    "VolumeCNN",
    "WideResNet",
    "efficientnet_lite0_imagenet",
    "he_initialise",
    "length_mask",
    "load_backbone",
    "load_weights",
]
