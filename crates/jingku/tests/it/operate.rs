//! The operator's commands, with and without a running server.

use std::os::unix::fs::PermissionsExt;

use compshare::actions::DescribeCompShareInstanceRequest;
use serde_json::{Value, json};

use crate::client::{block_on, client_with};
use crate::disk;
use crate::home::{Ended, Home};
use crate::server::Server;

#[test]
fn a_new_account_has_a_key_pair() {
    let home = Home::new();
    let lab = home.json(&["account", "create", "lab"]);
    assert_eq!(lab["AccountId"], 2, "account 1 is the default account: {lab}");
    let server = home.serve();
    let pair = Pair::of(&lab);
    assert_eq!(pair.list(&home, &server).succeeded().out.lines().count(), 1, "the heading and no image");
    let accounts = home.json(&["account", "list"]);
    let names: Vec<_> = accounts.as_array().unwrap().iter().map(|account| &account["AccountName"]).collect();
    assert_eq!(names, ["default", "lab"]);
    home.refuses(
        &["account", "create", "lab"],
        1,
        &["an account named \"lab\" already"],
        &["账号名 \"lab\" 已存在"],
    );
    for empty in ["", " "] {
        home.refuses(&["account", "create", empty], 1, &["An account needs a name"], &["账号名不能为空"]);
    }
}

#[test]
fn an_account_has_limits() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let server = home.serve();
    let config = home.path("jingku.toml");
    std::fs::write(&config, "[limits]\nimages = 7\nstored_bytes = '1TB'").unwrap();
    let config = config.to_str().unwrap();
    home.make("uhost-1", "env");
    let limits = home.json(&["account", "list", "--config", config])[0]["Limits"].clone();
    assert_eq!(limits["Images"], json!({ "Used": 1, "Max": 7, "Own": false }));
    assert_eq!(limits["StoredBytes"]["Max"], json!(1_i64 << 40));
    let set = home.json(&["account", "limit", "1", "--images", "1", "--bytes", "20GB"]);
    assert_eq!(set["Limits"]["Images"], json!({ "Used": 1, "Max": 1, "Own": true }));
    assert_eq!(set["Limits"]["StoredBytes"]["Max"], json!(20_i64 << 30));
    let table = home.run(&["account", "list"]).succeeded().out;
    assert!(table.contains("1/1") && table.contains("/20 GB") && !table.contains("DEDUPLICATED"), "{table}");
    let set = home.json(&["account", "limit", "1", "--unique-bytes", "30GB"]);
    assert_eq!(set["Limits"]["UniqueBytes"], json!({ "Used": 0, "Max": 30_i64 << 30, "Own": true }));
    let table = home.run(&["account", "list"]).succeeded().out;
    assert!(table.contains("DEDUPLICATED") && table.contains("0 B/30 GB"), "{table}");
    let shown = home.run(&["account", "limit", "1", "--lang", "zh"]).succeeded().out;
    assert!(shown.contains("去重后的镜像数据") && shown.contains("30 GB"), "{shown}");

    // The running server applies the limit at once.
    let create = ["image", "create", "--instance", "uhost-1", "--name", "more"];
    home.run(&create).failed(3, &["has 1 images and asks for 1 more, but may have 1", "8095"]);
    home.run(&["account", "limit", "1", "--images", "default"]).succeeded();
    let id = home.run(&create).succeeded().out.trim().to_owned();
    home.run(&["image", "progress", &id, "--wait"]).succeeded();
    home.run(&["image", "delete", &id]).succeeded();
    home.run(&["account", "limit", "1", "--images", "1"]).succeeded();
    home.refuses(
        &["trash", "restore", &id],
        1,
        &["1 of 1", "jingku account limit"],
        &["1/1", "jingku account limit"],
    );
    for args in [&["account", "limit", "9", "--jobs", "1"][..], &["account", "limit", "9"]] {
        home.refuses(args, 3, &["There is no account 9"], &["没有账号 9"]);
    }
    home.run(&["account", "limit", "1", "--bytes", "much"]).failed(2, &["500GB"]);
    server.stop();
}

