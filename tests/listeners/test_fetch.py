"""Reading addresses that somebody else chose."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from servers import (
    FAULTS,
    Answer,
    Request,
    Script,
    Server,
    bomb,
    cut_chunk,
    cut_short,
    flood,
    half_close,
    redirect,
    say,
    slow_down,
    trickle,
)

from listeners.errors import ListenerError, Permanent, RateLimited, Retryable
from listeners.fetch import LONGEST_WAIT, Fetcher, Gone, is_public, retry_after_seconds

Serve = Callable[[Script], Server]
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def answering(answer: Answer) -> Script:
    """Always say the same."""
    return lambda _request: answer


def open_to(*servers: Server, **limits: object) -> Fetcher:
    """Build a fetcher that may read these servers, and nothing else on this machine."""
    return Fetcher(allow_hosts=[server.host for server in servers], now=lambda: NOW, **limits)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "fec0::1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:db8::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)
def test_addresses_that_are_not_public_are_known(address: str):
    """Private, loopback, link-local, multicast, reserved and mapped addresses are not public, however wrapped."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_known(address: str):
    """What everyone can reach may be read."""
    assert is_public(address)


def test_a_page_is_read_with_its_headers(serve: Serve):
    """The answer has status, body, and headers by lower-case names; no cookie is ever sent."""
    server = serve(answering(say("hello", ETag='"1"', Set_Cookie="a=b")))
    fetcher = open_to(server)
    fetched = fetcher.get(f"{server.url}/a b?q=ü", {"If-None-Match": '"0"'})
    fetcher.get(server.url)
    assert (fetched.status, fetched.body, fetched.headers["etag"]) == (200, b"hello", '"1"')
    assert server.requests[0].path == "/a%20b?q=%C3%BC"
    assert server.requests[0].headers["if-none-match"] == '"0"'
    assert server.requests[0].headers["host"] == server.host
    assert "cookie" not in server.requests[1].headers


def test_not_modified_is_an_answer(serve: Serve):
    """304 is told as unchanged, without a body."""
    server = serve(answering(Answer(304)))
    assert open_to(server).get(server.url).is_unchanged


def test_a_packed_answer_is_unpacked(serve: Serve):
    """Gzip is understood."""
    server = serve(answering(Answer(200, gzip.compress(b"hello" * 9), {"Content-Encoding": "gzip"})))
    assert open_to(server).get(server.url).body == b"hello" * 9


def test_a_packed_answer_that_ends_early_is_refused(serve: Serve):
    """Half a gzip stream is not taken for a whole one."""
    packed = gzip.compress(b"hello" * 1000)[:-9]
    server = serve(answering(Answer(200, packed, {"Content-Encoding": "gzip"})))
    with pytest.raises(Retryable, match="broke off"):
        open_to(server).get(server.url)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "deflate"])
def test_packing_that_was_not_asked_for_is_refused(serve: Serve, encoding: str):
    """Only gzip was asked for."""
    server = serve(answering(Answer(200, b"x", {"Content-Encoding": encoding})))
    with pytest.raises(Retryable, match="not asked for"):
        open_to(server).get(server.url)


@pytest.mark.parametrize("answer", [bomb(60), flood(5_000_000)], ids=["bomb", "flood"])
def test_too_many_bytes_are_not_read(serve: Serve, answer: Answer):
    """The cap holds for bytes on the wire and after unpacking."""
    server = serve(answering(answer))
    with pytest.raises(Retryable, match=r"127\.0\.0\.1 sent more than 2,000,000 bytes"):
        open_to(server).get(server.url)


@pytest.mark.parametrize("answer", [cut_short(), cut_chunk(), half_close()], ids=["length", "chunk", "silence"])
def test_an_answer_that_breaks_off_is_no_answer(serve: Serve, answer: Answer):
    """A server that hangs up early is told as such."""
    server = serve(answering(answer))
    with pytest.raises(Retryable, match="broke off"):
        open_to(server).get(server.url)


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1"],
    ids=["body", "headers", "chunk size"],
)
def test_a_server_that_trickles_is_left_at_the_deadline(serve: Serve, head: bytes):
    """No server keeps us longer than the total time, whatever part it trickles."""
    server = serve(answering(trickle(20, head)))
    start = time.monotonic()
    with pytest.raises(Retryable, match=r"did not finish within 0\.3 s"):
        open_to(server, total_seconds=0.3).get(server.url)
    assert time.monotonic() - start < 5


