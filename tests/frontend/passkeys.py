"""A stored passkey, as a browser would have registered it; nobody has its private key."""

from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    RegistrationResponse,
)

from marketplace.models import User

CREDENTIAL_ID = b"secret-passkey"


def credential() -> dict[str, object]:
    """What the browser sent when the passkey was registered."""
    key = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    attested = AttestedCredentialData.create(Aaguid.NONE, CREDENTIAL_ID, key)
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.AT
    signed = AuthenticatorData.create(b"\0" * 32, flags, 0, attested)
    client_data = CollectedClientData.create(type="webauthn.create", challenge=b"x", origin="https://localhost")
    response = AuthenticatorAttestationResponse(
        client_data=client_data, attestation_object=AttestationObject.create("none", signed, {})
    )
    whole = dict(RegistrationResponse(raw_id=CREDENTIAL_ID, response=response))
    return {**whole, "response": dict(whole["response"])}


def a_passkey(user: User) -> Authenticator:
    """A passkey of the user, which can be renamed and removed."""
    data = {"name": "secret-passkey", "credential": credential()}
    return Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data)
