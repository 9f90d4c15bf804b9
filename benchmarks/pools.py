"""How long the data-pool manipulators take, beside a straightforward implementation that parses and dumps every row.

    python benchmarks/pools.py [--rows 5000] [--folder DIR]

Both run on the same synthetic COCO-caption rows (about 1 kB: a caption, an image path and 22 statistics, one of them a list)
in one process, one after the other, and the files they write are compared as parsed rows. CPU seconds are user + system.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from djsandbox_pools.cartesian_join import DataPoolCartesianJoin
from djsandbox_pools.combination import DataPoolCombination
from djsandbox_pools.construction import DataPoolConstruction
from djsandbox_pools.downsampling import DataPoolDownsampling
from djsandbox_pools.duplication import DataPoolDuplication
from djsandbox_pools.merging import DataPoolMerging

STATS = "__dj__stats__"
WORDS = ["man", "dog", "train", "street", "red", "table", "people", "standing", "near", "large", "water", "field"]
Rows = list[dict[str, Any]]


class Case(NamedTuple):
    """One measurement: ours and the baseline, each writing into a folder and returning the files' paths."""

    name: str
    ours: Callable[[Path], list[str]]
    baseline: Callable[[Path], list[str]]
    same_order: bool = True


def make_row(index: int, chance: random.Random) -> dict[str, Any]:
    """A row as an analysis of COCO captions leaves it."""
    stats: dict[str, Any] = {f"stat_{number:02d}": chance.gauss(0, 1) for number in range(21)}
    stats["image_sizes"] = [chance.uniform(1e4, 1e6) for _ in range(2)]
    caption = " ".join(chance.choices(WORDS, k=40))
    return {"id": index, "text": f"<image>\n{caption}", "images": [f"coco/{index:012d}.jpg"], STATS: stats}


