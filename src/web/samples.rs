//! Examples of requests with a key, for the page that shows it.

use super::routes::path;

/// Examples that can be pasted as they are.
pub struct Samples {
    /// For a terminal.
    pub curl: String,
    /// For Power BI and Excel.
    pub power_query: String,
    /// For R, with httr2.
    pub r: String,
    /// For Python, with requests.
    pub python: String,
}

impl Samples {
    /// Examples for the server at `base` with this key.
    pub fn new(base: &str, key: &str) -> Self {
        let (url, relative) = (format!("{base}{}", path::ME), path::ME.trim_start_matches('/'));
        Self {
            curl: format!("curl -H \"Authorization: Bearer {key}\" {url}"),
            power_query: format!(
                "let\n    Source = Json.Document(Web.Contents(\"{base}\", [\n        RelativePath = \"{relative}\",\n        \
                 Headers = [Authorization = \"Bearer {key}\"]\n    ]))\nin\n    Source"
            ),
            r: format!(
                "library(httr2)\n\nrequest(\"{url}\") |>\n  req_auth_bearer_token(\"{key}\") |>\n  req_perform() |>\n  \
                 resp_body_json()"
            ),
            python: format!(
                "import requests\n\nanswer = requests.get(\n    \"{url}\",\n    headers={{\"Authorization\": \
                 \"Bearer {key}\"}},\n    timeout=10,\n)\nanswer.raise_for_status()\nprint(answer.json())"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Samples;

    #[test]
    fn every_example_has_the_key_and_the_address() {
        let samples = Samples::new("https://jeton.example.org", "jtn_p_key");
        assert_eq!(samples.curl, "curl -H \"Authorization: Bearer jtn_p_key\" https://jeton.example.org/api/v1/me");
        for sample in [samples.power_query, samples.r, samples.python] {
            assert!(sample.contains("jtn_p_key") && sample.contains("https://jeton.example.org"), "{sample}");
            assert!(sample.contains("api/v1/me"), "{sample}");
        }
    }
}
