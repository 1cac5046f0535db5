"""What a WSGI server loads."""

from console.app import create_app

app = create_app()
