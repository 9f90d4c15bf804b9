from typing import Annotated, Any, Literal

import pytest
from djsandbox import InputPath, InputPaths, OutputPath
from djsandbox.cli.annotations import annotation_text
from pydantic import BaseModel, Field


class Nested(BaseModel):
    pass


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (str, "text"),
        (bool, "true or false"),
        (Any, "anything"),
        (InputPath, "input path"),
        (InputPaths, "list of input path"),
        (OutputPath | None, "output path or nothing"),
        (tuple[Annotated[float, Field(gt=0)], ...], "list of number"),
        (tuple[int, int], "list of whole number, whole number"),
        (Annotated[int, Field(gt=0)] | None, "whole number or nothing"),
        (Literal["accuracy", "log_loss"], "accuracy | log_loss"),
        (dict[str, InputPath], "mapping of input path"),
        (list[Nested], "list of Nested"),
    ],
)
def test_an_annotation_reads_like_what_a_user_writes(annotation: Any, text: str) -> None:
    assert annotation_text(annotation) == text
