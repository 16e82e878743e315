"""The sandbox: moto as an AWS on loopback, one request at a time, with its worst gaps closed.

Started by sandbox.ts; by hand: `python server.py --port 4566`. Prints one line of JSON on standard output when it serves
(`{"ready": true, "id": ..., "port": ..., "pid": ...}`) or cannot (`{"ready": false, "error": ...}`, exit code 3). An unsigned
`GET /` answers with the same facts; `POST /moto-api/reset` empties it. State is in memory only.

Every request holds one lock. Without it, of 200 rounds with 32 concurrent conditional puts one round had two winners and
concurrent TransactWriteItems answered 500; with it all were exact, and calls were faster (4 to 5 ms against 8).
"""

import argparse
import io
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
import uuid
from typing import Any

os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
os.environ.setdefault("MOTO_ACM_VALIDATION_WAIT", "0")
os.environ.setdefault("MOTO_DISABLE_GLOBAL_CORS", "true")

from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.serving import BaseWSGIServer, make_server

from delays import close_delays
from gaps import close_gaps
from tokens import Answer, TokenMemory
from trail import Trail
from wire import Call, error_answer, parse_call

HOST = "127.0.0.1"
# An AWS request without an S3 object is at most 16 MB (DynamoDB BatchWriteItem); objects here are small.
BODY_BYTES_MAX = 64 * 1024 * 1024
FOLDER_CHECK_SECONDS = 0.5


