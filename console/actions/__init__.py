"""What people and jobs do: one module a subject, one function a deed; they receive the session."""
