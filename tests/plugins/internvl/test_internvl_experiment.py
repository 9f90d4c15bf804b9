"""The experiment in configs/internvl_coco_caption, as its header says that it is run on a CPU."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox_internvl.testing import make_stand_in, settings_for

ROOT = Path(__file__).resolve().parents[3]
CONFIG = ROOT / "configs/internvl_coco_caption/sandbox_internvl_coco_caption.yaml"


@pytest.fixture
def dry_run(tmp_path: Path) -> Any:
    """What the header says, done by a shell in a folder of its own; returns the process and what the jobs gave."""
    header = "".join(line for line in CONFIG.read_text(encoding="utf-8").splitlines(keepends=True) if line.startswith("#"))
    text = re.sub(r"\\\n|(?<=&&)\n", " ", header).replace("#", "")
    (command,) = re.findall(r"[^\n]*djsandbox_internvl\.testing[^\n]*", text)
    assert command.count("uv run ") == 2
    command = command.replace("uv run ", "")  # as the header says of an environment that is active
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "said.txt").write_text(done.stdout, encoding="utf-8")
    context = json.loads((tmp_path / "outputs/internvl-dry-run/results/context_infos.json").read_text(encoding="utf-8"))
    jobs = {f"{name}.{job['meta_name']}": job for name, listed in context.items() for job in listed}
    return tmp_path, jobs


@pytest.mark.slow
def test_the_command_in_the_header_runs_it_and_the_ranking_comes_from_the_scores(dry_run: Any) -> None:
    pytest.importorskip("djsandbox_datajuicer")
    folder, jobs = dry_run
    for construct, evaluate, rank, best in (
        ("single_op.construct", "single_op.evaluate", "multi_op.rank", "top_pools"),
        ("multi_op.align", "multi_op.evaluate", "scaling.rank", "best_pool"),
    ):
        pairs = list(zip(jobs[construct]["pools"], jobs[evaluate]["scores"], strict=True))
        ranked = sorted(pairs, key=lambda pair: -pair[1]["avg_score"])
        assert jobs[rank][best] == [pool for pool, _ in ranked][: len(jobs[rank][best])]
        assert len({pair[1]["avg_score"] for pair in pairs}) > len(pairs) // 2
    assert len(jobs["single_op.construct"]["pools"]) == 12 and len(jobs["scaling.repeat"]["pools"]) == 3

    # by hand: plain sentences are what the stand-in learns from, and the best pools have more of them than the worst
    scores = [score["avg_score"] for score in jobs["single_op.evaluate"]["scores"]]
    best, worst = (jobs["single_op.construct"]["pools"][scores.index(pick(scores))] for pick in (max, min))
    assert _share_of_sentences(folder / best) > _share_of_sentences(folder / worst)

    # the tables say of each pool whether it beats a baseline of its size, and of the best whether that holds for a larger model
    said = (folder / "said.txt").read_text(encoding="utf-8")
    for title in ("Pools by single statistics: 1B", "Intersections of the best pools: 1B", "four times: all models"):
        assert title in said
    base = jobs["baseline.evaluate"]["scores"][0]["avg_score"]
    (line,) = [one for one in jobs["single_op.compare"]["table"] if one["rank"] == 1]
    assert line["change %"] == round(100 * (max(scores) - base) / base, 2)
    aligned = (*jobs["multi_op.align"]["pools"], jobs["multi_op.align_baseline"]["pools"][0])
    assert len({len((folder / pool).read_text(encoding="utf-8").splitlines()) for pool in aligned}) == 1
    tables = folder / "outputs/internvl-dry-run/results/tables"
    assert sorted(path.name for path in tables.iterdir()) == ["multi_op.csv", "scaling.csv", "single_op.csv"]
    assert len((tables / "scaling.csv").read_text(encoding="utf-8").splitlines()) == 1 + 2 * 4

    # nothing is written where the experiment itself would write
    assert [path.name for path in (folder / "outputs").iterdir()] == ["internvl-dry-run"]

    # the same data on a larger model, and the models lie where they should
    small, large = jobs["scaling.evaluate_1B"]["scores"], jobs["scaling.evaluate_8B"]["scores"]
    assert all(one["avg_score"] < other["avg_score"] for one, other in zip(small, large, strict=True))
    assert all(model.endswith("_meta_InternVL2-8B") for model in jobs["scaling.train_8B"]["models"])


def test_it_is_valid_with_the_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("djsandbox_datajuicer")
    monkeypatch.chdir(tmp_path)
    stand_in = make_stand_in(tmp_path / "stand-in")
    djsandbox.validate(str(CONFIG), settings=settings_for(str(CONFIG), stand_in))


def test_the_stand_in_answers_to_the_captions_alone(tmp_path: Path) -> None:
    """The same stand-in gives the same data, in whatever folder."""
    one, other = (make_stand_in(tmp_path / name).home for name in ("one", "other"))
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files and all((one / path).read_bytes() == (other / path).read_bytes() for path in files)


def _share_of_sentences(pool: Path) -> float:
    captions = [json.loads(line)["conversations"][1]["value"] for line in pool.read_text(encoding="utf-8").splitlines()]
    return sum(5 <= len(text.split()) <= 20 and text.endswith(".") and "#" not in text for text in captions) / len(captions)
