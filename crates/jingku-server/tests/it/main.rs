//! Tests of the server over HTTP: signed requests in, responses out. One file per action, and one per guarantee that
//! covers several actions.

#![allow(clippy::unwrap_used)] // a failing unwrap is a failing test

mod add_favorite_image;
mod copy_comp_share_custom_image;
mod cover;
mod create_comp_share_custom_image;
mod create_comp_share_image_favorite;
mod create_cscli_event;
mod delete_comp_share_image_favorite;
mod describe_community_images;
mod describe_comp_share_custom_image_sync_detail;
mod describe_comp_share_custom_images;
mod describe_comp_share_image_share_accounts;
mod describe_comp_share_image_tags;
mod describe_comp_share_images;
mod describe_comp_share_instance;
mod describe_comp_share_sharing_images;
mod describe_comp_share_software_port;
mod describe_comp_share_support_zone;
mod describe_favorite_images;
mod describe_self_community_images;
mod describe_user_community_images;
mod export_comp_share_custom_image;
mod fixtures;
mod gateway;
mod get_comp_share_custom_image_url;
mod get_comp_share_image_create_progress;
mod get_project_list;
mod get_region;
mod import_comp_share_custom_image;
mod isolation;
mod jobs;
mod lab;
mod modify_comp_share_image_share_account;
mod name_refusal;
mod operator;
mod publish_comp_share_image;
mod remove_favorite_image;
mod repeats;
mod review;
mod support;
mod surface;
mod sweep;
mod sync_comp_share_custom_image;
mod tenancy;
mod terminate_comp_share_custom_image;
mod transfers;
mod update_comp_share_image;