#[test]
fn a_key_works_until_it_is_revoked() {
    let home = Home::new();
    let server = home.serve();
    let pair = Pair::of(&home.json(&["key", "create", "--name", "ci"]));
    pair.list(&home, &server).succeeded();
    home.run(&["key", "revoke", &pair.public_key]).succeeded();
    let ended = pair.list(&home, &server).failed(4, &["User Not Exists"]);
    let error: Value = serde_json::from_str(&pair.list_json(&home, &server).err).unwrap();
    assert_eq!((&error["error"]["exit"], &error["error"]["ret_code"]), (&json!(4), &json!(172)), "{ended:?}");
    let keys = home.json(&["key", "list", "--account", "1"]);
    let key = keys.as_array().unwrap().iter().find(|key| key["Name"] == "ci").unwrap();
    assert!(key["RevokeTime"].is_i64() && key.get("PrivateKey").is_none(), "{key}");
    home.refuses(&["key", "revoke", &pair.public_key], 3, &["There is no key"], &["没有未吊销的密钥"]);
    home.refuses(&["key", "create", "--account", "9"], 3, &["There is no account 9"], &["没有账号 9"]);
}

#[test]
fn a_key_can_be_read_only_and_restricted_by_address() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let server = home.serve();
    let made = home.json(&["key", "create", "--read-only", "--from", "127.0.0.1", "--from", "::1"]);
    let limits = (&json!(true), &json!(["127.0.0.1/32", "::1/128"]));
    assert_eq!((&made["ReadOnly"], &made["From"]), limits, "{made}");
    let reader = Pair::of(&made);
    reader.list(&home, &server).succeeded();
    let create = ["image", "create", "--instance", "uhost-1", "--name", "env"];
    reader.run(&home, &server, &create).failed(4, &["IAM Permission Denied", "key", "read"]);
    let chinese = [&create[..], &["--lang", "zh"]].concat();
    reader.run(&home, &server, &chinese).failed(4, &["IAM Permission Denied", "只能读取"]);

    let away = Pair::of(&home.json(&["key", "create", "--name", "away", "--from", "192.0.2.0/24"]));
    away.list(&home, &server).failed(4, &["IP Denied", "address"]);
    let ended =
        away.run(&home, &server, &["image", "list", "--lang", "zh"]).failed(4, &["IP Denied", "地址"]);
    let error: Value = serde_json::from_str(&away.list_json(&home, &server).err).unwrap();
    assert_eq!((&error["error"]["exit"], &error["error"]["ret_code"]), (&json!(4), &json!(294)), "{ended:?}");

    let keys = home.json(&["key", "list"]);
    let key = keys.as_array().unwrap().iter().find(|key| key["PublicKey"] == made["PublicKey"]).unwrap();
    assert_eq!((&key["ReadOnly"], &key["From"]), limits, "{key}");
    let table = home.run(&["key", "list"]).succeeded().out;
    assert!(table.contains("read-only, from 127.0.0.1/32 ::1/128"), "{table}");
    home.run(&["key", "revoke", &away.public_key]).succeeded();
    assert!(home.run(&["key", "list"]).succeeded().out.contains("revoked 20"));

    let before = home.json(&["key", "list"]);
    for bad in ["10.1.2.3/8", "everywhere", ""] {
        let create = ["key", "create", "--from", "10.0.0.0/8", "--from", bad];
        let words = [&*format!("{bad:?} is not a valid CIDR range"), "10.0.0.0/8"];
        home.refuses(&create, 1, &words, &["不是有效的 CIDR 范围", "10.0.0.0/8"]);
    }
    assert_eq!(home.json(&["key", "list"]), before);
}

#[test]
fn the_restrictions_of_a_key_are_replaced() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let server = home.serve();
    let pair = Pair::of(&home.json(&["key", "create", "--name", "ci"]));
    let key = pair.public_key.as_str();
    let restrict = |more: &[&str]| home.json(&[&["key", "restrict", key], more].concat());
    let create = ["image", "create", "--instance", "uhost-1", "--name", "env"];

    let set = restrict(&["--read-only", "--from", "127.0.0.1"]);
    assert_eq!(set, json!({ "PublicKey": key, "ReadOnly": true, "From": ["127.0.0.1/32"] }));
    pair.list(&home, &server).succeeded();
    pair.run(&home, &server, &create).failed(4, &["IAM Permission Denied"]);

    // Not added to the former ones.
    restrict(&["--from", "192.0.2.0/24", "--from", "fd00::/8"]);
    pair.list(&home, &server).failed(4, &["IP Denied"]);
    let table = home.run(&["key", "list"]).succeeded().out;
    assert!(table.contains(" from 192.0.2.0/24 fd00::/8") && !table.contains("read-only"), "{table}");

    for (args, words) in [
        (&["key", "restrict", key][..], ["--read-only", "--none"]),
        (&["key", "restrict", key, "--none", "--read-only"], ["--none", "cannot be used with"]),
    ] {
        home.run(args).failed(2, &words);
    }
    let bad = ["key", "restrict", key, "--read-only", "--from", "10.1.2.3/8"];
    home.refuses(&bad, 1, &["is not a valid CIDR range"], &["不是有效的 CIDR 范围"]);
    pair.list(&home, &server).failed(4, &["IP Denied"]);

    let removed = home.run(&["key", "restrict", key, "--none"]).succeeded();
    assert!(removed.out.contains("not restricted"), "{removed:?}");
    pair.run(&home, &server, &create).succeeded();
    let entries = home.json(&["audit", "list", "--action", "key restrict"]);
    assert_eq!(entries.as_array().map(Vec::len), Some(3), "{entries}");

    home.run(&["key", "revoke", key]).succeeded();
    let late = ["key", "restrict", key, "--none"];
    home.refuses(&late, 3, &["There is no key"], &["没有未吊销的密钥"]);
}

