"""Who may call us: the office's own authorization server, and whose tokens open the API."""

from dataclasses import dataclass

from office_node.auth.certificates import load_dated_key
from office_node.auth.client_assertion import ClientAssertions, RegisteredClient
from office_node.auth.key_ring import KeyRing
from office_node.auth.token_issuer import TOKEN_PATH, TokenIssuer
from office_node.auth.token_verifier import OwnTokenVerifier
from office_node.auth.used_assertions import UsedAssertions
from office_node.settings import Settings
from office_node.settings.sections import AuthorizationServer


@dataclass(frozen=True, slots=True)
class OwnAuthorizationServer:
    """The office's token endpoint: who asks, what is answered, and the check of what it issued."""

    assertions: ClientAssertions
    issuer: TokenIssuer
    verifier: OwnTokenVerifier
    max_body_bytes: int
    """Largest token request."""


def build_own_authorization_server(settings: Settings, used_assertions: UsedAssertions) -> OwnAuthorizationServer:
    """The office's own server as the settings describe it. Raises `KeyUnusable`."""
    server = settings.authorization_server
    assert server, "asked for only where the settings have one"  # noqa: S101  for the type alone
    clients = _registered_clients(server)
    issuer = _token_issuer(settings.web.public_url, server, clients)
    return OwnAuthorizationServer(
        assertions=ClientAssertions(
            clients,
            issuer=issuer.issuer,
            token_endpoint=issuer.issuer + TOKEN_PATH,
            max_seconds=server.max_assertion_seconds,
            used_assertions=used_assertions,
        ),
        issuer=issuer,
        verifier=OwnTokenVerifier(
            issuer=issuer.issuer, audience=issuer.audience, keys=issuer.ring.verifying, clients=clients
        ),
        max_body_bytes=server.max_body_bytes,
    )


def _registered_clients(server: AuthorizationServer) -> dict[str, RegisteredClient]:
    return {
        client.client_id: RegisteredClient(
            client.client_id,
            client.profile,
            tuple(load_dated_key(path) for path in client.public_key_files),
            tuple(client.scopes),
        )
        for client in server.clients
    }


def _token_issuer(public_url: str, server: AuthorizationServer, clients: dict[str, RegisteredClient]) -> TokenIssuer:
    return TokenIssuer(
        issuer=public_url,
        audience=server.audience or public_url,
        ring=KeyRing(server.signing_key_file, server.token_seconds),
        token_seconds=server.token_seconds,
        scopes=tuple(sorted({scope for client in clients.values() for scope in client.scopes})),
    )
