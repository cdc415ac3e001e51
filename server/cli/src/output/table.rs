//! Columns: aligned for eyes, separated by tabs for programs that did not ask for JSON.

use comfy_table::{Attribute, Cell, Color, ContentArrangement, presets};

use super::text::{Part, Tone, paint, plain, visible};

/// Rows under headers.
#[derive(Debug)]
pub(crate) struct Table {
    headers: Vec<&'static str>,
    rows: Vec<Vec<Part>>,
}

impl Table {
    pub(crate) fn new(headers: &[&'static str]) -> Self {
        Self { headers: headers.to_vec(), rows: vec![] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Part>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines to print.
    pub(super) fn lines(&self, is_terminal: bool, color: bool) -> Vec<String> {
        if !is_terminal {
            let headers: Vec<Part> = self.headers.iter().map(|header| plain(*header)).collect();
            return std::iter::once(&headers).chain(&self.rows).map(|row| tabs(row)).collect();
        }
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        if color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(
            self.headers.iter().map(|header| cell(&Part { text: (*header).to_owned(), tone: Tone::Dim })),
        );
        for row in &self.rows {
            table.add_row(row.iter().map(cell));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table.lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

fn tabs(row: &[Part]) -> String {
    row.iter().map(|part| paint(std::slice::from_ref(part), false)).collect::<Vec<_>>().join("\t")
}

fn cell(part: &Part) -> Cell {
    let cell = Cell::new(visible(&part.text));
    match part.tone {
        Tone::Plain => cell,
        Tone::Strong => cell.add_attribute(Attribute::Bold),
        Tone::Dim => cell.add_attribute(Attribute::Dim),
        Tone::Good => cell.fg(Color::Green),
        Tone::Warn => cell.fg(Color::Yellow),
        Tone::Bad => cell.fg(Color::Red),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::text::bad, *};

    fn table() -> Table {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row([plain("i-1\tx"), bad("✖ Failed")]);
        table.row([plain("i-10"), plain("ok")]);
        table
    }

    #[test]
    fn pipes_get_tabs_that_no_cell_can_forge() {
        assert_eq!(table().lines(false, false), ["NAME\tSTATE", "i-1\\tx\t✖ Failed", "i-10\tok"]);
    }

    #[test]
    fn terminals_get_aligned_columns() {
        let lines = table().lines(true, false);
        assert_eq!(lines, ["NAME    STATE", "i-1\\tx  ✖ Failed", "i-10    ok"]);
    }

    #[test]
    fn colour_is_used_only_where_it_is_allowed() {
        let is_coloured = |color| table().lines(true, color).iter().any(|line| line.contains('\u{1b}'));
        assert!(is_coloured(true) && !is_coloured(false));
    }
}
