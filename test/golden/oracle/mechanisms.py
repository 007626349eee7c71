"""One mechanism at a time, each with its outputs and the gradients of a random linear function of them."""

from collections.abc import Callable
from itertools import combinations

import torch
from torch import Tensor

from . import numbers
from .allocation import allocate, count_until, fewest_and_most, importance
from .attention import attention, head_width
from .cases import CASES
from .configs import ALL_FOUR, ROPE_BASE, XL, dynamic, model, moe, small, switch_head, top_p
from .language_model import allocation, attention_shapes, feed_forward_shapes, routed_shapes, router_shapes
from .layers import feed_forward, layer_norm, rms_norm
from .numbers import NearTie, Weights, normal, seeded, within
from .positions import partly_rotary, rotary
from .product_keys import best, product_key_buffers, product_key_shapes, retrieve
from .quantisation import quantise_activation, quantise_weight
from .routed_layer import routed_layer
from .routing import Routed, balance_loss, expert_choice, kept_within, mean_entropy, route

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


# These layers alone, whose units take different numbers of experts.
VARIED_LAYERS = [
    *("dynamic-entropy", "dynamic-masked-received", "dynamic-bounds", "dynamic-budget", "dynamic-renormalised", "dynamic-capacity"),
    *("dynamic-capacity-position", "dynamic-mh-moe", "dynamic-mh-moe-budget-masked", "dynamic-mh-moe-capacity"),
    *("top-p", "top-p-entropy-weight", "top-p-renormalised", "top-p-sigmoid", "top-p-capacity", "top-p-mh-moe", "top-p-mh-moe-masked"),
]

VARIED_ROUTERS: dict[str, dict] = {
    "router-top-p": top_p(),
    "router-top-p-sigmoid": top_p(score="sigmoid", top_p=1.0, balance="top_k"),
    "router-top-p-renormalised": top_p(k_max=3, top_p=0.7, renormalize=True, entropy_weight=1.0),
    "router-top-p-capacity": top_p(capacity_factor=0.75, balance="entropy"),
    "router-dynamic": dynamic("row_max", balance="top_k"),
    "router-dynamic-budget": dynamic(budget=True, renormalize=True),
    "router-dynamic-capacity": dynamic(capacity_factor=0.75, capacity_priority="position", balance="top_k"),
}

PRODUCT_KEYS = ["peer", "peer-heads", "peer-relu-sigmoid", "peer-dense-glu-rate-scale", "peer-without-query-norm", "peer-every-key", "pkm"]

