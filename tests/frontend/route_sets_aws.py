"""Who may call the routes of the AWS wire and of access keys; see route_sets.py."""

# Every request is signed; see tests/frontend/aws.
PUBLIC = {"aws", "aws/", "aws/<path:path>"}
OWN = {"api/v1/access-keys/<int:access_key_id>", "settings/access-keys/<int:access_key_id>/revoke/"}
FORBIDDEN_TO_VIEWERS = ("settings/access-keys/new/", "api/v1/access-keys")
