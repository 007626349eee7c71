"""How many experts a token takes: by the importance that attention gives it (own definition, in the style of 2409.06669), or by a sum of scores
(2403.07652). ../../../docs/models.md has the definition."""

import math

import torch
from torch import Tensor

from .numbers import ALLOCATION_MARGIN, LEAST_IMPORTANCE, ROUTING_MARGIN, keep_apart, witness


# What nearly even attention counts as, so that tokens which all attend so are alike.
LEAST = {"received": 0.0, "cls_row": 0.0, "row_max": 1e-3, "entropy": 1e-3}


def statistic(kind: str, attention: Tensor, causal: bool) -> Tensor:
    """Of one head and window: attention [queries, keys] -> [time]. `row_max` and `entropy` go from 0, even attention, to 1, a single key."""
    time = len(attention)
    if kind == "received":
        assert not causal, "a later query would tell of the future"
        return attention.sum(dim=0) / time
    if kind == "cls_row":
        assert not causal
        return attention[0]
    found = []
    for j in range(time):
        row = attention[j, : j + 1] if causal else attention[j]
        if len(row) == 1:
            found.append(1.0)
        elif kind == "row_max":
            found.append(1 - -math.log(row.max().item()) / math.log(len(row)))
        elif kind == "entropy":
            found.append(1 - -(row * row.log()).sum().item() / math.log(len(row)))
        else:
            raise ValueError(kind)
    return torch.tensor(found)


def importance(kind: str, probabilities: list[Tensor], causal: bool) -> Tensor:
    """Of the attention of each head [batch, time, time]: [batch, time], 1 in the mean of the window. Where causal, in the mean of the tokens so far but
    for the first, which sees nothing to choose from: its own is 1."""
    windows = range(len(probabilities[0]))
    return torch.stack([of_window(kind, [head[window].detach() for head in probabilities], causal) for window in windows])


def of_window(kind: str, heads: list[Tensor], causal: bool) -> Tensor:
    absolute = torch.stack([statistic(kind, head, causal) for head in heads]).mean(dim=0).clip(min=LEAST[kind])
    # Little importance everywhere is the difference of nearly equal numbers, divided by as small a one.
    if not causal:
        keep_apart(absolute.mean(), LEAST_IMPORTANCE)
        return absolute / absolute.mean()
    means = [absolute[1 : j + 1].mean() for j in range(1, len(absolute))]
    keep_apart(torch.stack(means), LEAST_IMPORTANCE)
    return torch.stack([torch.tensor(1.0), *(absolute[j] / mean for j, mean in enumerate(means, start=1))])


def allocate(r: Tensor, mean: int, least: int, most: int, budget: bool) -> Tensor:
    """r [batch, time] of mean about 1 -> [batch, time], how many experts each token takes."""
    return torch.stack([budgeted(window, mean, least, most) if budget else rounded(mean * window, least, most) for window in r])


def rounded(wanted: Tensor, least: int, most: int) -> Tensor:
    keep_apart(wanted - wanted.floor() - 0.5, ALLOCATION_MARGIN)
    witness("a token gets the fewest", bool((wanted < least - 0.5).any()))
    witness("a token gets the most", bool((wanted > most + 0.5).any()))
    return torch.tensor([min(max(round(each), least), most) for each in wanted.tolist()])


def scale_for(window: Tensor, total: float, least: int, most: int) -> float:
    """The c at which the clipped c r add up to the total: exactly, as their sum is a straight line between the points where one is clipped."""

    def sum_at(c: float) -> float:
        return (c * window).clip(least, most).sum().item()

    bends = sorted({bound / each for each in window.tolist() for bound in (least, most)})
    for low, high in zip([0.0, *bends], bends):
        if sum_at(low) <= total <= sum_at(high) and sum_at(high) > sum_at(low):
            return low + (high - low) * (total - sum_at(low)) / (sum_at(high) - sum_at(low))
    raise AssertionError(f"{total} is beyond {least} to {most} for each of {len(window)}")


def budgeted(window: Tensor, mean: int, least: int, most: int) -> Tensor:
    """Largest remainders: all K together are `mean` for each token."""
    total = mean * len(window)
    scaled = scale_for(window, total, least, most) * window
    free = (scaled > least) & (scaled < most)
    keep_apart(torch.cat([scaled[free] - scaled[free].round(), scaled - least, scaled - most]), ALLOCATION_MARGIN)
    exact = torch.where(free, scaled, scaled.clip(least, most))
    taken = exact.floor()
    left = round(total - taken.sum().item())
    remainders, order = (exact - taken).sort(descending=True, stable=True)
    if left > 0:
        keep_apart(remainders.diff()[left - 1 : left], ALLOCATION_MARGIN)
    taken[order[:left]] += 1
    witness("a remainder", left > 0)
    witness("the budget changes an allocation", not torch.equal(taken, (mean * window).round().clip(least, most)))
    return taken.long()


def count_until(ranked: Tensor, threshold: float) -> Tensor:
    """2403.07652, Eq. 5: the fewest best experts whose scores reach the threshold together, or all. ranked [units, most], largest first."""
    sums = ranked.cumsum(dim=1)
    keep_apart(sums - threshold, ROUTING_MARGIN)
    witness("a unit that never reaches the threshold", bool((sums[:, -1] < threshold).any()))
    return (sums < threshold).sum(dim=1).add(1).clip(max=ranked.shape[1])


def fewest_and_most(moe: dict) -> tuple[int, int]:
    router, experts, k = moe["router"], moe["experts"], moe["top_k"]
    if router["select"] == "top_p":
        return 1, router.get("k_max", experts)
    return router["k_min"], router.get("k_max", min(2 * k, experts))
