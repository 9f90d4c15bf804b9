"""The environment of the quality classifier."""

from __future__ import annotations

from djsandbox import EnvRecipe, SystemTool

NAME = "datajuicer-quality-classifier"

QUALITY_CLASSIFIER = EnvRecipe(
    NAME,
    python="3.11",  # the last that Spark 3.5 is made for
    managers=("uv", "virtualenv", "venv", "conda", "mamba", "micromamba", "existing"),
    requirements=(
        "py-data-juicer==1.6.1",
        "pyspark==3.5.5",  # the one that Data-Juicer names
        "setuptools<81",
        # Data-Juicer uses what version 5 drops, and imports the others without declaring them.
        "jsonargparse>=4.43,<5",
        "aiohttp>=3.10,<4",
        "matplotlib>=3.8,<4",
    ),
    system_tools=(
        SystemTool(
            "java",
            "Spark, which Data-Juicer's quality classifier runs on (data_evaluators: sklearn_text_classifier needs neither)",
            at_least="8",
            get="apt install openjdk-17-jre-headless",
        ),
    ),
    check=("python", "-c", "import pyspark.ml, wget, data_juicer.utils.cache_utils"),
)
"""Data-Juicer with Spark, as its own tools want it."""
