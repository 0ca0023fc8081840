"""Sets the security headers of every answer and the origins that may call the API (CORS)."""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask, Response
from flask_cors import CORS

from ser.api.request_log import HEADER as REQUEST_ID
from ser.core.settings import Settings

# Mantine and Swagger UI set style attributes; everything else comes from this server. The page plays recordings from
# blob: URLs that it creates itself.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "connect-src 'self' blob:",
        "worker-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), display-capture=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


EXPOSED = [REQUEST_ID, "Server-Timing", "Retry-After"]


def foreign_headers(origins: Collection[str], origin: str | None) -> dict[str, str]:
    """Returns the CORS headers for answers that do not come from the application."""
    if not origins:
        return {}
    if origin is None or not ("*" in origins or origin.lower() in [one.lower() for one in origins]):
        return {"Vary": "Origin"}
    told = {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": ", ".join(EXPOSED)}
    return {"Vary": "Origin"} | told


def register(app: Flask, settings: Settings) -> None:
    """Sets the headers on every answer; allows only the origins in ``settings.cors_origins``."""
    if settings.cors_origins:
        CORS(
            app,
            origins=list(settings.cors_origins),
            methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            expose_headers=EXPOSED,
            max_age=600,
        )

    @app.after_request
    def protect(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        if settings.cors_origins:
            response.vary.add("Origin")
        return response
