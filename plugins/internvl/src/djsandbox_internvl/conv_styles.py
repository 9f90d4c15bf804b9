"""Which conversation style belongs to which base model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from djsandbox import Finding

SCALES = {
    "1B": "Hermes-2",
    "2B": "internlm2-chat",
    "4B": "phi3-chat",
    "8B": "internlm2-chat",
    "26B": "internlm2-chat",
    "40B": "Hermes-2",
    "76B": "internlm2-chat",
}
"""Of the models of InternVL 2, by their scale."""
STYLES = ("internvl_zh", "Hermes-2", "internlm2-chat", "phi3-chat", "internvl2_5")
LATER = "internvl2_5"
"""The style of InternVL 2.5 and all later models, whatever their scale."""

_LATER_MODELS = re.compile(r"internvl(?:2[._]5|[3-9])", re.IGNORECASE)


def style_of(style_or_scale: str, model: str) -> str:
    """The conversation style that is meant for the model at the path `model`; ValueError where there is no such one."""
    if style_or_scale in STYLES:
        return style_or_scale
    if (scale := style_or_scale.upper()) in SCALES:
        return LATER if _LATER_MODELS.match(Path(model).name) else SCALES[scale]
    raise ValueError(
        f"'{style_or_scale}' is neither a scale of InternVL nor a conversation style; scales: {', '.join(SCALES)}; "
        f"styles: {', '.join(STYLES)}"
    )


def style_findings(key: str, style: str, model: str) -> Iterator[Finding]:
    """Whether the model was trained with another style than the one it is to be trained with."""
    own = _template(model)
    if _LATER_MODELS.match(Path(model).name) and style != LATER:
        yield Finding((key,), f"{Path(model).name} needs the conversation style '{LATER}', not '{style}'", f"{key}: {LATER}")
    elif own in STYLES and own != style:
        message = f"{Path(model).name} was trained with the conversation style '{own}', and this says '{style}'"
        yield Finding((key,), message, f"{key}: {own}", severity="warning")


def _template(model: str) -> str | None:
    """What the config of the model says of itself, as far as it can be read."""
    try:
        config = json.loads((Path(model) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    template = config.get("template") if isinstance(config, dict) else None
    return template if isinstance(template, str) else None