def read(path: str) -> Rows:
    """Parse a whole file."""
    with Path(path).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def dump(path: Path, rows: Iterable[dict[str, Any]]) -> str:
    """Dump rows to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return str(path)


def construct(source: str, folder: Path) -> list[str]:
    """Sort the parsed rows by each statistic and dump the thirds."""
    rows, paths = read(source), []
    bounds = [0, int(len(rows) / 3 + 0.5), int(len(rows) * 2 / 3 + 0.5), len(rows)]
    for stat, value in rows[0][STATS].items():
        mean = isinstance(value, list)
        rows.sort(key=lambda row: sum(row[STATS][stat]) / len(row[STATS][stat]) if mean else row[STATS][stat])
        paths += [dump(folder / stat / f"{part}.jsonl", rows[a:b]) for part, (a, b) in enumerate(itertools.pairwise(bounds))]
    return paths


def combine(sources: Sequence[str], folder: Path) -> list[str]:
    """Intersect dictionaries of parsed rows."""
    pools = [{json.dumps(row, sort_keys=True): row for row in read(source)} for source in sources]
    paths = []
    for size in range(1, len(pools) + 1):
        for ranks in sorted(itertools.combinations(range(len(pools)), size), key=lambda ranks: ranks[::-1]):
            keys = [key for key in pools[ranks[0]] if all(key in pools[rank] for rank in ranks[1:])]
            if keys:
                paths.append(dump(folder / f"{'_'.join(map(str, ranks))}.jsonl", (pools[ranks[0]][key] for key in keys)))
    return paths


def downsample(sources: Sequence[str], size: int, folder: Path) -> list[str]:
    """Sample the parsed rows (other rows than ours, for the generator is another)."""
    chance = random.Random(42)  # noqa: S311
    return [dump(folder / f"{number}.jsonl", chance.sample(read(source), size)) for number, source in enumerate(sources)]


def duplicate(source: str, times: Sequence[int], folder: Path) -> list[str]:
    """Repeat and shuffle the parsed rows."""
    paths = []
    for number in times:
        rows = read(source) * number
        random.Random(42).shuffle(rows)  # noqa: S311
        paths.append(dump(folder / f"x{number}.jsonl", rows))
    return paths


def merge(sources: Sequence[str], folder: Path) -> list[str]:
    """Dump one after the other."""
    return [dump(folder / "merged.jsonl", (row for source in sources for row in read(source)))]


def join(first: str, second: str, folder: Path) -> list[str]:
    """Dump every pair."""
    rows = read(second)
    return [dump(folder / "joined.jsonl", ({**left, **right} for left in read(first) for right in rows))]


def cases(rows: int, folder: Path) -> list[Case]:
    """The measurements, on files made in `folder`."""
    chance = random.Random(7)  # noqa: S311
    data = [make_row(index, chance) for index in range(rows)]
    source = dump(folder / "analyzed.jsonl", data)
    pools = [dump(folder / f"pool_{number}.jsonl", chance.sample(data, rows * 2 // 3)) for number in range(8)]
    side = max(1, int(rows**0.5) * 2)
    prompts = dump(folder / "prompts.jsonl", ({"prompt": " ".join(chance.choices(WORDS, k=20))} for _ in range(side)))
    questions = dump(
        folder / "questions.jsonl", ({"question": f"how many are {index}?", "truth": index} for index in range(side))
    )
    size = rows // 2

    def ours(component: type[Any], **settings: Any) -> Callable[[Path], list[str]]:
        def run(target: Path) -> list[str]:
            config = component.Config(export_path=str(target), **settings)
            paths: list[str] = component(config).run()
            return paths

        return run

    return [
        Case("construct 22 stats x 3", ours(DataPoolConstruction, dataset_path=source), lambda to: construct(source, to)),
        Case("combine 3 -> 7", ours(DataPoolCombination, dataset_path=pools[:3]), lambda to: combine(pools[:3], to)),
        Case("combine 8 -> 255", ours(DataPoolCombination, dataset_path=pools), lambda to: combine(pools, to)),
        Case(
            "downsample 8 to a half",
            ours(DataPoolDownsampling, dataset_path=pools, target_num_samples=size),
            lambda to: downsample(pools, size, to),
            same_order=False,
        ),
        Case(
            "duplicate x2 x4 x8, shuffled",
            ours(DataPoolDuplication, dataset_path=source, duplicating_times=[2, 4, 8], shuffle=True),
            lambda to: duplicate(source, (2, 4, 8), to),
            same_order=False,
        ),
        Case("merge 8", ours(DataPoolMerging, dataset_path=pools), lambda to: merge(pools, to)),
        Case(
            f"cartesian join {side} x {side}",
            ours(DataPoolCartesianJoin, dataset_path_1=prompts, dataset_path_2=questions),
            lambda to: join(prompts, questions, to),
        ),
    ]


def measured(run: Callable[[Path], list[str]]) -> tuple[float, float, list[str], tempfile.TemporaryDirectory[str]]:
    """CPU and wall seconds of `run`, the files it wrote, and the folder that keeps them."""
    target = tempfile.TemporaryDirectory(prefix="pools-benchmark-")
    cpu, wall = time.process_time(), time.perf_counter()
    paths = run(Path(target.name))
    return time.process_time() - cpu, time.perf_counter() - wall, paths, target


def agree(case: Case, ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether both wrote the same rows (for what is drawn at random: as many)."""
    pairs = list(zip(ours, theirs, strict=True))
    if case.same_order:
        return all(read(one) == read(other) for one, other in pairs)
    return all(len(read(one)) == len(read(other)) for one, other in pairs)


def main() -> int:
    """Print a table; exit code 1 where the two wrote different rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5000, help="rows of the analyzed dataset (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where to make the input files (default: a temporary folder)")
    arguments = parser.parse_args()
    say, differing = sys.stdout.write, 0
    with tempfile.TemporaryDirectory(prefix="pools-benchmark-") as temporary:
        folder = arguments.folder or Path(temporary)
        say(f"{arguments.rows} rows; seconds of wall clock and CPU\n")
        say(f"{'':32}{'parse+dump':>18}{'raw rows':>18}{'CPU ratio':>11}\n")
        for case in cases(arguments.rows, folder):
            base_cpu, base_wall, theirs, kept_theirs = measured(case.baseline)
            cpu, wall, ours, kept_ours = measured(case.ours)
            with kept_theirs, kept_ours:
                same = agree(case, ours, theirs)
            differing += not same
            say(f"{case.name:32}{base_wall:9.3f}{base_cpu:9.3f}{wall:9.3f}{cpu:9.3f}{base_cpu / max(cpu, 1e-9):11.1f}")
            say("\n" if same else "   DIFFERENT ROWS\n")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
