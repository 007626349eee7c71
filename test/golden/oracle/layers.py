"""Norm, positions, attention and feed-forward. Weights are [in, out]: y = x W."""

import math

import torch
from torch import Tensor

from .numbers import KINK_MARGIN, Weights, keep_apart
from .quantisation import NORM_EPSILON, linear


def rms_norm(x: Tensor, gain: Tensor) -> Tensor:
    """1910.07467, Eq. 4, with an epsilon inside the root."""
    return x / (x.pow(2).mean(dim=-1, keepdim=True) + NORM_EPSILON).sqrt() * gain


def rotary(x: Tensor, base: float) -> Tensor:
    """2104.09864, Sec. 3.2: pair i turns by m * base^(-2 i / d) at position m, as a complex product. x [..., time, d].

    Pair i is the elements i and i + d/2 (the rotate-half layout).
    """
    time, width = x.shape[-2:]
    rate = base ** (-2.0 * torch.arange(width // 2) / width)
    angle = torch.outer(torch.arange(time).to(rate.dtype), rate)
    turned = torch.complex(*x.chunk(2, dim=-1)) * torch.polar(torch.ones_like(angle), angle)
    return torch.cat([turned.real, turned.imag], dim=-1)


def head_width(model: dict) -> int:
    return model["attention"].get("head_width", model["d_model"] // model["attention"]["heads"])


def attention(x: Tensor, weights: Weights, model: dict) -> Tensor:
    """1706.03762, Eq. 1 and Sec. 3.2.2; causal: a query sees itself and what comes before. x [batch, time, d].

    With fewer key and value heads than query heads each serves a group of consecutive query heads (2305.13245).
    """
    options, bitnet = model["attention"], model.get("bitnet")
    heads, width, norm = options["heads"], head_width(model), options.get("qk_norm", "none")
    group = heads // options.get("kv_heads", heads)
    batch, time, _ = x.shape
    rows = x.flatten(0, 1)
    query, key, value = (linear(rows, weights[name], bitnet).view(batch, time, -1) for name in ("query", "key", "value"))
    if norm == "full":  # 2409.02060: over the whole projection
        query, key = rms_norm(query, weights["query_norm"]), rms_norm(key, weights["key_norm"])
    joined = []
    for head in range(heads):
        shared = head // group
        q, k, v = (part[..., index * width : (index + 1) * width] for part, index in ((query, head), (key, shared), (value, shared)))
        if norm == "head":  # 2505.09388: over each head, one gain for all heads
            q, k = rms_norm(q, weights["query_norm"]), rms_norm(k, weights["key_norm"])
        if options["position"] == "rope":
            q, k = rotary(q, options["rope_base"]), rotary(k, options["rope_base"])
        scores = torch.einsum("bqi,bki->bqk", q, k) / math.sqrt(width)
        if model.get("objective", "causal") == "causal":
            scores = scores.masked_fill(torch.ones(time, time, dtype=torch.bool).triu(diagonal=1), -math.inf)
        joined.append(scores.softmax(dim=-1) @ v)
    return linear(torch.cat(joined, dim=-1).flatten(0, 1), weights["output"], bitnet).view(batch, time, -1)


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
