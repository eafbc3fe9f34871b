//! The last use of a token in words.

use super::texts::Texts;
use domain::token::LastUse;

impl Texts {
    /// “Last used 3 minutes ago from 192.0.2.7 with curl 8.5.0”
    pub fn use_in_a_line(self, used: &LastUse, when: &str) -> String {
        self.from_and_with(used, self.tokens_used(when))
    }

    /// Returns these words with the address and the program: “3 minutes ago from 192.0.2.7 with curl 8.5.0”
    pub fn from_and_with(self, used: &LastUse, words: String) -> String {
        let address = Some(&used.address).filter(|address| !address.is_empty());
        let agent = Some(&used.program).filter(|agent| !agent.is_empty());
        let mut words = vec![words];
        words.extend(address.map(|address| self.tokens_used_from(address)));
        words.extend(agent.map(|agent| self.tokens_used_with(self.program(agent))));
        words.join(" ")
    }

    /// Returns from where and by what program a token was last used, one line each; the program's own `User-Agent` is
    /// below its name.
    pub fn use_in_lines(self, used: &LastUse) -> Vec<String> {
        let program = (!used.program.is_empty()).then(|| self.program(&used.program));
        let own_words = Some(&used.program).filter(|agent| Some(*agent) != program.as_ref());
        let lines = [Some(used.address.clone()), program, own_words.cloned()];
        lines.into_iter().flatten().filter(|line| !line.is_empty()).collect()
    }

    /// Returns what will stop when a token is revoked: when, from where and by what program it was last used.
    pub fn last_use_sentence(self, used: &LastUse, when: String) -> String {
        let (from, program) = (&used.address, self.program(&used.program));
        match (from.is_empty(), used.program.is_empty()) {
            (true, true) => self.tokens_last_use(when),
            (false, true) => self.tokens_last_use_from(when, from),
            (true, false) => self.tokens_last_use_with(when, program),
            (false, false) => self.tokens_last_use_from_with(when, from, program),
        }
    }
}

/// Capitalizes a text, so that it can stand alone.
pub fn capitalized(words: String) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
