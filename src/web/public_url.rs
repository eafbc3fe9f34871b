//! The address at which people and programs reach this server.

use url::Url;

/// The address at which people and programs reach this server, in its normal form and without a slash at the end.
/// Absolute addresses are built from it, never from a request (C10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(pub String);

impl PublicUrl {
    /// Parses an `http://` or `https://` address without path, query, or user, in every spelling that browsers treat as
    /// the same: upper case, the default port, letters beyond ASCII, a dot at the end of the host.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        const FORM: &str = "it must look like https://jeton.example.org";
        let url = Url::parse(text.trim()).map_err(|error| format!("{FORM}: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{FORM}, with https:// or http:// at its beginning"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("{FORM}, without a user before @"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(format!("{FORM}, without a path: Jeton has a host, or a port of it, for itself"));
        }
        origin(&url).map(Self).ok_or_else(|| FORM.into())
    }

    /// Returns whether browsers use TLS.
    pub fn is_https(&self) -> bool {
        self.scheme() == "https"
    }

    /// Returns the part before `://`.
    pub fn scheme(&self) -> &str {
        self.0.split_once("://").map_or("", |(scheme, _)| scheme)
    }

    /// Returns the host, with the port if it is not the scheme's default.
    pub fn host(&self) -> &str {
        self.0.split_once("://").map_or(self.0.as_str(), |(_, host)| host)
    }
}

/// Formats `https://HOST:PORT` as browsers write it, without the default port and without a dot at the end of the host.
fn origin(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    let host = host.strip_suffix('.').unwrap_or(host);
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{host}{port}", url.scheme()))
}

#[cfg(test)]
mod tests {
    use super::PublicUrl;

    #[test]
    fn every_spelling_of_an_address_is_one_address() {
        for (same, spellings) in [
            (
                "https://jeton.example.org",
                [
                    "https://jeton.example.org/",
                    "HTTPS://Jeton.Example.ORG",
                    "https://jeton.example.org:443",
                    " https://jeton.example.org.\n",
                    "https://jeton.example.org.:0443/",
                ],
            ),
            (
                "http://10.1.2.3",
                ["http://10.1.2.3:80", "http://10.1.2.3/", "http://0x0a.1.2.3", "http://10.66051", "http://10.1.2.3."],
            ),
            (
                "https://jeton.xn--exmple-cua.org:8443",
                [
                    "https://jeton.exämple.org:8443",
                    "https://JETON.EXÄMPLE.org:8443/",
                    "https://jeton.xn--EXMPLE-cua.org:8443",
                    "https://jeton.exa\u{308}mple.org:8443",
                    "https://jeton。exämple.org:8443",
                ],
            ),
            (
                "http://[2001:db8::1]:8080",
                [
                    "http://[2001:db8::1]:8080",
                    "http://[2001:DB8:0:0:0:0:0:1]:8080/",
                    "http://[2001:db8::0:1]:8080",
                    "http://[2001:0db8::0001]:8080",
                    "http://[2001:db8::0.0.0.1]:08080",
                ],
            ),
        ] {
            for spelling in spellings {
                assert_eq!(PublicUrl::parse(spelling), Ok(PublicUrl(same.into())), "{spelling}");
            }
        }
    }

    #[test]
    fn a_public_address_has_no_path() {
        for (wrong, why) in [
            ("jeton.example.org", "must look like"),
            ("jeton.example.org:8080", "beginning"),
            ("ftp://jeton.example.org", "beginning"),
            ("https://jeton.example.org/path", "path"),
            ("https://jeton.example.org/?", "path"),
            ("https://jeton.example.org?x=y", "path"),
            ("https://jeton.example.org/#top", "path"),
            ("https://ann@jeton.example.org", "user"),
            ("https://:secret@jeton.example.org", "user"),
            ("https://jeton.example.org:99999", "must look like"),
            ("https://jeton example.org", "must look like"),
            ("https://[fe80::1%25eth0]", "must look like"),
            ("https://", "must look like"),
            ("", "must look like"),
        ] {
            let said = PublicUrl::parse(wrong).expect_err(wrong);
            assert!(said.contains(why), "{wrong}: {said}");
        }
    }
}
