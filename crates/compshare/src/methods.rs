//! One method an action, named as in the Python SDK.

use jingku_protocol::actions::{
    AddFavoriteImageRequest, AddFavoriteImageResponse, CopyCompShareCustomImageRequest,
    CopyCompShareCustomImageResponse, CreateCompShareCustomImageRequest, CreateCompShareCustomImageResponse,
    CreateCompShareImageFavoriteRequest, CreateCompShareImageFavoriteResponse,
    DeleteCompShareImageFavoriteRequest, DeleteCompShareImageFavoriteResponse,
    DescribeCommunityImagesRequest, DescribeCommunityImagesResponse,
    DescribeCompShareCustomImageSyncDetailRequest, DescribeCompShareCustomImageSyncDetailResponse,
    DescribeCompShareCustomImagesRequest, DescribeCompShareCustomImagesResponse,
    DescribeCompShareImageShareAccountsRequest, DescribeCompShareImageShareAccountsResponse,
    DescribeCompShareImageTagsRequest, DescribeCompShareImageTagsResponse, DescribeCompShareImagesRequest,
    DescribeCompShareImagesResponse, DescribeCompShareInstanceRequest, DescribeCompShareInstanceResponse,
    DescribeCompShareSharingImagesRequest, DescribeCompShareSharingImagesResponse,
    DescribeCompShareSoftwarePortRequest, DescribeCompShareSoftwarePortResponse,
    DescribeCompShareSupportZoneRequest, DescribeCompShareSupportZoneResponse, DescribeFavoriteImagesRequest,
    DescribeFavoriteImagesResponse, DescribeSelfCommunityImagesRequest, DescribeSelfCommunityImagesResponse,
    DescribeUserCommunityImagesRequest, DescribeUserCommunityImagesResponse,
    GetCompShareCustomImageUrlRequest, GetCompShareCustomImageUrlResponse,
    GetCompShareImageCreateProgressRequest, GetCompShareImageCreateProgressResponse, GetProjectListRequest,
    GetProjectListResponse, GetRegionRequest, GetRegionResponse, ImportCompShareCustomImageRequest,
    ImportCompShareCustomImageResponse, ModifyCompShareImageShareAccountRequest,
    ModifyCompShareImageShareAccountResponse, PublishCompShareImageRequest, PublishCompShareImageResponse,
    RemoveFavoriteImageRequest, RemoveFavoriteImageResponse, SyncCompShareCustomImageRequest,
    SyncCompShareCustomImageResponse, TerminateCompShareCustomImageRequest,
    TerminateCompShareCustomImageResponse, UpdateCompShareImageRequest, UpdateCompShareImageResponse,
};

use crate::client::Client;
use crate::error::Error;

impl Client {
    /// Lists one page of the account's own images; all of them: [`custom_images`](Self::custom_images).
    ///
    /// A query that filters or sorts is an extension of Jingku. The cloud ignores it: rows that cannot be the answer
    /// are an error.
    pub async fn describe_comp_share_custom_images(
        &self,
        request: &DescribeCompShareCustomImagesRequest,
    ) -> Result<DescribeCompShareCustomImagesResponse, Error> {
        let page = self.call(request).await?;
        if request.query.is_answered_by(&page.image_set) { Ok(page) } else { Err(Error::CannotFilter) }
    }

    /// Starts making an image of an instance; its end: [`wait_until_available`](Self::wait_until_available).
    ///
    /// Sent again only when no connection came about. After any other network error the image may exist: look for its
    /// name, which is unique in the account.
    pub async fn create_comp_share_custom_image(
        &self,
        request: &CreateCompShareCustomImageRequest,
    ) -> Result<CreateCompShareCustomImageResponse, Error> {
        self.call(request).await
    }

    /// Asks for a link from which an image can be downloaded without a key pair. The cloud does not know this action.
    pub async fn get_comp_share_custom_image_url(
        &self,
        request: &GetCompShareCustomImageUrlRequest,
    ) -> Result<GetCompShareCustomImageUrlResponse, Error> {
        self.call(request).await
    }

    /// Asks for a link to which the file of a disk can be uploaded; all of it: [`start_import`](Self::start_import). The
    /// cloud does not know this action.
    pub async fn import_comp_share_custom_image(
        &self,
        request: &ImportCompShareCustomImageRequest,
    ) -> Result<ImportCompShareCustomImageResponse, Error> {
        self.call(request).await
    }

    /// Asks how far the making of an image has come.
    pub async fn get_comp_share_image_create_progress(
        &self,
        request: &GetCompShareImageCreateProgressRequest,
    ) -> Result<GetCompShareImageCreateProgressResponse, Error> {
        self.call(request).await
    }

    /// Changes what is told about an image; what the request leaves out stays.
    pub async fn update_comp_share_image(
        &self,
        request: &UpdateCompShareImageRequest,
    ) -> Result<UpdateCompShareImageResponse, Error> {
        self.call(request).await
    }

    /// Deletes an image. Sent again only when no connection came about.
    pub async fn terminate_comp_share_custom_image(
        &self,
        request: &TerminateCompShareCustomImageRequest,
    ) -> Result<TerminateCompShareCustomImageResponse, Error> {
        self.call(request).await
    }

    /// Makes another image of the same bits in the same account. Sent again only when no connection came about.
    pub async fn copy_comp_share_custom_image(
        &self,
        request: &CopyCompShareCustomImageRequest,
    ) -> Result<CopyCompShareCustomImageResponse, Error> {
        self.call(request).await
    }

