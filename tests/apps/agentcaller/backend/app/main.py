"""AgentCaller: a small backend of the kind that relogin looks after, in a container."""

from fastapi import FastAPI

from app.api import auth

app = FastAPI(title="AgentCaller")
app.include_router(auth.router)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}
