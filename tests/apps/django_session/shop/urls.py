"""Pages for browsers, with sessions; an API for programs, with tokens."""

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, JsonResponse
from django.urls import path
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView


def health(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@login_required
def profile(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"user": {"name": request.user.get_username()}})


@api_view()
def me(request: Request) -> Response:
    return Response({"id": request.user.pk, "username": request.user.get_username()})


urlpatterns = [
    path("health/", health),
    path("accounts/login/", LoginView.as_view(template_name="login.html")),
    path("accounts/profile/", profile),
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/me/", me),
]
