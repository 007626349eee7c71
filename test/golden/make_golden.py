"""Golden vectors for the models, in float64, written from the papers' equations with PyTorch's automatic gradients.

    python make_golden.py        writes the JSON files beside this script; README.md says what they hold

Conventions shared with the program: parameters have its names, a linear layer is y = x W with W stored [in, out], stacked experts
are [experts, in, out]. In a gated feed-forward w1 is the linear part, w3 the gate, w2 the way out.
"""

import json
import math
import zlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

torch.set_default_dtype(torch.float64)
torch.use_deterministic_algorithms(True)
torch.set_num_threads(1)

HERE = Path(__file__).resolve().parent
ROPE_BASE = 10000.0
NORM_EPSILON = 1e-6
# Between the probabilities of consecutive choices and the first one left out, so that float32 arithmetic chooses the same experts.
LEAST_ROUTING_MARGIN = 1e-5

Weights = dict[str, Tensor]


# ---------------------------------------------------------------- mechanisms


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


def causal_attention(x: Tensor, weights: Weights, config: dict) -> Tensor:
    """1706.03762, Eq. 1 and Sec. 3.2.2, masked so that a query sees itself and what comes before. x [batch, time, d]."""
    heads, position = config["heads"], config["position"]
    batch, time, width = x.shape
    joined = []
    for head in range(heads):
        columns = slice(head * width // heads, (head + 1) * width // heads)
        query, key, value = (x @ weights[name][:, columns] for name in ("query", "key", "value"))
        if position == "rope":
            query, key = rotary(query, config["rope_base"]), rotary(key, config["rope_base"])
        scores = torch.einsum("bqi,bki->bqk", query, key) / math.sqrt(width // heads)
        future = torch.ones(time, time, dtype=torch.bool).triu(diagonal=1)
        joined.append(scores.masked_fill(future, -math.inf).softmax(dim=-1) @ value)
    return torch.cat(joined, dim=-1) @ weights["output"]


def hidden_units(activation: str, linear_part: Tensor, gate: Tensor | None) -> Tensor:
    if activation == "swiglu":  # 2002.05202, Eq. 6
        assert gate is not None
        return gate * torch.sigmoid(gate) * linear_part
    if activation == "relu":
        return linear_part.clamp(min=0)
    if activation == "gelu":  # 1606.08415: x Phi(x), Phi the normal distribution function
        return linear_part * 0.5 * (1 + torch.erf(linear_part / math.sqrt(2)))
    raise ValueError(activation)


def feed_forward(x: Tensor, weights: Weights, activation: str) -> Tensor:
    gate = x @ weights["w3"] if activation == "swiglu" else None
    return hidden_units(activation, x @ weights["w1"], gate) @ weights["w2"]


def gate_weights(units: Tensor, router: Tensor, k: int, renormalize: bool) -> tuple[Tensor, Tensor, Tensor]:
    """2411.16205, Eq. 1: softmax over all experts, the k largest kept. units [units, width].

    Returns the gate weight of every expert [units, experts] (zero where not chosen), the chosen weights [units, k], largest first,
    and the balance loss E * sum_e F_e P_e (2006.16668, Algorithm 1): P_e the mean probability of expert e, F_e the fraction of
    units whose first choice it is.
    """
    probabilities = torch.softmax(units @ router, dim=-1)
    experts = probabilities.shape[-1]
    ranked, order = probabilities.sort(dim=-1, descending=True)
    assert ranked.diff(dim=-1).abs()[:, :k].min() > LEAST_ROUTING_MARGIN, "routing is nearly tied"
    chosen = ranked[:, :k]
    if renormalize:
        chosen = chosen / chosen.sum(dim=-1, keepdim=True)
    dense = torch.zeros_like(probabilities).scatter(-1, order[:, :k], chosen)
    first = torch.nn.functional.one_hot(order[:, 0], experts).to(probabilities.dtype)
    balance = experts * (first.mean(dim=0) * probabilities.mean(dim=0)).sum()
    return dense, chosen, balance


def all_experts(units: Tensor, weights: Weights, activation: str) -> Tensor:
    """Every expert on every unit: [units, width] -> [units, experts, width]."""
    gate = torch.einsum("ui,eif->uef", units, weights["experts.w3"]) if activation == "swiglu" else None
    hidden = hidden_units(activation, torch.einsum("ui,eif->uef", units, weights["experts.w1"]), gate)
    return torch.einsum("uef,efi->uei", hidden, weights["experts.w2"])


def routed_layer(x: Tensor, weights: Weights, config: dict, activation: str) -> tuple[Tensor, Tensor]:
    """SMoE, and MH-MoE of 2411.16205, Eq. 2-4: head layer, split, route, join, merge layer. x [tokens, d]; output and balance loss."""
    multi_head = config["kind"] == "mh-moe"
    heads = config["heads"] if multi_head else 1
    tokens, width = x.shape
    projected = x @ weights["head.weight"] if multi_head and config["head_layer"] else x
    units = torch.cat([part.unsqueeze(1) for part in projected.split(width // heads, dim=1)], dim=1).flatten(0, 1)
    gate, _, balance = gate_weights(units, weights["router.weight"], config["top_k"], config["renormalize"])
    outputs = (gate.unsqueeze(-1) * all_experts(units, weights, activation)).sum(dim=1)
    joined = torch.cat(list(outputs.view(tokens, heads, width // heads).unbind(dim=1)), dim=1)
    merged = joined @ weights["merge.weight"] if multi_head and config["merge_layer"] else joined
    if config["shared_width"] > 0:
        merged = merged + feed_forward(x, within(weights, "shared"), activation)
    return merged, balance


# ------------------------------------------------------------ language model


def within(weights: Weights, scope: str) -> Weights:
    return {name[len(scope) + 1 :]: tensor for name, tensor in weights.items() if name.startswith(scope + ".")}


def language_model(weights: Weights, model: dict, tokens: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """A pre-norm decoder with tied embeddings; targets below 0 are not scored. Loss in nats per scored token."""
    embedding, activation, moe = weights["embedding"], model["ffn"]["activation"], model.get("moe")
    x = embedding[tokens]
    balances = []
    for index in range(model["layers"]):
        layer = within(weights, f"layers.{index}")
        attention = within(layer, "attention")
        x = x + causal_attention(rms_norm(x, attention["norm"]), attention, model["attention"])
        if moe is not None and (index + 1) % moe["every"] == 0:
            routed = within(layer, "moe")
            output, balance = routed_layer(rms_norm(x, routed["norm"]).flatten(0, 1), routed, moe, activation)
            balances.append(balance)
            x = x + output.view_as(x)
        else:
            dense = within(layer, "ffn")
            x = x + feed_forward(rms_norm(x, dense["norm"]), dense, activation)
    logits = (rms_norm(x, weights["norm"]) @ embedding.T).flatten(0, 1)
    flat = targets.flatten()
    scored = flat >= 0
    likelihood = logits[scored] - logits[scored].logsumexp(dim=-1, keepdim=True)
    cross_entropy = -likelihood.gather(1, flat[scored].unsqueeze(1)).mean()
    values = {"logits": logits, "crossEntropy": cross_entropy, "loss": cross_entropy}
    if moe is not None:
        values["balance"] = torch.stack(balances).sum()
        values["loss"] = cross_entropy + moe["balance_weight"] * values["balance"]
    return values


# ------------------------------------------------------------------ training


def learning_rate(step: int, train: dict) -> float:
    """Linear from 0 to the peak over the warm-up; then to the minimum at the last step by a straight line or half a cosine wave
    (1608.03983, Eq. 5), or not at all. Steps count from 1."""
    peak, least, warmup = train["learning_rate"], train["min_learning_rate"], train["warmup"]
    if step <= warmup:
        return peak * step / warmup
    progress = (step - warmup) / (train["steps"] - warmup)
    if train["schedule"] == "constant":
        return peak
    if train["schedule"] == "linear":
        return (1 - progress) * peak + progress * least
    return least + 0.5 * (peak - least) * (1 + math.cos(math.pi * progress))


def train_three_steps(weights: Weights, model: dict, train: dict, batches: list[tuple[Tensor, Tensor]]) -> list[dict]:
    """PyTorch's own AdamW (1711.05101); the gradient is scaled down to the global norm `clip` where it is longer (1211.5063)."""
    parameters = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    norms = [tensor for tensor in parameters.values() if tensor.dim() == 1]
    matrices = [tensor for tensor in parameters.values() if tensor.dim() > 1]
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": train["weight_decay"]}, {"params": norms, "weight_decay": 0.0}],
        betas=tuple(train["betas"]),
        eps=train["epsilon"],
        foreach=False,
    )
    steps = []
    for number, (tokens, targets) in enumerate(batches, start=1):
        optimiser.zero_grad()
        values = language_model(parameters, model, tokens, targets)
        values["loss"].backward()
        norm = math.sqrt(sum(p.grad.pow(2).sum().item() for p in parameters.values()))
        if norm > train["clip"]:
            for parameter in parameters.values():
                parameter.grad *= train["clip"] / norm
        rate = learning_rate(number, train)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
        steps.append(
            {
                "learningRate": rate,
                "loss": values["loss"].item(),
                "gradientNorm": norm,
                "after": {name: parameter.detach().clone() for name, parameter in parameters.items()},
            }
        )
    return steps


# --------------------------------------------------------------------- cases


def seeded(name: str) -> torch.Generator:
    """Every case has a stream of its own, so that a new case leaves the others as they are."""
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


def normal(generator: torch.Generator, shape: list[int], scale: float = 1.0, mean: float = 0.0) -> Tensor:
    """Normal numbers rounded to multiples of 1/1024, which float32 holds exactly."""
    return torch.round((mean + scale * torch.randn(shape, generator=generator)) * 1024) / 1024


def feed_forward_shapes(activation: str, inputs: int, width: int, experts: list[int]) -> dict[str, list[int]]:
    ways = ["w3", "w1"] if activation == "swiglu" else ["w1"]
    return {**{name: [*experts, inputs, width] for name in ways}, "w2": [*experts, width, inputs]}


def routed_shapes(moe: dict, width: int, activation: str) -> dict[str, list[int]]:
    multi_head = moe["kind"] == "mh-moe"
    unit = width // moe["heads"] if multi_head else width
    shapes: dict[str, list[int]] = {"router.weight": [unit, moe["experts"]]}
    for name, size in feed_forward_shapes(activation, unit, moe["expert_width"], [moe["experts"]]).items():
        shapes[f"experts.{name}"] = size
    if multi_head and moe["head_layer"]:
        shapes["head.weight"] = [width, width]
    if multi_head and moe["merge_layer"]:
        shapes["merge.weight"] = [width, width]
    if moe["shared_width"] > 0:
        for name, size in feed_forward_shapes(activation, width, moe["shared_width"], []).items():
            shapes[f"shared.{name}"] = size
    return shapes


def model_shapes(model: dict) -> dict[str, list[int]]:
    width, activation, moe = model["d_model"], model["ffn"]["activation"], model.get("moe")
    shapes = {"embedding": [model["vocabulary"], width]}
    for index in range(model["layers"]):
        scope = f"layers.{index}"
        shapes[f"{scope}.attention.norm"] = [width]
        for name in ("query", "key", "value", "output"):
            shapes[f"{scope}.attention.{name}"] = [width, width]
        routed = moe is not None and (index + 1) % moe["every"] == 0
        part = "moe" if routed else "ffn"
        shapes[f"{scope}.{part}.norm"] = [width]
        inner = routed_shapes(moe, width, activation) if routed else feed_forward_shapes(activation, width, model["ffn"]["width"], [])
        for name, size in inner.items():
            shapes[f"{scope}.{part}.{name}"] = size
    return {**shapes, "norm": [width]}


def moe_config(**options: object) -> dict:
    defaults = {"kind": "smoe", "every": 2, "heads": 1, "head_layer": True, "merge_layer": True, "experts": 4, "top_k": 1}
    more = {"expert_width": 5, "shared_width": 0, "renormalize": False, "balance_weight": 0.01}
    return {**defaults, **more, **options}


def model_config(width: int = 8, activation: str = "swiglu", layers: int = 2, position: str = "rope", moe: dict | None = None) -> dict:
    config = {
        "vocabulary": 9,
        "d_model": width,
        "layers": layers,
        "context": 5,
        "attention": {"heads": 2, "position": position, "rope_base": ROPE_BASE},
        "ffn": {"width": 6, "activation": activation},
    }
    return config if moe is None else {**config, "moe": moe}


MODELS: dict[str, dict] = {
    "dense-swiglu": model_config(),
    "dense-relu-without-positions": model_config(activation="relu", layers=1, position="none"),
    "dense-gelu": model_config(activation="gelu", layers=1),
    "smoe-top1": model_config(moe=moe_config()),
    "smoe-top2-renormalised": model_config(moe=moe_config(every=1, top_k=2, renormalize=True)),
    "smoe-gelu-shared-expert": model_config(activation="gelu", moe=moe_config(top_k=2, shared_width=4)),
    "mh-moe-h2": model_config(moe=moe_config(kind="mh-moe", heads=2, experts=6, top_k=2)),
    "mh-moe-h3-shared-expert": model_config(
        width=12, moe=moe_config(kind="mh-moe", heads=3, experts=6, top_k=3, expert_width=4, shared_width=3)
    ),
    "mh-moe-h2-without-head-layer": model_config(moe=moe_config(kind="mh-moe", heads=2, top_k=2, head_layer=False)),
    "mh-moe-h2-without-merge-layer": model_config(moe=moe_config(kind="mh-moe", heads=2, top_k=2, merge_layer=False)),
}


def model_case(name: str, model: dict, schedule: str) -> dict:
    generator = seeded(name)
    weights = {
        key: normal(generator, size, 0.2, 1.0) if len(size) == 1 else normal(generator, size, 0.3)
        for key, size in model_shapes(model).items()
    }
    train = {
        "steps": 3,
        "batch_tokens": 10,
        "micro_batch": 2,
        "learning_rate": 0.01,
        "min_learning_rate": 0.001,
        "warmup": 1,
        "schedule": schedule,
        "betas": [0.9, 0.95],
        # Large enough to show in the numbers, and not to let tiny gradients magnify the rounding of float32.
        "epsilon": 1e-3,
        "weight_decay": 0.1,
        "clip": 2.0,
    }
    batches = []
    for number in range(3):
        tokens, targets = (torch.randint(model["vocabulary"], (2, 5), generator=generator) for _ in range(2))
        targets.view(-1)[3 * number + 1] = -1
        batches.append((tokens, targets))
    leaves = {key: tensor.clone().requires_grad_() for key, tensor in weights.items()}
    values = language_model(leaves, model, *batches[0])
    values["loss"].backward()
    steps = train_three_steps(weights, model, train, batches)
    return {
        "name": name,
        "model": model,
        "train": train,
        "batches": [{"tokens": tokens, "targets": targets} for tokens, targets in batches],
        "weights": weights,
        "outputs": values,
        "gradients": {key: leaf.grad for key, leaf in leaves.items()},
        "steps": steps,
    }


def mechanism_case(name: str, model: dict, inputs: Weights, compute: Callable[[Weights], Weights]) -> dict:
    """`compute` gives named outputs. The loss is the sum of all outputs times their cotangents; gradients are those of the loss."""
    generator = seeded(f"{name}/cotangents")
    leaves = {key: tensor.clone().requires_grad_() for key, tensor in inputs.items()}
    outputs = compute(leaves)
    cotangents = {key: normal(generator, list(output.shape)) for key, output in outputs.items()}
    sum((output * cotangents[key]).sum() for key, output in outputs.items()).backward()
    gradients = {key: leaf.grad for key, leaf in leaves.items()}
    return {"name": name, "model": model, "inputs": inputs, "cotangents": cotangents, "outputs": outputs, "gradients": gradients}


def draw(generator: torch.Generator, shapes: dict[str, list[int]]) -> Weights:
    return {
        name: normal(generator, size, 0.2, 1.0) if name == "norm" else normal(generator, size, 1.0 if name == "x" else 0.5)
        for name, size in shapes.items()
    }


def mechanism_cases() -> list[dict]:
    """One mechanism at a time; x is 2 windows of 5 tokens but for the bare rotation."""
    cases: list[dict] = []

    def add(name: str, config: dict, shapes: dict[str, list[int]], compute: Callable[[Weights], Weights]) -> None:
        cases.append(mechanism_case(name, config, draw(seeded(name), shapes), compute))

    add("rotary", model_config(), {"x": [2, 2, 7, 6]}, lambda w: {"y": rotary(w["x"], ROPE_BASE)})
    add("rms-norm", model_config(), {"x": [10, 8], "norm": [8]}, lambda w: {"y": rms_norm(w["x"], w["norm"])})
    for position in ("rope", "none"):
        config = model_config(position=position)
        shapes = {"x": [10, 8], **{name: [8, 8] for name in ("query", "key", "value", "output")}}

        def attend(w: Weights, options: dict = config["attention"]) -> Weights:
            return {"y": causal_attention(w["x"].view(2, 5, 8), w, options).flatten(0, 1)}

        add(f"attention-{position}", config, shapes, attend)
    for activation in ("swiglu", "relu", "gelu"):
        config = model_config(activation=activation)
        shapes = {"x": [10, 8], **feed_forward_shapes(activation, 8, 6, [])}
        add(f"feed-forward-{activation}", config, shapes, lambda w, a=activation: {"y": feed_forward(w["x"], w, a)})
    for name, renormalize in (("router", False), ("router-renormalised", True)):
        config = model_config(moe=moe_config(experts=5, top_k=3, renormalize=renormalize))

        def route(w: Weights, again: bool = renormalize) -> Weights:
            _, chosen, balance = gate_weights(w["x"], w["router.weight"], 3, again)
            return {"y": chosen, "balance": balance}

        add(name, config, {"x": [10, 8], "router.weight": [8, 5]}, route)
    for name, config in MODELS.items():
        if "moe" not in config:
            continue
        shapes = {"x": [10, config["d_model"]], **routed_shapes(config["moe"], config["d_model"], config["ffn"]["activation"])}

        def layer(w: Weights, options: dict = config) -> Weights:
            y, balance = routed_layer(w["x"], w, options["moe"], options["ffn"]["activation"])
            return {"y": y, "balance": balance}

        add(f"routed-{name}", config, shapes, layer)
    return cases


def schedule_cases() -> list[dict]:
    cases = []
    for schedule, warmup in (("cosine", 4), ("linear", 4), ("constant", 4), ("cosine", 0), ("linear", 20)):
        train = {"steps": 20, "learning_rate": 0.003, "min_learning_rate": 0.0002, "warmup": warmup, "schedule": schedule}
        cases.append({**train, "rates": [learning_rate(step, train) for step in range(1, 21)]})
    return cases


def plain(value: object) -> object:
    """Tensors as {shape, data}, numbers in full precision."""
    if isinstance(value, Tensor):
        return {"shape": list(value.shape), "data": value.detach().flatten().tolist()}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def write(name: str, content: object) -> None:
    """A list has one line for each of its elements."""
    def compact(value: object) -> str:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)

    text = "[\n" + ",\n".join(map(compact, content)) + "\n]" if isinstance(content, list) else compact(content)
    (HERE / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    write("schedules", plain(schedule_cases()))
    write("mechanisms", plain(mechanism_cases()))
    clipped = set()
    for case_name, case_model in MODELS.items():
        schedule = "linear" if case_name.startswith("dense") else "cosine"
        case = model_case(case_name, case_model, schedule)
        clipped |= {step["gradientNorm"] > case["train"]["clip"] for step in case["steps"]}
        write(f"model-{case_name}", plain(case))
    assert clipped == {True, False}, "some steps must be clipped and some not"
