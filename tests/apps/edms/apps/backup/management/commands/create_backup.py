"""manage.py create_backup --type database --output FILE: accounts and documents, as JSON."""

import gzip
from pathlib import Path
from typing import Any

from django.core import serializers
from django.core.management.base import BaseCommand, CommandParser

from apps.documents.models import Document
from apps.users.models import User


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--type", choices=["database"], default="database")
        parser.add_argument("--output", type=Path, required=True)

    def handle(self, *, output: Path, **options: Any) -> None:
        rows = [*User.objects.order_by("id"), *Document.objects.order_by("id")]
        output.write_bytes(gzip.compress(serializers.serialize("json", rows).encode()))