class Sandbox:
    """The WSGI application: tells who it is, or hands the request to moto behind the lock."""

    def __init__(self, identity: dict[str, Any], delay_seconds: float) -> None:
        self.identity = identity
        self.delay_seconds = delay_seconds
        self.lock = threading.Lock()
        self.tokens = TokenMemory()
        self.trail = Trail()
        self.last_call = time.monotonic()
        self.moto = DomainDispatcherApplication(self._create_app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        status, headers, body = self.answer(environ)
        names = {name.lower() for name, _ in headers}
        if "content-length" not in names:
            headers = [*headers, ("Content-Length", str(len(body)))]
        start_response(f"{status} {HTTP_STATUS_CODES.get(status, 'Unknown')}", headers)
        return [body]

    def answer(self, environ: dict[str, Any]) -> Answer:
        if is_who_are_you(environ):
            return 200, [("Content-Type", "application/json")], json.dumps(self.identity).encode()
        self.last_call = time.monotonic()
        body = read_body(environ)
        call = parse_call(environ, body)
        if call.service == "ec2" and call.params.get("DryRun") == "true":
            return error_answer(call, 412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
        with self.lock:
            if environ.get("PATH_INFO") == "/moto-api/reset":
                self.tokens.clear()
                self.trail.clear()
            answer = self.tokens.answer(call, lambda: self._ask_moto(environ, call, body))
            self.trail.note(call, environ, body, answer)
            return answer

    def _ask_moto(self, environ: dict[str, Any], call: Call, body: bytes) -> Answer:
        environ["wsgi.input"] = io.BytesIO(body)
        environ["wsgi.input_terminated"] = True
        try:
            answer = run_wsgi(self.moto, environ)
        except NotImplementedError:
            return not_implemented(call)
        except Exception as error:  # moto's own bugs: the caller gets AWS's error, the log gets the trace.
            traceback.print_exc()
            return error_answer(call, 500, "InternalFailure", f"The sandbox failed at {call.service}:{call.operation}: {error!r}")
        return not_implemented(call) if is_html_error(answer) else answer

    def _create_app(self, service: Any) -> Any:
        close_gaps(service, self.lock, self.trail)
        close_delays(service, self.delay_seconds)
        return create_backend_app(service)


def is_who_are_you(environ: dict[str, Any]) -> bool:
    is_signed = "HTTP_AUTHORIZATION" in environ or "X-Amz-" in environ.get("QUERY_STRING", "")
    return environ["REQUEST_METHOD"] == "GET" and environ.get("PATH_INFO") == "/" and not is_signed


def read_body(environ: dict[str, Any]) -> bytes:
    """The whole body, before the lock is taken: a slow sender must hold up nobody else."""
    if environ.get("wsgi.input_terminated"):
        return environ["wsgi.input"].read(BODY_BYTES_MAX)
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(min(length, BODY_BYTES_MAX))
    if len(body) < length:
        raise ClientDisconnected()
    return body


def run_wsgi(app: Any, environ: dict[str, Any]) -> Answer:
    started: list[Any] = []
    chunks = app(environ, lambda status, headers, _exc_info=None: started.extend((status, headers)))
    try:
        body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    status, headers = started
    return int(status.split(" ", 1)[0]), headers, body


def is_html_error(answer: Answer) -> bool:
    """Flask's own pages: a path that no service of moto has, or a failure that nobody named."""
    return answer[0] >= 400 and answer[2].lstrip()[:15].lower().startswith((b"<!doctype html", b"<html"))


def not_implemented(call: Call) -> Answer:
    message = f"The sandbox does not implement {call.service}:{call.operation}. Use --endpoint URL or AWS itself for it."
    return error_answer(call, 501, "NotImplemented", message)


class QuietHandler(MotoRequestHandler):
    """No access log: at 5 ms a call it would be the largest cost, and nobody reads it."""

    def log_request(self, *_args: Any) -> None:
        pass


def listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name != "nt":  # On Windows the option would let two sandboxes share one port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen(128)
    return listener


def exit_with_parent() -> None:
    """Ends the process when standard input ends, which it does however the parent dies, unless a line `keep` came before."""
    if not any(line.strip() == b"keep" for line in sys.stdin.buffer):
        os._exit(0)


def exit_when_idle(sandbox: Sandbox, idle_seconds: float) -> None:
    while (left := sandbox.last_call + idle_seconds - time.monotonic()) > 0:
        time.sleep(left)
    os._exit(0)


def exit_with_folder(folder: str) -> None:
    """Ends the process when the folder that names the sandbox is deleted: nobody could find the server again."""
    while os.path.isdir(folder):
        time.sleep(FOLDER_CHECK_SECONDS)
    os._exit(0)


def start_watchers(sandbox: Sandbox, options: argparse.Namespace) -> None:
    if options.exit_with_parent:
        threading.Thread(target=exit_with_parent, daemon=True).start()
    if options.exit_when_idle_seconds > 0:
        threading.Thread(target=exit_when_idle, args=(sandbox, options.exit_when_idle_seconds), daemon=True).start()
    if options.exit_with_folder:
        threading.Thread(target=exit_with_folder, args=(options.exit_with_folder,), daemon=True).start()


def parse_options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="AWS on loopback (moto), one request at a time.")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--delay-seconds", type=float, default=0, help="how long takes what takes time at AWS")
    parser.add_argument("--exit-with-parent", action="store_true", help="exit when standard input ends; a line `keep` on it calls that off")
    parser.add_argument("--exit-when-idle-seconds", type=float, default=0, help="exit after so long without a call; 0: never")
    parser.add_argument("--exit-with-folder", default="", help="exit when this folder is gone")
    return parser.parse_args(argv)


def say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def serve(listener: socket.socket, options: argparse.Namespace) -> None:
    port = listener.getsockname()[1]
    os.environ["MOTO_PORT"] = str(port)
    identity = {"ready": True, "id": uuid.uuid4().hex, "port": port, "pid": os.getpid(), "startedAt": int(time.time() * 1000)}
    sandbox = Sandbox(identity, options.delay_seconds)
    server: BaseWSGIServer = make_server(HOST, port, sandbox, threaded=True, request_handler=QuietHandler, fd=listener.fileno())
    server.daemon_threads = True
    start_watchers(sandbox, options)
    say(sandbox.identity)
    server.serve_forever()


def main(argv: list[str]) -> None:
    options = parse_options(argv)
    for name in ("SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), lambda *_: os._exit(0))
    try:
        listener = listen(options.port)
    except (OSError, OverflowError) as error:
        say({"ready": False, "error": f"cannot listen on {HOST}:{options.port}: {error}"})
        sys.exit(3)
    serve(listener, options)


if __name__ == "__main__":
    main(sys.argv[1:])
