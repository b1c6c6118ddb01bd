"""The backend's settings: from the environment, else from the `.env` in the working directory."""

from functools import cache

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Lifetimes are in minutes; `login_attempts` is how many may fail within one of them."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    database_url: SecretStr
    jwt_secret_key: SecretStr
    cors_origins: str = ""
    access_minutes: int = 15
    refresh_minutes: int = 7 * 24 * 60
    login_attempts: int = 30


@cache
def settings() -> Settings:
    """Give the settings, read once in each process."""
    return Settings()
