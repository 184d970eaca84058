"""Who may call us: the office's own authorization server, and whose tokens open the API."""

from dataclasses import dataclass

from office_node.auth.certificates import load_dated_key
from office_node.auth.client_assertion import ClientAssertions, RegisteredClient
from office_node.auth.key_ring import KeyRing
from office_node.auth.own_tokens import OwnTokenVerifier
from office_node.auth.token_issuer import TOKEN_PATH, TokenIssuer
from office_node.auth.token_verifier import IssuerTokens, TokenVerifier
from office_node.auth.used_assertions import UsedAssertions
from office_node.auth.wipo_tokens import WipoTokenVerifier
from office_node.settings import Settings
from office_node.settings.sections import AuthorizationServer
from office_node.wiring.calls_out import build_wipo_keys


@dataclass(frozen=True, slots=True)
class OwnAuthorizationServer:
    """The office's token endpoint: who asks, what is answered, and the check of what it issued."""

    assertions: ClientAssertions
    issuer: TokenIssuer
    verifier: OwnTokenVerifier
    max_body_bytes: int
    """Largest token request."""


def build_own_authorization_server(
    settings: Settings, used_assertions: UsedAssertions
) -> OwnAuthorizationServer | None:
    """The office's own server as the settings describe it, if its tokens are accepted. Raises `KeyUnusable`."""
    server = settings.authorization_server
    if server is None or "own" not in settings.trust.accept:
        return None
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


def build_token_verifier(settings: Settings, own: OwnAuthorizationServer | None) -> TokenVerifier:
    """The check of access tokens, for every issuer that [trust] accepts. Raises as `build_egress`."""
    accepted: list[IssuerTokens] = [own.verifier] if own else []
    server = settings.wipo_authorization_server
    if server and "wipo" in settings.trust.accept:
        accepted.append(
            WipoTokenVerifier(
                issuer=server.issuer,
                audiences=server.audiences,
                client_ids=server.client_ids,
                algorithms=server.algorithms,
                keys=build_wipo_keys(settings, server),
            )
        )
    return TokenVerifier(accepted)


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
