"""What can be found wrong with an evaluation before it is run, from its config and the files that are there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from djsandbox import Finding
from djsandbox.errors import ComponentError

from djsandbox_inception.config import InceptionConfig
from djsandbox_inception.detectors import VARIABLE, Detector, cache_folder
from djsandbox_inception.metrics import METRICS
from djsandbox_inception.videos import Dataset, read_dataset

SideName = Literal["fake", "real"]

_PUBLISHED = {metric.detector.file: metric.detector for metric in METRICS.values()}

_MEND = "mend the paths; relative ones begin at '{side}_mm_dir', or without it at the current directory"
_ANEW = "; where an earlier job writes them anew, this is only said of what is there now"


def findings(config: InceptionConfig) -> Iterator[Finding]:
    """What is wrong, place by place."""
    yield from _pairs(config)
    yield from _detectors(config)
    if config.cache_path is not None and os.path.exists(config.cache_path) and not os.path.isdir(config.cache_path):
        yield Finding(("cache_path",), f"{config.cache_path} is no folder", "name a folder; it need not be there yet")
    for side in sides(config):
        path, folder = data_path(config, side), _folder(config, side)
        if not os.path.exists(path) or (folder is not None and not os.path.isdir(folder)):
            continue  # which is said elsewhere, or it is to be made by an earlier job
        dataset = as_read(config, side)
        problem = dataset if isinstance(dataset, str) else dataset.problem()
        if problem:
            fix = _MEND.format(side=side)
            if side == "fake":  # an earlier job may be there to make the videos; else this one fails before it loads anything
                yield Finding(("fake_data_path",), problem, fix + _ANEW, severity="warning")
            else:
                yield Finding(("real_data_path",), problem, fix)
        elif isinstance(dataset, Dataset) and dataset.empty_rows:
            message = f"{dataset.empty_rows} rows of {path} have an empty list of videos, and do not count"
            yield Finding((f"{side}_data_path",), message, severity="warning")


def sides(config: InceptionConfig) -> tuple[SideName, ...]:
    """The datasets that are looked at."""
    needs_real = any(metric.needs_real for metric in config.metrics)
    return ("fake", "real") if needs_real and config.real_data_path is not None else ("fake",)


def data_path(config: InceptionConfig, side: SideName) -> str:
    """The file of a dataset that there is."""
    path = config.fake_data_path if side == "fake" else config.real_data_path
    if path is None:
        raise ComponentError("there is no real dataset", fix="set 'real_data_path'")
    return path


def as_read(config: InceptionConfig, side: SideName) -> Dataset | str:
    """A dataset as it is now, or why it cannot be read."""
    path = data_path(config, side)
    try:
        return read_dataset(path, _folder(config, side), config.video_key)
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"


def checked(config: InceptionConfig, side: SideName) -> Dataset:
    """The dataset, all of whose videos are there; else ComponentError."""
    dataset = as_read(config, side)
    problem = dataset if isinstance(dataset, str) else dataset.problem()
    if isinstance(dataset, str) or problem:
        raise ComponentError(str(problem), fix=_MEND.format(side=side))
    return dataset


def detector_file(config: InceptionConfig, detector: Detector) -> Path:
    """Where the detector is, or is to be downloaded to."""
    if config.detector_path is None:
        return cache_folder() / detector.file
    given = Path(os.path.abspath(config.detector_path))
    return given / detector.file if given.is_dir() else given


def _folder(config: InceptionConfig, side: SideName) -> str | None:
    return config.fake_mm_dir if side == "fake" else config.real_mm_dir


def _pairs(config: InceptionConfig) -> Iterator[Finding]:
    lacking = [metric.name for metric in config.metrics if metric.needs_real]
    if lacking and config.real_data_path is None:
        message = f"{', '.join(lacking)}: they compare with real videos, and there is no 'real_data_path'"
        yield Finding(("real_data_path",), message if len(lacking) > 1 else message.replace("they compare", "it compares"))


def _detectors(config: InceptionConfig) -> Iterator[Finding]:
    wanted = {metric.detector.file: metric.detector for metric in config.metrics}
    given = config.detector_path
    if given is not None and os.path.isdir(given):
        for detector in wanted.values():
            if not (Path(given) / detector.file).is_file():
                yield Finding(("detector_path",), f"the folder {given} has no {detector.file}", f"it is at {detector.url}")
    elif given is not None and len(wanted) > 1:
        message = f"these metrics need different detectors ({', '.join(wanted)}), and 'detector_path' is one file"
        yield Finding(("detector_path",), message, "name a folder that has all of them by these names")
    elif given is not None and (other := _PUBLISHED.get(Path(given).name)) and other.file not in wanted:
        metric = config.metrics[0]
        message = (
            f"by its name, {given} is {other.shows}, and {metric.name} is defined by {metric.detector.shows} "
            f"({metric.detector.file})"
        )
        yield Finding(("detector_path",), message, "name that file, or a folder of detectors", severity="warning")
    elif given is None:
        for detector in wanted.values():
            if not detector_file(config, detector).is_file():
                message = (
                    f"the detector {detector.file} is not in {cache_folder()}: the job will download it from {detector.url}"
                )
                fix = f"without a network, put it there, or name it in 'detector_path' ({VARIABLE} names another folder)"
                yield Finding(("detector_path",), message, fix, severity="warning")
