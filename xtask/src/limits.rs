//! `cargo xtask limits`: writes docs/operate/limits.md, a table of all limits in the code.
//!
//! A limit is a constant whose name contains one of the [`WORDS`]. The page shows the first sentence of its
//! documentation. A test fails when the page is not current.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use syn::{Attribute, BinOp, Expr, ImplItem, Item, Lit, Type};

use crate::workspace::Workspace;

/// Words in the name of a limit, between underscores.
const WORDS: [&str; 6] = ["MAX", "MIN", "TIMEOUT", "DEADLINE", "WINDOW", "STEP"];
/// The shipped crates in the order of the page, and their headings.
const CRATES: [(&str, &str); 10] = [
    ("jingku-protocol", "Requests"),
    ("jingku-server", "The server"),
    ("jingku-console", "The web console"),
    ("jingku-library", "Accounts, jobs and backups"),
    ("jingku-catalog", "The catalogue"),
    ("jingku-chunks", "The chunk store"),
    ("jingku-sources", "Disks and files that are imported"),
    ("jingku-engine", "Container engines"),
    ("compshare", "The Rust client"),
    ("jingku", "The commands"),
];
const PAGE: &str = "docs/operate/limits.md";
const START: &str = "# Limits

Every input has a bound and every wait has a deadline. `cargo xtask limits` generates this page from the constants in
the code. [docs/wire](../wire/README.md#limits) says what a client gets beyond a limit. [README.md](README.md) and, for
limits of accounts, [account-limits.md](account-limits.md) say what the operator can change.
";

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    fs::write(workspace.root.join(PAGE), page(workspace)?).with_context(|| format!("write {PAGE}"))
}

fn page(workspace: &Workspace) -> Result<String> {
    let sources = workspace.sources()?;
    let mut page = START.to_owned();
    for (krate, title) in CRATES {
        let folder = Path::new("crates").join(krate).join("src");
        let mut rows = Vec::new();
        for file in sources.iter().filter(|file| file.starts_with(&folder) && !file.ends_with("testing.rs")) {
            let file_name = file.display();
            let parsed =
                syn::parse_file(&workspace.read(file)?).with_context(|| format!("parse {file_name}"))?;
            for (name, value, what) in limits(&parsed.items).with_context(|| format!("in {file_name}"))? {
                let row = format!("| [`{name}`](../../{file_name}) | {value} | {what} |\n");
                rows.push((name, row));
            }
        }
        if !rows.is_empty() {
            rows.sort_by(|(a, _), (b, _)| a.cmp(b));
            let _ = write!(page, "\n## {title}\n\n| name | value | what |\n|---|---|---|\n");
            page.extend(rows.into_iter().map(|(_, row)| row));
        }
    }
    Ok(page)
}

/// The name of each limit, its value, and the first sentence of its documentation.
fn limits(items: &[Item]) -> Result<Vec<(String, String, String)>> {
    let constants = items.iter().flat_map(|item| match item {
        Item::Const(item) => vec![(&item.ident, &item.attrs, &*item.ty, &*item.expr)],
        Item::Impl(item) => {
            let constants = item.items.iter().filter_map(|item| match item {
                ImplItem::Const(item) => Some((&item.ident, &item.attrs, &item.ty, &item.expr)),
                _ => None,
            });
            constants.collect()
        }
        _ => Vec::new(),
    });
    let (mut limits, mut known) = (Vec::new(), BTreeMap::new());
    for (name, attrs, ty, expr) in constants {
        let name = name.to_string();
        // A value computed from constants of other files is not shown.
        let value = evaluate(expr, &known);
        known.extend(value.map(|value| (name.clone(), value)));
        if !name.split('_').any(|word| WORDS.contains(&word)) || matches!(ty, Type::Array(_)) {
            continue;
        }
        let what = first_sentence(attrs).with_context(|| format!("{name} has no documentation"))?;
        limits.extend(value.map(|value| (name.clone(), show(&name, ty, value), what)));
    }
    Ok(limits)
}

/// The first paragraph of the documentation up to its first full stop, on one line.
fn first_sentence(attrs: &[Attribute]) -> Option<String> {
    let lines = attrs.iter().filter(|attr| attr.path().is_ident("doc")).filter_map(|attr| {
        let Expr::Lit(literal) = &attr.meta.require_name_value().ok()?.value else { return None };
        let Lit::Str(line) = &literal.lit else { return None };
        Some(line.value().trim().to_owned())
    });
    let text = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let end = text.find(". ").map_or(text.len(), |end| end + 1);
    let sentence = without_links(&text[..end]).replace('|', "\\|");
    (!sentence.is_empty()).then_some(sentence)
}

