"""Routers: which experts a unit (token or sub-token) goes to, with what weight, and the losses that keep them busy."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .allocation import count_until, fewest_and_most
from .numbers import ROUTING_MARGIN, Weights, keep_apart, witness


@dataclass
class Routed:
    """What one layer's router did with the units of one microbatch."""

    # [units, experts]: the weight of each expert, and whether the unit goes there at all (after dropping).
    gate: Tensor
    goes: Tensor
    # [units, k], largest first; none for expert choice. `chosen_weights` is after dropping.
    order: Tensor | None
    chosen_weights: Tensor | None
    # [units, experts]: scores scaled to sum 1 over the experts, and softmax of the logits.
    share: Tensor
    softmax: Tensor
    z_loss: Tensor
    # [experts], before dropping.
    counts: Tensor
    drop_rate: float | None
    # [units, most] where units take different numbers of experts: which of `order` they take. Else none.
    made: Tensor | None = None

    def choices(self) -> Tensor:
        """The expert of every choice that is made, in one row."""
        assert self.order is not None
        return self.order.flatten() if self.made is None else self.order[self.made]

    def taken(self) -> Tensor | None:
        """[most]: how many units take at least 1, 2, ... experts."""
        return None if self.made is None else self.made.sum(dim=0)


def router_logits(units: Tensor, weights: Weights, router: dict) -> Tensor:
    if router["type"] == "linear":
        return units @ weights["weight"]
    # 2204.09179, Eq. 4: cosine of the reduced unit and of the expert's vector, over a temperature that is learnt.
    reduced = units @ weights["projection"]
    columns = weights["experts"]
    reduced = reduced / (reduced.square().sum(dim=1, keepdim=True) + 1e-12).sqrt()
    columns = columns / (columns.square().sum(dim=0, keepdim=True) + 1e-12).sqrt()
    log_scale = weights["log_scale"] if router["learn_temperature"] else weights["log_scale"].detach()
    return reduced @ columns * log_scale.exp()


def choose(preference: Tensor, k: int) -> Tensor:
    """The k experts that each unit prefers, best first. preference [units, experts]. Where all are equal, as for a unit that is 0, the first k."""
    ranked, order = preference.sort(dim=-1, descending=True, stable=True)
    keep_apart(ranked[ranked[:, 0] != ranked[:, -1]].diff(dim=-1)[:, :k], ROUTING_MARGIN)
    return order[:, :k]


def kept_within(order: list[list[int]], experts: int, router: dict, k: int, made: Tensor | None = None) -> list[list[bool]]:
    """Which choices find room: ceil(factor * k * units / experts) places at each expert, given out in order of priority.

    first_choice (2006.16668, Algorithm 1): all first choices by position, then all second choices. position: unit by unit. k is the mean number of
    choices where those of units differ in number; a choice that is not made takes no room.
    """
    units, most = len(order), len(order[0])
    free = [math.ceil(router["capacity_factor"] * k * units / experts)] * experts
    pairs = [(unit, choice) for unit in range(units) for choice in range(most) if made is None or made[unit, choice]]
    if router["capacity_priority"] == "first_choice":
        pairs.sort(key=lambda pair: (pair[1], pair[0]))
    kept = [[False] * most for _ in range(units)]
    for unit, choice in pairs:
        expert = order[unit][choice]
        if free[expert] > 0:
            free[expert] -= 1
            kept[unit][choice] = True
    return kept