#[test]
fn a_running_server_sees_added_and_removed_instances() {
    let home = Home::new();
    let lab = home.json(&["account", "create", "lab"]);
    let server = home.serve();
    let pair = Pair::of(&lab);
    assert_eq!(pair.instances(&server), [""; 0]);
    disk::write(&home.path("lab.raw"), &disk::bytes(3, 0));
    let add = [
        "instance",
        "add",
        "--id",
        "uhost-lab",
        "--disk",
        "lab.raw",
        "--zone",
        "cn-sh2-02",
        "--account",
        "2",
    ];
    let added = home.json(&add);
    assert_eq!((&added["Zone"], &added["AccountId"]), (&json!("cn-sh2-02"), &json!(2)));
    assert_eq!(pair.instances(&server), ["uhost-lab"]);
    let listed = home.json(&["instance", "list"]);
    assert_eq!((&listed[0]["UHostId"], &listed[0]["State"]), (&json!("uhost-lab"), &json!("Stopped")));
    // Account 1 does not own it.
    home.run(&["image", "create", "--instance", "uhost-lab", "--name", "env"]).failed(3, &["uhost-lab"]);
    home.run(&["instance", "remove", "uhost-lab"]).succeeded();
    assert_eq!(pair.instances(&server), [""; 0]);
    assert!(home.path("lab.raw").exists());
}

#[test]
fn invalid_instances_are_refused() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let before = home.json(&["instance", "list"]);
    let add = |id: &'static str, disk: &'static str, more: &[&'static str]| {
        [&["instance", "add", "--id", id, "--disk", disk], more].concat()
    };
    let good = "uhost-1.raw";
    home.refuses(
        &add("uhost-1", good, &[]),
        1,
        &["an instance \"uhost-1\" already"],
        &["实例 \"uhost-1\" 已存在"],
    );
    home.refuses(&add("a b", good, &[]), 1, &["cannot be an instance id"], &["不能用作实例 ID"]);
    home.refuses(&add("", good, &[]), 1, &["cannot be an instance id"], &["不能用作实例 ID"]);
    home.refuses(&add("x", "missing.raw", &[]), 1, &["There is no file at"], &["处没有文件"]);
    home.refuses(&add("x", ".", &[]), 1, &["cannot be used as a disk"], &["不能用作磁盘"]);
    let moon = ["--zone", "moon"];
    home.refuses(
        &add("x", good, &moon),
        3,
        &["no zone \"moon\"", "cn-wlcb-01"],
        &["没有可用区 \"moon\"", "cn-wlcb-01"],
    );
    home.refuses(&add("x", good, &["--account", "7"]), 3, &["There is no account 7"], &["没有账号 7"]);
    home.refuses(&["instance", "remove", "x"], 3, &["There is no instance \"x\""], &["没有实例 \"x\""]);
    home.run(&add("x", good, &["--format", "vmdk"])).failed(2, &["vmdk"]);
    assert_eq!(home.json(&["instance", "list"]), before);
}

#[test]
fn zones_of_the_configuration_are_used() {
    let home = Home::new();
    disk::write(&home.path("lab.raw"), &disk::bytes(1, 0));
    let zone = "[[zones]]\nregion = 'lab'\nzone = 'lab-01'\nregion_id = 1\nzone_id = 1\nname = 'Lab'\n";
    std::fs::write(home.path("jingku.toml"), zone).unwrap();
    let add = ["instance", "add", "--id", "uhost-lab", "--disk", "lab.raw", "--config", "jingku.toml"];
    home.run(&[&add[..], &["--zone", "cn-wlcb-01"]].concat()).failed(3, &["Known zones: lab-01"]);
    assert_eq!(home.json(&add)["Zone"], "lab-01");
}

