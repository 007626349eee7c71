"""Attention: dense or with experts (SwitchHead), its positions, and over a cached chunk. Weights are [in, out]: y = x W."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .layers import rms_norm
from .numbers import Weights
from .positions import partly_rotary, relative_scores, sinusoids
from .quantisation import linear
from .switch_head import Selection, project_in, project_out, selection_of, sides


@dataclass
class Attended:
    # [batch, time, d]
    output: Tensor
    # Of each head [batch, time, keys].
    probabilities: list[Tensor]
    # SwitchHead: of the source side, of the destination side, as far as there are experts there; once where both have one selection of the same
    # tokens. [heads * experts]
    counts: list[Tensor]


def head_width(model: dict) -> int:
    return model["attention"].get("head_width", model["d_model"] // model["attention"]["heads"])


def attention(
    x: Tensor, weights: Weights, model: dict, training: bool = True, memory: Tensor | None = None, seen: Tensor | None = None
) -> Attended:
    """1706.03762, Eq. 1 and Sec. 3.2.2; causal: a query sees itself and what comes before. x [batch, time, d].

    With fewer key and value heads than query heads each serves a group of consecutive query heads (2305.13245). `memory` is the chunk before x, which
    keys and values are computed of too (1901.02860, Sec. 3.2), for the windows that are `seen` [batch] as going on.
    """
    options, bitnet = model["attention"], model.get("bitnet")
    heads, width, norm = options["heads"], head_width(model), options.get("qk_norm", "none")
    group = heads // options.get("kv_heads", heads)
    batch, time, _ = x.shape
    rows = x.flatten(0, 1)
    rows_of = {"source": rows if memory is None else torch.cat([memory, x], dim=1).flatten(0, 1), "destination": rows}
    selections: dict[str, Selection] = {}
    with_experts: list[str] = []
    if "moe" in options:
        with_experts = options["moe"]["projections"]
        selections = {side: selection_of(side, rows_of[side], weights, model, training) for side in sides(options["moe"])}

    def project(name: str, side: str) -> Tensor:
        if name in with_experts:
            return project_in(rows_of[side], weights[name], selections[side]).view(batch, -1, heads * width)
        return linear(rows_of[side], weights[name], bitnet).view(batch, -1, weights[name].shape[1])

    query, key, value = project("query", "destination"), project("key", "source"), project("value", "source")
    if norm == "full":  # 2409.02060: over the whole projection
        query, key = rms_norm(query, weights["query_norm"]), rms_norm(key, weights["key_norm"])
    joined, probabilities = [], []
    for head in range(heads):
        shared = head // group
        q, k, v = (part[..., index * width : (index + 1) * width] for part, index in ((query, head), (key, shared), (value, shared)))
        if norm == "head":  # 2505.09388: over each head, one gain for all heads
            q, k = rms_norm(q, weights["query_norm"]), rms_norm(k, weights["key_norm"])
        if options["position"] == "rope":
            q, k = (partly_rotary(part, options["rope_base"], options.get("rope_share", 1)) for part in (q, k))
        if options["position"] == "xl":
            assert seen is not None
            positions = (sinusoids(2 * time, model["d_model"]) @ weights["position"])[:, head * width : (head + 1) * width]
            scores = relative_scores(q, k, positions, seen)
        else:
            scores = torch.einsum("bqi,bki->bqk", q, k) / math.sqrt(width)
            if model.get("objective", "causal") == "causal":
                scores = scores.masked_fill(torch.ones(time, time, dtype=torch.bool).triu(diagonal=1), -math.inf)
        probabilities.append(scores.softmax(dim=-1))
        joined.append(probabilities[-1] @ v)
    if "output" in with_experts:
        output = project_out([each.flatten(0, 1) for each in joined], weights["output"], selections["destination"])
    else:
        output = linear(torch.cat(joined, dim=-1).flatten(0, 1), weights["output"], bitnet)
    counted = list(selections.values())
    if len(counted) == 2 and options["moe"]["shared_selection"] and memory is None:
        assert torch.equal(counted[0].counts, counted[1].counts)
        del counted[0]
    return Attended(output.view(batch, time, -1), probabilities, [selection.counts for selection in counted])
