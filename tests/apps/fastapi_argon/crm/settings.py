"""The backend's settings: from the environment, else from the `.env` in the working directory."""

from functools import cache

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url


class Settings(BaseSettings):
    """Either the database's URL is set, or each of its parts."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    database_url: SecretStr | None = None
    postgres_host: str = "127.0.0.1"
    postgres_port: int = 5432
    postgres_user: str = ""
    postgres_password: SecretStr = SecretStr("")
    postgres_db: str = ""
    jwt_secret: SecretStr
    jwt_minutes: int = 15

    @property
    def database(self) -> URL:
        if self.database_url is not None:
            return make_url(self.database_url.get_secret_value())
        return URL.create(
            "postgresql+asyncpg",
            self.postgres_user,
            self.postgres_password.get_secret_value(),
            self.postgres_host,
            self.postgres_port,
            self.postgres_db,
        )


@cache
def settings() -> Settings:
    """Give the settings, read once in each process."""
    return Settings()
