//! Percent-encoding in addresses with a user and a password (RFC 3986, section 2.1).

/// The error for an address that is wrong near its user and password. It repeats nothing of the text, which may be the
/// password.
pub const RESERVED: &str = "its user or password has characters with a special meaning in an address; write @ as \
                            %40, / as %2F, ? as %3F, # as %23, : as %3A and % as %25";

/// Decodes percent-encoding.
///
/// # Errors
/// A sentence that says how to write it.
pub fn decode(text: &str) -> Result<String, &'static str> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digit = |at: usize| part.as_bytes().get(at).and_then(|digit| char::from(*digit).to_digit(16));
        let byte = digit(0).zip(digit(1)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        let byte = byte.filter(|byte| *byte != 0);
        bytes.push(byte.ok_or("% must be followed by two hexadecimal digits; write % itself as %25")?);
        bytes.extend(part.bytes().skip(2));
    }
    String::from_utf8(bytes).map_err(|_| "percent-encoded text must be UTF-8")
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn percent_encoding_is_decoded_and_anything_malformed_refused() {
        for (text, plain) in [("", ""), ("é", "é"), ("%40%2f%2F%c3%a9x", "@//éx"), ("100%25", "100%"), ("a+b", "a+b")]
        {
            assert_eq!(decode(text).as_deref(), Ok(plain));
        }
        for wrong in ["%", "a%4", "%zz", "%é", "%00", "%ff", "%+1", "%%41"] {
            assert!(decode(wrong).is_err(), "{wrong}");
        }
    }
}
