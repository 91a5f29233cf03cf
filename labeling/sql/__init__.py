"""The SQL functions of this room; marketplace/sql says how migrations load them."""
