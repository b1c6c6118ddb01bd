"""How the login, its proxy and its description are made otherwise."""

APP = 'app = FastAPI(title="Halext", debug=DEV_MODE)'


def nginx(before: str, after: str) -> str:
    """Change the proxy's configuration, as a person would, and have it read."""
    return f"""sed -i 's#{before}#{after}#' /etc/nginx/sites-available/halext
    nginx -qt && systemctl reload nginx; sleep 0.5"""


def location(rule: str) -> str:
    """Have the proxy itself answer the login."""
    return nginx("location / {", f"location = /token {{ {rule} }}\\n    location / {{")


def declared(**fields: str) -> str:
    """Describe the login otherwise; the fields are Python expressions."""
    return f"login=_login({', '.join(f'{name}={text}' for name, text in fields.items())})"


def certified(certificate: str, port: int = 8443) -> str:
    """Serve the same by TLS on a port, with a certificate that openssl makes."""
    listen = f"listen {port} ssl; ssl_certificate own.crt; ssl_certificate_key own.key;"
    return f"""cd /etc/nginx
    {certificate}
    sed 's#listen 80 default_server;#{listen}#' sites-available/halext >sites-enabled/tls
    nginx -qt && systemctl reload nginx; sleep 0.5"""


def self_signed(name: str) -> str:
    return f"""openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=halext -addext subjectAltName={name} -keyout own.key -out own.crt 2>/dev/null"""
