//! Tables, which become cards on a narrow page.

use maud::{Markup, html};

/// A table. On a narrow page, each row becomes a card in which each cell shows the name of its column.
///
/// The roles repeat what a table means, because a browser drops that meaning if the style turns rows into cards.
pub fn table(label: &str, columns: &[&str], rows: &[Vec<Markup>]) -> Markup {
    html! {
        table.cards role="table" aria-label=(label) {
            thead role="rowgroup" {
                tr role="row" { @for column in columns { th role="columnheader" scope="col" { (column) } } }
            }
            tbody role="rowgroup" {
                @for row in rows {
                    tr role="row" {
                        @for (column, cell) in columns.iter().zip(row) { td role="cell" data-label=(column) { (cell) } }
                    }
                }
            }
        }
    }
}
