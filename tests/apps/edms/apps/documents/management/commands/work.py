"""The worker: it reminds authors of their documents, on a connection that it keeps."""

import signal
import sys
import time

from django.core.management.base import BaseCommand
from django.db.models.functions import Now

from apps.documents.models import Document


class Command(BaseCommand):
    def handle(self, **options: object) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        while True:
            Document.objects.filter(reminded=None).update(reminded=Now())
            time.sleep(1)
