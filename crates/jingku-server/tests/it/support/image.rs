//! Image rows without data, written directly to the catalogue: tests of lists need many images.

use jingku_catalog::testing::run_sql;
use jingku_catalog::{AccountId, BuiltImage, Catalog, CreateImage, JobEnd, NewImage, Scope};

use super::{INSTANCE, Service};

impl Service {
    /// Opens the catalogue a second time, as another process would.
    pub(crate) async fn catalog(&self) -> Catalog {
        match &self.database {
            Some(url) => Catalog::connect_postgres(url, None).await.unwrap(),
            None => Catalog::open_sqlite(&self.folder.path().join("data/catalog.db")).await.unwrap(),
        }
    }

    /// Changes the catalogue as no Jingku does.
    pub(crate) async fn run_sql(&self, sql: &str) {
        if let Some(url) = &self.database {
            return run_sql(url, sql).await;
        }
        let file = self.folder.path().join("data/catalog.db");
        rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
    }

    /// Adds `Available` images of [`INSTANCE`] with these ids, which are also their names, and creation times, which may
    /// decrease. No job may be queued.
    pub(crate) async fn add_images(&self, images: &[(&str, i64)]) {
        let catalog = self.catalog().await;
        for (id, time) in images {
            let new = NewImage {
                id,
                name: id,
                description: "",
                instance_id: INSTANCE,
                softwares: None,
                software_ports: "[]",
                firewall_ports: &[],
                options: "",
            };
            let created = catalog.create_image(Scope::own(AccountId(1)), new, id, *time).await;
            assert_eq!(created.unwrap(), CreateImage::Created);
            let job = catalog.claim_job("test", i64::MAX, *time, 60).await.unwrap().expect("a job is queued");
            let end = catalog.complete_job(&job, BuiltImage::dense("no manifest", 1 << 20), *time).await;
            assert_eq!((job.image_id.as_str(), end.unwrap()), (*id, JobEnd::Ended));
        }
    }
}
