use super::found::Format;
use super::{KeyMistake, Place};

/// What to do about a mistake at `place`: one sentence, with the command to run where there is one.
pub(super) fn next_step(place: &Place, mistake: &KeyMistake) -> Option<String> {
    use KeyMistake as M;
    let path = place.shell("KEY");
    let pkcs8 = |from: &str| {
        format!(
            "run `(umask 077; openssl pkcs8 -topk8 -v2 aes-256-cbc -in {from} -out new.key)` and use new.key"
        )
    };
    Some(match mistake {
        M::NoFile => format!("check the path in `key`; a relative one starts at the config file's directory ({path})"),
        M::NotSet => format!("set {place}, or take the key from `{{ file = \"...\" }}` or `{{ command = [...] }}`"),
        M::NotAllowed(_) => format!("give the file to the user that runs sfmint: `ls -l {path}`"),
        M::NotAFile(_) => "name a regular file, or print the key with `{ command = [\"prog\", \"arg\"] }`".into(),
        M::TooLong(_) => "a key is some kilobytes of PEM; this is probably another file".into(),
        M::Empty => "write the private key there: the PEM that begins with -----BEGIN PRIVATE KEY-----".into(),
        M::ReadableByOthers { .. } => format!(
            "run `chmod 600 {path}`; in Kubernetes set the secret volume's `defaultMode: 0400` and the pod's `fsGroup`, in Docker the secret's `mode: 0400` and `uid`"
        ),
        M::ForeignOwner { user, .. } => format!("run `chown {user} {path}`, or run sfmint as the file's owner"),
        M::OpenDirectory(directory) => {
            format!("run `chmod o-w {}`", Place::file(directory).shell("DIRECTORY"))
        }
        M::Changing => "try again when the writer is done; a key is best replaced by renaming a whole file over it".into(),
        M::CommandNotStarted(_) => "check the program's path; the command is run directly, not by a shell".into(),
        M::CommandFailed(_) => "run the command by hand as this user to see what it says".into(),
        M::CommandTimedOut(_) => "run the command by hand as this user; it must print the secret without asking".into(),
        M::NoPem => "a private key in PEM begins with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----".into(),
        M::OpenSsh => format!(
            "run `cp {path} new.key && ssh-keygen -p -m PKCS8 -f new.key` and use new.key"
        ),
        M::WrongBlock { found } if found.contains("CERTIFICATE") && !found.contains("REQUEST") => {
            "name this file in `certificate`, and in `key` the private key that was made with it".into()
        }
        M::WrongBlock { .. } => "name the private key that was made together with it".into(),
        M::WrongFormat(format) => convert(*format, &path),
        M::Truncated => "copy the key again, whole, down to the -----END line".into(),
        M::Damaged { .. } => "copy the key again from where it was made; some of its characters are lost or changed".into(),
        M::TraditionalEncryption | M::LegacyEncryption { .. } | M::CostlyEncryption { .. } => pkcs8(&path),
        M::Encrypted => "give `passphrase = { env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [...] }` beside the key, \
                         or set SFMINT_PRIVATE_KEY_PASSPHRASE"
            .into(),
        M::Passphrase => "check the passphrase; one line break at the end of a passphrase file is not part of it".into(),
        M::PassphraseNotText => "write the passphrase as UTF-8 text".into(),
        M::NotRsa { .. } | M::TooSmall { .. } | M::TooLarge { .. } => {
            "run `(umask 077; openssl req -x509 -newkey rsa:2048 -sha256 -nodes -days 730 -subj /CN=sfmint -keyout new.key -out new.crt)`, upload new.crt to the app, and use new.key"
                .into()
        }
        M::Inconsistent(_) => format!("restore the key from where it was made; `openssl rsa -check -noout -in {path}` says more"),
        M::SeveralKeys(_) => "keep one private key in it; certificates may stay".into(),
        M::CertificateMismatch { certificate, subject } => format!(
            "the certificate is for {subject}; compare `openssl x509 -noout -pubkey -in {}` with `openssl pkey -pubout -in {path}`",
            certificate.shell("CERTIFICATE")
        ),
        M::Io(_) | M::Certificate(_) => return None,
    })
}

/// The command that turns a file of another format into PEM.
fn convert(format: Format, path: &str) -> String {
    let to_pem = match format {
        Format::Pkcs12 => format!("openssl pkcs12 -in {path} -nodes -out new.pem"),
        Format::JavaKeystore => format!(
            "keytool -importkeystore -srckeystore {path} -destkeystore new.p12 -deststoretype PKCS12 && openssl pkcs12 -in new.p12 -nodes -out new.pem"
        ),
        Format::Putty => format!("puttygen {path} -O private-openssh -o new.pem"),
        Format::DerKey => format!("openssl pkey -inform DER -in {path} -out new.pem"),
        Format::DerCertificate => {
            return "name this file in `certificate`, and in `key` the private key that was made with it"
                .into();
        }
        Format::BareBase64 => {
            return "put -----BEGIN PRIVATE KEY----- before it and -----END PRIVATE KEY----- after it, each on its own line".into();
        }
        Format::Json | Format::SshPublicKey => {
            return "name the private key in PEM that belongs to it".into();
        }
    };
    format!("run `(umask 077; {to_pem})` and use new.pem")
}
