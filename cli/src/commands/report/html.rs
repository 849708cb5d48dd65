//! A page of HTML that needs nothing but itself.

use std::fmt::Write;

/// Light and dark by what the reader has set, and black on white on paper. Pictures are drawn on white.
const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1a1c20;--pale:#6a6f78;--line:#d9dce1;--paper:#fff;--card:#f6f7f9}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8ec;--pale:#9aa0aa;--line:#3a3f47;--paper:#16181c;--card:#1f2227}
figure svg.curves{filter:invert(1) hue-rotate(180deg)}}
@media print{:root{--ink:#000;--pale:#444;--line:#bbb;--paper:#fff;--card:#fff}
figure svg.curves{filter:none}details>*{display:block}details{break-inside:auto}figure,tr{break-inside:avoid}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem;max-width:70rem;background:var(--paper);color:var(--ink);\
font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.5rem;border-bottom:1px solid var(--line)}h3{font-size:1rem}
nav{color:var(--pale)}nav a{margin-right:1rem}a{color:inherit}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line)}
th{color:var(--pale);font-weight:500}td.number,th.number{text-align:right}td.best{font-weight:700}
code,pre{font:.85em/1.45 ui-monospace,monospace}
pre{background:var(--card);padding:.75rem;overflow-x:auto;white-space:pre-wrap}
figure{margin:1rem 0}figure svg,figure img{max-width:100%;height:auto;display:block}figcaption{color:var(--pale)}
.pictures{display:flex;flex-wrap:wrap;gap:1rem}.pictures figure{flex:1 1 18rem;max-width:34rem}
summary{cursor:pointer}
";

/// A page that grows from top to bottom.
pub struct Page {
    title: String,
    sections: Vec<(&'static str, &'static str, String)>,
}

/// A cell of a table.
pub struct Cell {
    text: String,
    class: &'static str,
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: escaped(&text.into()), class: "" }
    }

    /// What is read digit by digit, such as a hash or a path.
    pub fn code(text: &str) -> Self {
        let text = if text.is_empty() { String::new() } else { format!("<code>{}</code>", escaped(text)) };
        Self { text, class: "" }
    }

    /// A number, flush right.
    pub fn number(text: impl Into<String>) -> Self {
        Self { text: escaped(&text.into()), class: "number" }
    }

    /// What stands out.
    pub fn best(text: impl Into<String>) -> Self {
        Self { text: escaped(&text.into()), class: "best" }
    }
}

impl Page {
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), sections: Vec::new() }
    }

    /// A section with an anchor; left out where there is nothing to say.
    pub fn section(&mut self, anchor: &'static str, title: &'static str, content: String) {
        if !content.is_empty() {
            self.sections.push((anchor, title, content));
        }
    }

    pub fn finish(self) -> String {
        let title = escaped(&self.title);
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<nav>"
        );
        for (anchor, title, _) in &self.sections {
            let _ = write!(page, "<a href=\"#{anchor}\">{title}</a> ");
        }
        page += "</nav>\n";
        for (anchor, title, content) in &self.sections {
            let _ = writeln!(page, "<section id=\"{anchor}\">\n<h2>{title}</h2>\n{content}</section>");
        }
        page + "</body>\n</html>\n"
    }
}

/// A table; the first row is its head.
pub fn table(head: &[Cell], rows: &[Vec<Cell>]) -> String {
    let row = |cells: &[Cell], tag: &str| {
        let cell = |Cell { text, class }: &Cell| match class.is_empty() {
            true => format!("<{tag}>{text}</{tag}>"),
            false => format!("<{tag} class=\"{class}\">{text}</{tag}>"),
        };
        format!("<tr>{}</tr>\n", cells.iter().map(cell).collect::<String>())
    };
    let body: String = rows.iter().map(|cells| row(cells, "td")).collect();
    format!(
        "<div class=\"wide\"><table>\n<thead>{}</thead>\n<tbody>\n{body}</tbody></table></div>\n",
        row(head, "th").trim()
    )
}

/// A picture with what it shows.
pub fn figure(svg: &str, class: &str, caption: &str) -> String {
    let svg = svg.replacen(
        "<svg ",
        &format!("<svg class=\"{class}\" role=\"img\" aria-label=\"{}\" ", escaped(caption)),
        1,
    );
    format!("<figure>\n{svg}<figcaption>{}</figcaption></figure>\n", escaped(caption))
}

pub fn heading(text: &str) -> String {
    format!("<h3>{}</h3>\n", escaped(text))
}

pub fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escaped(text))
}

pub fn preformatted(text: &str) -> String {
    format!("<pre>{}</pre>\n", escaped(text))
}

/// What is there for those who want to see it.
pub fn folded(summary: &str, content: &str) -> String {
    format!("<details><summary>{}</summary>\n{content}</details>\n", escaped(summary))
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_run_is_taken_for_html() {
        let mut page = Page::new("<script>alert('1')</script>");
        page.section("a", "A", table(&[Cell::text("a&b")], &[vec![Cell::code("\"<b>")]]));
        page.section("b", "B", String::new());
        let page = page.finish();
        assert!(!page.contains("<script") && !page.contains("\"<b>"), "{page}");
        assert!(page.contains("<title>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;</title>"));
        assert!(page.contains("<th>a&amp;b</th>") && page.contains("<code>&quot;&lt;b&gt;</code>"));
        assert!(page.contains("href=\"#a\"") && !page.contains("href=\"#b\""));
    }
}
