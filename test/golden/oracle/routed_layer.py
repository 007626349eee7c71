"""SMoE and the two MH-MoE layers."""

import torch
from torch import Tensor

from .layers import feed_forward
from .numbers import Weights, within
from .quantisation import linear
from .routing import Routed, route


def resolved(model: dict) -> dict:
    """The routed layers as they are built. iso_mac: 2411.16205 Table 4, solved for the projections left out, given the layer with both.

    The MACs n d f k + 2 d^2 stay, so each d x d projection becomes d / (n k) of width; the parameters n (d / h) f E + 2 d^2 stay as
    nearly as whole experts can.
    """
    moe, width = model["moe"], model["d_model"]
    if moe["kind"] != "mh-moe" or moe["ablation"] != "iso_mac":
        return moe
    experts, hidden, k = moe["experts"], moe["expert_width"], moe["top_k"]
    left_out = 2 - (moe["head_layer"] + moe["merge_layer"])
    matrices = 3 if model["ffn"]["activation"] == "swiglu" else 2
    wider = hidden + left_out * width / (matrices * k)
    assert wider == int(wider)
    per_width = matrices * width / moe["heads"]
    fewer = round((left_out * width**2 + per_width * hidden * experts) / (per_width * wider))
    return {**moe, "experts": max(k, fewer), "expert_width": int(wider)}


def projection(x: Tensor, weights: Weights, moe: dict, bitnet: dict | None) -> Tensor:
    """The head or the merge layer."""
    quantised = bitnet is not None and bitnet["quantize_head_merge"]
    y = linear(x, weights["weight"], bitnet if quantised else None)
    return y + weights["bias"] if moe["projection_bias"] else y


def routed_layer(
    x: Tensor, weights: Weights, bias: Tensor | None, model: dict, training: bool = True, allocated: Tensor | None = None
) -> tuple[Tensor, Routed]:
    """2411.16205, Eq. 2-4: head layer, split, route, join, merge layer. x [tokens, d]; one bias of the router for each expert; `allocated` [tokens]
    says how many experts each sub-token of a token takes, with `select: dynamic`."""
    moe, bitnet, activation = resolved(model), model.get("bitnet"), model["ffn"]["activation"]
    multi_head = moe["kind"] == "mh-moe"
    heads = moe["heads"] if multi_head else 1
    tokens, width = x.shape
    projected = projection(x, within(weights, "head"), moe, bitnet) if multi_head and moe["head_layer"] else x
    units = torch.cat([part.unsqueeze(1) for part in projected.split(width // heads, dim=1)], dim=1).flatten(0, 1)

    of_units = None if allocated is None else allocated.repeat_interleave(heads)
    routed = route(units, within(weights, "router"), bias, moe, training, of_units)
    experts = within(weights, "experts")
    outputs = torch.zeros_like(units)
    for expert in range(moe["experts"]):
        rows = routed.goes[:, expert].nonzero().flatten()
        if rows.numel() == 0:
            continue
        y = feed_forward(units[rows], {name: stacked[expert] for name, stacked in experts.items()}, activation, bitnet)
        outputs = outputs.index_add(0, rows, routed.gate[rows, expert].unsqueeze(1) * y)
    if multi_head and moe["inner_residual"]:  # 2404.15045, Eq. 6
        outputs = outputs + units

    joined = torch.cat(list(outputs.view(tokens, heads, width // heads).unbind(dim=1)), dim=1)
    merged = projection(joined, within(weights, "merge"), moe, bitnet) if multi_head and moe["merge_layer"] else joined
    if moe["shared_width"] > 0:  # 2411.16205, Sec. 3, and 2401.06066, Eq. 9: every token, its own way round the router
        merged = merged + feed_forward(x, within(weights, "shared"), activation, bitnet)
    return merged, routed
