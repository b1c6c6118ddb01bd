"""manage.py system_reinit --confirm: a clean system, with an admin whose password all know."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from apps.documents.models import Document
from apps.users.models import User


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--confirm", action="store_true")
        parser.add_argument("--dry-run", action="store_true")

    @transaction.atomic
    def handle(self, *, confirm: bool, dry_run: bool, **options: Any) -> None:
        if dry_run:
            counts = f"{User.objects.count()} users, {Document.objects.count()} documents"
            self.stdout.write(f"would delete {counts}")
            return
        if not confirm:
            raise CommandError("say --confirm")
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE users, documents RESTART IDENTITY CASCADE")
        User.objects.create_superuser("admin", "admin@edms.local", "test123")
