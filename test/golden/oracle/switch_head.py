"""SwitchHead, 2312.07987 Sec. 2.2: experts for the projections of each head, all of them computed and those not chosen weighed with 0."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .numbers import Weights
from .routing import choose

SIDES = {"key": "source", "value": "source", "query": "destination", "output": "destination"}


@dataclass
class Selection:
    # [rows, heads, experts]: the sigmoid score where the expert is chosen, else 0.
    gate: Tensor
    # [heads * experts]
    counts: Tensor


def sides(moe: dict) -> list[str]:
    """Those that some projection with experts uses, in the order in which their counts are given."""
    return sorted({SIDES[projection] for projection in moe["projections"]}, reverse=True)


def selectors(moe: dict) -> dict[str, str]:
    """Which selector each side uses. Sec. 3.6: with a shared selection both use that of the destination."""
    used = sides(moe)
    shared = moe["shared_selection"] and len(used) == 2
    return {side: "destination" if shared else side for side in used}


def select(rows: Tensor, weight: Tensor, heads: int, moe: dict, training: bool) -> Selection:
    """Eq. 7-8: each head chooses its own experts, and the scores of the chosen are not scaled to sum 1. rows [rows, d]."""
    assert not (training and moe["expert_dropout"] > 0), "noise has no golden numbers"
    scores = (rows @ weight).sigmoid().view(len(rows), heads, moe["experts"])
    order = choose(scores.detach().flatten(0, 1), moe["top_k"]).view(len(rows), heads, moe["top_k"])
    chosen = torch.zeros_like(scores).scatter(2, order, 1.0)
    return Selection(scores * chosen, chosen.sum(dim=0).flatten().long())


def project_in(rows: Tensor, stacked: Tensor, selection: Selection) -> Tensor:
    """Eq. 9: rows [rows, d] -> [rows, heads * w]; stacked [heads * experts, d, w], the experts of a head next to each other."""
    heads, experts = selection.gate.shape[1:]
    outputs = []
    for head in range(heads):
        each = [selection.gate[:, head, e : e + 1] * (rows @ stacked[head * experts + e]) for e in range(experts)]
        outputs.append(torch.stack(each).sum(dim=0))
    return torch.cat(outputs, dim=1)


def project_out(attended: list[Tensor], stacked: Tensor, selection: Selection) -> Tensor:
    """Eq. 10: of each head [rows, w] -> [rows, d], the sum over the heads; stacked [heads * experts, w, d]."""
    experts = selection.gate.shape[2]
    each = [
        selection.gate[:, head, e : e + 1] * (rows @ stacked[head * experts + e]) for head, rows in enumerate(attended) for e in range(experts)
    ]
    return torch.stack(each).sum(dim=0)


def selection_of(side: str, rows: Tensor, weights: Weights, model: dict, training: bool) -> Selection:
    moe = model["attention"]["moe"]
    return select(rows, weights[f"{selectors(moe)[side]}.router.weight"], model["attention"]["heads"], moe, training)
