//! Files and functions that are too long.

use anyhow::{Context as _, Result};
use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, ItemFn, Signature};

use crate::workspace::Workspace;

/// The most lines of a file, tests included.
const FILE_LINES_MAX: usize = 400;
/// The most lines of a function, from its name to its end.
const FUNCTION_LINES_MAX: usize = 70;

/// A sentence for each file and function that is too long.
pub(super) fn too_long(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for file in workspace.sources()? {
        let text = workspace.read(&file)?;
        let file = file.display();
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            findings.push(format!("{file}: {lines} lines"));
        }
        let mut functions = LongFunctions::default();
        functions.visit_file(&syn::parse_file(&text).with_context(|| format!("parse {file}"))?);
        findings.extend(functions.0.into_iter().map(|function| format!("{file}:{function}")));
    }
    Ok(findings)
}

#[derive(Default)]
struct LongFunctions(Vec<String>);

impl LongFunctions {
    fn check(&mut self, signature: &Signature, body: &Block) {
        let first = signature.ident.span().start().line;
        let lines = body.brace_token.span.close().end().line - first + 1;
        if lines > FUNCTION_LINES_MAX {
            self.0.push(format!("{first}: {} has {lines} lines", signature.ident));
        }
    }
}

impl<'ast> Visit<'ast> for LongFunctions {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.check(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.check(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }
}
