//! Random bytes from the operating system.

use domain::token;

/// Fills a buffer with random bytes from the operating system.
pub fn fill(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the operating system provides random bytes");
}

/// Returns random bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// Returns a random text of 200 bits that is safe in a URL.
pub fn code() -> String {
    (0..4).map(|_| token::public_id(fill)).collect()
}
