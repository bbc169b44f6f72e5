"""The one table of dependencies: what stands for a framework, what for a database, by ecosystem.

A name that ends in `*` is a prefix. Names are written as their ecosystem compares them: lower-case for PyPI, NuGet
and Composer, `group:artifact` for Maven and Gradle, without the major version for Go.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from core.projects.stack.manifest import Ecosystem
from core.projects.stack.vocabulary import Category

Table = Mapping[str, str]

FRAMEWORKS: Mapping[Ecosystem, Table] = {
    "pypi": {
        "django": "django",
        "django-rest-framework": "djangorestframework",
        "flask": "flask quart apiflask flask-restx flask-smorest flask-appbuilder",
        "fastapi": "fastapi fastapi-slim",
        "starlette": "starlette",
        "celery": "celery",
        "sqlalchemy": "sqlalchemy flask-sqlalchemy sqlmodel",
        "alembic": "alembic flask-migrate",
        "pydantic": "pydantic pydantic-settings",
        "click": "click asyncclick rich-click",
        "typer": "typer typer-slim",
        "textual": "textual",
        "pyramid": "pyramid",
        "tornado": "tornado",
        "aiohttp": "aiohttp",
        "scrapy": "scrapy",
        "streamlit": "streamlit",
        "numpy": "numpy",
        "pandas": "pandas geopandas",
        "polars": "polars polars-lts-cpu",
        "pyspark": "pyspark databricks-connect",
        "airflow": "apache-airflow apache-airflow-core apache-airflow-task-sdk",
        "dbt": "dbt-core dbt-postgres dbt-snowflake dbt-bigquery dbt-redshift dbt-duckdb dbt-databricks dbt-spark",
        "scikit-learn": "scikit-learn",
        "pytorch": "torch torchvision torchaudio pytorch-lightning lightning",
        "tensorflow": "tensorflow tensorflow-cpu tensorflow-gpu keras",
        "transformers": "transformers sentence-transformers",
        "jupyter": "jupyter jupyterlab notebook jupyter-server ipywidgets",
        "grpc": "grpcio",
        "graphql": "graphql-core graphene graphene-django strawberry-graphql ariadne",
    },
    "npm": {
        "react": "react react-dom",
        "next": "next",
        "vue": "vue",
        "nuxt": "nuxt nuxt3 nuxt-edge",
        "angular": "@angular/core",
        "svelte": "svelte",
        "sveltekit": "@sveltejs/kit",
        "express": "express @nestjs/platform-express",
        "fastify": "fastify @nestjs/platform-fastify",
        "koa": "koa",
        "nestjs": "@nestjs/core @nestjs/common",
        "electron": "electron electron-builder @electron-forge/cli",
        "react-native": "react-native",
        "expo": "expo",
        "ionic": "@ionic/angular @ionic/react @ionic/vue @ionic/core",
        "prisma": "prisma @prisma/client",
        "drizzle": "drizzle-orm drizzle-kit",
        "typeorm": "typeorm @nestjs/typeorm",
        "tailwindcss": "tailwindcss @tailwindcss/vite @tailwindcss/postcss",
        "vite": "vite",
        "storybook": "storybook @storybook/*",
        "grpc": "@grpc/grpc-js grpc nice-grpc @connectrpc/connect",
        "graphql": "graphql @apollo/server @apollo/client apollo-server apollo-server-express graphql-yoga urql "
        "type-graphql mercurius @nestjs/graphql graphql-request",
    },
    "go": {
        "gin": "github.com/gin-gonic/gin",
        "echo": "github.com/labstack/echo",
        "fiber": "github.com/gofiber/fiber",
        "chi": "github.com/go-chi/chi",
        "cobra": "github.com/spf13/cobra",
        "grpc": "google.golang.org/grpc connectrpc.com/connect github.com/grpc-ecosystem/grpc-gateway",
        "graphql": "github.com/99designs/gqlgen github.com/graphql-go/graphql github.com/graph-gophers/graphql-go",
    },
    "cargo": {
        "axum": "axum",
        "actix": "actix-web actix",
        "rocket": "rocket",
        "tokio": "tokio",
        "clap": "clap structopt",
        "grpc": "tonic",
        "graphql": "async-graphql juniper",
    },
    "maven": {
        "spring": "org.springframework.boot:* org.springframework:* org.springframework.cloud:* "
        "org.springframework.data:* org.springframework.security:*",
        "quarkus": "io.quarkus:* io.quarkus.platform:*",
        "micronaut": "io.micronaut:* io.micronaut.platform:* io.micronaut.data:*",
        "ktor": "io.ktor:ktor-server* io.ktor:ktor-client*",
        "hibernate": "org.hibernate:* org.hibernate.orm:* org.springframework.boot:spring-boot-starter-data-jpa "
        "io.quarkus:quarkus-hibernate-orm*",
        "android": "androidx.appcompat:* androidx.activity:* androidx.core:core-ktx androidx.compose.ui:*",
        "grpc": "io.grpc:* net.devh:grpc-*",
        "graphql": "com.graphql-java:* org.springframework.boot:spring-boot-starter-graphql com.netflix.graphql.dgs:*",
        "openapi": "org.springdoc:* io.swagger.core.v3:* io.smallrye:smallrye-open-api* "
        "io.quarkus:quarkus-smallrye-openapi",
    },
    "nuget": {
        "aspnet": "microsoft.aspnetcore.*",
        "blazor": "microsoft.aspnetcore.components.webassembly* microsoft.aspnetcore.components.web",
        "maui": "microsoft.maui.*",
        "entity-framework": "microsoft.entityframeworkcore* entityframework npgsql.entityframeworkcore.postgresql",
        "grpc": "grpc.aspnetcore* grpc.net.client grpc.core",
        "graphql": "hotchocolate.* graphql graphql.server*",
        "openapi": "swashbuckle.aspnetcore* microsoft.aspnetcore.openapi nswag.aspnetcore",
    },
    "gem": {
        "rails": "rails railties actionpack activerecord",
        "sinatra": "sinatra",
        "hanami": "hanami hanami-router hanami-controller",
        "grpc": "grpc",
        "graphql": "graphql",
    },
    "composer": {
        "laravel": "laravel/framework laravel/lumen-framework illuminate/*",
        "symfony": "symfony/framework-bundle symfony/symfony symfony/flex symfony/runtime",
        "graphql": "webonyx/graphql-php nuwave/lighthouse overblog/graphql-bundle",
    },
    "swift": {"vapor": "vapor/vapor", "grpc": "grpc/grpc-swift grpc/grpc-swift-2"},
    "pub": {"flutter": "flutter", "graphql": "graphql_flutter graphql", "grpc": "grpc"},
    "dbt": {"dbt": "dbt"},
}

DATABASES: Mapping[Ecosystem, Table] = {
    "pypi": {
        "postgresql": "psycopg psycopg2 psycopg2-binary psycopg-binary asyncpg pg8000 aiopg",
        "mysql": "mysqlclient pymysql mysql-connector-python aiomysql asyncmy mysql-connector mariadb",
        "sqlite": "aiosqlite pysqlite3 apsw sqlite-utils",
        "mongodb": "pymongo motor mongoengine beanie odmantic",
        "redis": "redis hiredis django-redis aioredis rq valkey",
        "sqlserver": "pymssql mssql-django django-mssql-backend",
        "oracle": "cx-oracle oracledb",
        "elasticsearch": "elasticsearch elasticsearch-dsl opensearch-py django-elasticsearch-dsl",
    },
    "npm": {
        "postgresql": "pg postgres pg-promise @neondatabase/serverless @vercel/postgres slonik",
        "mysql": "mysql mysql2 mariadb @planetscale/database",
        "sqlite": "sqlite3 better-sqlite3 @libsql/client sqlite",
        "mongodb": "mongodb mongoose @nestjs/mongoose",
        "redis": "redis ioredis @upstash/redis bullmq bull connect-redis",
        "sqlserver": "mssql tedious",
        "oracle": "oracledb",
        "elasticsearch": "@elastic/elasticsearch @opensearch-project/opensearch",
    },
    "go": {
        "postgresql": "github.com/lib/pq github.com/jackc/pgx gorm.io/driver/postgres github.com/go-pg/pg",
        "mysql": "github.com/go-sql-driver/mysql gorm.io/driver/mysql",
        "sqlite": "github.com/mattn/go-sqlite3 modernc.org/sqlite gorm.io/driver/sqlite github.com/glebarez/sqlite "
        "github.com/glebarez/go-sqlite zombiezen.com/go/sqlite",
        "mongodb": "go.mongodb.org/mongo-driver",
        "redis": "github.com/redis/go-redis github.com/go-redis/redis github.com/gomodule/redigo "
        "github.com/redis/rueidis",
        "sqlserver": "github.com/microsoft/go-mssqldb github.com/denisenkom/go-mssqldb gorm.io/driver/sqlserver",
        "oracle": "github.com/godror/godror github.com/sijms/go-ora",
        "elasticsearch": "github.com/elastic/go-elasticsearch github.com/olivere/elastic "
        "github.com/opensearch-project/opensearch-go",
    },
    "cargo": {
        "postgresql": "postgres tokio-postgres deadpool-postgres",
        "mysql": "mysql mysql_async",
        "sqlite": "rusqlite libsqlite3-sys tokio-rusqlite",
        "mongodb": "mongodb",
        "redis": "redis fred deadpool-redis",
        "sqlserver": "tiberius",
        "oracle": "oracle",
        "elasticsearch": "elasticsearch opensearch",
    },
    "maven": {
        "postgresql": "org.postgresql:postgresql org.postgresql:r2dbc-postgresql io.quarkus:quarkus-jdbc-postgresql "
        "io.quarkus:quarkus-reactive-pg-client io.vertx:vertx-pg-client",
        "mysql": "com.mysql:mysql-connector-j mysql:mysql-connector-java org.mariadb.jdbc:mariadb-java-client "
        "io.quarkus:quarkus-jdbc-mysql io.quarkus:quarkus-jdbc-mariadb",
        "sqlite": "org.xerial:sqlite-jdbc androidx.room:room-runtime androidx.sqlite:* app.cash.sqldelight:*",
        "mongodb": "org.mongodb:* org.springframework.boot:spring-boot-starter-data-mongodb*",
        "redis": "redis.clients:jedis io.lettuce:lettuce-core org.redisson:redisson* "
        "org.springframework.boot:spring-boot-starter-data-redis* io.quarkus:quarkus-redis-client",
        "sqlserver": "com.microsoft.sqlserver:mssql-jdbc io.quarkus:quarkus-jdbc-mssql",
        "oracle": "com.oracle.database.jdbc:* io.quarkus:quarkus-jdbc-oracle",
        "elasticsearch": "org.elasticsearch.client:* co.elastic.clients:elasticsearch-java "
        "org.springframework.boot:spring-boot-starter-data-elasticsearch org.opensearch.client:*",
    },
    "nuget": {
        "postgresql": "npgsql npgsql.*",
        "mysql": "mysql.data mysqlconnector pomelo.entityframeworkcore.mysql",
        "sqlite": "microsoft.data.sqlite* microsoft.entityframeworkcore.sqlite* sqlite-net-pcl system.data.sqlite*",
        "mongodb": "mongodb.driver",
        "redis": "stackexchange.redis microsoft.extensions.caching.stackexchangeredis",
        "sqlserver": "microsoft.data.sqlclient system.data.sqlclient microsoft.entityframeworkcore.sqlserver",
        "oracle": "oracle.manageddataaccess* oracle.entityframeworkcore",
        "elasticsearch": "elastic.clients.elasticsearch nest",
    },
    "gem": {
        "postgresql": "pg",
        "mysql": "mysql2 trilogy",
        "sqlite": "sqlite3",
        "mongodb": "mongo mongoid",
        "redis": "redis redis-client sidekiq resque hiredis",
        "sqlserver": "tiny_tds activerecord-sqlserver-adapter",
        "oracle": "ruby-oci8 activerecord-oracle_enhanced-adapter",
        "elasticsearch": "elasticsearch elasticsearch-rails searchkick opensearch-ruby",
    },
    "composer": {
        "postgresql": "ext-pgsql ext-pdo_pgsql",
        "mysql": "ext-mysqli ext-pdo_mysql",
        "sqlite": "ext-sqlite3 ext-pdo_sqlite",
        "mongodb": "mongodb/mongodb ext-mongodb mongodb/laravel-mongodb doctrine/mongodb-odm",
        "redis": "predis/predis ext-redis",
        "sqlserver": "ext-sqlsrv ext-pdo_sqlsrv",
        "oracle": "ext-oci8 yajra/laravel-oci8",
        "elasticsearch": "elasticsearch/elasticsearch opensearch-project/opensearch-php",
    },
    "swift": {
        "postgresql": "vapor/postgres-nio vapor/fluent-postgres-driver",
        "mysql": "vapor/mysql-nio vapor/fluent-mysql-driver",
        "sqlite": "vapor/fluent-sqlite-driver groue/grdb.swift stephencelis/sqlite.swift",
        "mongodb": "vapor/fluent-mongo-driver mongodb/mongo-swift-driver",
        "redis": "vapor/redis swift-server/redistack",
    },
    "pub": {"sqlite": "sqflite drift sqlite3", "postgresql": "postgres", "mongodb": "mongo_dart", "redis": "redis"},
    "hex": {
        "postgresql": "postgrex",
        "mysql": "myxql",
        "sqlite": "ecto_sqlite3 exqlite",
        "mongodb": "mongodb_driver",
        "redis": "redix",
        "sqlserver": "tds",
    },
    "scala": {
        "postgresql": "org.postgresql:postgresql",
        "mysql": "mysql:mysql-connector-java com.mysql:mysql-connector-j",
        "sqlite": "org.xerial:sqlite-jdbc",
    },
    "c": {
        "postgresql": "postgresql libpq libpqxx",
        "mysql": "mysql mysqlclient libmysqlclient mariadb libmariadb",
        "sqlite": "sqlite3 unofficial-sqlite3 sqlite",
        "mongodb": "mongocxx mongoc mongo-cxx-driver",
        "redis": "hiredis redis-plus-plus",
    },
}

Kind = Literal["pages", "web", "api", "mobile", "data"]

APPLICATIONS: Mapping[str, Kind] = {
    **dict.fromkeys(("streamlit", "next", "nuxt", "angular", "sveltekit", "blazor", "react", "vue", "svelte"), "web"),
    **dict.fromkeys(("django", "flask", "pyramid", "tornado", "aiohttp", "express", "koa", "fastify"), "pages"),
    **dict.fromkeys(("rails", "sinatra", "hanami", "laravel", "symfony", "aspnet"), "pages"),
    **dict.fromkeys(
        (
            "django-rest-framework",
            "fastapi",
            "starlette",
            "nestjs",
        ),
        "api",
    ),
    **dict.fromkeys(("gin", "echo", "fiber", "chi", "axum", "actix", "rocket", "vapor"), "api"),
    **dict.fromkeys(("spring", "quarkus", "micronaut", "ktor"), "api"),
    **dict.fromkeys(("react-native", "expo", "ionic", "maui"), "mobile"),
    **dict.fromkeys(("airflow", "pyspark", "pandas", "polars", "scikit-learn", "pytorch", "tensorflow"), "data"),
}
"""What an application is that stands on a framework.

