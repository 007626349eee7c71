"""The whole model: its tensors, what it computes from a microbatch, and the losses of an optimiser step."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .allocation import allocate, fewest_and_most, importance
from .attention import attention, head_width
from .layers import feed_forward, norm
from .numbers import Weights, within
from .product_keys import Retrieved, layers_of, product_key_buffers, product_key_shapes, retrieve, use_of
from .routed_layer import resolved, routed_layer
from .routing import Routed, balance_loss, mean_entropy
from .switch_head import selectors


@dataclass
class Batch:
    tokens: Tensor
    targets: Tensor
    # [windows], 1 for one that does not go on where the one before it ended; for models whose attention remembers.
    resets: Tensor | None = None


@dataclass
class Run:
    """What a model made of one microbatch."""

    # [tokens, vocabulary]
    logits: Tensor
    routed: list[Routed] = field(default_factory=list)
    retrieved: list[Retrieved] = field(default_factory=list)
    # Of every selection of experts, in the order of the layers: how often each was chosen, and how many units took at least 1, 2, ...
    chosen: list[tuple[Tensor, Tensor | None]] = field(default_factory=list)
    # The buffers after it; lanes have a cache each.
    buffers: Weights = field(default_factory=dict)


def is_routed(model: dict, layer: int) -> bool:
    moe = model.get("moe")
    if moe is None or layer in layers_of(model):
        return False
    return layer in moe["layers"] if "layers" in moe else (layer + 1) % moe["every"] == 0


def part_of(model: dict, layer: int) -> str:
    """What follows attention."""
    if layer in layers_of(model):
        return "product_keys"
    return "moe" if is_routed(model, layer) else "ffn"


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
    if options["position"] == "xl":
        shapes["position"] = [width, queries]
    if "moe" in options:
        pool = options["heads"] * options["moe"]["experts"]
        for side in selectors(options["moe"]).values():
            shapes[f"{side}.router.weight"] = [width, pool]
        for projection in options["moe"]["projections"]:
            inner = [head_width(model), width] if projection == "output" else [width, head_width(model)]
            shapes[projection] = [pool, *inner]
    return shapes


def norm_shapes(model: dict) -> dict[str, list[int]]:
    names = ["norm", "norm_bias"] if model.get("norm", "rms") == "layer" else ["norm"]
    return {name: [model["d_model"]] for name in names}


def inner_shapes(model: dict, layer: int) -> dict[str, list[int]]:
    part = part_of(model, layer)
    if part == "ffn":
        return feed_forward_shapes(model["ffn"]["activation"], model["d_model"], model["ffn"]["width"], [])
    return routed_shapes(model) if part == "moe" else product_key_shapes(model)


def model_shapes(model: dict) -> dict[str, list[int]]:
    shapes = {"embedding": [model["vocabulary"], model["d_model"]]}
    for index in range(model["layers"]):
        for scope, tensors in (("attention", attention_shapes(model)), (part_of(model, index), inner_shapes(model, index))):
            for name, size in {**norm_shapes(model), **tensors}.items():
                shapes[f"layers.{index}.{scope}.{name}"] = size
    shapes |= norm_shapes(model)
    return shapes if model.get("tie_embeddings", True) else {**shapes, "output": [model["vocabulary"], model["d_model"]]}


def buffer_shapes(model: dict, windows: int, microbatches: int) -> dict[str, list[int]]:
    """The biases of `top_k_biased`, the running statistics of queries, and of each lane of a step the chunk before."""
    shapes: dict[str, list[int]] = {}
    for index in range(model["layers"]):
        if model["attention"]["position"] == "xl":
            shapes[f"layers.{index}.attention.cache"] = [microbatches, windows, model["context"], model["d_model"]]
        if is_routed(model, index) and model["moe"]["router"]["select"] == "top_k_biased":
            shapes[f"layers.{index}.moe.router.bias"] = [resolved(model)["experts"]]
        if index in layers_of(model):
            shapes |= {f"layers.{index}.product_keys.{name}": size for name, size in product_key_buffers(model).items()}
    return shapes


# ------------------------------------------------------------------- forward


def forward(weights: Weights, buffers: Weights, model: dict, batch: Batch, training: bool = True) -> Run:
    """A pre-norm transformer. A cache in `buffers` is that of the microbatch's own lanes, [windows, time, d]."""
    activation, bitnet, causal = model["ffn"]["activation"], model.get("bitnet"), model.get("objective", "causal") == "causal"
    seen = None if batch.resets is None else 1 - batch.resets
    x = weights["embedding"][batch.tokens]
    if model.get("scale_embeddings", False):  # 1706.03762, Sec. 3.4
        x = x * math.sqrt(model["d_model"])
    run = Run(x, buffers=dict(buffers))
    for index in range(model["layers"]):
        layer, part = within(weights, f"layers.{index}"), part_of(model, index)
        attending, inner = within(layer, "attention"), within(layer, part)
        cache, memory = f"layers.{index}.attention.cache", None
        if cache in buffers:  # 1901.02860, Sec. 3.2: the states of the chunk before, which no gradient reaches
            memory, run.buffers[cache] = norm(buffers[cache], attending, model), x.detach()
        attended = attention(norm(x, attending, model), attending, model, training, memory, seen)
        run.chosen += [(counts, None) for counts in attended.counts]
        x = x + attended.output
        rows = norm(x, inner, model).flatten(0, 1)
        if part == "moe":
            allocated = None
            if model["moe"]["router"]["select"] == "dynamic":
                allocated = allocation(attended.probabilities, model["moe"], causal)
            output, routed = routed_layer(rows, inner, buffers.get(f"layers.{index}.moe.router.bias"), model, training, allocated)
            run.routed.append(routed)
            run.chosen.append((routed.counts, routed.taken()))
        elif part == "product_keys":
            scope = f"layers.{index}.product_keys"
            output, retrieved, after = retrieve(rows, inner, within(buffers, scope), model["product_keys"], training)
            run.retrieved.append(retrieved)
            run.buffers |= {f"{scope}.{name}": tensor for name, tensor in after.items()}
        else:
            output = feed_forward(rows, inner, activation, bitnet)
        x = x + output.view_as(x)
    run.logits = (norm(x, weights, model) @ weights.get("output", weights["embedding"]).T).flatten(0, 1)
    return run


