//! Random numbers that can be repeated.

/// A small generator of repeatable numbers (SplitMix64).
pub struct Random(u64);

impl Random {
    /// Creates a generator with a seed of this process, which it prints.
    pub fn new() -> Random {
        let seed = u64::from(std::process::id()) ^ 0x6a65_746f_6e00;
        eprintln!("seed of this run: {seed}");
        Random(seed)
    }

    /// Returns a number from 0 to `below` - 1.
    pub fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below as u64) as usize
    }
}
