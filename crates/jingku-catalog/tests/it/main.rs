//! One suite for every engine: SQLite in memory, SQLite in a file, PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod accounts;
mod answers;
mod audiences;
mod audit;
mod claims;
mod community;
mod community_lists;
mod community_races;
mod containers;
mod copies;
mod covers;
mod deep_pages;
mod displaced;
mod engines;
mod filters;
mod generations;
mod hosts;
mod images;
mod instances;
mod jobs;
mod keys;
mod limit_races;
mod limits;
mod opening;
mod order;
mod paging;
mod pods;
mod races;
mod row_versions;
mod seeds;
mod setting;
mod shares;
mod sign_ins;
mod snapshots;
mod statistics;
mod tasks;
mod tls;
mod transfer;
mod trash;
mod unique_bytes;
mod uploads;
mod usage;
mod usage_samples;
mod webhooks;
