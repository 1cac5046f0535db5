"""What a WSGI server imports."""

from console.app import create_app

app = create_app()
