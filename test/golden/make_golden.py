"""Writes the golden vectors, the JSON files beside this script; README.md says what they hold.

    python make_golden.py
"""

import itertools
import json
import sys
from pathlib import Path

import torch
from torch import Tensor

sys.dont_write_bytecode = True

from oracle import numbers
from oracle.cases import CASES
from oracle.configs import Case
from oracle.language_model import Batch, buffer_shapes, evaluation_values, model_shapes
from oracle.mechanisms import mechanism_cases
from oracle.numbers import NearTie, Weights, normal, seeded
from oracle.training import learning_rate, train, written

torch.set_default_dtype(torch.float64)
torch.use_deterministic_algorithms(True)
torch.set_num_threads(1)

HERE = Path(__file__).resolve().parent
WINDOWS = 2


def initial(generator: torch.Generator, name: str, shape: list[int]) -> Tensor:
    last = name.rsplit(".", 1)[-1]
    if last.endswith("norm") or last == "log_scale":
        return normal(generator, shape, 0.2, 1.0)
    return normal(generator, shape, 0.2 if len(shape) == 1 else 0.3)


def initial_buffer(generator: torch.Generator, name: str, shape: list[int]) -> Tensor:
    """A cache is as large as the states of a layer are."""
    if name.endswith("query_variance"):
        return normal(generator, shape, 0.2, 1.0).abs()
    return normal(generator, shape, 0.5 if name.endswith("cache") else 0.05)


def draw_resets(model: dict, step: int, microbatch: int) -> Tensor | None:
    """Some window of nearly every microbatch does not go on where the one before it ended."""
    if model["attention"]["position"] != "xl":
        return None
    return torch.tensor([int((step + window + microbatch) % 3 == 1) for window in range(WINDOWS)])


def draw_batch(generator: torch.Generator, model: dict, step: int, microbatch: int) -> Batch:
    """Causal: nearly all targets are scored, fewer in later microbatches. Masked: about a third is, in later microbatches less."""
    tokens, targets = (torch.randint(model["vocabulary"], (WINDOWS, model["context"]), generator=generator) for _ in range(2))
    flat = targets.view(-1)
    flat[(3 * step + 1) % flat.numel()] = -1
    if microbatch > 0:
        flat[-microbatch:] = -1
    if model.get("objective") == "masked":
        flat[torch.arange(flat.numel()) % (3 + microbatch) != step % 3] = -1
    return Batch(tokens, targets, draw_resets(model, step, microbatch))


def evaluation_batches(model: dict, steps: list[list[Batch]]) -> list[Batch]:
    """The first one of the training. Where attention remembers, the first windows start anew; then all go on, then one of them does."""
    first = steps[0][0]
    if model["attention"]["position"] != "xl":
        return [first]
    later = [steps[1][0], steps[2][-1]]
    return [Batch(batch.tokens, batch.targets, torch.tensor(resets)) for batch, resets in zip([first, *later], [[1, 1], [0, 0], [0, 1]])]


def attempt(name: str, case: Case, seed: str) -> dict:
    generator = seeded(seed)
    model = case.model
    weights: Weights = {key: initial(generator, key, size) for key, size in model_shapes(model).items()}
    options = {
        "steps": max(3, case.steps),
        "batch_tokens": WINDOWS * model["context"] * case.microbatches,
        "micro_batch": WINDOWS,
        "learning_rate": 0.01,
        "min_learning_rate": 0.001,
        "warmup": 1,
        "schedule": "linear" if name.startswith("dense") else "cosine",
        "betas": [0.9, 0.95],
        # Large enough to show in the numbers, and not to let tiny gradients magnify the rounding of float32.
        "epsilon": 1e-3,
        "weight_decay": 0.1,
        "clip": case.clip,
    }
    steps = [[draw_batch(generator, model, step, microbatch) for microbatch in range(case.microbatches)] for step in range(options["steps"])]
    buffers = {key: initial_buffer(generator, key, size) for key, size in buffer_shapes(model, WINDOWS, case.microbatches).items()}
    trained = train(weights, buffers, model, options, steps[: case.steps])
    batches = evaluation_batches(model, steps)
    with torch.no_grad():
        found = evaluation_values(trained["after"], trained["buffersAfter"], model, batches)
    first, *later = [{"batch": written(batch), **values} for batch, values in zip(batches, found)]
    evaluated = {"evaluation": first, "laterEvaluations": later} if later else {"evaluation": first}
    return {"name": name, "model": model, "train": options, "weights": weights, "buffers": buffers, **trained, **evaluated}


def model_case(name: str, case: Case) -> dict:
    """The first numbers that keep all margins and show what the case is for."""
    for number in itertools.count():
        assert number < 3000, f"{name}: no numbers keep the margins and show {case.shows}"
        numbers.witnessed.clear()
        try:
            made = attempt(name, case, f"{name}/{number}" if number > 0 else name)
        except NearTie:
            continue
        if case.shows <= numbers.witnessed:
            return made


def schedule_cases() -> list[dict]:
    cases = []
    for schedule, warmup in (("cosine", 4), ("linear", 4), ("constant", 4), ("cosine", 0), ("linear", 20)):
        options = {"steps": 20, "learning_rate": 0.003, "min_learning_rate": 0.0002, "warmup": warmup, "schedule": schedule}
        cases.append({**options, "rates": [learning_rate(step, options) for step in range(1, 21)]})
    return cases


def plain(value: object) -> object:
    """Tensors as {shape, data}; numbers to 13 digits, a ten-thousandth of what the tests allow."""
    if isinstance(value, Tensor):
        return {"shape": list(value.shape), "data": [plain(number) for number in value.detach().flatten().tolist()]}
    if isinstance(value, float):
        return float(f"{value:.12e}")
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
    # Of some cases alone, by the beginnings of their names: the others stay as they are.
    wanted = tuple(sys.argv[1:])
    if "mechanisms" in wanted:
        write("mechanisms", plain(mechanism_cases()))
    if wanted:
        for case_name in [name for name in CASES if name.startswith(wanted)]:
            write(f"model-{case_name}", plain(model_case(case_name, CASES[case_name])))
        sys.exit()
    write("schedules", plain(schedule_cases()))
    write("mechanisms", plain(mechanism_cases()))
    for old in HERE.glob("model-*.json"):
        old.unlink()
    seen: set[str] = set()
    for case_name, one in CASES.items():
        write(f"model-{case_name}", plain(model_case(case_name, one)))
        seen |= numbers.witnessed
    assert {"a clipped step", "a step that is not clipped", "an expert without units"} <= seen, seen
