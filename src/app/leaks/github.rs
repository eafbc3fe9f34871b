//! GitHub's secret scanning: verifies a report by GitHub's signature over the body as it was sent.
//!
//! GitHub publishes its public keys at <https://api.github.com/meta/public_keys/secret_scanning>. Jeton makes no
//! outgoing requests by itself, so the operator keeps a copy of that file, and replaces it when GitHub changes its
//! keys. The file is read for each report.

use crate::{Jeton, Result, StartError};
use base64::{Engine, prelude::BASE64_STANDARD};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde::Deserialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The DER prefix of a public key on the curve P-256 (RFC 5480), before the 65 bytes of its point.
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The file with GitHub's public keys.
pub struct GitHub(PathBuf);

/// The content of the file, as GitHub serves it.
#[derive(Deserialize)]
struct Keys {
    public_keys: Vec<PublicKey>,
}

#[derive(Deserialize)]
struct PublicKey {
    key_identifier: String,
    /// The public key in PEM.
    key: String,
    is_current: bool,
}

impl GitHub {
    /// Opens the file and checks its form.
    ///
    /// # Errors
    /// [`StartError::File`] if it cannot be read, or has another form.
    pub fn open(path: PathBuf) -> std::result::Result<Self, StartError> {
        match read(&path) {
            Ok(_) => Ok(Self(path)),
            Err(error) => Err(StartError::File { path, error }),
        }
    }

    /// Returns whether the current key with this id has signed the body.
    fn has_signed(&self, id: &str, signature: &str, body: &[u8]) -> io::Result<bool> {
        let keys = read(&self.0)?;
        let key = keys.public_keys.iter().find(|key| key.key_identifier == id && key.is_current);
        let (Some(point), Ok(signature)) = (key.and_then(point), BASE64_STANDARD.decode(signature)) else {
            return Ok(false);
        };
        Ok(UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(body, &signature).is_ok())
    }
}

/// Returns whether GitHub has signed this body with its current key of this id; false without GitHub's public keys.
///
/// # Errors
/// When the thread that verifies fails.
pub async fn is_of_github(
    jeton: &Jeton,
    id: String,
    signature: String,
    body: impl AsRef<[u8]> + Send + 'static,
) -> Result<bool> {
    let Some(github) = jeton.github.as_ref().map(|github| GitHub(github.0.clone())) else { return Ok(false) };
    Jeton::blocking(move || {
        Ok(github.has_signed(&id, &signature, body.as_ref()).unwrap_or_else(|error| {
            tracing::error!(%error, file = %github.0.display(), "GitHub's public keys cannot be read");
            false
        }))
    })
    .await
}

fn read(path: &Path) -> io::Result<Keys> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// Returns the point on the curve of a public key.
fn point(key: &PublicKey) -> Option<Vec<u8>> {
    let base64: String = key.key.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    let der = BASE64_STANDARD.decode(base64).ok()?;
    der.strip_prefix(&P256).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_example_of_github_is_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let write = |is_current: bool| {
            let key = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAd\nAjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9/AmtoNP5GrobzUvQSyJFVw==\n-----END PUBLIC KEY-----";
            let keys = serde_json::json!({ "public_keys": [{ "key_identifier": "bcb53661", "key": key, "is_current": is_current }] });
            fs::write(&path, keys.to_string()).unwrap();
        };
        write(true);
        let github = GitHub::open(path.clone()).unwrap();
        let body = br#"[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]"#;
        let signature =
            "MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4xg==";
        assert!(github.has_signed("bcb53661", signature, body).unwrap());
        assert!(!github.has_signed("another", signature, body).unwrap());
        assert!(!github.has_signed("bcb53661", signature, &body[1..]).unwrap());
        for wrong in ["", "=", "AAAA", &signature[4..]] {
            assert!(!github.has_signed("bcb53661", wrong, body).unwrap(), "{wrong}");
        }
        write(false);
        assert!(!github.has_signed("bcb53661", signature, body).unwrap(), "a key that is not current any more");
        fs::write(&path, "[]").unwrap();
        assert!(github.has_signed("bcb53661", signature, body).is_err());
        assert!(GitHub::open(path).is_err());
    }
}
