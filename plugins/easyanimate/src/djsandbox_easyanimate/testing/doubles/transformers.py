"""What of transformers is called."""

from __future__ import annotations

from djsandbox_easyanimate.testing.models import Part


class Qwen2Tokenizer(Part):
    """As it is called."""


class Qwen2VLForConditionalGeneration(Part):
    """As it is called."""


class T5Tokenizer(Part):
    """As it is called."""


class T5EncoderModel(Part):
    """As it is called."""


class BertTokenizer(Part):
    """As it is called."""


class BertModel(Part):
    """As it is called."""


class CLIPImageProcessor(Part):
    """As it is called."""


class CLIPVisionModelWithProjection(Part):
    """As it is called."""
