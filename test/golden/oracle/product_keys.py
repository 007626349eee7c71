"""Retrieval from very many tiny experts: PEER, 2407.04153, and product-key memory, 1907.05242."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .layers import hidden_units
from .numbers import KINK_MARGIN, ROUTING_MARGIN, Weights, keep_apart, witness

BATCH_NORM_EPSILON = 1e-5
MOMENTUM = 0.1


@dataclass
class Retrieved:
    """Of one layer and microbatch."""

    # [tokens, heads * k]
    indices: Tensor
    weights: Tensor


def layers_of(model: dict) -> list[int]:
    if "product_keys" not in model:
        return []
    return model["product_keys"].get("layers", [(model["layers"] + 1) // 2 - 1])


def table_names(options: dict) -> list[str]:
    if options["kind"] == "pkm":
        return ["values"]
    return ["down", "gate", "up"] if options["activation"] == "glu" else ["down", "up"]


def product_key_shapes(model: dict) -> dict[str, list[int]]:
    options, width = model["product_keys"], model["d_model"]
    root, half = round(options["experts"] ** 0.5), options["key_width"] // 2
    assert root**2 == options["experts"]
    shapes = {"router.query": [width, options["heads"] * options["key_width"]], "router.first_keys": [half, root], "router.second_keys": [half, root]}
    return {**shapes, **{name: [options["experts"], width] for name in table_names(options)}}


def product_key_buffers(model: dict) -> dict[str, list[int]]:
    options = model["product_keys"]
    features = [options["heads"] * options["key_width"]]
    return {"router.query_mean": features, "router.query_variance": features} if options["query_norm"] == "batch" else {}


def batch_norm(x: Tensor, buffers: Weights, training: bool) -> tuple[Tensor, Weights]:
    """1502.03167, Algorithm 1, without gain and bias; the running statistics as PyTorch has them. x [rows, features]."""
    mean, variance = buffers["router.query_mean"].clone(), buffers["router.query_variance"].clone()
    y = torch.nn.functional.batch_norm(x, mean, variance, training=training, momentum=MOMENTUM, eps=BATCH_NORM_EPSILON)
    return y, {"router.query_mean": mean, "router.query_variance": variance}


def best(first: Tensor, second: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest of all n^2 sums, largest first: [rows, k] of them, and expert i n + j of first[i] + second[j]."""
    sums = (first.unsqueeze(2) + second.unsqueeze(1)).flatten(1)
    ranked, order = sums.sort(dim=1, descending=True)
    keep_apart(ranked.detach().diff(dim=1)[:, :k], ROUTING_MARGIN)
    return ranked[:, :k], order[:, :k]


def retrieve(x: Tensor, weights: Weights, buffers: Weights, options: dict, training: bool) -> tuple[Tensor, Retrieved, Weights]:
    """2407.04153, Algorithm 1: what the heads retrieve, summed. x [tokens, d]. The last result are the buffers after it."""
    heads, k, width = options["heads"], options["top_k"], options["key_width"]
    queries = x @ weights["router.query"]
    if options["query_norm"] == "batch":
        queries, buffers = batch_norm(queries, buffers, training)
    indices, gates = [], []
    for head in range(heads):
        query = queries[:, head * width : (head + 1) * width]
        scores, order = best(query[:, : width // 2] @ weights["router.first_keys"], query[:, width // 2 :] @ weights["router.second_keys"], k)
        indices.append(order)
        gates.append(scores.softmax(dim=1) if options["score"] == "softmax" else scores.sigmoid())
    chosen, gate = torch.cat(indices, dim=1), torch.cat(gates, dim=1)
    witness("heads that retrieve the same expert", any(len(set(row)) < heads * k for row in chosen.tolist()))
    if options["kind"] == "pkm":
        y = torch.einsum("tj,tjd->td", gate, weights["values"][chosen])
    else:
        hidden = neurons(x, chosen, weights, options["activation"])
        y = torch.einsum("tj,tjd->td", gate * hidden, weights["up"][chosen])
    return y, Retrieved(chosen, gate.detach()), buffers


def neurons(x: Tensor, chosen: Tensor, weights: Weights, activation: str) -> Tensor:
    """Each expert has one, [tokens, heads * k]."""
    down = torch.einsum("td,tjd->tj", x, weights["down"][chosen])
    if activation == "glu":  # 2002.05202, Eq. 6, with GELU
        return hidden_units("gelu", torch.einsum("td,tjd->tj", x, weights["gate"][chosen]), None) * down
    if activation == "relu":
        keep_apart(down, KINK_MARGIN)
        witness("a neuron that is off", bool((down < 0).any()))
    return hidden_units(activation, down, None)


def use_of(retrieved: list[Retrieved]) -> dict[str, Tensor]:
    """Over microbatches: each expert that was retrieved, how often, and the sum of its weights."""
    indices = torch.cat([each.indices.flatten() for each in retrieved])
    weights = torch.cat([each.weights.flatten() for each in retrieved])
    experts = indices.unique()
    return {
        "experts": experts,
        "counts": torch.stack([(indices == expert).sum() for expert in experts]),
        "weights": torch.stack([weights[indices == expert].sum() for expert in experts]),
    }
