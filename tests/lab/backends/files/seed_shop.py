"""Fill auth_user, one with each hasher; runs in the project's folder with its interpreter."""

# mypy: ignore-errors
import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
django.setup()

from django.contrib.auth.hashers import make_password  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402

SCHEMES = {
    "bea": "bcrypt_sha256",
    "arthur": "argon2",
    "scarlett": "scrypt",
    "paul": "pbkdf2_sha256",
}
for name, scheme in SCHEMES.items():
    password = make_password(os.environ["OTHERS"], hasher=scheme)
    User.objects.create(username=name, email=f"{name}@example.com", password=password)
User.objects.create_superuser("owner", "owner@example.com", os.environ["OWNER"])
