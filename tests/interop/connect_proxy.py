"""A CONNECT proxy for clients that build real host names over https, on loopback only.

It ends TLS itself, with a leaf for the host that was asked for, signed by a CA made for this run, and hands the
bytes on to the built-in org unread: the org sees the client's own request with its own Host header. Any host
that is not Salesforce's is refused, so a client that talks to anybody else is noticed.
"""

import datetime
import socket
import socketserver
import ssl
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SALESFORCE = (".salesforce.com",)


class Authority:
    """A CA that lives as long as the run, and the leaves it signs."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._lock = threading.Lock()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sfmint interop CA")])
        self._certificate = (
            self._builder(name, name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.bundle = folder / "ca.pem"
        self.bundle.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, host: str) -> ssl.SSLContext:
        """The server side of TLS for `host`."""
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = self._make_context(host)
            return self._contexts[host]

    def _make_context(self, host: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = (
            self._builder(
                x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]), self._certificate.subject, key.public_key()
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pem = self._folder / f"{host}.pem"
        pem.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + leaf.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return context

    def _builder(self, subject: x509.Name, issuer: x509.Name, public_key) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )


def _usage(**on: bool) -> x509.KeyUsage:
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
        "key_cert_sign crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: on.get(name, False) for name in names.split()})


class ConnectProxy:
    """`with ConnectProxy(folder, org_port) as proxy:` gives `proxy.url`, `proxy.bundle` and `proxy.hosts`."""

    def __init__(self, folder: Path, org_port: int):
        self._authority = Authority(folder)
        self.bundle = self._authority.bundle
        self.hosts: list[str] = []
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                proxy._serve(self.request, org_port)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, client: socket.socket, org_port: int):
        client.settimeout(30)
        target = _read_connect(client)
        host, _, port = (target or "").rpartition(":")
        self.hosts.append(target or "not CONNECT")
        if port != "443" or not host.endswith(SALESFORCE):
            client.sendall(b"HTTP/1.1 403 not a host of Salesforce\r\nContent-Length: 0\r\n\r\n")
            return
        client.sendall(b"HTTP/1.1 200 connection established\r\n\r\n")
        try:
            tls = self._authority.context(host).wrap_socket(client, server_side=True)
        except (ssl.SSLError, OSError) as error:
            self.hosts.append(f"{host}: TLS failed: {error}")
            return
        with tls, socket.create_connection(("127.0.0.1", org_port), timeout=30) as org:
            back = threading.Thread(target=_pump, args=(org, tls), daemon=True)
            back.start()
            _pump(tls, org)
            back.join(timeout=30)


def _read_connect(client: socket.socket) -> str | None:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(4096)
        if not piece or len(head) > 16_384:
            return None
        head += piece
    method, _, rest = head.decode("latin-1").partition(" ")
    return rest.split(" ")[0].lower() if method == "CONNECT" else None


def _pump(source: socket.socket, sink: socket.socket):
    try:
        while piece := source.recv(65_536):
            sink.sendall(piece)
    except OSError:
        pass
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
