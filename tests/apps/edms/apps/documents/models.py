"""What is kept, and by whom."""

from django.conf import settings
from django.db import models


class Document(models.Model):
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    title = models.CharField(max_length=200)
    reminded = models.DateTimeField(null=True)

    class Meta:
        db_table = "documents"
