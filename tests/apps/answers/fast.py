"""Logins of the ways that FastAPI answers one: each route has a way of its own to say no."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.httpsredirect import HTTPSRedirectMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.security import HTTPBearer, OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel, EmailStr

Form = Annotated[OAuth2PasswordRequestForm, Depends()]
Bearer = Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="token"))]

app = FastAPI()
app.add_middleware(
    CORSMiddleware,
    allow_origins=["https://app.example.com"],
    allow_methods=["POST", "GET"],
    allow_headers=["authorization", "x-code"],
)
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])

plain = FastAPI()  # without CORS or anything else

to_https = FastAPI()
to_https.add_middleware(HTTPSRedirectMiddleware)


class Credentials(BaseModel):
    username: str
    password: str


class ByEmail(BaseModel):
    email: EmailStr
    password: str


@plain.post("/token")
@app.post("/token")
def token(form: Form) -> None:
    raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Bearer"})


@app.post("/json")
def by_json(credentials: Credentials) -> dict[str, dict[str, str]]:
    return {"data": {"token": "t.t.t", "type": "bearer"}}


@app.post("/email")
def by_email(credentials: ByEmail) -> None:
    raise HTTPException(401)


@app.post("/header")
def with_header(x_code: Annotated[str, Header()], form: Form) -> None:
    raise HTTPException(401)


@app.post("/code")
def with_code(form: Form, x_halext_code: Annotated[str, Header()] = "") -> None:
    if not x_halext_code:
        raise HTTPException(403, "X-Halext-Code is missing")


@app.post("/invited")
def with_silent_code(form: Form, x_invite: Annotated[str, Header()] = "") -> None:
    raise HTTPException(403, "Invalid access code")


@app.post("/mfa")
def second_factor(form: Form) -> dict[str, str | bool]:
    return {"mfaRequired": True, "session": "4f1c"}


@app.post("/otp")
def one_time(form: Form) -> None:
    raise HTTPException(401, {"code": "otp_required", "methods": ["totp"]})


@app.post("/expired")
def new_password(form: Form) -> None:
    raise HTTPException(403, "Your password has expired")


@app.post("/428")
def precondition(form: Form) -> None:
    raise HTTPException(428, "Accept the terms")


@app.post("/forgot")
def forgot(form: Form) -> None:
    raise HTTPException(
        401, "Wrong password. Forgot it? See /reset-password, or ask for a challenge"
    )


@app.post("/slash/")
def slash(form: Form) -> None: ...


@app.post("/error")
def error(form: Form) -> None:
    raise RuntimeError("no reason")


@app.post("/empty")
def empty(form: Form) -> Response:
    return Response()


@app.get("/users/me")
def me(bearer: Bearer) -> None:
    raise HTTPException(401, "Could not validate credentials", {"WWW-Authenticate": "Bearer"})


@app.get("/bearer/me", dependencies=[Depends(HTTPBearer())])
def by_bearer() -> None: ...
