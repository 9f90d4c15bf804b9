"""Real text with no download: what the installed Python distributions say about themselves.

Every distribution brings docstrings, a description and licences. Their quality is as uneven as that of any crawled corpus, and
nothing here cleans it: that is what the quickstart's experiment is about. The task is to tell from a text which distribution
it belongs to.

**Documents.** A docstring is one document, as it stands in the source. Descriptions (the README in `METADATA`) and licences
are cut at blank lines into passages. Sources are parsed, never imported. Copies of other projects (`_vendor`, `externals`, ...)
are left out: their label would be wrong. The same text may appear many times, with the same label or with another (licences
do): duplicates are one of the faults that data processing has to deal with.

**Labels.** The distributions with the most sources, as far as each has enough documents. Collecting goes round the labels in
turns until there are `max_documents`, so that small ones are not drowned by large ones.

**Test set.** It measures whether a model knows the distributions, so it holds only docstrings that a careful reader could
place: at least `MIN_TEST_WORDS` words, one document for each text, none that two labels share. That minimum is part of the
task and was not chosen blindly: with 12 words instead of 20 pools of long texts gain less. Every label gives the same
number, at most a quarter of what it has. Membership depends on the text alone (whitespace and case aside): of a label's texts
those with the smallest seeded hashes are taken, in whatever order they were found, and every document with one of these texts
leaves the training pool. So no duplicate stands in both. Near-duplicates (the same sentence for another class) may.
"""

from __future__ import annotations

import ast
import gc
import hashlib
import json
import re
import sysconfig
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import metadata
from itertools import islice
from pathlib import Path, PurePosixPath

from djsandbox import BaseDataExecutor, ComponentConfig, ComponentError, OutputPath, ReferencePath
from pydantic import Field

MIN_TEST_WORDS = 20
MAX_TEST_SHARE = 0.25
PASSAGE_CHARACTERS = 1500
MAX_FILE_BYTES = 500_000
OWN_PREFIX = "djsandbox"
VENDORED = re.compile(r"_?(vendor(ed)?|vendored_packages|extern(als?)?|third_?party)", re.IGNORECASE)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which UTF-8 has no bytes for
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")  # of a statement: where further definitions may stand
LICENCE_NAME = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Document:
    """One row of the corpus; `source` is relative to the folder the distributions are installed in."""

    text: str
    label: str
    kind: str
    source: str

    def digest(self, seed: int) -> str:
        """A number for the whole row: what brings rows into an order that nothing else decides."""
        return _hash(seed, self.text, self.label, self.kind, self.source)


class InstalledDocs(BaseDataExecutor):
    """Collects docstrings, descriptions and licences of the installed distributions as a corpus to classify."""

    class Config(ComponentConfig):
        """What to collect and where to write it."""

        export_path: OutputPath
        """The training pool, JSON lines."""
        test_path: OutputPath
        """The held-out test set, JSON lines."""
        max_documents: int = Field(default=10_000, ge=1)
        """Documents collected in all, those of the test set included."""
        test_size: int = Field(default=1_500, ge=1)
        """Documents in the test set, as far as the labels have that many."""
        max_labels: int = Field(default=30, ge=2)
        """Labels at most: the distributions with the most sources."""
        min_documents_per_label: int = Field(default=80, ge=4)
        """Documents that a distribution must have to become a label."""
        seed: int = 42
        """Seed of the hashes that choose the test set and bring the rows into order."""
        search_path: ReferencePath | None = None
        """Folder the distributions are installed in; by default the site-packages of this interpreter."""

    deterministic = True

    def referenced_files(self) -> Iterable[str]:
        """The RECORD of every distribution that may become a label: it lists each installed file with its hash."""
        for distribution in _candidates(self._roots()):
            record = next((file for file in distribution.files if file.name == "RECORD"), None)
            if record is not None:
                yield str(distribution.root / record)

    def planned_outputs(self) -> tuple[str, str]:
        """The two files."""
        return self.config.export_path, self.config.test_path

    def run(self) -> tuple[str, str]:
        """Write both sets; returns (training pool, test set)."""
        with _no_cyclic_gc():
            documents = self.collect()
        test = choose_test_set(documents, self.config.test_size, self.config.seed)
        if not test:
            raise ComponentError(
                f"no docstring among {len(documents)} documents is fit for the test set",
                fix=f"collect more, or raise test_size; test texts have at least {MIN_TEST_WORDS} words",
            )
        held_out = {normalised(document.text) for document in test}
        train = [document for document in documents if normalised(document.text) not in held_out]
        self.watcher.watch({"train_documents": len(train), "test_documents": len(test), "labels": len({d.label for d in test})})
        for path, rows in ((self.config.export_path, train), (self.config.test_path, test)):
            _write(Path(path), sorted(rows, key=lambda row: row.digest(self.config.seed)))
        return self.config.export_path, self.config.test_path

    def collect(self) -> list[Document]:
        """The documents of all labels, taken in turns until there are `max_documents`."""
        config = self.config
        collected: list[Document] = []
        streams: list[Iterator[Document]] = []
        for distribution in _candidates(self._roots()):
            stream = documents_of(distribution, config.seed)
            first = list(islice(stream, config.min_documents_per_label))
            if len(first) == config.min_documents_per_label:
                collected += first
                streams.append(stream)
            if len(streams) == config.max_labels:
                break
        if len(streams) < 2:
            raise ComponentError(
                f"fewer than two distributions have {config.min_documents_per_label} documents "
                f"in {', '.join(map(str, self._roots()))}",
                fix="lower min_documents_per_label, or point search_path at a folder with more distributions",
            )
        if len(collected) > config.max_documents:
            raise ComponentError(
                f"max_documents is {config.max_documents}, but {len(streams)} labels with min_documents_per_label "
                f"{config.min_documents_per_label} need {len(collected)}",
                fix="raise max_documents, or lower max_labels or min_documents_per_label",
            )
        return collected + list(islice(_in_turns(streams), config.max_documents - len(collected)))

    def _roots(self) -> list[Path]:
        if self.config.search_path is not None:
            return [Path(self.config.search_path)]
        paths = sysconfig.get_paths()
        return [Path(path) for path in dict.fromkeys((paths["purelib"], paths["platlib"]))]


