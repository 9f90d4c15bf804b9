"""A sweeper that is wrong ends its sweep with its name; what it asks for is looked at before it is run."""

from typing import Any

import pytest
from djsandbox.errors import PluginError

Lab = Any

MAX_LEN = "length_filter.max_len"
WRONG = """

class Wrong(Listed):
    \"\"\"Does `how` wrong.\"\"\"

    class Config(Listed.Config):
        how: str = ""

    def fail(self, what):
        if self.config.how == what:
            raise KeyError("what?")
        if self.config.how == f"exit in {what}":
            raise SystemExit(3)

    def open(self, name, results):
        self.fail("open")
        super().open(name, results)

    def ask(self):
        self.fail("ask")
        return super().ask() if "gives" not in self.config.how else eval(self.config.how.removeprefix("gives "))

    def tell(self, result):
        self.fail("tell")

    def close(self):
        self.fail("close")
"""


@pytest.fixture
def wrong(sweep_lab: Lab) -> Any:
    """Run a sweep whose backend does something wrong; what is said of it."""
    with (sweep_lab.folder / "parts.py").open("a") as parts:
        parts.write(WRONG)

    def said(how: str) -> str:
        sweep_lab.sweep([{MAX_LEN: 2}], sweeper={"type": "./parts.py:Wrong", "how": how}, run_cap=2)
        with pytest.raises(PluginError) as caught:
            sweep_lab.run()
        return str(caught.value)

    return said


@pytest.mark.parametrize("where", ["open", "ask", "tell", "close"])
def test_what_a_sweeper_raises_is_said_with_its_name(wrong: Any, sweep_lab: Lab, where: str) -> None:
    message = wrong(where)
    assert f"Wrong failed in {where}(): KeyError: 'what?'" in message
    assert sweep_lab.journal()[-1]["status"] == "failed"


def test_a_sweeper_cannot_end_the_program(wrong: Any) -> None:
    assert "Wrong failed in tell(): SystemExit: 3" in wrong("exit in tell")


@pytest.mark.parametrize(
    ("trial", "fault"),
    [
        ("{'x': 1}", "a dict, which is no Trial"),
        ("Trial(0, {'length_filter.max_len': 1})", "a trial with the number 0"),
        ("Trial('1', {'length_filter.max_len': 1})", "a trial with the number '1'"),
        ("Trial(1, {'length_filter.max_len': 1})", "trial 1 once more, which runs or has ended"),
        ("Trial(1, {})", "trial 1 without a value of 'length_filter.max_len'"),
        ("Trial(1, {'length_filter.max_len': 1, 'a.b': 2})", "trial 1 with a value of 'a.b', which is no parameter"),
        ("Trial(1, {'length_filter.max_len': {1}})", "trial 1 with {1} for 'length_filter.max_len', which is not plain"),
        ("Trial(1, {'length_filter.max_len': 7})", "trial 1 with 7 for 'length_filter.max_len', which is none of the values"),
    ],
)
def test_a_trial_that_is_none_of_this_sweep_is_refused(wrong: Any, trial: str, fault: str) -> None:
    assert f"Wrong asked for {fault}" in wrong(f"gives {trial}")