#[test]
fn list_commands_create_no_data_folder() {
    let home = Home::new();
    for list in [["key", "list"], ["account", "list"], ["instance", "list"]] {
        home.refuses(
            &list,
            3,
            &["There is no data directory", "jingku serve"],
            &["没有数据目录", "jingku serve"],
        );
    }
    assert!(!home.data().exists());
}

#[test]
fn private_keys_are_stored_encrypted() {
    let home = Home::new();
    let server = home.serve();
    let pairs = [home.json(&["account", "create", "lab"]), home.json(&["key", "create"])];
    server.stop();
    let [_, first] = home.key_pair();
    let private_keys = pairs.iter().map(|pair| Pair::of(pair).private_key).chain([first]);
    let files = home.files();
    for private_key in private_keys {
        assert!(private_key.len() >= 32, "{private_key}");
        for (path, bytes) in files.iter().filter(|(path, _)| !path.ends_with("credentials.toml")) {
            let found = bytes.windows(private_key.len()).any(|window| window == private_key.as_bytes());
            assert!(!found, "{} holds a private key", path.display());
        }
    }
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.data()), 0o700);
    for path in files.keys().filter(|path| path.parent() == Some(&home.data())) {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
}

/// A key pair as the binary printed it.
struct Pair {
    public_key: String,
    private_key: String,
}

impl Pair {
    fn of(printed: &Value) -> Self {
        let text = |name: &str| printed[name].as_str().unwrap().to_owned();
        Self { public_key: text("PublicKey"), private_key: text("PrivateKey") }
    }

    fn list(&self, home: &Home, server: &Server) -> Ended {
        self.run(home, server, &["image", "list"])
    }

    fn list_json(&self, home: &Home, server: &Server) -> Ended {
        self.run(home, server, &["image", "list", "--json"])
    }

    fn run(&self, home: &Home, server: &Server, args: &[&str]) -> Ended {
        let keys = ["--public-key", &self.public_key, "--private-key", &self.private_key];
        home.run(&[args, &["--base-url", &server.base_url], &keys].concat())
    }

    /// Ids of the instances that the API lists for this key pair.
    fn instances(&self, server: &Server) -> Vec<String> {
        let client = client_with(server, &self.public_key, &self.private_key);
        let request = DescribeCompShareInstanceRequest::default();
        let page = block_on(client.describe_comp_share_instance(&request)).unwrap();
        page.instances.into_iter().map(|instance| instance.id).collect()
    }
}

#[test]
fn the_operator_approves_and_rejects_images() {
    let home = Home::new();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let (server, image) = (home.serve(), home.make("uhost-1", "env"));
    assert_eq!(home.json(&["review", "list"]), json!([]));
    let submit = || home.run(&["image", "update", &image, "--visibility", "public"]).succeeded();
    submit();
    let waiting = home.json(&["review", "list"]);
    assert_eq!(
        (&waiting[0]["CompShareImageId"], &waiting[0]["VersionName"]),
        (&json!(image), &json!("v1.0"))
    );
    let table = home.run(&["review", "list"]).succeeded().out;
    assert!(table.contains(&image) && table.contains("free"), "{table}");
    home.run(&["review", "refuse", &image]).failed(2, &["--reason"]);
    home.refuses(
        &["review", "refuse", &image, "--reason", " "],
        1,
        &["A reason has 1 to 500"],
        &["原因限 1 到 500"],
    );
    home.run(&["review", "refuse", &image, "--reason", "Say what is in it."]).succeeded();
    let shown = home.json(&["image", "show", &image]);
    assert!(shown.to_string().contains("Say what is in it."), "{shown}");

    submit();
    home.run(&["review", "approve", &image]).succeeded();
    // The running server shows it at once.
    let shown = home.json(&["image", "show", &image]).to_string();
    assert!(shown.contains("\"Visibility\":1"), "{shown}");
    home.refuses(
        &["review", "approve", &image],
        3,
        &["There is no image", "that waits for review"],
        &["没有待审核的镜像"],
    );
    let group = waiting[0]["GroupId"].as_str().unwrap();
    home.run(&["review", "recommend", group, "--count", "5"]).succeeded();
    home.refuses(
        &["review", "recommend", "none", "--count", "5"],
        3,
        &["There is no group"],
        &["社区中没有镜像组"],
    );
    drop(server);
}