def normalised(text: str) -> str:
    """`text` with whitespace and case evened out: two documents with equal results count as duplicates."""
    return " ".join(text.split()).casefold()


def choose_test_set(documents: Iterable[Document], size: int, seed: int) -> list[Document]:
    """The test set of `documents`, at most `size` of them; see the module's docstring for what belongs in it."""
    labels_of_text: dict[str, set[str]] = defaultdict(set)
    candidates: dict[str, dict[str, Document]] = defaultdict(dict)
    for document in documents:
        text = normalised(document.text)
        labels_of_text[text].add(document.label)
        if document.kind == "docstring" and len(text.split()) >= MIN_TEST_WORDS:
            known = candidates[document.label].get(text, document)
            candidates[document.label][text] = min(known, document, key=lambda row: row.digest(seed))
    per_label = size // max(1, len(candidates))
    chosen: list[Document] = []
    for label in sorted(candidates):
        own = [text for text in candidates[label] if len(labels_of_text[text]) == 1]
        own.sort(key=lambda text: _hash(seed, text))
        chosen += [candidates[label][text] for text in own[: min(per_label, int(len(own) * MAX_TEST_SHARE))]]
    return chosen


@dataclass(frozen=True, slots=True)
class _Installed:
    name: str
    root: Path
    files: tuple[PurePosixPath, ...]
    description: str | None

    @property
    def sources(self) -> list[PurePosixPath]:
        return [file for file in self.files if file.suffix == ".py"]


def _candidates(roots: Iterable[Path]) -> list[_Installed]:
    """Installed distributions with sources, those with the most first."""
    found: dict[str, _Installed] = {}
    for root in roots:
        for distribution in metadata.distributions(path=[str(root)]):
            name = distribution.metadata["Name"]
            if not name or name in found or name.lower().startswith(OWN_PREFIX):
                continue
            files = tuple(file for path in distribution.files or () if _is_own(file := PurePosixPath(path)))
            if any(file.suffix == ".py" for file in files):
                found[name] = _Installed(name, root, files, distribution.metadata.get_payload())
    return sorted(found.values(), key=lambda candidate: (-len(candidate.sources), candidate.name))


def _is_own(file: PurePosixPath) -> bool:
    return ".." not in file.parts and not file.is_absolute() and not any(map(VENDORED.fullmatch, file.parts))


def documents_of(distribution: _Installed, seed: int) -> Iterator[Document]:
    """All documents of one distribution, its files in an order that only their paths decide, read as they are needed."""
    info = next((str(file.parent) for file in distribution.files if file.name == "METADATA"), distribution.name)
    for passage in _passages(distribution.description or ""):
        yield Document(passage, distribution.name, "description", f"{info}/METADATA")
    for file in sorted(distribution.files, key=lambda file: _hash(seed, str(file))):
        if file.suffix == ".py":
            for text in docstrings(_read(distribution.root / file)):
                yield Document(text, distribution.name, "docstring", str(file))
        elif LICENCE_NAME.search(file.name) and file.suffix in {"", ".txt", ".md", ".rst"}:
            for text in _passages(_read(distribution.root / file)):
                yield Document(text, distribution.name, "licence", str(file))


def docstrings(source: str) -> Iterator[str]:
    """The docstrings of a module, its classes and functions, uncleaned; none where `source` does not parse."""
    if '"""' not in source and "'''" not in source:
        return  # saves most of the time: parsing is what collecting costs
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node, clean=False)
            if text and text.strip() and not _LONE_SURROGATE.search(text):
                yield text
        for block in _BLOCKS:
            pending += getattr(node, block, ())


def _passages(text: str) -> Iterator[str]:
    """`text` in pieces of whole paragraphs of about PASSAGE_CHARACTERS."""
    piece: list[str] = []
    length = 0
    for paragraph in re.split(r"\n\s*\n", text):
        if piece and length + len(paragraph) > PASSAGE_CHARACTERS:
            yield "\n\n".join(piece)
            piece, length = [], 0
        if paragraph.strip():
            piece.append(paragraph)
            length += len(paragraph)
    if piece:
        yield "\n\n".join(piece)


def _read(path: Path) -> str:
    """The text of a file; empty where it is missing, unreadable, huge or not UTF-8."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return ""
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


@contextmanager
def _no_cyclic_gc() -> Iterator[None]:
    """Syntax trees hold no cycles, but so many objects that the collector takes as long as the parser."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _in_turns(streams: Iterable[Iterator[Document]]) -> Iterator[Document]:
    waiting = list(streams)
    while waiting:
        for stream in list(waiting):
            document = next(stream, None)
            if document is None:
                waiting.remove(stream)
            else:
                yield document


def _hash(seed: int, *parts: str) -> str:
    return hashlib.sha256("\0".join((str(seed), *parts)).encode("utf-8", "surrogatepass")).hexdigest()


def _write(path: Path, rows: Iterable[Document]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(asdict(row)) + "\n")
    partial.replace(path)
