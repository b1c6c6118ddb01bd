"""manage.py restore_backup --from-file FILE: what create_backup wrote, into a clean system."""

import gzip
from pathlib import Path
from typing import Any

from django.core import serializers
from django.core.management.base import BaseCommand, CommandParser
from django.core.management.color import no_style
from django.db import connection, transaction

from apps.documents.models import Document
from apps.users.models import User


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from-file", type=Path, required=True)

    @transaction.atomic
    def handle(self, *, from_file: Path, **options: Any) -> None:
        User.objects.filter(username="admin").delete()
        for one in serializers.deserialize("json", gzip.decompress(from_file.read_bytes())):
            one.save()
        with connection.cursor() as cursor:
            for line in connection.ops.sequence_reset_sql(no_style(), [User, Document]):
                cursor.execute(line)