    /// Makes copies of an image in other zones. Sent again only when no connection came about.
    pub async fn sync_comp_share_custom_image(
        &self,
        request: &SyncCompShareCustomImageRequest,
    ) -> Result<SyncCompShareCustomImageResponse, Error> {
        self.call(request).await
    }

    /// Asks how far a copy in another zone is.
    pub async fn describe_comp_share_custom_image_sync_detail(
        &self,
        request: &DescribeCompShareCustomImageSyncDetailRequest,
    ) -> Result<DescribeCompShareCustomImageSyncDetailResponse, Error> {
        self.call(request).await
    }

    /// Shares an image with accounts, or no longer.
    pub async fn modify_comp_share_image_share_account(
        &self,
        request: &ModifyCompShareImageShareAccountRequest,
    ) -> Result<ModifyCompShareImageShareAccountResponse, Error> {
        self.call(request).await
    }

    /// Lists the accounts an image is shared with.
    pub async fn describe_comp_share_image_share_accounts(
        &self,
        request: &DescribeCompShareImageShareAccountsRequest,
    ) -> Result<DescribeCompShareImageShareAccountsResponse, Error> {
        self.call(request).await
    }

    /// Lists one page of the images that others share with the account.
    pub async fn describe_comp_share_sharing_images(
        &self,
        request: &DescribeCompShareSharingImagesRequest,
    ) -> Result<DescribeCompShareSharingImagesResponse, Error> {
        self.call(request).await
    }

    /// Lists one page of the platform's images.
    pub async fn describe_comp_share_images(
        &self,
        request: &DescribeCompShareImagesRequest,
    ) -> Result<DescribeCompShareImagesResponse, Error> {
        self.call(request).await
    }

    /// Hands an image in to become a version in the community. Sent again only when no connection came about.
    pub async fn publish_comp_share_image(
        &self,
        request: &PublishCompShareImageRequest,
    ) -> Result<PublishCompShareImageResponse, Error> {
        self.call(request).await
    }

    /// Lists one page of the groups in the community.
    pub async fn describe_community_images(
        &self,
        request: &DescribeCommunityImagesRequest,
    ) -> Result<DescribeCommunityImagesResponse, Error> {
        self.call(request).await
    }

    /// Lists one page of the account's own groups.
    pub async fn describe_self_community_images(
        &self,
        request: &DescribeSelfCommunityImagesRequest,
    ) -> Result<DescribeSelfCommunityImagesResponse, Error> {
        self.call(request).await
    }

    /// Lists one page of another account's groups in the community.
    pub async fn describe_user_community_images(
        &self,
        request: &DescribeUserCommunityImagesRequest,
    ) -> Result<DescribeUserCommunityImagesResponse, Error> {
        self.call(request).await
    }

    /// Marks a group as a favourite.
    pub async fn create_comp_share_image_favorite(
        &self,
        request: &CreateCompShareImageFavoriteRequest,
    ) -> Result<CreateCompShareImageFavoriteResponse, Error> {
        self.call(request).await
    }

    /// Marks a group as a favourite no longer.
    pub async fn delete_comp_share_image_favorite(
        &self,
        request: &DeleteCompShareImageFavoriteRequest,
    ) -> Result<DeleteCompShareImageFavoriteResponse, Error> {
        self.call(request).await
    }

    /// Marks the group of an image as a favourite. The cloud does not know this action.
    pub async fn add_favorite_image(
        &self,
        request: &AddFavoriteImageRequest,
    ) -> Result<AddFavoriteImageResponse, Error> {
        self.call(request).await
    }

    /// Marks the group of an image as a favourite no longer. The cloud does not know this action.
    pub async fn remove_favorite_image(
        &self,
        request: &RemoveFavoriteImageRequest,
    ) -> Result<RemoveFavoriteImageResponse, Error> {
        self.call(request).await
    }

    /// Lists one page of the favourites. The cloud does not know this action.
    pub async fn describe_favorite_images(
        &self,
        request: &DescribeFavoriteImagesRequest,
    ) -> Result<DescribeFavoriteImagesResponse, Error> {
        self.call(request).await
    }

    /// Lists the tags to choose from.
    pub async fn describe_comp_share_image_tags(&self) -> Result<DescribeCompShareImageTagsResponse, Error> {
        self.call(&DescribeCompShareImageTagsRequest).await
    }

    /// Lists one page of the account's instances.
    pub async fn describe_comp_share_instance(
        &self,
        request: &DescribeCompShareInstanceRequest,
    ) -> Result<DescribeCompShareInstanceResponse, Error> {
        self.call(request).await
    }

    /// Lists the zones.
    pub async fn describe_comp_share_support_zone(
        &self,
    ) -> Result<DescribeCompShareSupportZoneResponse, Error> {
        self.call(&DescribeCompShareSupportZoneRequest).await
    }

    /// Lists well-known software and the port each listens on.
    pub async fn describe_comp_share_software_port(
        &self,
    ) -> Result<DescribeCompShareSoftwarePortResponse, Error> {
        self.call(&DescribeCompShareSoftwarePortRequest).await
    }

    /// Lists regions and zones, one entry a zone.
    pub async fn get_region(&self) -> Result<GetRegionResponse, Error> {
        self.call(&GetRegionRequest).await
    }

    /// Lists the account's projects.
    pub async fn get_project_list(&self) -> Result<GetProjectListResponse, Error> {
        self.call(&GetProjectListRequest).await
    }
}
