"""Where tokens stand: rotations of some channels, and relative distances over a cached chunk."""

import math

import torch
from torch import Tensor


def rotary(x: Tensor, base: float) -> Tensor:
    """2104.09864, Sec. 3.2: pair i turns by m * base^(-2 i / d) at position m, as a complex product. x [..., time, d].

    Pair i is the elements i and i + d/2 (the rotate-half layout).
    """
    time, width = x.shape[-2:]
    rate = base ** (-2.0 * torch.arange(width // 2) / width)
    angle = torch.outer(torch.arange(time).to(rate.dtype), rate)
    turned = torch.complex(*x.chunk(2, dim=-1)) * torch.polar(torch.ones_like(angle), angle)
    return torch.cat([turned.real, turned.imag], dim=-1)


def rotated_channels(share: float, width: int) -> int:
    """2312.07987, Sec. 4: only some of the channels turn, the first ones; an even number of them."""
    return width if share == 1 else 2 * math.floor(share * width / 2)


def partly_rotary(x: Tensor, base: float, share: float) -> Tensor:
    turning = rotated_channels(share, x.shape[-1])
    if turning == 0:
        return x
    return rotary(x, base) if turning == x.shape[-1] else torch.cat([rotary(x[..., :turning], base), x[..., turning:]], dim=-1)


def sinusoids(rows: int, width: int) -> Tensor:
    """Row n encodes the distance n (1706.03762, Sec. 3.5): all sines, then all cosines, as in 1901.02860's code."""
    rows_of = [
        [math.sin(n / 10000 ** (2 * i / width)) for i in range(width // 2)] + [math.cos(n / 10000 ** (2 * i / width)) for i in range(width // 2)]
        for n in range(rows)
    ]
    return torch.tensor(rows_of)


def relative_scores(query: Tensor, key: Tensor, positions: Tensor, seen: Tensor) -> Tensor:
    """1901.02860, Sec. 3.3, without the vectors u and v: q_i . (k_j + p_(i - j)) / sqrt(w), one head.

    query [batch, time, w]; key [batch, 2 time, w], the cached chunk first; positions [2 time, w], row n for distance n; seen [batch], 0 for a window
    that must not look at its cached chunk. What a query does not see is -infinity.
    """
    batch, time, width = query.shape
    scores = torch.full((batch, time, 2 * time), -math.inf)
    rows = []
    for i in range(time):
        row = []
        for j in range(2 * time):
            distance = time + i - j
            score = (query[:, i] * (key[:, j] + positions[distance])).sum(dim=-1) / math.sqrt(width) if distance >= 0 else scores[:, i, j]
            row.append(torch.where(seen > 0, score, scores[:, i, j]) if j < time else score)
        rows.append(torch.stack(row, dim=1))
    return torch.stack(rows, dim=1)
