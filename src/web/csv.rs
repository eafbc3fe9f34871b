//! Tables as text that spreadsheets open (RFC 4180).

/// What a file begins with, so that Excel takes it for UTF-8.
pub const BEGINNING: &str = "\u{feff}";

/// A line of these cells. Each is quoted, and one that a spreadsheet would take for a formula gets an apostrophe in front,
/// which spreadsheets show as text (G4): whatever a name begins with, opening the file runs nothing.
pub fn line(cells: &[&str]) -> String {
    let mut line = cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_cell_can_hold_anything_and_runs_nothing() {
        assert_eq!(line(&["a", "b,\"c\"", ""]), "\"a\",\"b,\"\"c\"\"\",\"\"\r\n");
        for formula in ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1"] {
            assert_eq!(line(&[formula]), format!("\"'{formula}\"\r\n"));
        }
    }
}
