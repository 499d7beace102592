pub(crate) mod containers;
mod usage;

use crate::cursor::{Column, Cursor, InvalidCursor, Order};
use crate::database::{Cells, Params, Read, Row, Transaction, row};
use crate::pods::row::Pod;
use crate::scope::VISIBLE_TO_INSTANCE;
use crate::{AccountId, Catalog, ImageStatus, Page, Paging, Result, Scope};

row! {
    /// A machine or container that images are made from.
    pub struct Instance {
        /// Its id, unique in the catalogue.
        pub id: String = "n.id",
        /// The account it belongs to.
        pub account: AccountId = "n.account_id",
        /// Its name.
        pub name: String = "n.name",
        /// The region it is in.
        pub region: String = "n.region",
        /// The zone of the region.
        pub zone: String = "n.zone",
        /// The location of its disk, as JSON that the catalogue does not interpret.
        pub disk: String = "n.disk",
        /// The maximum size of an image of it.
        pub size_bytes: i64 = "n.size_bytes",
        /// Its GPU type, or empty.
        pub gpu_type: String = "n.gpu_type",
        /// When it was added.
        pub created_at: i64 = "n.created_at",
        /// Its number among the instances of all accounts in the order they were added, with gaps.
        pub ordinal: i64 = "n.ordinal",
        /// What the engine last said about its container, as JSON that the catalogue does not interpret; `None` for a VM.
        pub container: Option<String> = "n.container",
        /// When the engine was last seen with its container; 0 for a VM.
        pub seen_at: i64 = "n.seen_at",
        /// The server that can read its disk or container; empty for the only one.
        pub host: String = "n.host",
        /// The image being made from it. Meanwhile, the instance can neither be removed nor have another image made.
        pub image_in_making: Option<String> = "j.image_id",
        /// The image it was started from, if known.
        pub started_from: Option<StartedFrom>,
        /// What the API keeps of it, if it created it.
        pub pod: Option<Pod>,
    }
}

/// The image an instance was started from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedFrom {
    /// Its id.
    pub image_id: String,
    /// The image, if the account of the instance can still see it.
    pub image: Option<StartImage>,
}

row! {
    /// The fields of an image that are shown with an instance.
    pub struct StartImage {
        /// Its name.
        pub name: String = "i.name",
        /// The account it belongs to.
        pub account: AccountId = "i.account_id",
        /// `System`, `App`, `Game` or `Other` for a platform image, else empty.
        pub platform_type: String = "i.platform_type",
        /// Whether it is public.
        pub public: bool = "i.visibility",
    }
}

/// The data of a new instance.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are those of `Instance`")]
pub struct NewInstance<'a> {
    pub id: &'a str,
    /// The account it belongs to, which must exist.
    pub account: AccountId,
    /// Its name; need not be unique.
    pub name: &'a str,
    pub region: &'a str,
    pub zone: &'a str,
    /// The location of its disk, as JSON.
    pub disk: &'a str,
    pub size_bytes: i64,
    pub gpu_type: &'a str,
    /// What an engine says about its container, as JSON; `None` for a VM.
    pub container: Option<&'a str>,
}

/// The outcome of [`Catalog::add_instance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddInstance {
    /// The instance was added.
    Added,
    /// The id exists, perhaps in another account.
    Exists,
    /// The account cannot see the image to start it from.
    ImageNotFound,
    /// The image has no content: it is being made, or could not be made.
    ImageNotAvailable,
}

/// The outcome of [`Catalog::remove_instance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoveInstance {
    /// The instance was removed. Its images stay.
    Removed,
    /// There is no such instance.
    NotFound,
    /// An image is being made from it.
    Busy,
}

/// A filter of instances.
#[derive(Clone, Copy, Debug, Default)]
pub struct InstanceFilter<'a> {
    /// The account; `None` for all, the operator's view.
    pub account: Option<AccountId>,
    /// The ids, any of at most 100.
    pub ids: Option<&'a [&'a str]>,
    /// The zones, any of them.
    pub zones: Option<&'a [&'a str]>,
}

const NEWEST: Order = Order {
    name: "newest",
    columns: &[Column::Integer("ordinal")],
    legacy: &[Column::Integer("created_at"), Column::Text("id")],
    ascending: false,
};

impl InstanceFilter<'_> {
    /// Parses the page token of a list of instances.
    pub fn cursor(token: &str) -> std::result::Result<Cursor, InvalidCursor> {
        NEWEST.parse(token)
    }
}

impl Catalog {
    /// Adds an instance of this server. It may have been started from an image visible to its account, which counts it.
    pub async fn add_instance(
        &self,
        new: NewInstance<'_>,
        image_id: Option<&str>,
        now: i64,
    ) -> Result<AddInstance> {
        let mut image = None;
        if let Some(id) = image_id {
            let Some(owner) = self.image_owner(id).await? else { return Ok(AddInstance::ImageNotFound) };
            image = Some((owner, id));
        }
        let change = |mut transaction: Transaction| async move {
            if let Some((owner, id)) = image {
                transaction.bump_viewers_and(owner, id, new.account).await?;
            }
            match transaction.insert_instance(new, &self.host, image_id, now).await? {
                AddInstance::Added => transaction.commit(AddInstance::Added).await,
                refused => transaction.discard(refused).await,
            }
        };
        self.database.write(change).await
    }

