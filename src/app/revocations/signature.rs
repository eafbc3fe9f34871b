//! The signature of receipts: Ed25519 as a compact JWS (RFC 7515, RFC 8037). Every node derives the key from the
//! pepper, so all nodes sign with the same key, and no key is stored.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::token::Pepper;
use ring::{
    digest::{SHA256, digest},
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};

/// The type of the signed text, which distinguishes it from others (RFC 7515, section 4.1.9).
const KIND: &str = "jeton-revocation-receipt";

/// Signs receipts.
pub struct Signer {
    keys: Ed25519KeyPair,
    id: String,
}

impl Signer {
    /// Creates the signer that every node with this pepper has.
    pub fn new(pepper: &Pepper) -> Self {
        let seed = pepper.derive("signature of receipts", b"1");
        let keys = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed has 32 bytes");
        let mut signer = Self { keys, id: String::new() };
        // The thumbprint of RFC 7638: the required fields in alphabetical order.
        let thumbprint = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, signer.public_key());
        signer.id = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, thumbprint.as_bytes()));
        signer
    }

    fn public_key(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.keys.public_key())
    }

    /// Returns the set of public keys (RFC 7517), which has one key.
    pub fn key_set(&self) -> Value {
        let key = json!({
            "kty": "OKP", "crv": "Ed25519", "x": self.public_key(), "kid": self.id, "use": "sig", "alg": "EdDSA",
        });
        json!({ "keys": [key] })
    }

    /// Returns the text with its signature, as a compact JWS.
    pub fn sign(&self, payload: &str) -> String {
        let header = json!({ "alg": "EdDSA", "kid": self.id, "typ": KIND }).to_string();
        let [header, payload] = [&header, payload].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
        let signed = format!("{header}.{payload}");
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.keys.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}
