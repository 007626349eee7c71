"""The whole model: its tensors, what it computes from a microbatch, and the losses of an optimiser step."""

import torch
from torch import Tensor

from .layers import attention, feed_forward, head_width, rms_norm
from .numbers import Weights, within
from .routed_layer import resolved, routed_layer
from .routing import Routed, balance_loss

Batch = tuple[Tensor, Tensor]


def is_routed(model: dict, layer: int) -> bool:
    moe = model.get("moe")
    if moe is None:
        return False
    return layer in moe["layers"] if "layers" in moe else (layer + 1) % moe["every"] == 0


# -------------------------------------------------------------------- shapes


def feed_forward_shapes(activation: str, inputs: int, width: int, experts: list[int]) -> dict[str, list[int]]:
    ways = ["w3", "w1"] if activation == "swiglu" else ["w1"]
    return {**{name: [*experts, inputs, width] for name in ways}, "w2": [*experts, width, inputs]}


def router_shapes(moe: dict, width: int) -> dict[str, list[int]]:
    router, experts = moe["router"], moe["experts"]
    if router["type"] == "linear":
        return {"weight": [width, experts]}
    # The parameter is the logarithm of 1 / temperature.
    return {"projection": [width, router["dimension"]], "experts": [router["dimension"], experts], "log_scale": [1]}


def routed_shapes(model: dict) -> dict[str, list[int]]:
    moe, width, activation = resolved(model), model["d_model"], model["ffn"]["activation"]
    multi_head = moe["kind"] == "mh-moe"
    unit = width // moe["heads"] if multi_head else width
    shapes = {f"router.{name}": size for name, size in router_shapes(moe, unit).items()}
    for name, size in feed_forward_shapes(activation, unit, moe["expert_width"], [moe["experts"]]).items():
        shapes[f"experts.{name}"] = size
    for part in ("head", "merge"):
        if multi_head and moe[f"{part}_layer"]:
            shapes[f"{part}.weight"] = [width, width]
            if moe["projection_bias"]:
                shapes[f"{part}.bias"] = [width]
    if moe["shared_width"] > 0:
        for name, size in feed_forward_shapes(activation, width, moe["shared_width"], []).items():
            shapes[f"shared.{name}"] = size
    return shapes


def attention_shapes(model: dict) -> dict[str, list[int]]:
    options, width = model["attention"], model["d_model"]
    queries, keys = options["heads"] * head_width(model), options.get("kv_heads", options["heads"]) * head_width(model)
    shapes = {"query": [width, queries], "key": [width, keys], "value": [width, keys], "output": [queries, width]}
    norm = options.get("qk_norm", "none")
    if norm != "none":
        shapes["query_norm"] = [queries if norm == "full" else head_width(model)]
        shapes["key_norm"] = [keys if norm == "full" else head_width(model)]
    return shapes


def model_shapes(model: dict) -> dict[str, list[int]]:
    width, activation = model["d_model"], model["ffn"]["activation"]
    shapes = {"embedding": [model["vocabulary"], width]}
    for index in range(model["layers"]):
        part = "moe" if is_routed(model, index) else "ffn"
        inner = routed_shapes(model) if part == "moe" else feed_forward_shapes(activation, width, model["ffn"]["width"], [])
        for scope, tensors in (("attention", attention_shapes(model)), (part, inner)):
            shapes[f"layers.{index}.{scope}.norm"] = [width]
            for name, size in tensors.items():
                shapes[f"layers.{index}.{scope}.{name}"] = size
    shapes["norm"] = [width]
    return shapes if model.get("tie_embeddings", True) else {**shapes, "output": [model["vocabulary"], width]}


def buffer_shapes(model: dict) -> dict[str, list[int]]:
    """The biases of `top_k_biased`, by the names of their routed layers' routers."""
    routed = [f"layers.{index}.moe.router.bias" for index in range(model["layers"]) if is_routed(model, index)]
    biased = bool(routed) and model["moe"]["router"]["select"] == "top_k_biased"
    return {name: [resolved(model)["experts"]] for name in routed} if biased else {}


# ------------------------------------------------------------------- forward