def allocation(probabilities: list[Tensor], moe: dict, causal: bool) -> Tensor:
    """[tokens]: how many experts each takes."""
    router, (least, most) = moe["router"], fewest_and_most(moe)
    return allocate(importance(router["importance"], probabilities, causal), moe["top_k"], least, most, router["budget"]).flatten()


def negative_log_likelihoods(logits: Tensor, targets: Tensor) -> Tensor:
    """Of the scored targets, in nats; targets below 0 are not scored."""
    scored = targets.flatten() >= 0
    log_probabilities = logits[scored] - logits[scored].logsumexp(dim=-1, keepdim=True)
    return -log_probabilities.gather(1, targets.flatten()[scored].unsqueeze(1)).flatten()


def lanes_of(buffers: Weights, microbatch: int) -> Weights:
    """What a microbatch sees: of the caches those of its own lanes."""
    return {name: tensor[microbatch] if name.endswith(".cache") else tensor for name, tensor in buffers.items()}


def put_back(buffers: Weights, microbatch: int, after: Weights) -> None:
    for name, tensor in after.items():
        if name.endswith(".cache"):
            buffers[name] = torch.stack([tensor if lane == microbatch else old for lane, old in enumerate(buffers[name])])
        else:
            buffers[name] = tensor


def use_by_layer(runs: list[Run]) -> dict[str, object]:
    """Summed over microbatches: who was chosen how often. `taken` and `retrievals` only where there are any."""
    layers = [list(layer) for layer in zip(*(run.chosen for run in runs))]
    values: dict[str, object] = {"expertCounts": [torch.stack([counts for counts, _ in layer]).sum(dim=0) for layer in layers]}
    taken = [None if layer[0][1] is None else torch.stack([of_units for _, of_units in layer]).sum(dim=0) for layer in layers]
    if any(of_units is not None for of_units in taken):
        values["taken"] = taken
    if runs[0].retrieved:
        values["retrievals"] = [use_of(list(layer)) for layer in zip(*(run.retrieved for run in runs))]
    return values


