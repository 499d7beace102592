//! Several servers on one catalogue: who has a name, and which rows belong to it.

use jingku_catalog::{
    AccountId, Catalog, CreateImage, Heartbeat, ImageStatus, JobEnd, NewHost, NewUpload, RegisterHost,
    RemoveInstance, Scope, StartUpload,
};

use crate::engines::{Engine, on_every_engine};
use crate::setting::{LEASE_SECS, NOW, account, claim, create, instance};

/// A lease that has ended when the next statement runs.
const EXPIRED_SECS: i64 = -10;

on_every_engine!(
    a_name_belongs_to_one_data_directory,
    a_name_is_free_when_its_lease_has_ended,
    rows_follow_their_data_directory,
    the_first_of_several_servers_gets_the_rows_of_none,
    a_job_is_claimed_by_the_server_of_its_instance,
    a_server_that_lost_its_name_claims_nothing,
    a_restored_catalogue_belongs_to_its_only_server,
    a_lost_server_is_forgotten_with_its_rows,
);

const fn process<'a>(node: &'a str, session: &'a str) -> NewHost<'a> {
    NewHost { node, session, version: "1.0.0", address: "http://10.0.0.1:8480", adopts: false }
}

async fn register(catalog: &Catalog, new: NewHost<'_>) -> bool {
    catalog.register_host(new, LEASE_SECS).await.unwrap() == RegisterHost::Registered
}

async fn a_name_belongs_to_one_data_directory(Engine { catalog, .. }: Engine) {
    let a = catalog.with_host("a");
    assert!(register(&a, process("node-1", "p1")).await);
    let refused = a.register_host(process("node-2", "p2"), LEASE_SECS).await.unwrap();
    assert!(
        matches!(&refused, RegisterHost::InUse { address, seen_secs: 0..=60 } if address == "http://10.0.0.1:8480"),
        "{refused:?}"
    );
    assert!(register(&a.clone().with_host("b"), process("node-2", "p2")).await);
    // The same data directory after a crash.
    assert!(register(&a, process("node-1", "p3")).await);
    assert!(!a.renew_host("p1", "http://new", LEASE_SECS).await.unwrap());
    assert!(a.renew_host("p3", "http://new", LEASE_SECS).await.unwrap());
    let hosts = a.hosts().await.unwrap();
    let shown = hosts.iter().map(|host| (&*host.name, &*host.address, host.is_live, &*host.version));
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [("a", "http://new", true, "1.0.0"), ("b", "http://10.0.0.1:8480", true, "1.0.0")]
    );
    assert_eq!(a.host_address("a").await.unwrap().as_deref(), Some("http://new"));
    assert_eq!(a.host_address("c").await.unwrap(), None);
}

async fn a_name_is_free_when_its_lease_has_ended(Engine { catalog, .. }: Engine) {
    let a = catalog.with_host("a");
    assert!(register(&a, process("node-1", "p1")).await);
    assert!(a.renew_host("p1", "", EXPIRED_SECS).await.unwrap());
    // Late, but nobody has got the name.
    assert!(a.renew_host("p1", "", EXPIRED_SECS).await.unwrap());
    assert!(!a.hosts().await.unwrap()[0].is_live);
    assert!(register(&a, process("node-2", "p2")).await);
    assert!(!a.renew_host("p1", "", LEASE_SECS).await.unwrap());
    // A server that stops frees its name at once.
    a.leave_host("p2").await.unwrap();
    assert!(register(&a, process("node-3", "p3")).await);
}

async fn start_upload(catalog: &Catalog, owner: AccountId) {
    let new = NewUpload {
        image_id: "image-1",
        name: "upload",
        description: "",
        region: "cn-wlcb",
        zone: "cn-wlcb-01",
        size_bytes: Some(9),
        data_bytes: None,
        blake3: None,
        format: None,
    };
    let started = catalog.start_upload(Scope::own(owner), new, i64::MAX, NOW).await.unwrap();
    assert_eq!(started, StartUpload::Started);
}

/// The queues of a server.
async fn rows(catalog: &Catalog, name: &str) -> [i64; 4] {
    let hosts = catalog.hosts().await.unwrap();
    let host = hosts.iter().find(|host| host.name == name).expect("it is known");
    [host.instances, host.uploads, host.waiting_jobs, host.running_jobs]
}

async fn rows_follow_their_data_directory(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let (a, b) = (catalog.clone().with_host("a"), catalog.with_host("b"));
    assert!(register(&a, process("node-1", "p1")).await && register(&b, process("node-2", "p2")).await);
    for (server, name) in [(&a, "vm-a"), (&a, "vm-a2"), (&b, "vm-b")] {
        instance(server, owner, name).await;
        assert_eq!(create(server, owner, name, name).await, CreateImage::Created);
    }
    claim(&a, "node-1", NOW).await.unwrap();
    start_upload(&a, owner).await;
    assert_eq!((rows(&a, "a").await, rows(&a, "b").await), ([2, 1, 1, 1], [1, 0, 1, 0]));
    assert_eq!((a.uploads().await.unwrap().len(), b.uploads().await.unwrap().len()), (1, 0));
    assert_eq!(a.uploads().await.unwrap()[0].host, "a");
    // An upload is ended by its server, or by any when that is gone.
    let idle = async |server: &Catalog| server.idle_uploads(None, NOW + 1).await.unwrap().len();
    assert_eq!((idle(&a).await, idle(&b).await), (1, 0));
    assert!(a.renew_host("p1", "", EXPIRED_SECS).await.unwrap());
    assert_eq!((idle(&a).await, idle(&b).await), (1, 1));
    assert!(a.renew_host("p1", "", LEASE_SECS).await.unwrap());
    assert_eq!(b.instance(None, "vm-a").await.unwrap().unwrap().host, "a");
    // The data directory is renamed.
    let c = a.clone().with_host("c");
    assert!(register(&c, process("node-1", "p3")).await);
    let names: Vec<String> = c.hosts().await.unwrap().into_iter().map(|host| host.name).collect();
    assert_eq!(names, ["b", "c"]);
    assert_eq!((rows(&c, "c").await, rows(&c, "b").await), ([2, 1, 1, 1], [1, 0, 1, 0]));
}

