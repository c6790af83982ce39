// Node's crypto verifies an assertion that sfmint signed, by the certificate alone.
// Facts come as JSON in argv[2]: assertion, certificate_file. One line of JSON goes out.
import { X509Certificate, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const facts = JSON.parse(process.argv[2]);
const { publicKey } = new X509Certificate(readFileSync(facts.certificate_file));
const [header, claims, signature, ...more] = facts.assertion.split(".");
const signed = Buffer.from(`${header}.${claims}`);
const bytes = Buffer.from(signature, "base64url");
const bent = Buffer.from(bytes);
bent[bent.length - 1] ^= 1;
console.log(
  JSON.stringify({
    party: "Node crypto",
    version: process.version,
    parts: 3 + more.length,
    // Base64url without padding, as RFC 7515 has it: what decodes and encodes again is the same text.
    canonical: bytes.toString("base64url") === signature,
    verified: verify("RSA-SHA256", signed, publicKey, bytes),
    verified_when_bent: verify("RSA-SHA256", signed, publicKey, bent),
    header: JSON.parse(Buffer.from(header, "base64url")),
    claims: JSON.parse(Buffer.from(claims, "base64url")),
  }),
);
