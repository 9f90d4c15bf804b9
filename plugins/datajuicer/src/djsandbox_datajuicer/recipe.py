"""The Config of all components here: a Data-Juicer recipe, checked without importing Data-Juicer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from djsandbox import ComponentConfig, InputPath, OutputPath
from pydantic import ConfigDict, Field, create_model, field_validator

from djsandbox_datajuicer.catalogue import config_keys, operators
from djsandbox_datajuicer.named_files import code_of, folder_marks, named

PROBE_ALGORITHMS = ("uniform", "frequency_specified_field_selector", "topk_specified_field_selector")

EXECUTION_KEYS = frozenset(
    {
        *("np", "num_proc", "turbo", "auto_op_parallelism", "use_cache", "ds_cache_dir", "cache_compress", "temp_dir"),
        *("project_name", "work_dir", "job_id", "resume", "event_logging", "event_log_dir", "debug", "export_in_parallel"),
        *("open_monitor", "open_tracer", "op_list_to_trace", "trace_num", "trace_keys", "open_insight_mining"),
        *("op_list_to_mine", "use_checkpoint", "checkpoint", "checkpoint_dir", "partition", "partition_size"),
        *("partition_dir", "adaptive_batch_size", "strict_preflight", "use_dag", "hpo_config"),
    }
)
"""Keys that say how Data-Juicer works and not what comes out."""

OWN_FILES = frozenset({"work_dir", "job_id", "resume", "event_log_dir", "checkpoint_dir", "partition_dir"})
"""Keys that place Data-Juicer's own files; here these lie in the folder of the job."""

SANDBOX_KEYS = frozenset({"num_proc", "data_probe_algo", "data_probe_ratio", "data_probe_field"})
"""Keys that are ours alone, or that Data-Juicer takes and only hands on to a sandbox."""

DATASET_KEYS = ("dataset", "generated_dataset_config", "load_dataset_kwargs")
"""Keys beside `dataset_path` under which a dataset is named."""


class RecipeBase(ComponentConfig):
    """The keys of a recipe that the sandbox looks at itself."""

    outside_key: ClassVar[frozenset[str]] = EXECUTION_KEYS
    model_config = ConfigDict(strict=True)

    dataset_path: InputPath | None = None
    export_path: OutputPath | None = None
    process: list[Any] = Field(default_factory=list)
    np: int | None = Field(default=None, ge=1)
    num_proc: int | None = Field(default=None, ge=1, description="another name for np")
    data_probe_algo: str = "uniform"
    data_probe_ratio: float = Field(default=1.0, gt=0, le=1)
    data_probe_field: str | None = Field(default=None, description="dotted field that a probe's selector looks at")

    @field_validator("dataset_path", "export_path", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value


_FURTHER: dict[str, Any] = {key: (Any, None) for key in config_keys() if key not in {*RecipeBase.model_fields, "config"}}
Recipe: type[RecipeBase] = create_model("Recipe", __base__=RecipeBase, **_FURTHER)
Recipe.__doc__ = "A Data-Juicer recipe: `dataset_path`, `export_path`, `process`, and every other key Data-Juicer knows."


def operations(config: RecipeBase) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """(index, operator, its arguments) of each well-formed entry of `process`."""
    for index, entry in enumerate(config.process):
        if isinstance(entry, Mapping) and len(entry) == 1:
            (name, arguments), *_ = entry.items()
            if isinstance(arguments, Mapping) or arguments is None:
                yield index, str(name), dict(arguments or {})
        elif isinstance(entry, str):
            yield index, entry, {}


def data_juicer_settings(config: RecipeBase) -> dict[str, Any]:
    """What the user set, as Data-Juicer spells it; neither where its own files go nor what is the sandbox's alone."""
    given = {key: getattr(config, key) for key in config.model_fields_set}
    settings = {key: value for key, value in given.items() if key not in OWN_FILES | SANDBOX_KEYS and value is not None}
    settings["process"] = [{name: arguments} for _, name, arguments in operations(config)]
    processes = config.np or config.num_proc
    if processes:
        settings["np"] = processes
    return settings


def input_files(config: RecipeBase) -> Iterator[str]:
    """Local files and folders that a recipe names elsewhere than under `dataset_path`, each once.

    Those of the other ways to name a dataset, those in arguments of operators, and the code of the user's own operators.
    """
    datasets = [getattr(config, key, None) for key in DATASET_KEYS]
    arguments = [arguments for _, _, arguments in operations(config)]
    code = [file for path in operator_paths(config) for file in code_of(path)]
    yield from dict.fromkeys([*named(datasets), *named(arguments), *code])


def surroundings(config: RecipeBase) -> dict[str, Any]:
    """Data-Juicer's folders of models and word lists as they are now, as far as operators of the recipe read them."""
    return folder_marks(name for _, name, _ in operations(config))


def operator_paths(config: RecipeBase) -> list[str]:
    """`custom_operator_paths` as a list."""
    paths = getattr(config, "custom_operator_paths", None) or []
    return [paths] if isinstance(paths, str) else [str(path) for path in paths]


def is_repeatable(config: RecipeBase) -> bool:
    """Whether every operator gives the same result each time: none draws at random, asks a model server or is unknown."""
    known = operators()
    return all(name in known and not known[name].get("unsure") for _, name, _ in operations(config))
