"""What a WSGI server imports."""

from console.app import serve

app = serve()
