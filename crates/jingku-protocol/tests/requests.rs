//! The server reads exactly what the client writes.

#![allow(clippy::unwrap_used)] // a failing unwrap is a failing test

use jingku_protocol::actions::*;
use jingku_protocol::{ImageStatus, ParamError, Params, PlatformType, SoftwarePort, Softwares, Tree, decode};

fn round_trip<R: Request>(request: &R) -> R {
    let params = decode(None, None, request.params().to_form().as_bytes()).unwrap();
    assert_eq!(params.get_text("Action"), Some(R::ACTION.name()));
    R::read(&Tree::from(params)).unwrap()
}

fn place() -> Place {
    Place { region: Some("cn-wlcb".into()), zone: Some("cn-wlcb-01".into()) }
}

#[test]
fn every_field_survives() {
    let paging = Paging { offset: Some(40.into()), limit: Some(5.into()), next_token: None };
    let list = DescribeCompShareCustomImagesRequest {
        place: place(),
        image_id: Some("i".into()),
        query: ImageQuery {
            name: Some("环境".into()),
            statuses: vec![ImageStatus::Available, ImageStatus::Offline],
            tags: ["LLM", "a b"].into(),
            created_from: Some(1),
            created_before: Some(2),
            size_from: Some(3),
            size_below: Some(4),
            sort: ImageSort::Size,
            ascending: true,
        },
        paging: paging.clone(),
    };
    assert_eq!(round_trip(&list), list);

    let instances =
        DescribeCompShareInstanceRequest { place: place(), instance_ids: ["a", "b"].into(), paging };
    assert_eq!(round_trip(&instances), instances);

    let create = CreateCompShareCustomImageRequest {
        place: place(),
        instance_id: "uhost-1".into(),
        name: "训练环境".into(),
        description: Some("a & b=c +d".into()),
        softwares: Some(Softwares {
            framework: "PyTorch".into(),
            applications: vec!["JupyterLab".into()],
            ..Softwares::default()
        }),
        software_ports: vec![SoftwarePort { software: "SSH".into(), port: 22 }],
        firewall_ports: [22_u16, 8888].into(),
        pause: Some(true),
        exclude_secrets: Some(false),
        estimate: Some(true),
    };
    assert_eq!(round_trip(&create), create);

    let update = UpdateCompShareImageRequest {
        place: place(),
        image_id: "i".into(),
        name: Some("n".into()),
        description: Some("".into()),
        public: Some(true),
        cover: Some("aGk=".into()),
        readme: Some("# r".into()),
        tags: Some(["LLM"].into()),
        group_id: Some("g".into()),
        price: Some(0.25.into()),
        version_name: Some("v1.0".into()),
        version_desc: Some("first".into()),
        supported_gpu_types: Some(List::default()),
        auto_start: Some(false),
        ..UpdateCompShareImageRequest::default()
    };
    assert_eq!(round_trip(&update), update);
    let nothing =
        UpdateCompShareImageRequest { image_id: "i".into(), ..UpdateCompShareImageRequest::default() };
    assert_eq!(round_trip(&nothing), nothing);

    let progress = GetCompShareImageCreateProgressRequest { place: place(), image_id: "i".into() };
    assert_eq!(round_trip(&progress), progress);
    let terminate = TerminateCompShareCustomImageRequest { place: place(), image_id: "i".into() };
    assert_eq!(round_trip(&terminate), terminate);
}

#[test]
fn every_field_survives_in_sharing_and_copying() {
    let share = ModifyCompShareImageShareAccountRequest {
        place: place(),
        image_id: "i".into(),
        add_accounts: [2, 3].into(),
        remove_accounts: [4].into(),
    };
    assert_eq!(round_trip(&share), share);
    let shares = DescribeCompShareImageShareAccountsRequest { place: place(), image_id: "i".into() };
    assert_eq!(round_trip(&shares), shares);
    let paging = Paging { offset: None, limit: Some(5.into()), next_token: Some("t".into()) };
    let list = DescribeCompShareSharingImagesRequest {
        place: place(),
        image_id: Some("i".into()),
        paging: paging.clone(),
    };
    assert_eq!(round_trip(&list), list);
    let platform = DescribeCompShareImagesRequest {
        place: place(),
        image_type: Some(PlatformType::App),
        image_id: Some("i".into()),
        name: Some("n".into()),
        author: Some("a".into()),
        tags: ["LLM"].into(),
        paging,
    };
    assert_eq!(round_trip(&platform), platform);
    let copy = CopyCompShareCustomImageRequest {
        place: place(),
        image_id: "i".into(),
        target_name: Some("n".into()),
    };
    assert_eq!(round_trip(&copy), copy);
    let sync = SyncCompShareCustomImageRequest {
        place: place(),
        source_image_id: "i".into(),
        target_name: Some("n".into()),
        target_zone_ids: [8200, 5001].into(),
        target_description: Some("".into()),
    };
    assert_eq!(round_trip(&sync), sync);
    let detail = DescribeCompShareCustomImageSyncDetailRequest { place: place(), image_id: "i".into() };
    assert_eq!(round_trip(&detail), detail);
}