    /// Removes an instance. Its use of the image it was started from counts until `now`.
    pub async fn remove_instance(&self, id: &str, now: i64) -> Result<RemoveInstance> {
        let Some(instance) = self.instance(None, id).await? else {
            return Ok(RemoveInstance::NotFound);
        };
        let image = match &instance.started_from {
            Some(from) => self.image_owner(&from.image_id).await?.map(|owner| (owner, &*from.image_id)),
            None => None,
        };
        let change = |mut transaction: Transaction| async move {
            match image {
                Some((owner, image)) => transaction.bump_viewers_and(owner, image, instance.account).await?,
                None => transaction.bump_revision(instance.account).await?,
            }
            let busy = "SELECT id FROM jobs WHERE instance_id = $1 AND finished_at IS NULL";
            if transaction.exists(busy, &[id.into()]).await? {
                return transaction.discard(RemoveInstance::Busy).await;
            }
            transaction.count_rest(id, now).await?;
            let sql = "DELETE FROM instances WHERE id = $1 AND account_id = $2";
            match transaction.execute(sql, &[id.into(), instance.account.into()]).await? {
                0 => transaction.discard(RemoveInstance::NotFound).await,
                _ => transaction.commit(RemoveInstance::Removed).await,
            }
        };
        self.database.write(change).await
    }

    /// Returns one instance, of one account or of any.
    pub async fn instance(&self, account: Option<AccountId>, id: &str) -> Result<Option<Instance>> {
        let filter = InstanceFilter { account, ids: Some(&[id]), zones: None };
        let page = self.instances_page(filter, Paging::first(1)).await?;
        Ok(page.items.into_iter().next())
    }

    /// Returns a page of instances, last added first. The total is counted, so the cost grows with their number.
    pub async fn instances_page(
        &self,
        filter: InstanceFilter<'_>,
        paging: Paging<'_>,
    ) -> Result<Page<Instance>> {
        let mut params = Params::default();
        let mut chosen = vec!["TRUE".to_owned()];
        chosen.extend(filter.account.map(|account| format!("account_id = {}", params.add(account))));
        chosen.extend(filter.ids.map(|ids| format!("id IN ({})", params.add_all(ids))));
        chosen.extend(filter.zones.map(|zones| format!("zone IN ({})", params.add_all(zones))));
        let chosen = chosen.join(" AND ");
        let after = paging.after(&NEWEST, &mut params);
        let window = paging.window(&NEWEST, &mut params);
        let sql = format!(
            "SELECT {}, n.image_id, {}, {}, t.total
             FROM (SELECT COUNT(*) AS total FROM instances WHERE {chosen}) t
             LEFT JOIN (SELECT id FROM instances WHERE {chosen}{after} {window}) k ON TRUE
             LEFT JOIN instances n ON n.id = k.id
             LEFT JOIN jobs j ON j.instance_id = n.id AND j.finished_at IS NULL
             LEFT JOIN images i ON i.id = n.image_id AND {VISIBLE_TO_INSTANCE}
             LEFT JOIN pods p ON p.instance_id = n.id",
            Instance::COLUMNS,
            StartImage::COLUMNS,
            Pod::COLUMNS
        );
        let rows = if filter.ids.is_some() {
            self.database.query(&sql, params.as_slice()).await?
        } else {
            let requester = filter.account.unwrap_or(AccountId::PLATFORM);
            self.database.scan(requester, &sql, params.as_slice()).await?
        };
        rows.page("instances", paging.limit(), &NEWEST, |instance: &Instance| vec![instance.ordinal.into()])
    }
}

impl Transaction {
    /// Adds an instance. The transaction has bumped the revisions of its account and of those that see the image.
    pub(crate) async fn insert_instance(
        &mut self,
        new: NewInstance<'_>,
        host: &str,
        image_id: Option<&str>,
        now: i64,
    ) -> Result<AddInstance> {
        if let Some(id) = image_id {
            let image = self.find_state(Scope::visible_to(new.account), id).await?;
            match image.map(|image| image.listing.status) {
                None => return Ok(AddInstance::ImageNotFound),
                Some(ImageStatus::Making | ImageStatus::UnAvailable) => {
                    return Ok(AddInstance::ImageNotAvailable);
                }
                Some(ImageStatus::Available | ImageStatus::Reviewing | ImageStatus::Offline) => {}
            }
            self.add_to_counter("created_count", id, 1).await?;
        }
        let ordinal = self.next_ordinal().await?;
        let sql = "INSERT INTO instances
                       (id, account_id, name, region, zone, disk, size_bytes, gpu_type, created_at,
                        image_id, use_counted_until, ordinal, container, seen_at, host)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9, $11, $12, $13, $14)
                   ON CONFLICT (id) DO NOTHING";
        let params = [
            new.id.into(),
            new.account.into(),
            new.name.into(),
            new.region.into(),
            new.zone.into(),
            new.disk.into(),
            new.size_bytes.into(),
            new.gpu_type.into(),
            now.into(),
            image_id.unwrap_or_default().into(),
            ordinal.into(),
            new.container.into(),
            new.container.map_or(0, |_| now).into(),
            host.into(),
        ];
        let added = self.execute(sql, &params).await? == 1;
        Ok(if added { AddInstance::Added } else { AddInstance::Exists })
    }
}

impl Row for Option<Pod> {
    /// Reads a [`Pod`], whose id is null if the instance was not created by the API.
    fn read(cells: &mut Cells) -> Read<Self> {
        cells.nullable()
    }
}

impl Row for Option<StartedFrom> {
    /// Reads an id, which may be empty, and a [`StartImage`], whose name is null if the account cannot see it.
    fn read(cells: &mut Cells) -> Read<Self> {
        let image_id = String::read(cells)?;
        let image = cells.nullable_columns(StartImage::WIDTH)?;
        Ok((!image_id.is_empty()).then_some(StartedFrom { image_id, image }))
    }
}