def forward(weights: Weights, buffers: Weights, model: dict, tokens: Tensor, training: bool = True) -> tuple[Tensor, list[Routed]]:
    """A pre-norm transformer: logits [tokens, vocabulary], and what each routed layer did."""
    activation, bitnet = model["ffn"]["activation"], model.get("bitnet")
    x = weights["embedding"][tokens]
    records = []
    for index in range(model["layers"]):
        layer = within(weights, f"layers.{index}")
        attending = within(layer, "attention")
        x = x + attention(rms_norm(x, attending["norm"]), attending, model)
        if is_routed(model, index):
            inner = within(layer, "moe")
            bias = buffers.get(f"layers.{index}.moe.router.bias")
            output, routed = routed_layer(rms_norm(x, inner["norm"]).flatten(0, 1), inner, bias, model, training)
            records.append(routed)
        else:
            inner = within(layer, "ffn")
            output = feed_forward(rms_norm(x, inner["norm"]).flatten(0, 1), inner, activation, bitnet)
        x = x + output.view_as(x)
    return (rms_norm(x, weights["norm"]) @ weights.get("output", weights["embedding"]).T).flatten(0, 1), records


def negative_log_likelihoods(logits: Tensor, targets: Tensor) -> Tensor:
    """Of the scored targets, in nats; targets below 0 are not scored."""
    scored = targets.flatten() >= 0
    log_probabilities = logits[scored] - logits[scored].logsumexp(dim=-1, keepdim=True)
    return -log_probabilities.gather(1, targets.flatten()[scored].unsqueeze(1)).flatten()


def step_values(weights: Weights, buffers: Weights, model: dict, microbatches: list[Batch]) -> dict[str, object]:
    """The figures of one optimiser step before the update; `loss` is what is minimised. A figure that the model lacks is None."""
    runs = [forward(weights, buffers, model, tokens) for tokens, _ in microbatches]
    nats = [negative_log_likelihoods(logits, targets) for (logits, _), (_, targets) in zip(runs, microbatches)]
    if model.get("objective") == "masked":  # Every hidden token of the step counts the same.
        cross_entropy = torch.cat(nats).mean()
    else:
        cross_entropy = torch.stack([each.mean() for each in nats]).mean()
    values: dict[str, object] = {"logits": runs[0][0], "crossEntropy": cross_entropy, "loss": cross_entropy}
    values |= {"balance": None, "zLoss": None, "dropRate": None, "expertCounts": []}
    layers = list(zip(*(records for _, records in runs)))
    if not layers:
        return values
    router = model["moe"]["router"]
    values["expertCounts"] = [torch.stack([routed.counts for routed in layer]).sum(dim=0) for layer in layers]
    if router["balance"] not in ("none", "loss_free"):
        if router["balance_scope"] == "global":  # 2501.11873: as one large batch
            each = [balance_loss(router["balance"], list(layer)) for layer in layers]
        else:
            each = [torch.stack([balance_loss(router["balance"], [routed]) for routed in layer]).mean() for layer in layers]
        values["balance"] = torch.stack(each).sum()
        values["loss"] = values["loss"] + router["balance_weight"] * values["balance"]
    if router["z_loss_weight"] > 0:
        values["zLoss"] = torch.stack([torch.stack([routed.z_loss for routed in layer]).mean() for layer in layers]).sum()
        values["loss"] = values["loss"] + router["z_loss_weight"] * values["zLoss"]
    rates = [routed.drop_rate for layer in layers for routed in layer]
    if rates[0] is not None:
        values["dropRate"] = sum(rates) / len(rates)
    return values


def evaluation_values(weights: Weights, buffers: Weights, model: dict, batch: Batch) -> dict[str, object]:
    logits, records = forward(weights, buffers, model, batch[0], training=False)
    rates = [routed.drop_rate for routed in records]
    return {
        "negativeLogLikelihood": negative_log_likelihoods(logits, batch[1]).sum().item(),
        "dropRate": sum(rates) / len(rates) if rates and rates[0] is not None else None,
        "expertCounts": [routed.counts for routed in records],
    }
