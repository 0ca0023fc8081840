"""The parts of waitress that the server replaces, extends or reads exist and look as ``ser.api.server`` expects.

Most of them are not part of waitress's documented interface, so its minor version is pinned; check this
file before raising it.
"""

from __future__ import annotations

import inspect
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from waitress import channel, parser, server, task, utilities, wasyncore
from waitress.adjustments import Adjustments
from waitress.receiver import ChunkedReceiver, FixedStreamReceiver

from ser.api.server.connection import Channel
from ser.api.server.request_body import Parser, ProblemTask, TooBusy

# our class, waitress's class, and the methods that override or extend one of waitress's
OVERRIDDEN = [
    (Channel, channel.HTTPChannel, ("received", "send", "check_client_disconnected")),
    (Parser, parser.HTTPRequestParser, ("parse_header", "received")),
    (ProblemTask, task.ErrorTask, ("execute",)),
]
# waitress functions that the server calls, with their arguments
CALLED: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = [
    (server.create_server, ("application",), {"sockets": []}),
    (wasyncore.loop, (), {"timeout": 1.0, "use_poll": True, "map": {}, "count": 1}),
    (wasyncore.close_all, ({},), {}),
    (wasyncore.dispatcher.close, ("self",), {}),
    (task.ThreadedTaskDispatcher.set_thread_count, ("self", 2), {}),
    (task.ThreadedTaskDispatcher.add_task, ("self", "task"), {}),
    (task.ThreadedTaskDispatcher.shutdown, ("self",), {"timeout": 0.5}),
    (task.Task.write, ("self", b""), {}),
    (task.Task.set_close_on_finish, ("self",), {}),
    (utilities.Error, ("body",), {}),
]
SETTINGS = (
    "threads ident recv_bytes max_request_body_size inbuf_overflow outbuf_overflow cleanup_interval connection_limit "
    "clear_untrusted_proxy_headers asyncore_use_poll"
)
# attributes that are read or replaced, checked on instances because most are set in the constructor
ON_SERVER = "task_dispatcher add_task maintenance channel_class active_channels pull_trigger handle_accept _map"
ON_CHANNEL = (
    "requests requests_lock request total_outbufs_len socket connected addr last_activity creation_time handle_close "
    "parser_class error_task_class"
)
ON_REQUEST = "error completed headers_finished headers body_rcv command path close"
ON_TASK = "request status response_headers content_length"
ON_ERROR = "code reason body"
# where waitress uses the replaced parts: through the instance, as otherwise the replacement would be bypassed
USED_BY = [
    (server.BaseWSGIServer.handle_accept, "self.channel_class(self, conn, addr, self.adj, map=self._map)"),
    (server.BaseWSGIServer.readable, "self.maintenance(now)"),
    (channel.HTTPChannel.received, "self.server.add_task(self)"),
    (channel.HTTPChannel.received, "self.parser_class(self.adj)"),
    (channel.HTTPChannel.service, "self.error_task_class(self, request)"),
    (channel.HTTPChannel._flush_some, "self.send(chunk, do_close=do_close)"),
    (parser.HTTPRequestParser.received, "self.parse_header("),
]


@pytest.fixture
def built() -> Iterator[dict[str, Any]]:
    """A server, a connection, a request whose body is arriving, and a task for it, all of waitress's own classes."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        made = server.create_server(lambda *_: [], sockets=[listener], map={})
        connection, address = listener.accept()
        taken = channel.HTTPChannel(made, connection, address, made.adj, map=made._map)
        request = parser.HTTPRequestParser(made.adj)
        request.received(b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
        request.received(b"body")
        yield {
            ON_SERVER: made,
            ON_CHANNEL: taken,
            ON_REQUEST: request,
            ON_TASK: task.ErrorTask(taken, request),
            ON_ERROR: TooBusy("why"),
        }
        client.close()
        taken.close()
        made.task_dispatcher.shutdown()
        wasyncore.close_all(made._map)


def test_replaced_parts_of_waitress_exist_and_match(built: dict[str, Any]):
    for ours, theirs, methods in OVERRIDDEN:
        assert issubclass(ours, theirs)
        for name in methods:
            expected, found = (inspect.signature(getattr(one, name)) for one in (ours, theirs))
            assert list(found.parameters) == list(expected.parameters), f"{theirs.__name__}.{name}"
    for function, arguments, options in CALLED:
        inspect.signature(function).bind(*arguments, **options)  # raises TypeError where they do not fit
    unknown = set(SETTINGS.split()) - {name for name, _ in Adjustments._params}
    assert not unknown
    for names, instance in built.items():
        missing = [name for name in names.split() if not hasattr(instance, name)]
        assert not missing, f"{type(instance).__name__} has no {', '.join(missing)}"
    for function, words in USED_BY:
        assert words in inspect.getsource(function), f"{function.__qualname__} no longer says {words}"
    body = built[ON_REQUEST].body_rcv
    assert body.getbuf() is body.buf and len(body) == len(b"body")  # ``Body`` takes the place of this buffer
    for receiver in (FixedStreamReceiver, ChunkedReceiver):
        assert "self.buf.append(" in inspect.getsource(receiver.received)
