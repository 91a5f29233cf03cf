"""The site of the documentation: its pages, those made from the code, its pictures. Never part of the wheel."""
