"""The words in which a project's stack is told, and which `select:` of `agents.yaml` may use."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeGuard

Category = Literal["language", "framework", "project_type", "infrastructure", "database"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LANGUAGES = _words(
    """
    python javascript typescript go rust java kotlin scala c# ruby php swift c c++ dart elixir sql shell
    """
)
FRAMEWORKS = _words(
    """
    django django-rest-framework flask fastapi starlette celery sqlalchemy alembic pydantic click typer textual pyramid
    tornado aiohttp scrapy streamlit numpy pandas polars pyspark airflow dbt scikit-learn pytorch tensorflow
    transformers jupyter
    react next vue nuxt angular svelte sveltekit express fastify koa nestjs electron react-native expo ionic prisma
    drizzle typeorm tailwindcss vite storybook
    gin echo fiber chi cobra grpc
    axum actix rocket tokio clap
    spring quarkus micronaut ktor hibernate android
    aspnet blazor maui entity-framework
    rails sinatra hanami
    laravel symfony
    vapor swiftui flutter
    openapi graphql
    """
)
PROJECT_TYPES = _words("web api library cli mobile data")
"""`web` serves pages or a browser's application, `api` a programmatic interface."""
INFRASTRUCTURE = _words("ci docker compose kubernetes helm terraform ansible deploy")
"""`deploy` is a platform's own file: Procfile, fly.toml, vercel.json and their like."""
DATABASES = _words("postgresql mysql sqlite mongodb redis sqlserver oracle elasticsearch")

WORDS: Mapping[Category, frozenset[str]] = MappingProxyType(
    {
        "language": LANGUAGES,
        "framework": FRAMEWORKS,
        "project_type": PROJECT_TYPES,
        "infrastructure": INFRASTRUCTURE,
        "database": DATABASES,
    }
)
"""The words of each category, in the order in which categories are shown."""

KEYS: Mapping[Category, str] = MappingProxyType(
    {
        "language": "languages",
        "framework": "frameworks",
        "project_type": "project_types",
        "infrastructure": "infrastructure",
        "database": "databases",
    }
)
"""The key of a `select:` that lists words of a category."""


def is_category(text: object) -> TypeGuard[Category]:
    return isinstance(text, str) and text in WORDS
