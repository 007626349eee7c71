"""One mechanism at a time, each with its outputs and the gradients of a random linear function of them."""

from collections.abc import Callable

import torch
from torch import Tensor

from .cases import CASES, ROPE_BASE, model, moe
from .attention import attention
from .language_model import attention_shapes, feed_forward_shapes, routed_shapes, router_shapes
from .layers import feed_forward, rms_norm
from . import numbers
from .numbers import NearTie, Weights, normal, seeded, within
from .positions import rotary
from .quantisation import quantise_activation, quantise_weight
from .routed_layer import routed_layer
from .routing import balance_loss, expert_choice, kept_within, route

Compute = Callable[[Weights], Weights]

# Inputs on the boundaries of rounding; all arithmetic on them is exact in float32 as well.
BOUNDARIES: dict[str, tuple[list, Callable[[Tensor], Tensor]]] = {
    # Mean magnitude 1: halves go to even, so 0.5 to 0; 1.5 is clipped. Then a matrix of zeros.
    "quantise-weight-ternary-halves": (
        [[[0.5, -0.5], [1.5, -1.5]], [[1.0, -1.0], [2.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]],
        lambda w: quantise_weight(w, "ternary"),
    ),
    # Mean 1 of the first matrix, 0 of the second: the sign of 0 is -1.
    "quantise-weight-binary-mean": (
        [[[1.0, 3.0], [1.0, -1.0]], [[0.0, 0.0], [0.0, 0.0]]],
        lambda w: quantise_weight(w, "binary"),
    ),
    # The largest of a row is 127, so that halves stay halves.
    "quantise-activation-halves": (
        [[127.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5], [-127.0, 3.5, 4.5, -3.5, -4.5, 0.0, 0.25, 0.75]]
        + [[0.0] * 8] * 8,
        quantise_activation,
    ),
}

# Layers of these models alone, with their balance loss.
ROUTED_LAYERS = [
    *("smoe-top1", "smoe-top2-renormalised", "smoe-gelu-shared-expert", "mh-moe-h2", "mh-moe-h3-shared-expert"),
    *("mh-moe-h2-without-head-layer", "mh-moe-h2-without-merge-layer", "mh-moe-h1-biases", "mh-moe-original", "bitnet-mh-moe"),
    *("smoe-expert-choice", "smoe-capacity-first-choice", "smoe-capacity-position"),
]

ROUTERS: dict[str, dict] = {
    "router": {},
    "router-renormalised": {"renormalize": True},
    "router-sigmoid": {"score": "sigmoid", "balance": "top_k"},
    "router-sigmoid-renormalised": {"score": "sigmoid", "renormalize": True, "balance": "entropy"},
    "router-entropy": {"balance": "entropy"},
    "router-cosine": {"type": "cosine", "balance": "top_k"},
    "router-cosine-sigmoid": {"type": "cosine", "score": "sigmoid", "temperature": 0.07},
    "router-z-loss": {"z_loss_weight": 1.0},
    "router-capacity-first-choice": {"capacity_factor": 0.75},
    "router-capacity-position": {"capacity_factor": 0.75, "capacity_priority": "position", "renormalize": True},
}


def mechanism_case(name: str, config: dict, inputs: Weights, compute: Compute) -> dict:
    """`compute` gives named outputs. The loss is the sum of all outputs times their cotangents; gradients are those of the loss."""
    generator = seeded(f"{name}/cotangents")
    leaves = {key: tensor.clone().requires_grad_() for key, tensor in inputs.items()}
    outputs = {key: output.to(torch.get_default_dtype()) for key, output in compute(leaves).items()}
    cotangents = {key: normal(generator, list(output.shape)) for key, output in outputs.items()}
    loss = sum((output * cotangents[key]).sum() for key, output in outputs.items())
    if loss.requires_grad:
        loss.backward()
    gradients = {key: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for key, leaf in leaves.items()}
    return {"name": name, "model": config, "inputs": inputs, "cotangents": cotangents, "outputs": outputs, "gradients": gradients}


def draw(generator: torch.Generator, shapes: dict[str, list[int]]) -> Weights:
    return {
        name: normal(generator, size, 0.2, 1.0) if name.endswith("norm") else normal(generator, size, 1.0 if name == "x" else 0.5)
        for name, size in shapes.items()
    }


def routed_outputs(weights: Weights, config: dict) -> Weights:
    y, routed = routed_layer(weights["x"], weights, None, config)
    kind = config["moe"]["router"]["balance"]
    return {"y": y} if kind == "none" else {"y": y, "balance": balance_loss(kind, [routed])}


def router_outputs(weights: Weights, config: dict) -> Weights:
    options = config["moe"]["router"]
    routed = route(weights["x"], within(weights, "router"), None, config["moe"], training=True)
    outputs = {"y": routed.chosen_weights, "balance": balance_loss(options["balance"], [routed])}
    return {**outputs, "zLoss": routed.z_loss} if options["z_loss_weight"] > 0 else outputs


def capacity_outputs(weights: Weights, config: dict) -> Weights:
    """The mask of the choices by the scores x."""
    order = weights["x"].topk(config["moe"]["top_k"]).indices.tolist()
    kept = kept_within(order, config["moe"]["experts"], config["moe"]["router"], config["moe"]["top_k"])
    return {"y": torch.tensor(kept)}


def mechanism_cases() -> list[dict]:
    """x is 2 windows of 5 tokens but for the bare rotation."""
    cases: list[dict] = []

    def add(name: str, config: dict, shapes: dict[str, list[int]], compute: Compute) -> None:
        for attempt in range(200):
            try:
                inputs = draw(seeded(f"{name}/{attempt}" if attempt > 0 else name), shapes)
                cases.append(mechanism_case(name, config, inputs, compute))
                return
            except NearTie:
                continue
        raise AssertionError(f"{name}: no numbers keep the margins")

    def add_attention(name: str, config: dict) -> None:
        def attend(w: Weights) -> Weights:
            return {"y": attention(w["x"].view(2, 5, 8), w, config).output.flatten(0, 1)}

        add(f"attention-{name}", config, {"x": [10, 8], **attention_shapes(config)}, attend)

    add("rotary", model(), {"x": [2, 2, 7, 6]}, lambda w: {"y": rotary(w["x"], ROPE_BASE)})
    add("rms-norm", model(), {"x": [10, 8], "norm": [8]}, lambda w: {"y": rms_norm(w["x"], w["norm"])})
    add_attention("rope", model())
    add_attention("none", model(attention={"position": "none"}))
    add_attention("bidirectional", model(objective="masked"))
    add_attention("grouped-query", model(attention={"heads": 4, "kv_heads": 2, "head_width": 4}))
    add_attention("qk-norm-head", model(attention={"qk_norm": "head"}))
    add_attention("qk-norm-full", model(attention={"qk_norm": "full"}))
    for activation in ("swiglu", "relu", "gelu"):
        shapes = {"x": [10, 8], **feed_forward_shapes(activation, 8, 6, [])}
        add(f"feed-forward-{activation}", model(activation=activation), shapes, lambda w, a=activation: {"y": feed_forward(w["x"], w, a)})
    for levels in ("ternary", "binary"):
        add(f"quantise-weight-{levels}", model(), {"x": [3, 8, 6]}, lambda w, of=levels: {"y": quantise_weight(w["x"], of)})
    add("quantise-activation", model(), {"x": [10, 8]}, lambda w: {"y": quantise_activation(w["x"])})
    numbers.keeping_apart = False
    for name, (x, compute) in BOUNDARIES.items():
        cases.append(mechanism_case(name, model(), {"x": torch.tensor(x)}, lambda w, of=compute: {"y": of(w["x"])}))
    numbers.keeping_apart = True
    # Rows around and below the least scale.
    small = torch.tensor([[1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.0, 0.75]]) * 2.0 ** -torch.arange(16, 26).unsqueeze(1)
    cases.append(mechanism_case("quantise-activation-small", model(), {"x": small}, lambda w: {"y": quantise_activation(w["x"])}))
    for name, options in ROUTERS.items():
        config = model(moe=moe(experts=5, top_k=3, **options))
        shapes = {"x": [10, 8], **{f"router.{key}": size for key, size in router_shapes(config["moe"], 8).items()}}
        add(name, config, shapes, lambda w, c=config: router_outputs(w, c))
    for priority in ("first_choice", "position"):
        config = model(moe=moe(experts=5, top_k=3, capacity_factor=0.75, capacity_priority=priority))
        add(f"capacity-{priority}", config, {"x": [10, 5]}, lambda w, c=config: capacity_outputs(w, c))
    # Each expert's column of the mask: the order of its units changes no result. At least one unit, also where k * 10 / 12 is less.
    for name, experts, k in (("expert-choice", 4, 2), ("expert-choice-of-one-unit", 12, 1)):
        config = model(moe=moe(experts=experts, top_k=k, select="expert_choice"))
        add(name, config, {"x": [10, experts]}, lambda w, chosen=k: {"y": expert_choice(w["x"], chosen)})
    for name in ROUTED_LAYERS:
        config = CASES[name].model
        shapes = {"x": [10, config["d_model"]], **routed_shapes(config)}
        add(f"routed-{name}", config, shapes, lambda w, c=config: routed_outputs(w, c))
    return cases