def test_a_server_that_never_answers_is_left_at_the_deadline():
    """A server that takes the connection and says nothing does not hold us."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Retryable, match="did not finish"):
            Fetcher(allow_hosts=[host], total_seconds=0.3).get(f"http://{host}/")


def test_a_running_read_ends_when_the_fetcher_is_closed(serve: Serve):
    """Closing from another thread cuts the wire."""
    server = serve(answering(trickle(20)))
    fetcher = open_to(server)
    timer = threading.Timer(0.2, fetcher.close)
    timer.start()
    start = time.monotonic()
    with pytest.raises(Retryable, match="was stopped"):
        fetcher.get(server.url)
    assert time.monotonic() - start < 5
    timer.join()
    with pytest.raises(Retryable, match="was stopped"):
        fetcher.get(server.url)


def test_redirects_are_followed_a_few_times(serve: Serve):
    """Three hops are fine, also to relative addresses."""

    def script(request: Request) -> Answer:
        step = int(request.path.strip("/") or 0)
        return redirect(f"/{step + 1}", 301 + step % 2) if step < 3 else say("there")

    server = serve(script)
    fetched = open_to(server).get(server.url)
    assert (fetched.body, fetched.url) == (b"there", f"{server.url}/3")


def test_endless_redirects_end(serve: Serve):
    """A fourth hop is one too many."""
    server = serve(answering(redirect("/again")))
    with pytest.raises(Retryable, match="redirects more than 3 times"):
        open_to(server).get(server.url)
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://localhost/",
        "http://2130706433/",
        "http://0x7f.1/",
        "//127.0.0.1:80/x",
        "https://192.168.0.1/",
    ],
)
def test_redirects_into_our_own_network_are_refused(serve: Serve, target: str):
    """The check is made again at every hop, whatever the address is spelled like."""
    server = serve(answering(redirect(target)))
    with pytest.raises(Permanent, match="not on the public internet"):
        open_to(server).get(server.url)
    assert len(server.requests) == 1


def test_another_port_of_an_allowed_host_is_not_allowed(serve: Serve):
    """host:port allows that port only; the host alone allows all its ports."""
    server, other = serve(answering(say("in"))), serve(answering(say("in")))
    first = serve(answering(redirect(other.url)))
    with pytest.raises(Permanent, match="only 80 and 443"):
        open_to(first, server).get(first.url)
    assert not other.requests
    assert Fetcher(allow_hosts=["127.0.0.1"]).get(first.url).body == b"in"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("file:///etc/passwd", "http://"),
        ("ftp://example.org/", "http://"),
        ("gopher://example.org/", "http://"),
        ("http://jane:s3cret@example.org/", "user name"),
        ("http://example.org:22/", "port 22"),
        ("http://example.org:99999/", "not a web address"),
        ("http://[::1/", "not a web address"),
        ("http:///x", "http://"),
        ("", "http://"),
    ],
)
def test_addresses_of_other_kinds_are_refused(target: str, words: str):
    """Only the web is read; a password in an address is not repeated."""
    with pytest.raises(Permanent) as caught:
        Fetcher(resolve=lambda _host, _port: ["8.8.8.8"]).get(target)
    assert words in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_host_with_one_private_address_is_refused():
    """A name that answers with a public and a private address is an attack, or a mistake."""
    fetcher = Fetcher(resolve=lambda _host, _port: ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(Permanent, match=r"rebind\.test is not on the public internet"):
        fetcher.get("http://rebind.test/")


def test_the_address_that_was_checked_is_the_one_that_is_asked(serve: Serve):
    """The name is looked up once a hop; the connection goes to that answer, with the name in its Host header."""
    server = serve(answering(say("hello")))
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    fetcher = Fetcher(allow_hosts=["pinned.test"], resolve=resolve)
    port = server.host.partition(":")[2]
    assert fetcher.get(f"http://pinned.test:{port}/").body == b"hello"
    assert asked == ["pinned.test"]
    assert server.requests[0].headers["host"] == f"pinned.test:{port}"


def test_the_next_address_is_tried_when_one_does_not_listen(serve: Serve):
    """A host with a dead first address is still read."""
    server = serve(answering(say("hello")))
    fetcher = Fetcher(allow_hosts=["two.test"], resolve=lambda _host, _port: ["::1", "127.0.0.1"])
    assert fetcher.get(f"http://two.test:{server.host.partition(':')[2]}/").body == b"hello"


def test_proxies_of_the_environment_are_not_used(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    """A proxy would resolve names itself, past the check."""
    server = serve(answering(say("straight")))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert open_to(server).get(server.url).body == b"straight"


@pytest.mark.parametrize(
    ("answer", "kind", "wait"),
    [
        (slow_down(), RateLimited, None),
        (slow_down("120"), RateLimited, 120.0),
        (slow_down(format_datetime(NOW + timedelta(seconds=90), usegmt=True)), RateLimited, 90.0),
        (slow_down("soon"), RateLimited, None),
        (Answer(503, b"", {"Retry-After": "30"}), RateLimited, 30.0),
        (Answer(503), Retryable, None),
        (Answer(500), Retryable, None),
        (Answer(599), Retryable, None),
        (Answer(408), Retryable, None),
        (Answer(404), Retryable, None),
        (Answer(403), Retryable, None),
        (Answer(410), Gone, None),
    ],
)
def test_statuses_say_what_to_do(serve: Serve, answer: Answer, kind: type[ListenerError], wait: float | None):
    """Each kind of refusal has its own error, with the time to wait where the server told it."""
    server = serve(answering(answer))
    with pytest.raises(kind) as caught:
        open_to(server).get(server.url)
    assert type(caught.value) is kind
    assert "127.0.0.1" in str(caught.value)
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == wait


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 15 ", 15.0),
        ("99999999999999999999", LONGEST_WAIT),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("nan", None),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2026 12:01:00 -0000", 60.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
        ("Mon, 99 Nov 2026", None),
    ],
)
def test_the_time_to_wait_is_read_with_care(value: str, seconds: float | None):
    """Seconds or a date, never below nothing and never above a day."""
    assert retry_after_seconds(value, NOW) == seconds


def test_a_host_that_cannot_be_found_or_reached_is_told():
    """The sentence names the host."""

    def fail(_host: str, _port: int) -> list[str]:
        raise socket.gaierror

    with pytest.raises(Retryable, match=r"No address is known for nowhere\.test"):
        Fetcher(resolve=fail).get("http://nowhere.test/")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        host = f"127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(Retryable, match="cannot be reached"):
        Fetcher(allow_hosts=[host]).get(f"http://{host}/")


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_translated(serve: Serve, name: str):
    """Whatever a server does, only the project's own errors come out."""
    server = serve(lambda _request: FAULTS[name]())
    try:
        open_to(server).get(f"{server.url}/?token=s3cret")
    except ListenerError as err:
        told = f"{err!r} {err}"
    else:
        told = ""
    assert "s3cret" not in told


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for secure.test and its key, in one file, made for this run."""
    file = tmp_path_factory.mktemp("tls") / "secure.pem"
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=secure.test"
    command = [*words.split(), "-addext", "subjectAltName=DNS:secure.test", "-keyout", str(file), "-out", "-"]
    try:
        made = subprocess.run(command, check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no openssl on this machine to make a certificate with")
    with file.open("ab") as end:
        end.write(made.stdout)
    return file


@pytest.fixture
def secure(certificate: Path) -> Server:
    """A server that speaks TLS as secure.test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Server(answering(say("secret hello")))
    server.wrap(context)
    return server


