"""What the document management answers."""

from apps.documents.models import Document
from django.http import HttpRequest, JsonResponse
from django.urls import path
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView


def health(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok", "documents": Document.objects.count()})


@api_view()
def profile(request: Request) -> Response:
    return Response({"id": request.user.pk, "username": request.user.get_username()})


@api_view()
def documents(request: Request) -> Response:
    found = Document.objects.order_by("id").values("id", "title", "author__username")
    return Response(list(found))


urlpatterns = [
    path("health/", health),
    path("api/v1/auth/login/", TokenObtainPairView.as_view()),
    path("api/v1/auth/refresh/", TokenRefreshView.as_view()),
    path("api/v1/auth/profile/", profile),
    path("api/v1/documents/", documents),
]
