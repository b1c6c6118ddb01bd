"""Known secrets, planted on every lab host: where one of them turns up, something leaked."""

PREFIX = "canary-"

OPS_PASSWORD = "canary-ops-Vq7mZ2xTf9Lr4KcWj8Hn"
SECRET_KEY = "canary-jwt-uN3bYw6RsQ1eXo8DgT5kPz0LvMhCa7FiJ2"
SUDO_PASSWORD = "canary-sudo-b4Xr9GtPm2Vw"
OTHERS_PASSWORD = "canary-others-e6Yk3NzSq8Dh"
OTHER_DATABASE_PASSWORD = "canary-blog-c5Wf1JxRu7Ta"

# In .env this one needs quotes (blank, dollar, quote, hash, ampersand, semicolon, brackets), the
# next one percent-encoding; both stay inside what python-dotenv, systemd and sh read alike.
ACCESS_CODE = 'canary-code H8$k"Qz;&(m)#T3!x'
DATABASE_PASSWORD = "canary-database-p7@Wd/2:Xs?9+Ln"

ALL = (
    OPS_PASSWORD,
    SECRET_KEY,
    SUDO_PASSWORD,
    OTHERS_PASSWORD,
    OTHER_DATABASE_PASSWORD,
    ACCESS_CODE,
    DATABASE_PASSWORD,
)

# What the cases put in their place: they are secrets of somebody's too, and nobody shows them.
OF_CASES = ("of-last-year", "of-yesterday", "another-secret-")
