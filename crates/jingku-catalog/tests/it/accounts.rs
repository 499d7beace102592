use jingku_catalog::{Account, AccountId, Catalog, NewAccount};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account};

on_every_engine!(accounts_are_numbered_from_one, an_account_is_found_by_id_and_name, a_name_is_used_once);

async fn accounts_are_numbered_from_one(Engine { catalog, .. }: Engine) {
    let (first, second) = (account(&catalog, "a").await, account(&catalog, "b").await);
    assert_eq!((first.id, second.id), (AccountId(1), AccountId(2)));
    assert_eq!(catalog.accounts().await.unwrap(), [first.clone(), second.clone()]);
    // In pages.
    assert_eq!(catalog.accounts_after(AccountId::PLATFORM, 1).await.unwrap(), [first]);
    assert_eq!(catalog.accounts_after(AccountId(1), 9).await.unwrap(), [second]);
    assert_eq!(catalog.accounts_after(AccountId(2), 9).await.unwrap(), []);
}

async fn by_name(catalog: &Catalog, name: &str) -> Option<Account> {
    catalog.accounts().await.unwrap().into_iter().find(|account| account.name == name)
}

async fn an_account_is_found_by_id_and_name(Engine { catalog, .. }: Engine) {
    let lab = account(&catalog, "实验室").await;
    assert_eq!(catalog.account(lab.id).await.unwrap().as_ref(), Some(&lab));
    assert_eq!(by_name(&catalog, "实验室").await.as_ref(), Some(&lab));
    assert_eq!(catalog.account(AccountId(7)).await.unwrap(), None);
    assert_eq!(by_name(&catalog, "lab").await, None);
    assert_eq!(catalog.account_revision(AccountId(7)).await.unwrap(), None);
}

async fn a_name_is_used_once(Engine { catalog, .. }: Engine) {
    account(&catalog, "lab").await;
    let again = NewAccount { name: "lab", project_id: "org-2" };
    assert_eq!(catalog.create_account(again, NOW).await.unwrap(), None);
    // The rejected account used no number.
    assert_eq!(account(&catalog, "other").await.id, AccountId(2));
}
