"""What ModelScope prints when it fails, and what helps."""

from __future__ import annotations

from djsandbox import KnownError

KNOWN_ERRORS = (
    KnownError(
        "ModelScope lacks megatron_util",
        pattern=r"No module named '?megatron_util|requires the megatron_util library",
        explanation="ModelScope's GPT-3 models are built on megatron_util, which is on ModelScope's own package host only: the "
        "megatron-util of the public index is something else.",
        remedy="Install the wheel that ModelScope's installation guide links to into the environment (requirements in "
        "env_params), or train a model that does without, such as one of type bert or gpt2.",
    ),
    KnownError(
        "ModelScope cannot reach its hub",
        pattern=r"\[E1020\] Connection error|invalid model repo path .*(?:Connection|Max retries)",
        explanation="A model or a dataset is named that is no local path, and the hub does not answer.",
        remedy="Download it where there is a network (modelscope download --model NAME --local_dir FOLDER), "
        "and name the folder, or set "
        "MODELSCOPE_CACHE to a cache that has it.",
    ),
    KnownError(
        "a label that the model does not know",
        pattern=r"Label .* cannot be found in the label mapping",
        explanation="The dataset has a label that is not in the label2id of the model's configuration.json.",
        remedy="Correct the rows, or set 'preprocessor: {label2id: {...}}' with all labels; the model must "
        "have as many outputs.",
    ),
    KnownError(
        "there is no metric to evaluate with",
        pattern=r"Metrics are needed in evaluation",
        explanation="ModelScope has no default metric for the model's task.",
        remedy="Set 'evaluation: {metrics: ...}', such as seq-cls-metric for text classification, or leave out 'eval_dataset'.",
    ),
    KnownError(
        "ModelScope finds no pytorch_model.bin",
        pattern=r"FileNotFoundError: .*No such file or directory: '.*pytorch_model\.bin'",
        explanation="ModelScope's own models are read from a pytorch_model.bin, whatever other files of weights there are.",
        remedy="Save the model again with transformers: model.save_pretrained(folder, safe_serialization=False).",
    ),
    KnownError(
        "a metric of ModelScope lacks scikit-learn",
        pattern=r"No module named 'sklearn'",
        explanation="ModelScope's metrics for classification are those of scikit-learn, which it does not install.",
        remedy="pip install scikit-learn in the environment, or let djsandbox make it.",
    ),
    KnownError(
        "ModelScope does not trust the model's own code",
        pattern=r"trust_remote_code=True was",
        explanation="The model brings code or plugins of its own, which ModelScope runs only where that is allowed.",
        remedy="Read its code, then set 'trust_remote_code: true'.",
    ),
    KnownError(
        "transformers is too new for ModelScope",
        pattern=r"cannot import name '\w+' from 'transformers(?:\.[\w.]+)?'",
        explanation="ModelScope's models import what transformers 5 no longer has.",
        remedy="pip install 'transformers<5' in the environment, or let djsandbox make it.",
    ),
    KnownError(
        "torchvision does not fit torch",
        pattern=r"operator torchvision::nms does not exist",
        explanation="torchvision was built for another torch; where it cannot be imported, "
        "neither can the models of transformers.",
        remedy="Install the torchvision that belongs to the torch of the environment, or uninstall it: text models do without.",
    ),
    KnownError(
        "two places configure one hook of ModelScope",
        pattern=r"The key_chain .* and the traditional hook cannot exist at the same time",
        explanation="The same hook is in train.hooks and under its own key (train.logging, train.checkpoint, "
        "evaluation.period).",
        remedy="Keep one of them.",
    ),
)
