"""Fill the table called user; runs in the backend's folder with its interpreter."""

# mypy: ignore-errors
import os

from desk import User, app, db
from werkzeug.security import generate_password_hash

with app.app_context():
    for name, secret in {"owner": "OWNER", "ada": "OTHERS", "grace": "OTHERS"}.items():
        hashed = generate_password_hash(os.environ[secret])
        db.session.add(User(name=name, mail=f"{name}@example.com", password=hashed))
    db.session.commit()
