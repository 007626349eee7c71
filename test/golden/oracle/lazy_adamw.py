"""AdamW for tables of which a step uses few rows: what is put off for a row is made up for when it is next used.

A row's moments decay as with a gradient of zero in every step that it rests, and its weight decays by the steps' own rates; but it makes no
step by its momentum while it rests.
"""

import math

import torch
from torch import Tensor

from .numbers import witness


class LazyTable:
    def __init__(self, table: Tensor, options: dict, rate_scale: float):
        self.table, self.options, self.rate_scale = table, options, rate_scale
        self.first, self.second = torch.zeros_like(table), torch.zeros_like(table)
        self.last = [0] * len(table)
        # Of each step that was, what it left of a weight by decay.
        self.left: list[float] = []

    def step(self, number: int, rate: float, gradient: Tensor, rows: list[int]) -> None:
        """`gradient` of the whole table, clipped; `rows` are those that the step read."""
        beta1, beta2 = self.options["betas"]
        eta = rate * self.rate_scale
        self.left.append(1 - eta * self.options["weight_decay"])
        for row in rows:
            rested = number - self.last[row]
            witness("a row that was used, rested and is used again", self.last[row] > 0 and rested > 1)
            witness("a row first used after the first step", self.last[row] == 0 and number > 1)
            g = gradient[row]
            self.first[row] = beta1**rested * self.first[row] + (1 - beta1) * g
            self.second[row] = beta2**rested * self.second[row] + (1 - beta2) * g.square()
            direction = self.first[row] / (1 - beta1**number) / ((self.second[row] / (1 - beta2**number)).sqrt() + self.options["epsilon"])
            with torch.no_grad():
                self.table[row] = self.table[row] * math.prod(self.left[self.last[row] :]) - eta * direction
            self.last[row] = number
        witness("a row that is never used", 0 in self.last)
