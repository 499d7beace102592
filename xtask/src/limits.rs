//! `cargo xtask limits`: writes docs/operate/limits.md, a table of all limits in the code.
//!
//! A limit is a constant whose name contains one of the [`WORDS`]. The page shows the first sentence of its
//! documentation. A test fails when the page is not current.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use syn::{Attribute, BinOp, Expr, ImplItem, Item, Lit, Meta, Type};

use crate::workspace::{Workspace, sources};

/// Words in the name of a limit, between underscores.
const WORDS: [&str; 6] = ["MAX", "MIN", "TIMEOUT", "DEADLINE", "WINDOW", "STEP"];
/// The shipped crates in the order of the page, and their headings.
const CRATES: [(&str, &str); 8] = [
    ("jingku-protocol", "Requests"),
    ("jingku-server", "The server"),
    ("jingku-library", "Accounts, jobs and backups"),
    ("jingku-catalog", "The catalogue"),
    ("jingku-chunks", "The chunk store"),
    ("jingku-sources", "Disks and files that are imported"),
    ("compshare", "The Rust client"),
    ("jingku", "The commands"),
];
const PAGE: &str = "docs/operate/limits.md";
const START: &str = "# Limits

Every input has a bound and every wait has a deadline. `cargo xtask limits` generates this page from the constants in
the code. [docs/wire](../wire/README.md#limits) says what a client gets beyond a limit. [README.md](README.md) and, for
limits of accounts, [account-limits.md](account-limits.md) say what the operator can change.
";

/// A constant that is a limit.
struct Limit {
    name: String,
    value: Value,
    what: String,
}

#[derive(Clone, Copy)]
enum Value {
    Number(f64),
    Milliseconds(f64),
}

/// Writes the page.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    fs::write(workspace.root.join(PAGE), page(&workspace.root)?).with_context(|| format!("write {PAGE}"))
}

fn page(root: &Path) -> Result<String> {
    let mut page = START.to_owned();
    for (name, title) in CRATES {
        let mut limits = Vec::new();
        let files = sources(&root.join("crates").join(name).join("src"))?;
        for file in files.into_iter().filter(|file| !file.ends_with("testing.rs")) {
            let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
            let parsed = syn::parse_file(&text).with_context(|| format!("parse {}", file.display()))?;
            let mut found = Vec::new();
            collect(&parsed.items, &mut found).with_context(|| format!("in {}", file.display()))?;
            let path = file.strip_prefix(root).unwrap_or(&file).display().to_string();
            limits.extend(found.into_iter().map(|limit| (limit, path.clone())));
        }
        limits.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        if limits.is_empty() {
            continue;
        }
        let _ = write!(page, "\n## {title}\n\n| name | value | what |\n|---|---|---|\n");
        for (Limit { name, value, what }, path) in &limits {
            let _ = writeln!(page, "| [`{name}`](../../{path}) | {} | {what} |", show(name, *value));
        }
    }
    Ok(page)
}

