"""Known errors of hubs from which models and data sets are downloaded."""

from __future__ import annotations

from djsandbox.components.known_errors import KnownError

_HUBS = r"host='(?:www\.|hub\.)?(?:huggingface\.co|hf\.co|hf-mirror\.com|modelscope\.cn|modelscope\.ai)'"

KNOWN_ERRORS = (
    KnownError(
        "the hub cannot be reached",
        r"\bLocalEntryNotFoundError\b|We couldn't connect to 'https?://"
        r"|Couldn't reach (?:'[^']*' on the Hub|the Hugging Face Hub|https?://)|Cannot reach \S+: offline mode is enabled"
        r"|[Cc]annot find (?:the requested files in the|an appropriate cached snapshot folder)"
        rf"|(?:ConnectionError|MaxRetryError|ConnectTimeout|SSLError): HTTPSConnectionPool\({_HUBS}"
        rf"|invalid model repo path HTTPSConnectionPool\({_HUBS}",
        "A model or data set is not on this machine, and the hub that has it does not answer or must not be asked "
        "(HF_HUB_OFFLINE).",
        "Download it where there is a network (hf download NAME --local-dir FOLDER, or modelscope download) and give the "
        "folder in place of the name. A proxy (HTTPS_PROXY), a mirror (HF_ENDPOINT) and a cache (HF_HOME) reach tasks, too.",
    ),
    KnownError(
        "the hub refuses access to a model or data set",
        r"Cannot access gated repo|You are trying to access a gated repo|\bGatedRepoError\b"
        r"|Access to (?:model|dataset) \S+ is restricted|Please enable access to public gated repositories"
        r"|\b40[13] Client Error: \w+ for url: https://(?:huggingface\.co|hf\.co)/",
        "It is open only to users who have accepted its conditions, or it is private, and the token is missing or may not "
        "read it.",
        "Accept the conditions on its page, then log in on this machine (hf auth login): tasks share the home folder, whereas "
        "the variable HF_TOKEN only reaches those whose component asks for it. Or download it and give the folder.",
    ),
    KnownError(
        "the hub knows no model or data set of that name",
        r"Repository Not Found for url|is not a local folder and is not a valid model identifier|\bRepositoryNotFoundError\b",
        "The name is misspelled, the folder that is meant does not exist, or it is private and the login is missing.",
        "Check the name, or the path as seen from the folder the task runs in; for a private one log in (hf auth login).",
    ),
)
"""In the order in which they are documented."""
