//! `jingku account`: accounts and their limits.

use jingku_library::{Account, Config, Limit, LimitState};
use serde_json::{Value, json};

use super::key::print_pair;
use crate::args::{AccountCommand, AccountLimitArgs, Global};
use crate::failure::Failure;
use crate::library::{open, open_or_create, open_with, read_config};
use crate::limit::{amount, name};
use crate::messages::tr;
use crate::output::{Listing, print_json, time};

pub(crate) async fn account(global: &Global, command: AccountCommand) -> Result<(), Failure> {
    match command {
        AccountCommand::Create { name } => {
            let context = open_or_create(global, &Config::default()).await?;
            let (account, pair) = context.create_account(&name).await?;
            print_pair(global, &to_json(&account), &pair)
        }
        AccountCommand::List { config } => list(global, &read_config(config.as_deref())?).await,
        AccountCommand::Limit(args) => limit(global, args).await,
    }
}

async fn list(global: &Global, config: &Config) -> Result<(), Failure> {
    let context = open_with(global, config).await?;
    let mut accounts = Vec::new();
    for account in context.accounts().await? {
        let limits = context.account_limits(account.id.0).await?;
        accounts.push((account, limits));
    }
    if global.json {
        let json = |(account, limits): &(Account, Vec<LimitState>)| {
            let mut value = to_json(account);
            value["Limits"] = limits_json(limits);
            value
        };
        return print_json(&accounts.iter().map(json).collect::<Vec<_>>());
    }
    let share = |limits: &[LimitState], limit| {
        let state = limits.iter().find(|state| state.limit == limit);
        let share = |of: &LimitState| {
            let name = wire_name(limit);
            format!("{}/{}", amount(&name, Some(of.used)), amount(&name, max(of)))
        };
        state.map(share).unwrap_or_default()
    };
    let listing = Listing::of(&accounts)
        .column(tr!("table-number"), |(account, _)| account.id.0.to_string())
        .column(tr!("table-name"), |(account, _)| account.name.clone())
        .column(tr!("table-project"), |(account, _)| account.project_id.clone())
        .column(tr!("table-created"), |(account, _)| time(account.created_at))
        .column(tr!("table-images"), |(_, limits)| share(limits, Limit::Images))
        .column(tr!("table-data"), |(_, limits)| share(limits, Limit::StoredBytes));
    let has_unique = |state: &LimitState| state.limit == Limit::UniqueBytes && max(state).is_some();
    let listing = if accounts.iter().any(|(_, limits)| limits.iter().any(has_unique)) {
        listing.column(tr!("table-deduplicated"), |(_, limits)| share(limits, Limit::UniqueBytes))
    } else {
        listing
    };
    listing.print(1, &tr!("operate-account-none"))
}

/// Sets the given limits, and shows all.
async fn limit(global: &Global, args: AccountLimitArgs) -> Result<(), Failure> {
    let given = [
        (Limit::Images, args.images),
        (Limit::Trashed, args.trashed),
        (Limit::StoredBytes, args.stored_bytes),
        (Limit::UniqueBytes, args.unique_bytes),
        (Limit::Uploads, args.uploads),
        (Limit::UploadBytes, args.upload_bytes),
        (Limit::Jobs, args.jobs),
        (Limit::Transfers, args.transfers),
    ];
    let changes: Vec<_> = given.iter().filter_map(|(limit, to)| Some((*limit, (*to)?.0))).collect();
    // Without changes nothing is written, so that this works beside a writer and on a read-only directory.
    if !changes.is_empty() {
        open(global).await?.set_account_limits(args.account, &changes).await?;
    }
    let context = open_with(global, &read_config(args.config.as_deref())?).await?;
    let limits = context.account_limits(args.account).await?;
    if global.json {
        return print_json(&json!({ "AccountId": args.account, "Limits": limits_json(&limits) }));
    }
    let source =
        |state: &LimitState| if state.own { tr!("operate-limit-own") } else { tr!("operate-limit-default") };
    Listing::of(&limits)
        .column(tr!("table-limit"), |state| name(&wire_name(state.limit)))
        .column(tr!("table-used"), |state| amount(&wire_name(state.limit), Some(state.used)))
        .column(tr!("table-max"), |state| amount(&wire_name(state.limit), max(state)))
        .column(tr!("table-set-for"), source)
        .print(0, "")
}

fn to_json(account: &Account) -> Value {
    json!({ "AccountId": account.id.0, "AccountName": account.name, "ProjectId": account.project_id,
            "CreateTime": account.created_at })
}

fn limits_json(limits: &[LimitState]) -> Value {
    let value = |state: &LimitState| json!({ "Used": state.used, "Max": max(state), "Own": state.own });
    limits.iter().map(|state| (wire_name(state.limit), value(state))).collect()
}

/// The maximum, unless there is no limit.
fn max(state: &LimitState) -> Option<i64> {
    Some(state.max).filter(|max| *max != i64::MAX)
}

fn wire_name(limit: Limit) -> String {
    format!("{limit:?}")
}
