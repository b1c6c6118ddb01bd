"""What the environment says, and that a production start has all that it needs."""

from functools import cache
from urllib.parse import quote

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    env: str = "development"
    admin_private_key: str = ""
    openai_api_key: str = ""
    database_url: str = ""
    postgres_host: str = "postgres"
    postgres_user: str = ""
    postgres_password: str = ""
    postgres_db: str = ""

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def url(self) -> str:
        """Give DATABASE_URL, or what the separate keys make up."""
        if self.database_url:
            return self.database_url
        user, password = (
            quote(part, safe="") for part in (self.postgres_user, self.postgres_password)
        )
        return f"postgresql://{user}:{password}@{self.postgres_host}/{self.postgres_db}"

    def validate_production_secrets(self) -> None:
        """Refuse to start in production without the secrets that a login needs."""
        if not self.is_production:
            return
        missing = []
        if not self.admin_private_key:
            missing.append("ADMIN_PRIVATE_KEY (JWT_SECRET)")
        if not self.database_url and not (self.postgres_user and self.postgres_password):
            missing.append("DATABASE_URL or POSTGRES_USER/POSTGRES_PASSWORD")
        if not self.openai_api_key:
            missing.append("OPENAI_API_KEY")
        if missing:
            names = ", ".join(missing)
            raise RuntimeError(
                f"CRITICAL: Production startup BLOCKED. Missing required secrets: {names}"
            )


@cache
def get_settings() -> Settings:
    return Settings()