def read_secure(server: Server, name: str, tls: ssl.SSLContext | None) -> bytes:
    """Read from the server under a name."""
    fetcher = Fetcher(allow_hosts=[name], resolve=lambda _host, _port: ["127.0.0.1"], tls=tls)
    return fetcher.get(f"https://{name}:{server.host.partition(':')[2]}/").body


def test_tls_is_checked_against_the_name_not_the_pinned_address(secure: Server, certificate: Path):
    """The certificate must be for the name that was asked for, and be trusted."""
    trusted = ssl.create_default_context(cafile=str(certificate))
    with secure:
        assert read_secure(secure, "secure.test", trusted) == b"secret hello"
        with pytest.raises(Retryable, match=r"certificate of other\.test cannot be trusted"):
            read_secure(secure, "other.test", trusted)
        with pytest.raises(Retryable, match=r"certificate of secure\.test cannot be trusted"):
            read_secure(secure, "secure.test", None)


def test_a_handshake_that_trickles_is_left_at_the_deadline():
    """The deadline also holds before anything secure was said."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        fetcher = Fetcher(allow_hosts=["slow.test"], total_seconds=0.3, resolve=lambda _host, _port: ["127.0.0.1"])
        start = time.monotonic()
        with pytest.raises(Retryable):
            fetcher.get(f"https://slow.test:{port}/")
        assert time.monotonic() - start < 5
