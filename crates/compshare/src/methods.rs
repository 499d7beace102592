//! One method an action, named as in the Python SDK.

use jingku_protocol::actions::{
    CreateCompShareCustomImageRequest, CreateCompShareCustomImageResponse,
    DescribeCompShareCustomImagesRequest, DescribeCompShareCustomImagesResponse,
    DescribeCompShareInstanceRequest, DescribeCompShareInstanceResponse,
    DescribeCompShareSoftwarePortRequest, DescribeCompShareSoftwarePortResponse,
    DescribeCompShareSupportZoneRequest, DescribeCompShareSupportZoneResponse,
    GetCompShareImageCreateProgressRequest, GetCompShareImageCreateProgressResponse, GetProjectListRequest,
    GetProjectListResponse, GetRegionRequest, GetRegionResponse, TerminateCompShareCustomImageRequest,
    TerminateCompShareCustomImageResponse, UpdateCompShareImageRequest, UpdateCompShareImageResponse,
};

use crate::client::Client;
use crate::error::Error;

impl Client {
    /// Lists one page of the account's own images; all of them: [`custom_images`](Self::custom_images).
    pub async fn describe_comp_share_custom_images(
        &self,
        request: &DescribeCompShareCustomImagesRequest,
    ) -> Result<DescribeCompShareCustomImagesResponse, Error> {
        self.call(request).await
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
