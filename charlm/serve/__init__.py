"""The HTTP server: what other programs ask of models, in the dialect of OpenAI's completions."""

from ..system.extras import require_packages

require_packages("serving", "fastapi", "uvicorn", "prometheus_client")
