"""BitLinear: 2402.17764 (b1.58, ternary) and 2310.11453 (binary), with straight-through gradients."""

import torch
from torch import Tensor

from .numbers import ACTIVATION_MARGIN, WEIGHT_MARGIN, keep_apart, witness

NORM_EPSILON = 1e-6
LEAST_SCALE = 1e-5


def straight_through(exact: Tensor, quantised: Tensor) -> Tensor:
    """The value of `quantised` with the gradient of `exact` (1308.3432)."""
    return exact + (quantised - exact).detach()


def quantise_weight(weight: Tensor, levels: str) -> Tensor:
    """weight [..., in, out]; one scale for each [in, out] matrix, the mean magnitude."""
    scale = weight.abs().mean(dim=(-2, -1), keepdim=True).clamp(min=LEAST_SCALE)
    if levels == "ternary":  # 2402.17764, Eq. 1-3: RoundClip(W / gamma, -1, 1)
        ratio = weight / scale
        keep_apart(ratio.abs() - 0.5, WEIGHT_MARGIN)
        few = ratio.round().clip(-1, 1)
        witness("a weight is 0", bool((few == 0).any()))
    elif levels == "binary":  # 2310.11453, Eq. 1-3: Sign(W - alpha), +1 where positive, else -1
        centred = weight - weight.mean(dim=(-2, -1), keepdim=True)
        keep_apart(centred / scale, WEIGHT_MARGIN)
        few = torch.where(centred > 0, 1.0, -1.0)
    else:
        raise ValueError(levels)
    return straight_through(weight, few * scale)


def quantise_activation(x: Tensor) -> Tensor:
    """2402.17764, Sec. 2: each row scaled by its largest magnitude to [-127, 127] and rounded."""
    largest = x.abs().amax(dim=-1, keepdim=True).clamp(min=LEAST_SCALE)
    scaled = 127 * x / largest
    keep_apart((scaled - scaled.floor()) - 0.5, ACTIVATION_MARGIN)
    return straight_through(x, scaled.round().clip(-128, 127) * largest / 127)


def linear(x: Tensor, weight: Tensor, bitnet: dict | None) -> Tensor:
    """x W, or a BitLinear where `bitnet` says how: Qa(norm(x)) Qw(W). x [rows, in], weight [in, out]."""
    if bitnet is None:
        return x @ weight
    if bitnet["norm"] == "rms":  # RMSNorm without a gain
        x = x * (x.square().mean(dim=-1, keepdim=True) + NORM_EPSILON).rsqrt()
    if bitnet["activation_bits"] == 8:
        x = quantise_activation(x)
    return x @ quantise_weight(weight, bitnet["weights"])
