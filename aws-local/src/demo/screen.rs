//! Lines of styled text, for a terminal and for an image.

use std::fmt;

use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;
use textwrap::{Options, WordSplitter};

/// The most columns of a line.
pub const WIDTH: usize = 80;

/// How a text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Ordinary text.
    Plain,
    /// The head of a table or of a list.
    Heading,
    /// Something to type.
    Command,
    /// Less important.
    Faint,
    /// Something was done.
    Good,
    /// Something would be done.
    Planned,
    /// Something failed.
    Bad,
}

impl Look {
    fn style(self) -> Style {
        let style = Style::new();
        match self {
            Self::Plain => style,
            Self::Heading => style.bold(),
            Self::Command => AnsiColor::Cyan.on_default(),
            Self::Faint => style.dimmed(),
            Self::Good => AnsiColor::Green.on_default().bold(),
            Self::Planned => AnsiColor::Yellow.on_default().bold(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
        }
    }
}

/// A text and the column that it begins in.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The column, from 0.
    pub column: usize,
    /// How the text looks.
    pub look: Look,
    /// The text.
    pub text: String,
}

/// One line. It displays with a terminal's escape codes, which `anstream` removes if the output is not a
/// terminal, or colors are off.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pieces: Vec<Piece>,
}

impl Line {
    /// A line with nothing in it.
    pub fn blank() -> Self {
        Self::default()
    }

    /// Adds a text, from left to right.
    pub fn put(mut self, column: usize, look: Look, text: impl Into<String>) -> Self {
        self.pieces.push(Piece {
            column,
            look,
            text: text.into(),
        });
        self
    }

    /// Its texts, from left to right.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// How many columns it takes.
    pub fn width(&self) -> usize {
        self.pieces
            .last()
            .map_or(0, |piece| piece.column + display_width(&piece.text))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut column = 0;
        for piece in &self.pieces {
            let (style, gap) = (piece.look.style(), piece.column.saturating_sub(column));
            write!(formatter, "{:gap$}{style}{}{style:#}", "", piece.text)?;
            column += gap + display_width(&piece.text);
        }
        Ok(())
    }
}

/// Wraps a text into lines that begin in the same column. Words are not split if they fit.
pub fn wrapped(indent: usize, look: Look, text: &str) -> Vec<Line> {
    let options = Options::new(WIDTH - indent).word_splitter(WordSplitter::NoHyphenation);
    textwrap::wrap(text, options)
        .into_iter()
        .map(|line| Line::blank().put(indent, look, line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_wrapped_below_itself_and_names_stay_whole() {
        let lines = wrapped(4, Look::Plain, &"acme-crm-connector → ".repeat(7));
        assert_eq!(lines.len(), 3);
        for line in lines {
            assert!(line.width() <= WIDTH, "{line}");
            assert!(line.to_string().starts_with("    acme-"), "{line}");
            assert!(line.to_string().ends_with("connector →"), "{line}");
        }
    }

    #[test]
    fn an_arrow_takes_one_column() {
        let line = Line::blank()
            .put(2, Look::Plain, "1.6 → 1.7")
            .put(13, Look::Plain, "updated");
        assert_eq!(line.to_string(), "  1.6 → 1.7  updated");
        assert_eq!(line.width(), 20);
    }

    #[test]
    fn a_style_ends_with_its_text() {
        let line = Line::blank()
            .put(0, Look::Bad, "failed")
            .put(7, Look::Plain, "here");
        assert_eq!(line.to_string(), "\u{1b}[1m\u{1b}[31mfailed\u{1b}[0m here");
    }
}
