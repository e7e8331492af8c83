//! Draws a terminal's output as an SVG image, which follows the reader's light or dark color scheme.

use std::fmt::Write;

use textwrap::core::display_width;

use super::screen::{Line, Look, Piece, WIDTH};

/// The approximate width of a column in a monospaced font of 14 pixels.
const COLUMN: f64 = 8.4;
const ROW: usize = 20;
const MARGIN: usize = 16;

/// No scripts and no web fonts, because GitHub blocks both in images. Each contrast is 4.5 or more.
const STYLE: &str = "\
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace;white-space:pre}
.frame{fill:#f6f8fa;stroke:#d1d9e0}
.plain,.heading{fill:#1f2328}
.heading,.good,.planned,.bad{font-weight:bold}
.command{fill:#0969da}
.faint{fill:#59636e}
.good{fill:#116329}
.planned{fill:#7d4e00}
.bad{fill:#a40e26}
@media (prefers-color-scheme:dark){
.frame{fill:#151b23;stroke:#3d444d}
.plain,.heading{fill:#f0f6fc}
.command{fill:#79c0ff}
.faint{fill:#9198a1}
.good{fill:#56d364}
.planned{fill:#e3b341}
.bad{fill:#ff7b72}
}
";

/// The image of a command and the lines that it printed.
pub fn svg(command: &str, lines: &[Line]) -> String {
    let prompt = [
        Line::blank()
            .put(0, Look::Faint, "$")
            .put(2, Look::Command, command),
        Line::blank(),
    ];
    let width = (WIDTH as f64 * COLUMN) as usize + 2 * MARGIN;
    let height = (prompt.len() + lines.len()) * ROW + 2 * MARGIN;
    let mut body = String::new();
    for (row, line) in prompt.iter().chain(lines).enumerate() {
        for piece in line.pieces() {
            text(&mut body, row, piece);
        }
    }
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="title desc">
<title id="title">{title}</title>
<desc id="desc">The command's output in a terminal: AppFlow's registrations of a Lambda function, with the connector version before and after each event, and the outcome.</desc>
<style>
{STYLE}</style>
<rect class="frame" x="0.5" y="0.5" width="{}" height="{}" rx="6"/>
{body}</svg>
"#,
        width - 1,
        height - 1,
        title = escaped(command),
    )
}

/// Draws a text. `textLength` keeps columns aligned in any font.
fn text(body: &mut String, row: usize, piece: &Piece) {
    let class = match piece.look {
        Look::Plain => "plain",
        Look::Heading => "heading",
        Look::Command => "command",
        Look::Faint => "faint",
        Look::Good => "good",
        Look::Planned => "planned",
        Look::Bad => "bad",
    };
    let x = piece.column as f64 * COLUMN + MARGIN as f64;
    let y = row * ROW + MARGIN + 14;
    let length = display_width(&piece.text) as f64 * COLUMN;
    writeln!(
        body,
        r#"<text class="{class}" x="{x:.1}" y="{y}" textLength="{length:.1}">{}</text>"#,
        escaped(&piece.text)
    )
    .expect("a String takes any text");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_markup_in_a_text_is_shown_as_text() {
        let svg = svg(
            "cargo local",
            &[Line::blank().put(0, Look::Plain, "<a> & b")],
        );
        assert!(svg.contains(">&lt;a&gt; &amp; b</text>"), "{svg}");
    }
}