#[test]
fn every_field_survives_in_the_community() {
    let publish = PublishCompShareImageRequest {
        place: place(),
        image_id: "i".into(),
        group_id: Some("g".into()),
        community_name: Some("社区 name".into()),
        version_name: Some("v1.0".into()),
        version_desc: Some("first".into()),
        price: Some(0.25.into()),
        cover: Some("aGk=".into()),
        tags: Some(["LLM"].into()),
        description: Some("".into()),
        readme: Some("# r".into()),
        supported_gpu_types: Some(["4090"].into()),
        auto_start: Some(true),
        softwares: Some(Softwares { framework: "PyTorch".into(), ..Softwares::default() }),
    };
    assert_eq!(round_trip(&publish), publish);
    let query = CommunityQuery {
        place: place(),
        image_id: Some("i".into()),
        group_id: Some("g".into()),
        name: Some("n".into()),
        author: Some("a".into()),
        fuzzy_search: Some("f".into()),
        tags: ["LLM", "a"].into(),
        is_free: Some(false),
        is_official: Some(true),
        auto_start: Some(true),
        sort: Some(CommunitySort::Favor),
        ascending: true,
        exclude_readme: true,
        paging: Paging::default(),
    };
    let community = DescribeCommunityImagesRequest { query: query.clone() };
    assert_eq!(round_trip(&community), community);
    let own = DescribeSelfCommunityImagesRequest { query: query.clone() };
    assert_eq!(round_trip(&own), own);
    let user = DescribeUserCommunityImagesRequest { account: 7, query };
    assert_eq!(round_trip(&user), user);
    let favorite = CreateCompShareImageFavoriteRequest { group_id: "g".into() };
    assert_eq!(round_trip(&favorite), favorite);
    let favorite = DeleteCompShareImageFavoriteRequest { group_id: "g".into() };
    assert_eq!(round_trip(&favorite), favorite);
    let favorite = AddFavoriteImageRequest { image_id: "i".into() };
    assert_eq!(round_trip(&favorite), favorite);
    let favorite = RemoveFavoriteImageRequest { image_id: "i".into() };
    assert_eq!(round_trip(&favorite), favorite);
    let favorites = DescribeFavoriteImagesRequest { place: place(), paging: Paging::default() };
    assert_eq!(round_trip(&favorites), favorites);
    assert_eq!(round_trip(&DescribeCompShareImageTagsRequest), DescribeCompShareImageTagsRequest);
    let activity = DescribeCompShareImageActivityRequest {
        place: place(),
        image_id: Some("i".into()),
        activity: Some("trash restore".into()),
        paging: Paging::default(),
    };
    assert_eq!(round_trip(&activity), activity);
}

#[test]
fn required_parameters_are_named() {
    let empty = Tree::default();
    let missing = |name: &str| ParamError::Missing(name.to_owned());
    assert_eq!(CreateCompShareCustomImageRequest::read(&empty).unwrap_err(), missing("UHostId"));
    for error in [
        UpdateCompShareImageRequest::read(&empty).unwrap_err(),
        GetCompShareImageCreateProgressRequest::read(&empty).unwrap_err(),
        TerminateCompShareCustomImageRequest::read(&empty).unwrap_err(),
        CopyCompShareCustomImageRequest::read(&empty).unwrap_err(),
        DescribeCompShareCustomImageSyncDetailRequest::read(&empty).unwrap_err(),
        DescribeCompShareImageShareAccountsRequest::read(&empty).unwrap_err(),
        ModifyCompShareImageShareAccountRequest::read(&empty).unwrap_err(),
        PublishCompShareImageRequest::read(&empty).unwrap_err(),
        AddFavoriteImageRequest::read(&empty).unwrap_err(),
        RemoveFavoriteImageRequest::read(&empty).unwrap_err(),
    ] {
        assert_eq!(error, missing("CompShareImageId"));
    }
    assert_eq!(CreateCompShareImageFavoriteRequest::read(&empty).unwrap_err(), missing("GroupId"));
    assert_eq!(DeleteCompShareImageFavoriteRequest::read(&empty).unwrap_err(), missing("GroupId"));
    let user = DescribeUserCommunityImagesRequest::read(&empty).unwrap_err();
    assert_eq!(user, missing("TargetTopOrganizationId"));
    let bind = |form: &str| {
        let tree = Tree::from(decode(None, None, form.as_bytes()).unwrap());
        ModifyCompShareImageShareAccountRequest::read(&tree).unwrap_err()
    };
    assert_eq!(bind("CompShareImageId=i"), missing("AddAccounts|RemoveAccounts"));
    let eleven: Vec<_> = (0..11).map(|number| format!("&AddAccounts.{number}={number}")).collect();
    let refused = ParamError::NotAvailable("AddAccounts".into());
    assert_eq!(bind(&format!("CompShareImageId=i{}", eleven.concat())), refused);
    assert_eq!(bind("CompShareImageId=i&AddAccounts.0=x"), refused);
    assert_eq!(SyncCompShareCustomImageRequest::read(&empty).unwrap_err(), missing("SourceCompShareImageId"));
}

