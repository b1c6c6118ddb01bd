"""Hashes that are quick enough for a client that logs in twenty times a second."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class Quick(PBKDF2PasswordHasher):
    iterations = 20_000