# r of two windows, and how many experts its tokens take where 2 are the mean: on the boundaries of rounding, and with equal remainders.
ALLOCATIONS: dict[str, tuple[dict, list[list[float]], list[list[int]]]] = {
    # 0.5 and 2.5 go to even; 0 is raised to 1 and 5 lowered to 4.
    "allocate-halves": ({}, [[0.25, 0.75, 1.25, 1.75, 2.25], [0.0, 2.5, 1.0, 0.5, 0.75]], [[1, 2, 2, 4, 4], [1, 4, 2, 1, 2]]),
    # One takes 4, which leaves 6 for four: 1.5 each, rounded up for the first ones. Then all alike.
    "allocate-budget-ties": ({"budget": True}, [[0.5, 0.5, 3.0, 0.5, 0.5], [1.0] * 5], [[2, 2, 4, 1, 1], [2] * 5]),
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
    """`r` and `scores` are positive."""

    def drawn(name: str, size: list[int]) -> Tensor:
        if name.endswith("norm"):
            return normal(generator, size, 0.2, 1.0)
        if name in ("r", "scores"):
            return normal(generator, size, 0.6, 1.0 if name == "r" else 0.0).abs()
        of_rows = name in ("x", "memory") or (name in ("query", "key") and size[0] == 10)
        return normal(generator, size, 1.0 if of_rows else 0.5)

    return {name: drawn(name, size) for name, size in shapes.items()}


def losses(routed: Routed, options: dict) -> Weights:
    """Of one layer, unweighted."""
    found = {} if options["balance"] == "none" else {"balance": balance_loss(options["balance"], [routed])}
    if options["z_loss_weight"] > 0:
        found["zLoss"] = routed.z_loss
    return {**found, "entropy": mean_entropy(routed)} if options.get("entropy_weight", 0) > 0 else found


def is_causal(config: dict) -> bool:
    return config.get("objective", "causal") == "causal"


def split(rows: Tensor, config: dict) -> list[Tensor]:
    """Of each head [windows, time, width]."""
    return list(rows.view(2, 5, -1).split(head_width(config), dim=2))


def attention_of(weights: Weights, config: dict) -> list[Tensor]:
    """Of each head, by queries and keys that are given, [windows, time, time]."""
    each = []
    for query, key in zip(split(weights["query"], config), split(weights["key"], config)):
        scores = query @ key.transpose(1, 2) / head_width(config) ** 0.5
        later = torch.ones(5, 5, dtype=torch.bool).triu(diagonal=1)
        each.append((scores.masked_fill(later, -torch.inf) if is_causal(config) else scores).softmax(dim=-1))
    return each


def allocated(weights: Weights, config: dict) -> Tensor | None:
    if config["moe"]["router"]["select"] != "dynamic":
        return None
    return allocation(attention_of(weights, config), config["moe"], is_causal(config))


def query_and_key(config: dict) -> dict[str, list[int]]:
    """Shapes of what a layer with `select: dynamic` needs from its attention."""
    width = config["attention"]["heads"] * head_width(config)
    return {"query": [10, width], "key": [10, width]} if config["moe"]["router"]["select"] == "dynamic" else {}


def routed_outputs(weights: Weights, config: dict) -> Weights:
    y, routed = routed_layer(weights["x"], weights, None, config, allocated=allocated(weights, config))
    kept = {**config["moe"]["router"], "z_loss_weight": 0.0}
    return {"y": y, **losses(routed, kept)}


def router_outputs(weights: Weights, config: dict) -> Weights:
    routed = route(weights["x"], within(weights, "router"), None, config["moe"], training=True, allocated=allocated(weights, config))
    return {"y": routed.chosen_weights, **losses(routed, config["moe"]["router"])}


def best_in_order(first: Tensor, second: Tensor, k: int) -> Tensor:
    """Experts [rows, k] by the k largest sums. Of equal sums the one whose first part is larger comes before, then the one of lower columns."""
    root = first.shape[1]
    rows = []
    for a, b in zip(first.tolist(), second.tolist()):
        pairs = sorted(((-(x + y), -x, i, j) for i, x in enumerate(a) for j, y in enumerate(b)))
        rows.append([i * root + j for *_, i, j in pairs[:k]])
    return torch.tensor(rows)


def ranks_of(weights: Weights, chosen: Tensor) -> Weights:
    """[rows, n^2]: the given number of its place for each of the best, else 0."""
    return {"y": torch.zeros(10, weights["first"].shape[1] ** 2).scatter(1, chosen, weights["ranks"])}


def first_ones(taken: Tensor, most: int) -> Weights:
    """A mask [units, most] of the experts that are taken."""
    return {"y": torch.arange(most) < taken.flatten().unsqueeze(1)}


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

    def add_attention(name: str, config: dict, resets: list[int] | None = None) -> None:
        width = config["d_model"]
        seen = None if resets is None else 1 - torch.tensor(resets)
        shapes = {"x": [10, width], **({} if resets is None else {"memory": [10, width]})}

        def attend(w: Weights) -> Weights:
            memory = w["memory"].view(2, 5, width) if "memory" in w else None
            return {"y": attention(w["x"].view(2, 5, width), w, config, True, memory, seen).output.flatten(0, 1)}

        add(f"attention-{name}", config, {**shapes, **attention_shapes(config)}, attend)
        if resets is not None:
            cases[-1]["resets"] = torch.tensor(resets)

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
    tiny = torch.tensor([[1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.0, 0.75]]) * 2.0 ** -torch.arange(16, 26).unsqueeze(1)
    cases.append(mechanism_case("quantise-activation-small", model(), {"x": tiny}, lambda w: {"y": quantise_activation(w["x"])}))
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
    shapes = {"x": [10, 8], "norm": [8], "norm_bias": [8]}
    add("layer-norm", model(norm="layer"), shapes, lambda w: {"y": layer_norm(w["x"], w["norm"], w["norm_bias"])})
    for name, width, share in (("half", 6, 0.5), ("rounded-down", 5, 0.9)):
        config = small(attention={"head_width": width, "rope_share": share})
        add(f"rotary-{name}", config, {"x": [2, 2, 7, width]}, lambda w, of=share: {"y": partly_rotary(w["x"], ROPE_BASE, of)})
    for count in range(1, 5):
        for projections in combinations(ALL_FOUR, count):
            add_attention("experts-" + "-".join(projections), small(attention=switch_head(projections=list(projections))))
    add_attention("experts-top-1", small(attention={"head_width": 4, **switch_head(top_k=1)}))
    add_attention("one-expert", small(attention={"head_width": 4, **switch_head(experts=1, top_k=1, projections=ALL_FOUR)}))
    add_attention("experts-shared-selection", small(attention=switch_head(projections=ALL_FOUR, shared_selection=True)))
    add_attention("experts-bidirectional", small(objective="masked", attention=switch_head()))
    add_attention("xl", small(attention=XL), [0, 1])
    add_attention("xl-grouped-query", small(attention={**XL, "heads": 4, "kv_heads": 2, "head_width": 3}), [0, 0])
    add_attention("xl-qk-norm-head", small(attention={**XL, "head_width": 4, "qk_norm": "head"}), [1, 0])
    add_attention("xl-qk-norm-full", small(attention={**XL, "qk_norm": "full"}), [0, 0])
    add_attention("xl-experts", small(attention={**XL, **switch_head()}), [1, 0])
    add_attention("xl-experts-all-projections", small(attention={**XL, **switch_head(projections=ALL_FOUR)}), [0, 0])
    add_attention("xl-experts-shared-selection", small(attention={**XL, **switch_head(shared_selection=True)}), [0, 1])
    for objective, statistics in (("causal", ["row_max", "entropy"]), ("masked", ["received", "cls_row", "row_max", "entropy"])):
        for kind in statistics:
            config = small(objective=objective, attention={"head_width": 4}, moe=moe(**dynamic(kind)))

            def important(w: Weights, of: str = kind, c: dict = config) -> Weights:
                return {"y": importance(of, attention_of(w, c), is_causal(c)).view(10, 1)}

            name = f"importance-{objective}-{kind}"
            add(name, config, query_and_key(config), important)
            if kind == "entropy":  # Queries of 0 attend to all alike: all tokens are as important.
                inputs = draw(seeded(f"{name}-alike"), query_and_key(config))
                numbers.keeping_apart = False
                cases.append(mechanism_case(f"{name}-alike", config, {**inputs, "query": torch.zeros(10, 8)}, important))
                numbers.keeping_apart = True
    for name, options in (("allocate", {}), ("allocate-bounds", {"k_min": 2, "k_max": 3}), ("allocate-budget", {"budget": True})):
        config = small(moe=moe(experts=6, top_k=2, **dynamic(**options)))

        def allocation_of(w: Weights, c: dict = config) -> Weights:
            least, most = fewest_and_most(c["moe"])
            return first_ones(allocate(w["r"].view(2, 5), 2, least, most, c["moe"]["router"]["budget"]), most)

        add(name, config, {"r": [10, 1]}, allocation_of)
    for name, (options, r, expected) in ALLOCATIONS.items():
        config = small(moe=moe(experts=6, top_k=2, **dynamic(**options)))
        cases.append(
            mechanism_case(name, config, {"r": torch.tensor(r).view(10, 1)}, lambda w, k=expected: first_ones(torch.tensor(k), 4))
        )
    config = small(moe=moe(experts=4, **top_p(top_p=0.75)))
    add("count-until", config, {"scores": [10, 4]}, lambda w: first_ones(count_until(w["scores"].sort(descending=True).values, 0.75), 4))
    reached = [[0.75, 0.25, 0.0, 0.0], [0.5, 0.25, 0.25, 0.0], [0.25] * 4, [0.125] * 4, [1.0, 0.0, 0.0, 0.0]]
    cases.append(
        mechanism_case(
            "count-until-reached", config, {"scores": torch.tensor(reached * 2)}, lambda w: first_ones(torch.tensor([1, 2, 3, 4, 1] * 2), 4)
        )
    )
    for name, options in VARIED_ROUTERS.items():
        config = small(moe=moe(experts=5, top_k=2, **options))
        shapes = {"x": [10, 4], **query_and_key(config), **{f"router.{key}": size for key, size in router_shapes(config["moe"], 4).items()}}
        add(name, config, shapes, lambda w, c=config: router_outputs(w, c))
    for name in ["sigma-moe", *VARIED_LAYERS]:
        config = CASES[name].model
        shapes = {"x": [10, config["d_model"]], **query_and_key(config), **routed_shapes(config)}
        add(f"routed-{name}", config, shapes, lambda w, c=config: routed_outputs(w, c))
    config = small(product_keys={**CASES["peer"].model["product_keys"], "top_k": 4})
    shapes = {"first": [10, 5], "second": [10, 5], "ranks": [10, 4]}
    add("product-keys-order", config, shapes, lambda w: ranks_of(w, best(w["first"], w["second"], 4)[1]))
    inputs = draw(seeded("product-keys-ties"), shapes)
    whole = {key: (2 * inputs[key]).round() for key in ("first", "second")}
    cases.append(
        mechanism_case("product-keys-ties", config, {**inputs, **whole}, lambda w: ranks_of(w, best_in_order(w["first"], w["second"], 4)))
    )
    for name in PRODUCT_KEYS:
        config = CASES[name].model
        options = {**config["product_keys"], "optimizer": "dense"}
        running = {key: torch.ones(size) for key, size in product_key_buffers(config).items()}

        def retrieval(w: Weights, of: dict = options, buffers: Weights = running) -> Weights:
            return {"y": retrieve(w["x"], w, buffers, of, training=True)[0]}

        add(f"product-keys-{name}", {**config, "product_keys": options}, {"x": [10, config["d_model"]], **product_key_shapes(config)}, retrieval)
    return cases
