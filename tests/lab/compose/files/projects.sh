# How the operators of the projects call Docker Compose.
receptionist() { (cd /opt/ai-receptionist && docker compose -f docker-compose.prod.yml "$@"); }
agentcaller() { (cd /opt/agentcaller && docker compose --env-file infra/.env -f infra/docker-compose.yml "$@"); }
edms() { (cd /opt/edms && docker compose -f docker-compose.prod.yml "$@"); }
