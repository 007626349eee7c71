"""Norms and feed-forward. Weights are [in, out]: y = x W."""

import math

import torch
from torch import Tensor

from .numbers import KINK_MARGIN, Weights, keep_apart
from .quantisation import NORM_EPSILON, linear

LAYER_NORM_EPSILON = 1e-5


def rms_norm(x: Tensor, gain: Tensor) -> Tensor:
    """1910.07467, Eq. 4, with an epsilon inside the root."""
    return x / (x.pow(2).mean(dim=-1, keepdim=True) + NORM_EPSILON).sqrt() * gain


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    """1607.06450, Eq. 4, with an epsilon inside the root."""
    return (x - x.mean(dim=-1, keepdim=True)) / (x.var(dim=-1, keepdim=True, correction=0) + LAYER_NORM_EPSILON).sqrt() * gain + bias


def norm(x: Tensor, weights: Weights, model: dict) -> Tensor:
    """The norm before a layer and before the logits: `norm`, and with `norm: layer` also `norm_bias`."""
    if model.get("norm", "rms") == "layer":
        return layer_norm(x, weights["norm"], weights["norm_bias"])
    return rms_norm(x, weights["norm"])


def hidden_units(activation: str, linear_part: Tensor, gate: Tensor | None) -> Tensor:
    if activation == "swiglu":  # 2002.05202, Eq. 6
        assert gate is not None
        return gate * torch.sigmoid(gate) * linear_part
    if activation == "relu":
        keep_apart(linear_part, KINK_MARGIN)
        return linear_part.clamp(min=0)
    if activation == "gelu":  # 1606.08415: x Phi(x), Phi the normal distribution function
        return linear_part * 0.5 * (1 + torch.erf(linear_part / math.sqrt(2)))
    raise ValueError(activation)


def feed_forward(x: Tensor, weights: Weights, activation: str, bitnet: dict | None = None) -> Tensor:
    """x [rows, in]; w1 is the linear part, w3 the gate, w2 the way out."""
    gate = linear(x, weights["w3"], bitnet) if activation == "swiglu" else None
    return linear(hidden_units(activation, linear(x, weights["w1"], bitnet), gate), weights["w2"], bitnet)
