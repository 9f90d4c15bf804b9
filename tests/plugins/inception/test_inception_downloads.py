"""Detectors come into their cache whole or not at all; the server is a real one on this machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from djsandbox_inception.worker.downloads import provided
from djsandbox_inception.worker.order import DetectorOrder
from djsandbox_inception.worker.problems import Unfit

NETWORK = b"PK\x03\x04 a network"
DIGEST = hashlib.sha256(NETWORK).hexdigest()


class Shelf(BaseHTTPRequestHandler):
    """Serves /good, /page (something else), /cut (less than it says), and nothing else."""

    asked: list[str] = []

    def do_GET(self) -> None:
        Shelf.asked.append(self.path)
        if self.path not in ("/good", "/page", "/cut"):
            self.send_error(404)
            return
        body = b"<html>too many requests</html>" if self.path == "/page" else NETWORK
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + 9 * (self.path == "/cut")))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    Shelf.asked = []
    shelf = ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    threading.Thread(target=shelf.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{shelf.server_port}"
    shelf.shutdown()
    shelf.server_close()


def test_a_detector_that_is_not_there_is_downloaded_once(server: str, tmp_path: Path) -> None:
    order = DetectorOrder(str(tmp_path / "cache" / "d.pt"), {}, f"{server}/good", DIGEST)
    assert provided(order) == provided(order) == DIGEST
    assert Path(order.path).read_bytes() == NETWORK
    assert Shelf.asked == ["/good"]


@pytest.mark.parametrize(
    ("path", "sha256", "said"),
    [
        ("good", "0" * 64, "its SHA-256 is"),
        ("page", None, "is no TorchScript file"),
        ("cut", None, "bytes of"),
        ("none", None, "404|Not Found"),
    ],
)
def test_what_is_not_the_detector_is_not_kept(server: str, tmp_path: Path, path: str, sha256: str | None, said: str) -> None:
    order = DetectorOrder(str(tmp_path / "d.pt"), {}, f"{server}/{path}", sha256)
    with pytest.raises(Unfit, match=f"(?s){said}.*detector_path"):
        provided(order)
    assert not list(tmp_path.glob("*.pt*[!k]"))


def test_without_a_network_it_is_said_where_the_file_may_be_put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = DetectorOrder(str(tmp_path / "d.pt"), {}, "http://127.0.0.1:9/d.pt", None)
    with pytest.raises(Unfit, match=r"cannot be downloaded .* download it by hand to .*d\.pt"):
        provided(order)


def test_a_changed_file_in_the_cache_is_refused_also_where_no_checksum_is_published(server: str, tmp_path: Path) -> None:
    for sha256 in (DIGEST, None):
        order = DetectorOrder(str(tmp_path / f"{sha256}.pt"), {}, f"{server}/good", sha256)
        provided(order)
        Path(order.path).write_bytes(NETWORK + b"!")
        with pytest.raises(Unfit, match="is not the published file"):
            provided(order)


def test_a_file_of_the_users_own_may_be_anything(tmp_path: Path) -> None:
    path = tmp_path / "mine.pt"
    path.write_bytes(b"mine")
    assert provided(DetectorOrder(str(path), {}, None, None)) == hashlib.sha256(b"mine").hexdigest()
