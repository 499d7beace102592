//! `jingku migrate-database` and `jingku migrate-storage`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use jingku_library::{
    CatalogProgress, CatalogTarget, DatabaseUrl, MoveCatalog, MoveStore, StorageUrl, StoreProgress,
    StoreTarget, lock, migrate_database, migrate_storage,
};
use serde_json::{Value, json};

use crate::args::{Global, MigrateDatabaseArgs, MigrateStorageArgs};
use crate::backup;
use crate::failure::{Exit, Failure};
use crate::library::{environment, open_data_dir, read_config};
use crate::messages::tr;
use crate::output::{bytes, done, note};

/// The pause between two lines of progress where there is no terminal.
const LINE_PAUSE: Duration = Duration::from_secs(30);

pub(crate) async fn database(global: &Global, args: &MigrateDatabaseArgs) -> Result<(), Failure> {
    let to = match args.to.as_str() {
        "sqlite" => CatalogTarget::File,
        url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            CatalogTarget::Database(DatabaseUrl::new(url))
        }
        // It may contain a password.
        _ => return Err(Failure::new(Exit::Usage, tr!("migrate-database-target"))),
    };
    let report = |progress| {
        note(&match progress {
            CatalogProgress::Copied { rows } => tr!("migrate-database-copied", rows),
            CatalogProgress::Finishing => tr!("migrate-database-finishing"),
        });
    };
    let (data, environment) = (open_data_dir(global)?, environment());
    let how = MoveCatalog { data: &data, to: &to, environment: &environment, report: &report };
    let moved = migrate_database(&how).await?;
    let written = moved.written;
    let rows: u64 = moved.tables.iter().map(|table| table.rows).sum();
    let tables: Value = moved.tables.iter().map(|table| (table.name.clone(), json!(table.rows))).collect();
    let value =
        json!({ "From": moved.from, "To": moved.to, "Rows": rows, "WrittenRows": written, "Tables": tables });
    done(global, &value, &tr!("migrate-database-done", rows, written, from = moved.from, to = moved.to))?;
    note(&match to {
        CatalogTarget::File => tr!("migrate-database-file-hint"),
        CatalogTarget::Database(_) => tr!("migrate-database-hint", to = moved.to),
    });
    Ok(())
}

pub(crate) async fn storage(global: &Global, args: &MigrateStorageArgs) -> Result<(), Failure> {
    let config = read_config(args.config.as_deref())?;
    let to = match args.to.as_str() {
        "disk" => StoreTarget::Folder,
        url => {
            let url = StorageUrl::try_from(url.to_owned());
            let url = url.map_err(|_| Failure::new(Exit::Usage, tr!("migrate-storage-target")))?;
            StoreTarget::Bucket(url, config.s3)
        }
    };
    let data = open_data_dir(global)?;
    let bar = bar();
    let how = MoveStore {
        data: &data,
        to: &to,
        skip_damaged: args.skip_damaged,
        environment: &environment(),
        report: reporter(bar.clone()),
    };
    let moved = migrate_storage(&how).await;
    bar.finish_and_clear();
    let moved = moved?;
    let mut value = json!({ "From": moved.from, "To": moved.to });
    backup::add(&mut value, &moved.copied, &moved.damage);
    let copied = backup::copied(&moved.copied);
    done(global, &value, &tr!("migrate-storage-done", from = moved.from, to = moved.to, copied))?;
    if !moved.damage.is_empty() {
        note(&tr!("migrate-storage-damaged", lines = moved.damage.lines()));
    }
    note(&match to {
        StoreTarget::Folder => tr!("migrate-storage-disk-hint", from = moved.from),
        StoreTarget::Bucket(..) => tr!("migrate-storage-hint", from = moved.from),
    });
    Ok(())
}

/// Drawn on standard error, and only on a terminal.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:32} {percent:>3}%  {msg}").expect("the template is right");
    ProgressBar::new(1000).with_style(style)
}

/// Shows progress: a bar on a terminal, elsewhere a line from time to time.
fn reporter(bar: ProgressBar) -> Arc<dyn Fn(StoreProgress) + Send + Sync> {
    let last = std::sync::Mutex::new(Instant::now());
    Arc::new(move |progress| match progress {
        StoreProgress::Copying { part, bytes_per_second, left, .. } => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of 1000")]
            let position = (part * 1000.0) as u64;
            let left = left.map_or_else(|| "?".to_owned(), |left| format!("{:#}", HumanDuration(left)));
            let line = tr!("migrate-progress", speed = bytes(bytes_per_second), left);
            if bar.is_hidden() {
                let mut last = lock(&last);
                if last.elapsed() >= LINE_PAUSE {
                    *last = Instant::now();
                    note(&tr!("migrate-progress-line", percent = position / 10, line));
                }
            } else {
                bar.set_position(position.max(bar.position()));
                bar.set_message(line);
            }
        }
        StoreProgress::Waiting => bar.suspend(|| note(&tr!("migrate-storage-waiting"))),
        StoreProgress::Finishing => bar.set_position(1000),
    })
}
