"""The schedule and the optimiser: PyTorch's own AdamW, clipped by the global norm."""

import math

import torch
from torch import Tensor

from .language_model import Batch, is_routed, step_values
from .numbers import Weights, witness
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


def as_number(figure: Tensor | float | None) -> float | None:
    return figure.item() if isinstance(figure, Tensor) else figure


def train(weights: Weights, buffers: Weights, model: dict, options: dict, steps: list[list[Batch]]) -> dict[str, object]:
    """AdamW (1711.05101); the gradient is scaled down to the global norm `clip` where it is longer (1211.5063). After each step the biases of
    the routers move by the counts of all its microbatches (2408.15664)."""
    parameters = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    buffers = dict(buffers)
    groups: dict[bool, list[Tensor]] = {True: [], False: []}
    for name, parameter in parameters.items():
        groups[is_decayed(name, parameter, model)].append(parameter)
    optimiser = torch.optim.AdamW(
        [{"params": groups[True], "weight_decay": options["weight_decay"]}, {"params": groups[False], "weight_decay": 0.0}],
        betas=tuple(options["betas"]),
        eps=options["epsilon"],
        foreach=False,
    )
    records, logits, gradients = [], None, {}
    for number, microbatches in enumerate(steps, start=1):
        optimiser.zero_grad()
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
            group["lr"] = rate
        optimiser.step()
        routed = [index for index in range(model["layers"]) if is_routed(model, index)]
        for index, counts in zip(routed, values["expertCounts"]):
            name = f"layers.{index}.moe.router.bias"
            if name in buffers:
                buffers[name] = moved_bias(buffers[name], counts, model["moe"]["router"])
        figures = {name: as_number(values[name]) for name in ("loss", "crossEntropy", "balance", "zLoss", "dropRate")}
        batches = [{"tokens": tokens, "targets": targets} for tokens, targets in microbatches]
        records.append({"learningRate": rate, "microbatches": batches, **figures, "gradientNorm": norm, "expertCounts": values["expertCounts"]})
    after = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    return {"logits": logits, "gradients": gradients, "steps": records, "after": after, "buffersAfter": buffers}