`pages`: it serves pages where it has templates of them, and an interface where it has none. An `api` that has such
templates serves pages as well.
"""

CLIENTS_TOO = frozenset(("aiohttp", "tornado"))
"""Libraries with a client and a server in one: only an application object shows that a project serves."""

WINDOWS: Mapping[Ecosystem, frozenset[str]] = {
    "cargo": frozenset(
        (
            *("tauri", "eframe", "egui", "gtk", "gtk4", "iced", "bevy", "slint", "druid", "winit", "fltk", "dioxus"),
            *("leptos", "yew"),
        )
    ),
    "go": frozenset(("fyne.io/fyne", "github.com/wailsapp/wails", "gioui.org", "github.com/hajimehoshi/ebiten")),
    "nuget": frozenset(("avalonia", "avalonia.desktop", "gtksharp", "opentk", "monogame.framework.desktopgl")),
    "maven": frozenset(("org.openjfx:javafx-controls", "org.eclipse.swt:swt", "com.badlogicgames.gdx:gdx")),
}
"""Toolkits of windows: a program with one is no command."""

TABLES: Mapping[Category, Mapping[Ecosystem, Table]] = {"framework": FRAMEWORKS, "database": DATABASES}


def words_of(category: Category, ecosystem: Ecosystem, name: str) -> tuple[str, ...]:
    """The words of a category that a dependency stands for; usually none, sometimes two."""
    exact, prefixes = _index(category, ecosystem)
    found = [*exact.get(name, ()), *(word for prefix, word in prefixes if name.startswith(prefix))]
    return tuple(dict.fromkeys(found))


@cache
def _index(category: Category, ecosystem: Ecosystem) -> tuple[dict[str, list[str]], tuple[tuple[str, str], ...]]:
    exact: dict[str, list[str]] = {}
    prefixes: list[tuple[str, str]] = []
    for word, names in TABLES[category].get(ecosystem, {}).items():
        for name in names.split():
            if name.endswith("*"):
                prefixes.append((name[:-1], word))
            else:
                exact.setdefault(name, []).append(word)
    return exact, tuple(prefixes)