async fn the_first_of_several_servers_gets_the_rows_of_none(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    instance(&catalog, owner, "vm").await;
    let (a, b) = (catalog.clone().with_host("a"), catalog.with_host("b"));
    assert!(register(&b, process("node-2", "p2")).await);
    assert_eq!(rows(&b, "b").await[0], 0);
    assert!(register(&a, NewHost { adopts: true, ..process("node-1", "p1") }).await);
    assert_eq!((rows(&a, "a").await[0], rows(&a, "b").await[0]), (1, 0));
}

async fn a_job_is_claimed_by_the_server_of_its_instance(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let (a, b) = (catalog.clone().with_host("a"), catalog.with_host("b"));
    instance(&a, owner, "vm-a").await;
    instance(&b, owner, "vm-b").await;
    // Any server takes the order.
    assert_eq!(create(&b, owner, "a", "vm-a").await, CreateImage::Created);
    assert_eq!(create(&a, owner, "b", "vm-b").await, CreateImage::Created);
    let job = claim(&b, "node-2", NOW).await.unwrap();
    assert_eq!(job.image_id, "image-b");
    assert!(claim(&b, "node-2", NOW).await.is_none());
    assert_eq!(claim(&a, "node-1", NOW).await.unwrap().image_id, "image-a");
    // A server with the same name and another data directory takes over when the lease ends.
    let beat = b.heartbeat(&job, 1, 2, NOW, EXPIRED_SECS).await.unwrap();
    assert_eq!(beat, Heartbeat::Held);
    let again = claim(&b, "node-3", NOW).await.unwrap();
    assert_eq!((again.image_id.as_str(), again.attempt), ("image-b", 2));
    assert_eq!(b.heartbeat(&job, 1, 2, NOW, LEASE_SECS).await.unwrap(), Heartbeat::Lost);
}

async fn a_server_that_lost_its_name_claims_nothing(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let a = catalog.with_host("a");
    assert!(register(&a, process("node-1", "p1")).await);
    assert!(a.renew_host("p1", "", EXPIRED_SECS).await.unwrap());
    assert!(register(&a, process("node-2", "p2")).await);
    instance(&a, owner, "vm").await;
    assert_eq!(create(&a, owner, "a", "vm").await, CreateImage::Created);
    assert!(claim(&a, "node-1", NOW).await.is_none());
    assert!(claim(&a, "node-2", NOW).await.is_some());
}

async fn a_restored_catalogue_belongs_to_its_only_server(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let a = catalog.clone().with_host("a");
    instance(&a, owner, "vm").await;
    assert_eq!(create(&a, owner, "a", "vm").await, CreateImage::Created);
    start_upload(&a, owner).await;
    assert!(claim(&catalog, "node", NOW).await.is_none());
    catalog.adopt_all().await.unwrap();
    catalog.adopt_all().await.unwrap();
    assert_eq!(catalog.instance(None, "vm").await.unwrap().unwrap().host, "");
    assert_eq!(catalog.uploads().await.unwrap().len(), 1);
    assert!(claim(&catalog, "node", NOW).await.is_some());
}

async fn a_lost_server_is_forgotten_with_its_rows(Engine { catalog, .. }: Engine) {
    let owner = account(&catalog, "lab").await.id;
    let (a, b) = (catalog.clone().with_host("a"), catalog.with_host("b"));
    assert!(!a.is_host_known().await.unwrap());
    assert!(register(&a, process("node-1", "p1")).await && register(&b, process("node-2", "p2")).await);
    for (server, name) in [(&a, "vm-a"), (&a, "vm-a2"), (&b, "vm-b")] {
        instance(server, owner, name).await;
        assert_eq!(create(server, owner, name, name).await, CreateImage::Created);
    }
    let running = claim(&a, "node-1", NOW).await.unwrap();
    // Another process has the name, or rows remain.
    assert!(!a.forget_host("p2").await.unwrap() && !a.forget_host("p1").await.unwrap());
    assert_eq!(a.fail_jobs_of_host("Lost.", NOW).await.unwrap(), 2);
    assert_eq!(a.fail_jobs_of_host("Lost.", NOW).await.unwrap(), 0);
    assert_eq!(a.fail_job(&running, "Late.", NOW).await.unwrap(), JobEnd::Lost);
    for name in ["vm-a", "vm-a2"] {
        let image = a.image(Scope::own(owner), &format!("image-{name}")).await.unwrap().unwrap();
        assert_eq!((image.status, &*image.failed_reason), (ImageStatus::UnAvailable, "Lost."));
    }
    let instances = a.instances_of_host().await.unwrap();
    assert_eq!(instances, ["vm-a", "vm-a2"]);
    for id in &instances {
        assert!(!a.forget_host("p1").await.unwrap());
        assert_eq!(a.remove_instance(id, NOW).await.unwrap(), RemoveInstance::Removed);
    }
    assert!(a.forget_host("p1").await.unwrap());
    assert!(!a.is_host_known().await.unwrap() && !a.renew_host("p1", "", LEASE_SECS).await.unwrap());
    assert_eq!((b.hosts().await.unwrap().len(), rows(&b, "b").await), (1, [1, 0, 1, 0]));
}
