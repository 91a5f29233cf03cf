"""How a version is released: the wheel, its checks and the tag. Never part of the wheel."""
