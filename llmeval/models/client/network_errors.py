"""The error for a failure of the network: try again, or give up. The message names the fix if there
is one.
"""

import socket
import ssl
from typing import TYPE_CHECKING

from llmeval.core.errors import ModelError, NotConnected, Retryable, Unreadable
from llmeval.models.client.failed_reply import one_line

if TYPE_CHECKING:
    import aiohttp

_NO_SUCH_NAME = frozenset(
    getattr(socket, name)
    for name in ("EAI_NONAME", "EAI_NODATA", "EAI_FAIL")
    if hasattr(socket, name)
)
_NOT_TLS = frozenset(
    ["WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"]
)
_NO_COMMON_TLS = frozenset(
    [
        "UNSUPPORTED_PROTOCOL",
        "NO_PROTOCOLS_AVAILABLE",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_PROTOCOL_VERSION",
    ]
)
_HOSTNAME_MISMATCH, _IP_MISMATCH = 62, 64
_EXPIRED, _NOT_YET_VALID = 10, 9
"""Codes of X509_verify_cert_error_string(3)."""


def network_error(host: str, key: str, error: Exception) -> ModelError:
    """The error to raise for a request that got no reply.

    Args:
        host: host and port, for the message.
        key: the suite key that holds the address.
        error: an `aiohttp.ClientError` or an OSError.
    """
    import aiohttp

    cause = _tls_error(error)
    if cause is not None:
        return _tls_failure(host, key, cause)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _no_name(host, key, error)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return _proxy_refused(host, error)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return NotConnected(
            f"{host}: can't connect to the proxy {error.host}:{error.port}"
            f" ({_reason(error.os_error)})"
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        return NotConnected(f"{host}: can't connect: {_reason(error.os_error)}")
    if isinstance(error, aiohttp.ClientResponseError):
        return Unreadable(f"{host}: the reply is not HTTP: {one_line(error.message)}")
    if isinstance(error, aiohttp.ClientPayloadError):
        return Retryable(
            f"{host}: the connection broke before the end of the reply: {one_line(str(error))}"
        )
    return Retryable(
        f"{host}: the connection broke: {one_line(str(error)) or type(error).__name__}"
    )


def _tls_error(error: BaseException) -> ssl.SSLError | None:
    """The error of TLS behind an error of aiohttp."""
    # aiohttp's own errors are subclasses of ssl.SSLError without its fields: the inner error comes
    # first
    for candidate in (
        getattr(error, "certificate_error", None),
        getattr(error, "os_error", None),
        error.__cause__,
        error,
    ):
        if isinstance(candidate, ssl.SSLError):
            return candidate
    return None


def _tls_failure(host: str, key: str, error: ssl.SSLError) -> ModelError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(host, key, error)
    reason = getattr(error, "reason", None) or ""
    if reason in _NOT_TLS:
        return ModelError(
            f"{host}: the server does not use TLS ({reason}): is `{key}` an http:// address?"
        )
    if reason in _NO_COMMON_TLS:
        return ModelError(f"{host}: no TLS version that both sides support ({reason})")
    return NotConnected(f"{host}: TLS failed: {one_line(str(error))}")


def _untrusted(host: str, key: str, error: ssl.SSLCertVerificationError) -> ModelError:
    why = one_line(error.verify_message) or "not verified"
    if error.verify_code in (_HOSTNAME_MISMATCH, _IP_MISMATCH):
        return ModelError(f"{host}: its certificate is for another host ({why}); check `{key}`")
    if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
        return ModelError(f"{host}: its certificate is not valid now: {why}")
    return ModelError(
        f"{host}: its certificate is not trusted: {why}. For your own certificate authority, name"
        " its certificate with `ca_file:` on the model, or in the environment with SSL_CERT_FILE"
    )


def _no_name(host: str, key: str, error: "aiohttp.ClientConnectorDNSError") -> ModelError:
    cause: BaseException | None = error.os_error
    while cause is not None and not isinstance(cause, socket.gaierror):
        cause = cause.__cause__ or cause.__context__
    if cause is not None and cause.errno in _NO_SUCH_NAME:
        return ModelError(f"{host}: there is no host of this name; check `{key}`")
    return NotConnected(
        f"{host}: the host's name could not be looked up: {_reason(error.os_error)}"
    )


def _proxy_refused(host: str, error: "aiohttp.ClientHttpProxyError") -> ModelError:
    message = (
        f"{host}: the proxy refused the connection: HTTP {error.status}: {one_line(error.message)}"
    )
    if error.status == 407:
        return ModelError(f"{message}; give its user and password in the proxy's address")
    return Retryable(message) if error.status >= 500 or error.status == 429 else ModelError(message)


def _reason(error: OSError) -> str:
    return one_line(error.strerror or str(error)) or type(error).__name__