#[test]
fn the_documented_spellings_of_softwares_are_accepted() {
    let bind = |form: &str| {
        let form = format!("UHostId=u&Name=n&{form}");
        CreateCompShareCustomImageRequest::read(&Tree::from(decode(None, None, form.as_bytes()).unwrap()))
            .unwrap()
    };
    let applications = |form: &str| bind(form).softwares.map(|softwares| softwares.applications);
    assert_eq!(applications("Softwares.Application.0=x"), Some(vec!["x".into()]));
    assert_eq!(applications("Softwares.Applications.1=x"), Some(vec!["x".into()]));
    // The text a Python dictionary prints as: legacy, ignored, never an error.
    assert_eq!(bind("Softwares={'Framework': 'PyTorch'}").softwares, None);
}

#[test]
fn actions_are_found_by_exact_name_only() {
    for action in Action::ALL {
        assert_eq!(Action::from_name(action.name()), Some(*action));
    }
    assert_eq!(Action::from_name("describecompsharecustomimages"), None);
}

#[test]
fn texts_and_lists_have_limits() {
    let update = |form: &str| {
        let form = format!("CompShareImageId=i&{form}");
        UpdateCompShareImageRequest::read(&Tree::from(decode(None, None, form.as_bytes()).unwrap()))
    };
    let list = |name: &str, count: usize| {
        (0..count).map(|index| format!("{name}.{index}=x")).collect::<Vec<_>>().join("&")
    };
    // 镜 is one character of three bytes, nine when percent-encoded.
    let long = |name: &str, chars: usize| format!("{name}={}", "%E9%95%9C".repeat(chars));
    for (name, at_limit, over) in [
        ("Description", long("Description", 1000), long("Description", 1001)),
        ("VersionDesc", long("VersionDesc", 1000), long("VersionDesc", 1001)),
        ("Readme", long("Readme", 100_000), long("Readme", 100_001)),
        ("VersionName", long("VersionName", 64), long("VersionName", 65)),
        ("GroupId", long("GroupId", 64), long("GroupId", 65)),
        ("Tags", list("Tags", 3), list("Tags", 4)),
        ("Tags", long("Tags.0", 64), long("Tags.0", 65)),
        ("SupportedGpuTypes", list("SupportedGpuTypes", 32), list("SupportedGpuTypes", 33)),
        ("Price", "Price=1000000".into(), "Price=1000000.01".into()),
        ("Price", "Price=0".into(), "Price=NaN".into()),
    ] {
        assert!(update(&at_limit).is_ok(), "{name}");
        assert_eq!(update(&over).unwrap_err(), ParamError::NotAvailable(name.into()));
    }
}

/// The required parameters that `parameters` lists are all that an action requires, or all but one of several.
#[test]
fn every_action_accepts_its_required_parameters() {
    macro_rules! read {
        ($($action:ident $file:ident $request:ident $response:ident;)*) => {$(
            let required = Action::$action.parameters().required;
            let documented = Action::$action.documented();
            let demanded = required.iter().filter(|name| !documented.contains(&name.as_str()));
            let value = |name: &str| if name == "DestChargeType" { "Postpay" } else { "1" };
            let params = demanded.fold(Params::default(), |params, name| params.text(name, Some(value(name))));
            match $request::read(&Tree::from(params)) {
                Ok(_) => {}
                Err(ParamError::Missing(names)) if names.contains('|') => {}
                Err(error) => panic!("{}: {error}", Action::$action.name()),
            }
        )*};
    }
    jingku_protocol::for_each_action!(read);
}
