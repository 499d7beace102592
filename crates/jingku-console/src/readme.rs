//! Readmes, which any tenant can write, as HTML.
//!
//! `pulldown-cmark` escapes all text. What is left to decide: HTML in a readme is shown as text, links lead to the web or
//! to mail, and pictures become links, because the page loads nothing from elsewhere.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// Renders a readme.
pub(crate) fn render(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut html = String::new();
    html::push_html(&mut html, Parser::new_ext(markdown, options).map(make_safe));
    html
}

fn make_safe(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(
            Tag::Link { link_type, dest_url, title, id } | Tag::Image { link_type, dest_url, title, id },
        ) => {
            let dest_url = if is_safe(&dest_url) { dest_url } else { CowStr::Borrowed("#") };
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
        // The page has the one of its first level.
        Event::Start(Tag::Heading { level, .. }) => Event::Start(Tag::Heading {
            level: lower(level),
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        }),
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lower(level))),
        other => other,
    }
}

fn lower(level: pulldown_cmark::HeadingLevel) -> pulldown_cmark::HeadingLevel {
    pulldown_cmark::HeadingLevel::try_from((level as usize + 2).min(6)).unwrap_or(level)
}

fn is_safe(url: &str) -> bool {
    let url = url.to_ascii_lowercase();
    ["https://", "http://", "mailto:"].iter().any(|start| url.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html() {
        let html = render("# A\n\n*b* [c](https://example.com) `d`\n\n| e |\n|---|\n| f |");
        for part in ["<h3>A</h3>", "<em>b</em>", "<a href=\"https://example.com\">c</a>", "<td>f</td>"] {
            assert!(html.contains(part), "{html}");
        }
    }

    #[test]
    fn nothing_in_a_readme_runs_or_loads() {
        for markdown in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "[a](javascript:alert(1))",
            "[a](JaVaScRiPt:alert(1))",
            "[a](data:text/html,<script>)",
            "[a]( \tjavascript:alert(1))",
            "[a](&#106;avascript:alert(1))",
            "[a](//example.com)",
            "![a](https://example.com/x.png \"\\\" onerror=alert(1)\")",
            "[a]: javascript:alert(1)\n\n[a]",
            "<javascript:alert(1)>",
            "# a {onclick=alert(1)}",
            "```\"><script>\n</code><script>\n```",
        ] {
            let html = render(markdown);
            let tags: Vec<_> =
                html.split('<').skip(1).map(|tag| tag.split(['>', ' ']).next().unwrap()).collect();
            let known = |tag: &&str| ["p", "a", "pre", "code", "h3"].contains(&tag.trim_start_matches('/'));
            assert!(tags.iter().all(known), "{html}");
            let targets: Vec<_> = html.split("href=\"").skip(1).collect();
            assert!(targets.iter().all(|to| to.starts_with("https://") || to.starts_with('#')), "{html}");
        }
    }
}
