"""Arithmetic problems with answers of uneven worth."""

from __future__ import annotations

import json
import random
from pathlib import Path

from djsandbox import BaseDataExecutor, ComponentConfig, OutputPath
from pydantic import Field

SOLVERS = 8


class Sums(BaseDataExecutor):
    """Writes sums whose answers were found by a vote of solvers that err."""

    deterministic = True

    class Config(ComponentConfig):
        """How many problems, and how unreliable the solvers."""

        export_path: OutputPath
        """Where the problems go, JSON lines."""
        num_problems: int = Field(default=400, ge=2)
        """How many problems."""
        seed: int = 0
        """Seed of the problems and of the votes."""

    def planned_outputs(self) -> str:
        """The file."""
        return self.config.export_path

    def run(self) -> str:
        """Write question, answer and, as a statistic, the share of solvers that gave this answer."""
        chance = random.Random(self.config.seed)  # noqa: S311 - no secret
        rows = [self._problem(chance) for _ in range(self.config.num_problems)]
        Path(self.config.export_path).write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        self.watcher.watch({"problems": len(rows)})
        return self.config.export_path

    @staticmethod
    def _problem(chance: random.Random) -> dict[str, object]:
        a, b, sign = chance.randint(10, 99), chance.randint(2, 20), chance.choice("+-*")
        right = {"+": a + b, "-": a - b, "*": a * b}[sign]
        reliability = chance.random()
        votes = [right if chance.random() < reliability else right + chance.choice((-10, -2, 2, 10)) for _ in range(SOLVERS)]
        answer = max(sorted(set(votes)), key=votes.count)
        stats = {"agreement": votes.count(answer) / SOLVERS}
        return {"question": f"How much is {a} {sign} {b}?", "answer": str(answer), "__dj__stats__": stats}
