use crate::AccountId;
use crate::database::row;

row! {
    /// A group of versions of an image in the community.
    pub struct Group {
        /// Its id, unique in the catalogue.
        pub id: String = "g.id",
        /// The account it belongs to.
        pub account: AccountId = "g.account_id",
        /// The name of its newest public version or, without one, of its newest version.
        pub name: String = "g.name",
        /// The description of the same version.
        pub description: String = "g.description",
        /// The number of public versions.
        pub public_versions: i64 = "g.public_versions",
        /// Its rank set by the operator.
        pub recommend_count: i64 = "g.recommend_count",
        /// How many accounts marked it as a favourite.
        pub favorites_count: i64 = "g.favorites_count",
        /// How many instances were started from its versions.
        pub created_count: i64 = "g.created_count",
        /// How many hours its versions were used.
        pub image_use_time_hours: i64 = "g.image_use_time_hours",
        /// The price of the same version, in 1/100 CNY per hour.
        pub price_cents: i64 = "g.price_cents",
        /// When that version was published, or 0.
        pub pub_time: i64 = "g.pub_time",
        /// Sorts groups of the same time, the last published highest.
        pub published_ordinal: i64 = "g.published_ordinal",
        /// Whether the requesting account marked it as a favourite.
        pub is_favorite: bool = "CAST(CASE WHEN f.created_at IS NULL THEN 0 ELSE 1 END AS BIGINT)",
    }
}
