"""Makes a W&B sweep, or is one of its agents: a program of its own, because the library is not fit for a process that lives on.

`agent.py create` reads a line (JSON) with the sweep's config, and answers with its ids. `agent.py run` reads a line with the
ids, and becomes W&B's own agent: for each run that the server gives it, it answers with the run's id and values, and waits for
a line that says that the run has ended. Its last answer is `over`, when the server has no more; it also ends when its stdin
does.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any, TextIO

_NOT_OURS = ("WANDB_SERVICE", "WANDB_RUN_ID", "WANDB_RESUME", "WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH")


def main(what: str) -> int:
    """Do `what`; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the library prints goes to the log
    for name in list(os.environ):
        if name in _NOT_OURS or (name.startswith("WANDB_") and not os.environ[name]):
            del os.environ[name]
    told = json.loads(sys.stdin.readline())
    try:
        if what == "create":
            _say(answers, **_created(told))
        else:
            _run(told, answers)
            _say(answers, over=True)
    except Exception as error:
        _say(answers, error=" ".join(str(error).split()) or type(error).__name__)
        raise
    return 0


def _created(told: Mapping[str, Any]) -> dict[str, Any]:
    import wandb  # noqa: PLC0415

    sweep_id = wandb.sweep(told["config"], entity=told["entity"], project=told["project"])
    # What the server calls them is left there for agents.
    entity, project = os.environ.get("WANDB_ENTITY"), os.environ.get("WANDB_PROJECT")
    return {"sweep_id": sweep_id, "entity": entity or told["entity"], "project": project or told["project"]}


def _run(told: Mapping[str, Any], answers: TextIO) -> None:
    import wandb  # noqa: PLC0415

    ended: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(ended,), daemon=True).start()

    def one_run() -> None:
        _say(answers, run_id=os.environ["WANDB_RUN_ID"], values=_values(os.environ["WANDB_SWEEP_PARAM_PATH"]))
        while True:
            try:
                ended.get(timeout=0.5)
            except queue.Empty:
                continue
            except Exception as error:  # how the agent asks for a run to stop: the trial is not ours to stop
                sys.stderr.write(f"asked to stop: {error!r}\n")
                continue
            return

    wandb.agent(told["sweep_id"], function=one_run, entity=told["entity"], project=told["project"])


def _listen(ended: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        ended.put(line)
    os._exit(0)  # nobody is there any more who would run anything


def _values(path: str) -> dict[str, Any]:
    import yaml  # noqa: PLC0415

    with open(path, encoding="utf-8") as file:
        content = yaml.safe_load(file)
    return {name: item["value"] for name, item in content.items() if isinstance(item, dict) and "value" in item}


def _say(answers: TextIO, **fields: Any) -> None:
    answers.write(json.dumps(fields) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
