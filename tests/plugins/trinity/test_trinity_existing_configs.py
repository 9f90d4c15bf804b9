"""A config written for the existing sandbox runs unchanged: it has these keys and no others."""

from __future__ import annotations

from pathlib import Path

import djsandbox
import yaml

EXISTING = """\
project_name: rft
execution_job_configs:
  - hook: 'TrainModelHook'
    meta_name: 'rft'
    input:
    output: 'model'
    extra_configs:
      type: 'trinity-rft'
      env_name: 'trinity'
      env_manager: 'conda'
      env_params:
        env_py_version: '3.10'
      trinity_home: '/PATH/TO/Trinity-RFT'
      trinity_config_path: '/PATH/TO/grpo.yaml'
"""


def test_its_keys_are_taken_and_what_stands_in_the_way_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sandbox.yaml").write_text(EXISTING)
    try:
        djsandbox.validate("sandbox.yaml")
    except djsandbox.ConfigError as error:
        messages = "\n".join(map(str, error.problems))
    assert "unknown key" not in messages
    assert "/PATH/TO/Trinity-RFT" in messages
    assert "/PATH/TO/grpo.yaml" in messages


def test_it_runs_with_a_stand_in_that_is_set_from_outside(tmp_path, monkeypatch, stand_in, sandbox):
    text = EXISTING.replace("/PATH/TO/Trinity-RFT", str(stand_in.home))
    Path("sandbox.yaml").write_text(text.replace("/PATH/TO/grpo.yaml", str(tmp_path / "grpo.yaml")))
    config = {**sandbox.trinity, "model": {"model_path": str(stand_in.model)}, "checkpoint_root_dir": str(tmp_path / "old")}
    (tmp_path / "grpo.yaml").write_text(yaml.safe_dump(config))
    extra = "execution_job_configs.0.extra_configs"
    parameters = f'{{"path": "{stand_in.env}"}}'
    settings = [f"{extra}.env_manager=existing", f"{extra}.env_params={parameters}", f"{extra}.start_ray=true"]
    assert djsandbox.run("sandbox.yaml", work_dir="work", settings=settings)
    assert not (tmp_path / "old").exists()