def step_values(weights: Weights, buffers: Weights, model: dict, microbatches: list[Batch]) -> dict[str, object]:
    """The figures of one optimiser step before the update; `loss` is what is minimised. A figure that the model lacks is None. `buffers` are replaced
    by what they are after each microbatch."""
    runs = []
    for microbatch, batch in enumerate(microbatches):
        runs.append(forward(weights, lanes_of(buffers, microbatch), model, batch))
        put_back(buffers, microbatch, runs[-1].buffers)
    nats = [negative_log_likelihoods(run.logits, batch.targets) for run, batch in zip(runs, microbatches)]
    if model.get("objective") == "masked":  # Every hidden token of the step counts the same.
        cross_entropy = torch.cat(nats).mean()
    else:
        cross_entropy = torch.stack([each.mean() for each in nats]).mean()
    values: dict[str, object] = {"logits": runs[0].logits, "crossEntropy": cross_entropy, "loss": cross_entropy}
    values |= {"balance": None, "zLoss": None, "dropRate": None, **use_by_layer(runs), "retrieved": [run.retrieved for run in runs]}
    layers = [list(layer) for layer in zip(*(run.routed for run in runs))]
    values["routerCounts"] = [torch.stack([routed.counts for routed in layer]).sum(dim=0) for layer in layers]
    if not layers:
        return values
    router = model["moe"]["router"]
    if router["balance"] not in ("none", "loss_free"):
        if router["balance_scope"] == "global":  # 2501.11873: as one large batch
            each = [balance_loss(router["balance"], layer) for layer in layers]
        else:
            each = [torch.stack([balance_loss(router["balance"], [routed]) for routed in layer]).mean() for layer in layers]
        values["balance"] = torch.stack(each).sum()
        values["loss"] = values["loss"] + router["balance_weight"] * values["balance"]
    if router["z_loss_weight"] > 0:
        values["zLoss"] = torch.stack([torch.stack([routed.z_loss for routed in layer]).mean() for layer in layers]).sum()
        values["loss"] = values["loss"] + router["z_loss_weight"] * values["zLoss"]
    if router.get("entropy_weight", 0) > 0:
        entropies = torch.stack([torch.stack([mean_entropy(routed) for routed in layer]).mean() for layer in layers])
        values["loss"] = values["loss"] + router["entropy_weight"] * entropies.sum()
    rates = [routed.drop_rate for layer in layers for routed in layer]
    if rates[0] is not None:
        values["dropRate"] = sum(rates) / len(rates)
    return values


def evaluation_values(weights: Weights, buffers: Weights, model: dict, batches: list[Batch]) -> list[dict[str, object]]:
    """Of batches one after the other. Evaluation has caches of its own, which are zeros before the first."""
    buffers = {name: torch.zeros_like(tensor[0]) if name.endswith(".cache") else tensor for name, tensor in buffers.items()}
    found = []
    for batch in batches:
        run = forward(weights, buffers, model, batch, training=False)
        buffers |= {name: tensor for name, tensor in run.buffers.items() if name.endswith(".cache")}
        rates = [routed.drop_rate for routed in run.routed]
        found.append(
            {
                "negativeLogLikelihood": negative_log_likelihoods(run.logits, batch.targets).sum().item(),
                "dropRate": sum(rates) / len(rates) if rates and rates[0] is not None else None,
                **use_by_layer([run]),
            }
        )
    return found
