use jingku_catalog::{AccountId, Catalog, Key, KeyLimits, NewKey};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{NOW, account};

on_every_engine!(
    a_key_is_found_with_its_account,
    a_key_keeps_its_limits,
    a_public_key_is_used_once,
    a_key_is_revoked_once,
    a_valid_key_is_restricted,
);

async fn add(catalog: &Catalog, account: AccountId, public_key: &str) -> bool {
    add_limited(catalog, account, public_key, &KeyLimits::default()).await
}

async fn add_limited(catalog: &Catalog, account: AccountId, public_key: &str, limits: &KeyLimits) -> bool {
    let new = NewKey { public_key, account, name: "laptop", sealed_private_key: "sealed", limits };
    catalog.add_key(new, NOW).await.unwrap()
}

async fn a_key_keeps_its_limits(Engine { catalog, .. }: Engine) {
    let lab = account(&catalog, "lab").await;
    let limits =
        KeyLimits { read_only: true, addresses: ["10.0.0.0/8", "fd00::/8"].map(str::to_owned).to_vec() };
    assert!(add_limited(&catalog, lab.id, "public-1", &limits).await);
    assert!(add(&catalog, lab.id, "public-2").await);
    let (key, ..) = catalog.find_key("public-1").await.unwrap().unwrap();
    assert_eq!(key.limits, limits);
    let listed: Vec<_> = catalog.keys(None).await.unwrap().into_iter().map(|key| key.limits).collect();
    assert_eq!(listed, [limits, KeyLimits::default()]);
    // Adding it again without limits does not remove them.
    assert!(!add(&catalog, lab.id, "public-1").await);
    assert!(catalog.find_key("public-1").await.unwrap().unwrap().0.limits.read_only);
}

async fn a_key_is_found_with_its_account(Engine { catalog, .. }: Engine) {
    let (lab, other) = (account(&catalog, "lab").await, account(&catalog, "other").await);
    assert!(add(&catalog, lab.id, "public-1").await);
    assert!(add(&catalog, other.id, "public-2").await);
    let expected = Key {
        public_key: "public-1".to_owned(),
        account: lab.id,
        name: "laptop".to_owned(),
        sealed_private_key: "sealed".to_owned(),
        created_at: NOW,
        revoked_at: None,
        limits: KeyLimits::default(),
    };
    let revision = catalog.account_revision(lab.id).await.unwrap().unwrap();
    assert_eq!(catalog.find_key("public-1").await.unwrap(), Some((expected.clone(), lab.clone(), revision)));
    assert_eq!(catalog.find_key("public").await.unwrap(), None);
    assert_eq!(catalog.keys(Some(lab.id)).await.unwrap(), [expected]);
    assert_eq!(catalog.keys(None).await.unwrap().len(), 2);
}

async fn a_public_key_is_used_once(Engine { catalog, .. }: Engine) {
    let (lab, other) = (account(&catalog, "lab").await, account(&catalog, "other").await);
    assert!(add(&catalog, lab.id, "public").await);
    assert!(!add(&catalog, other.id, "public").await);
    let (key, ..) = catalog.find_key("public").await.unwrap().unwrap();
    assert_eq!(key.account, lab.id);
}

async fn a_key_is_revoked_once(Engine { catalog, .. }: Engine) {
    let lab = account(&catalog, "lab").await;
    add(&catalog, lab.id, "public").await;
    assert!(catalog.revoke_key("public", NOW + 5).await.unwrap());
    assert!(!catalog.revoke_key("public", NOW + 6).await.unwrap());
    assert!(!catalog.revoke_key("unknown", NOW).await.unwrap());
    let (key, ..) = catalog.find_key("public").await.unwrap().unwrap();
    assert_eq!(key.revoked_at, Some(NOW + 5));
}

async fn a_valid_key_is_restricted(Engine { catalog, .. }: Engine) {
    let lab = account(&catalog, "lab").await;
    add(&catalog, lab.id, "public").await;
    let limits = KeyLimits { read_only: true, addresses: vec!["10.0.0.0/8".to_owned()] };
    assert!(catalog.restrict_key("public", &limits).await.unwrap());
    assert_eq!(catalog.find_key("public").await.unwrap().unwrap().0.limits, limits);
    assert!(!catalog.restrict_key("unknown", &limits).await.unwrap());
    catalog.revoke_key("public", NOW).await.unwrap();
    assert!(!catalog.restrict_key("public", &KeyLimits::default()).await.unwrap());
    assert_eq!(catalog.find_key("public").await.unwrap().unwrap().0.limits, limits);
}
