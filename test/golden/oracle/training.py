"""The schedule and the optimiser: PyTorch's own AdamW, clipped by the global norm."""

import math

import torch
from torch import Tensor

from .language_model import Batch, is_routed, step_values
from .lazy_adamw import LazyTable
from .numbers import Weights, witness
from .product_keys import layers_of, table_names
from .routing import moved_bias


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


def is_decayed(name: str, tensor: Tensor, model: dict) -> bool:
    """Matrices are; norms, biases, the temperature and a frozen router are not."""
    frozen = "moe" in model and model["moe"]["router"]["frozen"] and ".router." in name
    return tensor.dim() > 1 and not frozen


def tables_of(model: dict) -> dict[str, int]:
    """The tables of experts that product keys retrieve from, each with the place of its layer among those that retrieve."""
    return {
        f"layers.{layer}.product_keys.{name}": place for place, layer in enumerate(layers_of(model)) for name in table_names(model["product_keys"])
    }


def written(batch: Batch) -> dict[str, Tensor]:
    resets = {} if batch.resets is None else {"resets": batch.resets}
    return {"tokens": batch.tokens, "targets": batch.targets, **resets}


def as_number(figure: Tensor | float | None) -> float | None:
    return figure.item() if isinstance(figure, Tensor) else figure


def train(weights: Weights, buffers: Weights, model: dict, options: dict, steps: list[list[Batch]]) -> dict[str, object]:
    """AdamW (1711.05101); the gradient is scaled down to the global norm `clip` where it is longer (1211.5063). After each step the biases of
    the routers move by the counts of all its microbatches (2408.15664). Tables of experts may have a learning rate of their own, and be lazy."""
    parameters = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    buffers = dict(buffers)
    tables = tables_of(model)
    rate_scale = model["product_keys"]["learning_rate_scale"] if tables else 1.0
    lazy: dict[str, LazyTable] = {}
    if tables and model["product_keys"]["optimizer"] == "lazy":
        lazy = {name: LazyTable(parameters[name], options, rate_scale) for name in tables}
    groups: dict[bool, list[Tensor]] = {True: [], False: []}
    for name, parameter in parameters.items():
        if name not in tables:
            groups[is_decayed(name, parameter, model)].append(parameter)
    dense_tables = [parameters[name] for name in tables if name not in lazy]
    optimiser = torch.optim.AdamW(
        [
            {"params": groups[True], "weight_decay": options["weight_decay"], "scale": 1.0},
            {"params": groups[False], "weight_decay": 0.0, "scale": 1.0},
            {"params": dense_tables, "weight_decay": options["weight_decay"], "scale": rate_scale},
        ],
        betas=tuple(options["betas"]),
        eps=options["epsilon"],
        foreach=False,
    )
    records, logits, gradients = [], None, {}
    for number, microbatches in enumerate(steps, start=1):
        for parameter in parameters.values():
            parameter.grad = None
        values = step_values(parameters, buffers, model, microbatches)
        values["loss"].backward()
        for parameter in parameters.values():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        if number == 1:
            logits, gradients = values["logits"].detach(), {name: p.grad.clone() for name, p in parameters.items()}
        norm = math.sqrt(sum(p.grad.pow(2).sum().item() for p in parameters.values()))
        clips = 0 < options["clip"] < norm
        witness("a clipped step" if clips else "a step that is not clipped", True)
        if clips:
            for parameter in parameters.values():
                parameter.grad *= options["clip"] / norm
        rate = learning_rate(number, options)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["scale"]
        optimiser.step()
        for name, table in lazy.items():
            gradient, place = parameters[name].grad, tables[name]
            assert gradient is not None
            rows = torch.cat([retrieved[place].indices.flatten() for retrieved in values["retrieved"]]).unique().tolist()
            assert not gradient[[row for row in range(len(gradient)) if row not in rows]].any()
            table.step(number, rate, gradient, rows)
        routed = [index for index in range(model["layers"]) if is_routed(model, index)]
        for index, counts in zip(routed, values["routerCounts"]):
            name = f"layers.{index}.moe.router.bias"
            if name in buffers:
                buffers[name] = moved_bias(buffers[name], counts, model["moe"]["router"])
        figures = {name: as_number(values[name]) for name in ("loss", "crossEntropy", "balance", "zLoss", "dropRate")}
        batches = [written(batch) for batch in microbatches]
        use = {name: values[name] for name in ("expertCounts", "taken", "retrievals") if name in values}
        records.append({"learningRate": rate, "microbatches": batches, **figures, "gradientNorm": norm, **use})
    after = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    return {"logits": logits, "gradients": gradients, "steps": records, "after": after, "buffersAfter": buffers}