fn collect(items: &[Item], limits: &mut Vec<Limit>) -> Result<()> {
    let mut known = BTreeMap::new();
    let mut add = |name: String, attrs: &[Attribute], ty: &Type, expr: &Expr| {
        let value = evaluate(expr, &known);
        if let Some(value) = value {
            known.insert(name.clone(), value);
        }
        if !name.split('_').any(|word| WORDS.contains(&word)) || matches!(ty, Type::Array(_)) {
            return Ok(());
        }
        let Some(what) = first_sentence(attrs) else { bail!("{name} has no documentation") };
        // A value computed from constants of other files is not shown.
        limits.extend(value.map(|value| Limit { name, value, what }));
        Ok(())
    };
    for item in items {
        match item {
            Item::Const(item) => add(item.ident.to_string(), &item.attrs, &item.ty, &item.expr)?,
            Item::Impl(item) => {
                for item in &item.items {
                    if let ImplItem::Const(item) = item {
                        add(item.ident.to_string(), &item.attrs, &item.ty, &item.expr)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The first paragraph of the documentation up to its first full stop, on one line.
fn first_sentence(attrs: &[Attribute]) -> Option<String> {
    let mut text = String::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("doc")) {
        let Meta::NameValue(doc) = &attr.meta else { continue };
        let Expr::Lit(literal) = &doc.value else { continue };
        let Lit::Str(line) = &literal.lit else { continue };
        let line = line.value();
        if line.trim().is_empty() {
            break;
        }
        text.push(' ');
        text += line.trim();
    }
    let text = text.trim();
    let end = text.find(". ").map_or(text.len(), |end| end + 1);
    let sentence = without_links(&text[..end]).replace('|', "\\|");
    (!sentence.is_empty()).then_some(sentence)
}

/// Removes links to items, which work only in rustdoc.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once("[`") {
        let (name, after) = link.split_once("`]").unwrap_or((link, ""));
        let target = after.starts_with('(').then(|| after.find(')')).flatten();
        let _ = write!(plain, "{before}`{name}`");
        rest = target.map_or(after, |end| &after[end + 1..]);
    }
    plain + rest
}

/// The value of an expression of numbers and durations; `None` for anything else.
fn evaluate(expr: &Expr, known: &BTreeMap<String, Value>) -> Option<Value> {
    Some(match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => Value::Number(number.base10_parse().ok()?),
            Lit::Float(number) => Value::Number(number.base10_parse().ok()?),
            _ => return None,
        },
        Expr::Path(path) => *known.get(&path.path.get_ident()?.to_string())?,
        Expr::Paren(inner) => evaluate(&inner.expr, known)?,
        Expr::Cast(cast) => evaluate(&cast.expr, known)?,
        Expr::Binary(binary) => {
            let Value::Number(left) = evaluate(&binary.left, known)? else { return None };
            let Value::Number(right) = evaluate(&binary.right, known)? else { return None };
            Value::Number(match binary.op {
                BinOp::Add(_) => left + right,
                BinOp::Sub(_) => left - right,
                BinOp::Mul(_) => left * right,
                BinOp::Div(_) => (left / right).floor(),
                BinOp::Shl(_) => left * right.exp2(),
                _ => return None,
            })
        }
        Expr::Call(call) => {
            let Expr::Path(function) = &*call.func else { return None };
            let mut segments = function.path.segments.iter().rev();
            let (unit, of) = (segments.next()?.ident.to_string(), segments.next()?.ident.to_string());
            let Value::Number(count) = evaluate(call.args.first()?, known)? else { return None };
            let milliseconds = match (of.as_str(), unit.as_str()) {
                ("Duration", "from_millis") => 1.0,
                ("Duration", "from_secs") => 1e3,
                ("Duration", "from_mins") => 6e4,
                ("Duration", "from_hours") => 3.6e6,
                _ => return None,
            };
            Value::Milliseconds(count * milliseconds)
        }
        _ => return None,
    })
}

fn show(name: &str, value: Value) -> String {
    let has = |word| name.split('_').any(|part| part == word);
    match value {
        Value::Milliseconds(time) => duration(time),
        Value::Number(seconds) if has("SECS") => duration(seconds * 1e3),
        Value::Number(bytes) if has("BYTES") || has("SIZE") => {
            in_units(bytes, 1024.0, &["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"])
        }
        Value::Number(number) => grouped(number),
    }
}

fn duration(milliseconds: f64) -> String {
    for (unit, length) in [("h", 3.6e6), ("min", 6e4), ("s", 1e3)] {
        if milliseconds >= length && milliseconds % length == 0.0 {
            return format!("{} {unit}", grouped(milliseconds / length));
        }
    }
    format!("{} ms", grouped(milliseconds))
}

/// Formats a number in the largest unit of which it is a whole multiple.
fn in_units(mut number: f64, step: f64, units: &[&str]) -> String {
    let mut units = units.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    for larger in units {
        if number < step || number % step != 0.0 {
            break;
        }
        number /= step;
        unit = larger;
    }
    format!("{} {unit}", grouped(number))
}

/// Groups the digits in threes with commas.
fn grouped(number: f64) -> String {
    let digits = number.to_string();
    let (whole, fraction) =
        digits.split_once('.').map_or((&*digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut text = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    fraction.map_or(text.clone(), |fraction| format!("{text}.{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_current() {
        let root = Workspace::new().root;
        let written = fs::read_to_string(root.join(PAGE)).unwrap();
        assert!(page(&root).unwrap() == written, "run cargo xtask limits");
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
        let mut limits = Vec::new();
        collect(&syn::parse_file(source).unwrap().items, &mut limits).unwrap();
        let shown: Vec<_> =
            limits.iter().map(|limit| (show(&limit.name, limit.value), &*limit.what)).collect();
        let expected = [
            ("8 MiB", "Bodies."),
            ("4 MiB", "Chunks, see `MAX_BODY_BYTES` and `Cut`."),
            ("90 min", "Waits."),
            ("100,000", "Rows."),
            ("1 h", "Links."),
            ("1,025 bytes", "Odd."),
            ("50,000", "Half of them."),
        ];
        assert_eq!(shown, expected.map(|(value, what)| (value.to_owned(), what)));
    }

    #[test]
    fn a_limit_without_documentation_is_an_error() {
        let items = syn::parse_file("const A_MAX: u32 = 1;").unwrap().items;
        assert!(collect(&items, &mut Vec::new()).is_err());
    }
}
