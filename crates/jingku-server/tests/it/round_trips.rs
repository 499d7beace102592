//! Statements of a list on PostgreSQL, each of which is a round trip, counted in the log of its server.

use std::fs;

use jingku_catalog::testing::PostgresServer;
use jingku_catalog::{AccountId, ImageChanges, Scope};
use jingku_protocol::actions::Action;

use crate::support::{NOW, Service};

#[tokio::test]
async fn a_current_page_takes_one_round_trip() {
    let Some(postgres) = PostgresServer::start("log_statement = all") else { return };
    let service = Service::start_on_database(postgres.create_database("list").await).await;
    service.add_images(&[("image-1", NOW), ("image-2", NOW), ("image-3", NOW)]).await;
    let caller = service.caller();
    let list = async |params: &[(&str, &str)]| {
        let log = postgres.folder().join("log");
        let executed = || fs::read_to_string(&log).unwrap().matches("LOG:  execute ").count();
        let before = executed();
        caller.ok(Action::DescribeCompShareCustomImages, params).await;
        executed() - before
    };
    let change = async |id: &str, name: &str| {
        let changes = ImageChanges { name: Some(name), ..ImageChanges::default() };
        let catalog = &service.context.library.catalog;
        catalog.update_image(Scope::own(AccountId(1)), id, changes, NOW).await.unwrap();
    };
    assert_eq!(list(&[]).await, 3, "the key, the versions of the rows, and the rows");
    assert_eq!(list(&[]).await, 1, "the key with the account's revision");
    assert_eq!(list(&[("Limit", "2")]).await, 2, "the key and the versions of rows in memory");
    change("image-1", "other").await;
    assert_eq!(list(&[("Limit", "2")]).await, 2, "a row changed on another page");
    assert_eq!(list(&[]).await, 3, "a row changed");
    assert_eq!(list(&[]).await, 1);
}
