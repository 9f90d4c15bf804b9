"""What whoever runs something is told while jobs work, and which configs are on record afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import djsandbox
import pytest
from djsandbox import SandboxWatcher

PROBE = '''
from djsandbox import BaseProbe, ComponentConfig


class Probe(BaseProbe):
    """Measures."""

    class Config(ComponentConfig):
        x: float
        api_key: str = ""

    def run(self):
        self.watcher.watch({"x": self.config.x})
        self.watcher.watch_cfgs([({"rate": self.config.x, "password": "hidden one"}, "trainer"), (None, "none")])
        return self.config.x + 1
'''


FALLS = """
import sys
import djsandbox


class Falls:
    @djsandbox.hookimpl
    def djsandbox_metrics_logged(self, value):
        raise OSError("disk full")

    @djsandbox.hookimpl
    def djsandbox_notice(self, text):
        heard.append(text)


heard = []
djsandbox.run(sys.argv[1], plugins={"falls": Falls()})
print(*heard, sep="\\n--\\n")
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "probe.py").write_text(PROBE)
    (tmp_path / "first.yaml").write_text("{type: './probe.py:Probe', x: 2.0, api_key: sk-very-secret}\n")
    lines = [
        "work_dir: out",
        "pipelines:",
        "  a:",
        "    probe_job_configs:",
        "      - {hook: GeneralProbeHook, meta_name: one, output: y, extra_configs: first.yaml}",
        "      - {hook: GeneralProbeHook, meta_name: two, output: y, input: {extra_configs.x: a.one.y},",
        "         extra_configs: {type: './probe.py:Probe', x: 0.0}}",
    ]
    file = tmp_path / "sandbox.yaml"
    file.write_text("\n".join(lines))
    return file


def test_an_observer_that_fails_while_a_job_works_is_reported_to_who_runs_it_and_in_full_in_the_log(config: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FALLS, str(config)], capture_output=True, text=True, check=True)

    said = "plugin 'falls' failed in djsandbox_metrics_logged: OSError: disk full\n    mend or uninstall the plugin 'falls'"
    assert (done.stdout, done.stderr) == (f"{said}\n    the run goes on\n", "")
    logs = "".join(path.read_text() for path in Path("out/logs").rglob("*.log"))
    assert logs.count("Traceback") == 1 and logs.count("OSError: disk full") == 2


def test_what_each_job_is_given_is_on_record_with_files_read_references_followed_and_secrets_hidden(config: Path) -> None:
    djsandbox.run(config)

    found = SandboxWatcher("out").configs()
    assert found["sandbox"]["pipelines"]["a"]["probe_job_configs"][0]["extra_configs"] == "first.yaml"
    assert found["a/probe/0"] == {"extra_configs": {"type": "./probe.py:Probe", "x": 2.0, "api_key": "***"}}
    assert found["a/probe/1"]["extra_configs"]["x"] == 3.0
    assert "sk-very-secret" not in Path("out/metrics.jsonl").read_text()


def test_configs_that_a_job_recorded_come_with_its_result_where_that_is_taken_over(config: Path) -> None:
    djsandbox.run(config)
    djsandbox.run(config, resume=True)

    assert SandboxWatcher("out").configs()["trainer"] == {"rate": 3.0, "password": "***"}