def expert_choice(scores: Tensor, k: int) -> Tensor:
    """2202.09368, Eq. 1: each expert takes the floor(k * units / experts) units that score highest with it. Returns a mask."""
    units, experts = scores.shape
    places = max(1, k * units // experts)
    mask = torch.zeros(units, experts, dtype=torch.bool)
    for expert in range(experts):
        ranked, order = scores[:, expert].sort(descending=True)
        keep_apart(ranked.diff()[places - 1 : places], ROUTING_MARGIN)
        mask[order[:places], expert] = True
    witness("a unit that no expert chose", bool((mask.sum(dim=1) == 0).any()))
    witness("a unit with more than k experts", bool((mask.sum(dim=1) > k).any()))
    return mask


def route(units: Tensor, weights: Weights, bias: Tensor | None, moe: dict, training: bool, allocated: Tensor | None = None) -> Routed:
    """units [units, width]; `allocated` [units] says how many experts each takes with `select: dynamic`."""
    router, experts, k = moe["router"], moe["experts"], moe["top_k"]
    assert not (training and (router["jitter"] > 0 or router.get("expert_dropout", 0) > 0)), "noise has no golden numbers"
    if router["frozen"]:
        weights = {name: tensor.detach() for name, tensor in weights.items()}
    logits = router_logits(units, weights, router)
    softmax = logits.softmax(dim=-1)
    # 2101.03961, Eq. 1, and 2412.19437, Eq. 15.
    scores = softmax if router["score"] == "softmax" else logits.sigmoid()
    share = scores / scores.sum(dim=-1, keepdim=True)
    z_loss = logits.logsumexp(dim=-1).square().mean()  # 2202.08906, Eq. 5
    if router["select"] == "expert_choice":
        goes = expert_choice(scores.detach(), k)
        return Routed(scores * goes, goes, None, None, share, softmax, z_loss, goes.sum(dim=0), None)

    preference = scores.detach()
    if router["select"] == "top_k_biased":  # 2408.15664, Eq. 3: the bias chooses and does not weigh
        assert bias is not None
        plain = preference.topk(k).indices
        preference = preference + bias
        witness("the bias changes a choice", not torch.equal(plain, preference.topk(k).indices))
    varied = router["select"] in ("dynamic", "top_p")
    most = fewest_and_most(moe)[1] if varied else k
    order, made = choose(preference, most), None
    chosen = scores.gather(1, order)
    if varied:
        numbers = count_until(chosen.detach(), router["top_p"]) if router["select"] == "top_p" else allocated
        assert numbers is not None
        made = torch.arange(most).unsqueeze(0) < numbers.unsqueeze(1)
        chosen = chosen * made
        witness("units that take different numbers of experts", len(set(numbers.tolist())) > 1)
    if router["renormalize"]:
        chosen = chosen / chosen.sum(dim=-1, keepdim=True)
        if router["score"] == "softmax" and made is None:  # 2401.04088, Sec. 2.1, writes it as the softmax over the chosen logits
            assert torch.allclose(chosen, logits.gather(1, order).softmax(dim=-1))
    kept = torch.ones_like(order, dtype=torch.bool) if made is None else made
    counts = torch.bincount(order[kept], minlength=experts)
    witness("an expert without units", bool((counts == 0).any()))
    drop_rate, asked = None, kept.sum().item()
    if "capacity_factor" in router:
        if training or router["capacity_in_evaluation"]:
            kept = torch.tensor(kept_within(order.tolist(), experts, router, k, made))
        drop_rate = (asked - kept.sum().item()) / asked
        witness("a choice is dropped", drop_rate > 0)
    chosen = chosen * kept
    gate = torch.zeros_like(scores).scatter(1, order, chosen)
    goes = torch.zeros_like(scores, dtype=torch.bool).scatter(1, order, kept)
    return Routed(gate, goes, order, chosen, share, softmax, z_loss, counts, drop_rate, made)


def mean_entropy(routed: Routed) -> Tensor:
    """2403.07652, Eq. 6: of the softmax of each unit, mean over the units."""
    return -(routed.softmax * routed.softmax.log()).sum(dim=-1).mean()


def balance_loss(kind: str, microbatches: list[Routed]) -> Tensor:
    """Over all units of the microbatches given, as if they were one batch."""
    softmax = torch.cat([routed.softmax for routed in microbatches])
    if kind == "entropy":  # 2310.10837, Eq. 20-21: the negative entropy of the mean probabilities
        mean = softmax.mean(dim=0)
        return (mean * mean.log()).sum()
    share = torch.cat([routed.share for routed in microbatches])
    order = torch.cat([routed.order for routed in microbatches])
    choices = torch.cat([routed.choices() for routed in microbatches])
    units, experts = share.shape
    if kind == "switch":  # 2101.03961, Eq. 4-6
        assert order.shape[1] == 1
    if kind in ("switch", "gshard_first"):  # 2006.16668, Algorithm 1, times the number of experts
        counts = torch.bincount(order[:, 0], minlength=experts) / units
    elif kind == "top_k":  # 2408.15664, Eq. 2
        counts = torch.bincount(choices, minlength=experts) / choices.numel()
    else:
        raise ValueError(kind)
    return experts * (counts * share.mean(dim=0)).sum()


def moved_bias(bias: Tensor, counts: Tensor, router: dict) -> Tensor:
    """2408.15664, Algorithm 1: after a step an expert with less than the mean load gains. counts [experts] of the whole step."""
    mean = counts.sum() / counts.numel()
    error = mean - counts
    witness("an expert with the mean load", bool((error == 0).any()))
    return bias + router["bias_rate"] * (error.sign() if router["bias_update"] == "sign" else error / mean)
