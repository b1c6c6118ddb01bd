"""Known secrets of the backends in containers: where one of them turns up, something leaked."""

from tests.lab import canaries as lab

ADMIN_PRIVATE_KEY = "canary-admin-Kx3vR8nQb5Lw2ZyTf6Hj9Sd4Gm7Pc1Ua0Ee-Xo_Vi"
OPENAI_API_KEY = "canary-openai-w7Tq2Rz9Yk4Bn"
RECEPTIONIST_DATABASE = "canary-receptionist-h5Jd8Xs1Vf"
OWNER_PASSWORD = "canary-owner-M4cZp7Ly2Ga9Wk"

AGENTCALLER_SECRET_KEY = "canary-agentcaller-jwt-Tn6Bx1Uq8Rv3Ec5Mz0Hk7Yw2Ps9Ld4Fg"
AGENTCALLER_DATABASE = "canary-agentcaller-r9Nf3Qy6Zt"
ADMIN_PASSWORD = "canary-admin-a8Vd2Kx5Jm1Rw"

EDMS_SECRET_KEY = "canary-edms-key-Qe5Zt9Lm2Xc7Vb4Nr8Ys1Hd6Kw3Pf0Jg"
EDMS_DATABASE = "canary-edms-db-k4Wn8Rz2Tq"
EDMS_ADMIN_PASSWORD = "canary-edms-admin-Y6hLb3Xs9Vp"
EDMS_AUTHOR_PASSWORD = "canary-edms-author-d7Gm1Cq5Zf"

ALL = (
    *lab.ALL,
    ADMIN_PRIVATE_KEY,
    OPENAI_API_KEY,
    RECEPTIONIST_DATABASE,
    OWNER_PASSWORD,
    AGENTCALLER_SECRET_KEY,
    AGENTCALLER_DATABASE,
    ADMIN_PASSWORD,
    EDMS_SECRET_KEY,
    EDMS_DATABASE,
    EDMS_ADMIN_PASSWORD,
    EDMS_AUTHOR_PASSWORD,
)
# Who has them by right: the env files, those of the host's other backend, our undo store, and the
# engine itself: of each container, and while it begins a process in one, as for a health check.
HOLDERS = (
    *("/opt/", "/srv/", "/var/lib/relogin/"),
    *("/var/lib/docker/", "/run/containerd/", "/tmp/runc-process"),
)
