"""Every route and method, tried by those who may see one adherent and must see nothing of another."""
