use std::path::{Path, PathBuf};

use aws_lc_rs::rsa::KeyPair;

use super::CertificateFacts;
use crate::base::{KeyId, KeySource, Secret, SecretSource};
use crate::crypto::{
    Certificate, FileStamp, HeldFile, KeyError, KeyMistake, Mistake, Place, passphrase_text,
    read_certificates, read_passphrase, read_private_key, read_public_file, read_secret, read_secret_file,
};

/// A key pair ready to sign, with what belongs to it. Made whole or not at all.
pub(super) struct Loaded {
    pub pair: KeyPair,
    pub key_id: KeyId,
    pub certificate: Option<CertificateFacts>,
}

/// Where a key, what opens it, and its certificate are read from.
pub(super) struct Origin {
    key: KeySource,
    certificate: Option<PathBuf>,
    /// The passphrase of a source that is not asked again: no program is started in mid-service.
    passphrase: Option<Secret<String>>,
    /// The key of a source that is not asked again.
    pem: Option<Secret<Vec<u8>>>,
}

/// How often a set of files is read anew when one of them changed meanwhile.
const ATTEMPTS: usize = 8;

impl Origin {
    /// Asks environment and commands, once; files are read by [`load`](Origin::load).
    pub fn new(key: &KeySource, certificate: Option<&Path>) -> Result<Self, KeyError> {
        let passphrase = match &key.passphrase {
            None | Some(SecretSource::File(_)) => None,
            Some(source) => Some(read_passphrase(source)?),
        };
        let pem = match &key.pem {
            SecretSource::File(_) => None,
            source => Some(read_secret(source)?),
        };
        Ok(Self { key: key.clone(), certificate: certificate.map(Path::to_path_buf), passphrase, pem })
    }

    /// The files of the set, each with its stamp as of now; `None` for one that is not there.
    pub fn stamps(&self) -> Vec<Option<FileStamp>> {
        self.files().map(|path| FileStamp::of(path).ok()).collect()
    }

    fn files(&self) -> impl Iterator<Item = &Path> {
        let key = as_file(&self.key.pem);
        let passphrase = self.key.passphrase.as_ref().and_then(as_file);
        key.into_iter().chain(passphrase).chain(self.certificate.as_deref())
    }

    /// Reads key, passphrase and certificate as one set.
    ///
    /// A set counts only when, after all of it was read, each path still leads to the very file that was read:
    /// then all of them stood there at one moment. A Kubernetes `..data` swap or a rename between two reads
    /// shows as another inode (what was read is kept open meanwhile, so that its inode cannot come back), and
    /// the set is read anew.
    ///
    /// # Errors
    ///
    /// What is wrong with key or certificate; [`KeyMistake::Changing`] where they never stood still.
    pub fn load(&self) -> Result<(Loaded, Vec<Option<FileStamp>>), KeyError> {
        for _ in 0..ATTEMPTS {
            let before = self.stamps();
            let mut held = Vec::with_capacity(before.len());
            let outcome = self.read(&mut held);
            let after = self.stamps();
            let same = held.iter().zip(&after).all(|(file, now)| Some(file.stamp()) == *now);
            let still = match &outcome {
                Ok(_) => same && held.len() == after.len(),
                Err(error) => same && before == after && !matches!(error.mistake(), KeyMistake::Changing),
            };
            if still {
                return outcome.map(|loaded| (loaded, after));
            }
        }
        Err(KeyMistake::Changing.at(Place::of(&self.key.pem)))
    }

    fn read(&self, held: &mut Vec<HeldFile>) -> Result<Loaded, KeyError> {
        let place = Place::of(&self.key.pem);
        let at = |mistake: KeyMistake| mistake.at(place.clone());
        let from_file;
        let pem = match (&self.key.pem, &self.pem) {
            (SecretSource::File(path), _) => {
                let (bytes, file) = read_secret_file(path).map_err(at)?;
                held.push(file);
                from_file = bytes;
                from_file.expose()
            }
            (_, Some(pem)) => pem.expose(),
            (_, None) => return Err(at(KeyMistake::NotSet)),
        };
        let opened;
        let passphrase = match &self.key.passphrase {
            Some(SecretSource::File(path)) => {
                let read = read_secret_file(path).and_then(|(bytes, file)| {
                    held.push(file);
                    passphrase_text(bytes.expose())
                });
                opened = read.map_err(|mistake| mistake.at(Place::file(path)))?;
                Some(&opened)
            }
            _ => self.passphrase.as_ref(),
        };
        let key = read_private_key(pem, passphrase).map_err(|error| error.at(place.clone()))?;
        let certificate = match &self.certificate {
            Some(path) => {
                let certificate = |error: crate::crypto::CertificateError| {
                    at(KeyMistake::Certificate(error.at(Place::file(path))))
                };
                let (bytes, file) = read_public_file(path).map_err(|mistake| certificate(mistake.into()))?;
                held.push(file);
                let all = read_certificates(&bytes).map_err(certificate)?;
                Some(belonging(&all, &key.key_id(), Place::file(path)).map_err(at)?)
            }
            // A bundle brings its own; one that holds none is fine.
            None => match read_certificates(pem) {
                Ok(all) => Some(belonging(&all, &key.key_id(), place.clone()).map_err(at)?),
                Err(_) => None,
            },
        };
        let pair = KeyPair::from_pkcs8(key.pkcs8_der().expose())
            .map_err(|_| at(KeyMistake::Inconsistent("the crypto library refuses it")))?;
        Ok(Loaded { pair, key_id: key.key_id(), certificate })
    }
}

fn as_file(source: &SecretSource) -> Option<&Path> {
    match source {
        SecretSource::File(path) => Some(path),
        _ => None,
    }
}

/// The certificate of `all` that was made for the key; the others of a bundle are its chain.
fn belonging(all: &[Certificate], key: &KeyId, place: Place) -> Result<CertificateFacts, KeyMistake> {
    match all.iter().find(|certificate| certificate.key_id() == *key) {
        Some(certificate) => Ok(certificate.into()),
        None => Err(KeyMistake::CertificateMismatch {
            certificate: place,
            subject: all.first().map(|certificate| certificate.subject().to_string()).unwrap_or_default(),
        }),
    }
}
