//! The names of programs that use Jeton, read from their `User-Agent`.

use crate::texts::Texts;

impl Texts {
    /// Returns the name of a browser and its system from its `User-Agent`: “Firefox on Windows”.
    pub fn device(self, agent: &str) -> String {
        match (find(&BROWSERS, agent), find(&SYSTEMS, agent)) {
            (Some(browser), Some(system)) => self.device_on(browser, system),
            _ => self.program(agent),
        }
    }

    /// Returns the name of a program that uses tokens from its `User-Agent`: “curl 8.5.0”.
    pub fn program(self, agent: &str) -> String {
        if agent.contains("Microsoft.Data.Mashup") {
            return self.device_power_query().into();
        }
        if let (Some(browser), Some(system)) = (find(&BROWSERS, agent), find(&SYSTEMS, agent)) {
            return self.device_on(browser, system);
        }
        match agent.split_whitespace().next() {
            Some(product) => product.replacen('/', " ", 1).chars().take(60).collect(),
            None => self.device_unknown().into(),
        }
    }
}

/// Marks of browsers; one that also contains another's mark comes before it.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Marks of systems, in the same way.
const SYSTEMS: [(&str, &str); 8] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

fn find(names: &[(&str, &'static str)], agent: &str) -> Option<&'static str> {
    names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::user::Language;

    const ENGLISH: Texts = Texts(Language::En);
    const FRENCH: Texts = Texts(Language::Fr);

    #[test]
    fn programs_are_named() {
        let firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0";
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1";
        assert_eq!(FRENCH.device(firefox), "Firefox sous Windows");
        assert_eq!(ENGLISH.device(edge), "Edge on Windows");
        assert_eq!(ENGLISH.device(iphone), "Safari on iPhone");
        assert_eq!(ENGLISH.program("curl/8.5.0"), "curl 8.5.0");
        assert_eq!(ENGLISH.program("Microsoft.Data.Mashup (https://example.org)"), "Power BI or Excel");
        assert_eq!(FRENCH.device(""), "Programme inconnu");
    }
}
