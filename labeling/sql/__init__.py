"""The SQL functions of this room; marketplace/sql describes how migrations load them."""