/// Removes links to items, which work only in rustdoc.
fn without_links(text: &str) -> String {
    let mut text = text.replace("[`", "`");
    while let Some((before, target)) = text.split_once("`](") {
        let after = target.split_once(')').map_or("", |(_, after)| after);
        text = format!("{before}`{after}");
    }
    text.replace("`]", "`")
}

/// The value of an expression of numbers and durations, these in milliseconds; `None` for anything else.
fn evaluate(expr: &Expr, known: &BTreeMap<String, f64>) -> Option<f64> {
    Some(match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok()?,
            Lit::Float(number) => number.base10_parse().ok()?,
            _ => return None,
        },
        Expr::Path(path) => *known.get(&path.path.get_ident()?.to_string())?,
        Expr::Paren(inner) => evaluate(&inner.expr, known)?,
        Expr::Cast(cast) => evaluate(&cast.expr, known)?,
        Expr::Binary(binary) => {
            let (left, right) = (evaluate(&binary.left, known)?, evaluate(&binary.right, known)?);
            match binary.op {
                BinOp::Add(_) => left + right,
                BinOp::Sub(_) => left - right,
                BinOp::Mul(_) => left * right,
                BinOp::Div(_) => (left / right).floor(),
                BinOp::Shl(_) => left * right.exp2(),
                _ => return None,
            }
        }
        Expr::Call(call) => {
            let Expr::Path(function) = &*call.func else { return None };
            let mut segments = function.path.segments.iter().rev();
            let (unit, of) = (segments.next()?.ident.to_string(), segments.next()?.ident.to_string());
            let milliseconds = match (of.as_str(), unit.as_str()) {
                ("Duration", "from_millis") => 1.0,
                ("Duration", "from_secs") => 1e3,
                ("Duration", "from_mins") => 6e4,
                ("Duration", "from_hours") => 3.6e6,
                _ => return None,
            };
            evaluate(call.args.first()?, known)? * milliseconds
        }
        _ => return None,
    })
}

fn show(name: &str, ty: &Type, value: f64) -> String {
    let times = [("ms", 1e3), ("s", 60.0), ("min", 60.0), ("h", f64::INFINITY)];
    let sizes = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"].map(|unit| (unit, 1024.0));
    let has = |word| name.split('_').any(|part| part == word);
    match ty {
        Type::Path(ty) if ty.path.is_ident("Duration") => in_units(value, &times),
        _ if has("SECS") => in_units(value * 1e3, &times),
        _ if has("BYTES") || has("SIZE") => in_units(value, &sizes),
        _ => grouped(value),
    }
}

/// Formats a number in the largest unit of which it is a whole multiple. Units have the factor to the next one.
fn in_units(number: f64, units: &[(&str, f64)]) -> String {
    let (unit, step) = units[0];
    if units.len() > 1 && number >= step && number % step == 0.0 {
        return in_units(number / step, &units[1..]);
    }
    format!("{} {unit}", grouped(number))
}

/// Groups the digits in threes with commas.
fn grouped(number: f64) -> String {
    let digits = number.to_string();
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let groups: Vec<_> = whole.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",") + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_current() {
        let workspace = Workspace::new();
        assert!(page(&workspace).unwrap() == workspace.read(PAGE).unwrap(), "run cargo xtask limits");
    }

    #[test]
    fn values_have_units() {
        let source = "
            /// Bodies. Rarely met.
            const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
            /// Chunks, see [`MAX_BODY_BYTES`] and [`Cut`](crate::Cut).
            pub const CHUNK_SIZE_MAX: u64 = 4 << 20;
            /// Waits.
            const STALL_TIMEOUT: Duration = Duration::from_mins(90);
            /// Rows.
            const LISTED_MAX: u32 = 100_000;
            /// Links.
            const MAX_LINK_SECS: i64 = 60 * 60;
            /// Odd.
            const ODD_BYTES_MAX: u64 = 1025;
            struct Disk;
            impl Disk {
                /// Half of them.
                const HALF_MAX: u32 = LISTED_MAX / 2;
            }
            const NOT_A_LIMIT: u32 = 1;
        ";
        let limits = limits(&syn::parse_file(source).unwrap().items).unwrap();
        let shown: Vec<_> = limits.into_iter().map(|(_, value, what)| (value, what)).collect();
        let expected = [
            ("8 MiB", "Bodies."),
            ("4 MiB", "Chunks, see `MAX_BODY_BYTES` and `Cut`."),
            ("90 min", "Waits."),
            ("100,000", "Rows."),
            ("1 h", "Links."),
            ("1,025 bytes", "Odd."),
            ("50,000", "Half of them."),
        ];
        assert_eq!(shown, expected.map(|(value, what)| (value.to_owned(), what.to_owned())));
    }

    #[test]
    fn a_limit_without_documentation_is_an_error() {
        let items = syn::parse_file("const A_MAX: u32 = 1;").unwrap().items;
        assert!(limits(&items).is_err());
    }
}
