"""Errors as OpenAI's clients expect them: {"error": {"message", "type", "param", "code"}}."""

from __future__ import annotations

from typing import Any

from ..errors import CharlmError

INVALID, SERVER, RATE = "invalid_request_error", "server_error", "rate_limit_error"


class ApiError(Exception):
    """An error for the one who asked."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = INVALID,
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers or {}
        self.body = error_object(message, type=type, param=param, code=code)


def error_object(
    message: str, *, type: str = INVALID, param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    """The body of an answer that is an error."""
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


def late(seconds: float) -> ApiError:
    """It took too long."""
    return ApiError(408, f"the request took longer than {seconds:g} s", code="timeout")


def failed(error: Exception) -> ApiError:
    """The server's fault; what an error of charlm says is told."""
    told = str(error) if isinstance(error, CharlmError) else "the server has failed"
    return ApiError(500, told, type=SERVER)


def too_much(message: str, param: str, code: str) -> ApiError:
    """More than is done at a time; OpenAI, too, counts that among its rate limits."""
    return ApiError(429, message, type=RATE, param=param, code=code)


def busy() -> ApiError:
    """Too much is under way."""
    return ApiError(
        429,
        "the server is busy: try again in a moment",
        type=RATE,
        code="queue_full",
        headers={"Retry-After": "1"},
    )
