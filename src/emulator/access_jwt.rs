use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer};

use super::base64url;

/// The key that signs JWT-format access tokens of the built-in org.
///
/// It is published with the source and protects nothing: tokens it signs open this org on loopback and no other.
const THROW_AWAY_KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCrA8o2KsG4XJnk
7CGCt0V7yyNCh6yqzTbOpcsMXW0Iw4P5lrKOhnKBO8JRmP2ER4qFbnKrXRGJGUzV
deR+m2P0OZCCHH01zoUtSskgScIjeHvfVlOFVWqWG3VwZCTxcw6i/YF4F3XFrAfQ
xnfWBLaqNQGOXWmd/3Fdl5W8CqbnLqdBZum8KuQeNVl2rmMtCWhNb0DwtxH0CVPG
hicH78qS19Bebml3k3p9kojH+fYQAffOAMEttybVl80JhX3hBqzukXhJy6bJR7wj
CgBjAx8FUJszPWJITP8OeBY7uUJYaGLn6EQ/PIPtgLwQZIO/cRasI7EoXeahJu9j
2Jj/u2LjAgMBAAECggEAS+aXtejOJ+Q5jWfcC6cJ2MK0+I887GW+QINHFkrU3MHh
7kGbKDS113PNb+fGBRK3gTce/72DzeSDvG3hpuuStk9iOs0oKVxqsUpy77isyI9t
8xbeZNwfPVYcjnB0ERGu2lpHPySyabRLl7auczeOVwbFlQkSmkRIbXCczWOw5gON
pyqUHuGWAhwtq3prDEtCeVKOjTHbgNVnfXXocoAG+7i7wL6du4Py5h4oRCJoBdpx
le60aTgYAZnZH5aFQkbXMmHyqPW1d77gvLfyZt/uNNZuc0knbUlagaHb4Bs2493/
USeySYthLanaNubzQ5hYkC9Z4pyTVluQSe5U6tvYqQKBgQDfhZQ6wcAmjY/xOPJo
K/qMyo+EX7mtUmeC8pBB9ba9VnmtgrYSISzoClx1la60DBFoZzFCh83FEEM6b0PD
KnI7puaoCMBHNII/hTGkvXbAbEl+0eNwlLYbjH2x7oEMHFIjf8wkblM/YOTe/ujI
+n0S3idHxLyl4wAYg2dY9TPcJQKBgQDD3Rbj4Mgc+zfO2S4VS7l87/khDTlFK3xf
ZkbUz9KTRW94Zs1K5nhURySpsbGogv1M58WOHwmyqAhSV17zXAGJrMPg/qdjXtWx
vnuTKoXAFOqZ7n/YNZx4cQPW/XrmAJ5JM3hJT797cR0Z53uNVTU/chEzD099iHuk
UYF2mRWQZwKBgHNjWeobKz67xZsZcsokKeuUhhIn+IppB9apsZ7bYcLMaXQRDjy9
s5j2AFUTOGTp9fKXku5tfORGSO5ZkfmmZ+Izfs8v9VLM4JA6Ci6pQCyFukslvuvX
WUtPc3PvU98Un7KDvrbv3TnSo1Qa88EMzpR26oA6J8jbLql47FkX+/WhAoGAQdnJ
YmAmp6fGwaK/HaXR/TFpXzVk9d6C+EgYtGAS+jS0H5TgnLgT6LHqn6sAghlYNE0Q
XJIO3qQj+Bsr70IVukX9rV2wxXYS/ql+PqJjSYs+vPY0wWp06wGEOvoKId4/WXkW
jf9j74q+MAFlxsTJHEWrhrE1Fo2WlE5a6pbZay0CgYAJksf0p/kJmKDPiNflNfj7
XIoYmf0uXqNVelm0Z1A+i1LPn81yFHsrdLGC6/ed+zgki7jx5f+T0if5RO26IX2K
gf2AhLw6vRsobJza9mDHUl7xeOOBtx8xILeKSM3VD8rZhInrMCcRO9rw88WtBfV0
5oYTSZ5T63movfkpGgPT8w==
-----END PRIVATE KEY-----
";

/// Makes JWT-format access tokens. Reading the key takes a while, so it is read when the first is asked for.
#[derive(Debug, Default)]
pub(super) struct AccessJwtSigner(Option<SigningKey<Sha256>>);

impl AccessJwtSigner {
    /// Signs `claims`, JSON text, into an access token as the protocol reference shows it (header `tty`, `tnk`, `ver`).
    pub fn sign(&mut self, org_id: &str, claims: &str) -> Option<String> {
        if self.0.is_none() {
            self.0 = SigningKey::from_pkcs8_pem(THROW_AWAY_KEY).ok();
        }
        let key = self.0.as_ref()?;
        let header = format!(
            r#"{{"alg":"RS256","typ":"JWT","kid":"emulator","tty":"sfdc-core-token","tnk":"core/prod/{org_id}","ver":"1.0"}}"#
        );
        let signed =
            format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(claims.as_bytes()));
        let signature = key.sign(signed.as_bytes()).to_vec();
        Some(format!("{signed}.{}", base64url::encode(&signature)))
    }
}
