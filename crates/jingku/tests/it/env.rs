//! `jingku env`. conformance/ runs the output for Python.

use crate::home::{Ended, Home};

const SDKS: [(&str, &str); 5] = [
    ("python", "from ucloud.client import Client"),
    ("go", "cfg.BaseUrl = \"http://"),
    ("js", "require(\"@ucloud-sdks/ucloud-sdk-js\")"),
    ("java", "config.setBaseUrl(\"http://"),
    ("php", "'baseUrl' => 'http://"),
];

#[test]
fn the_output_for_every_sdk_has_address_keys_region_and_zone() {
    let home = Home::new();
    let server = home.serve();
    let pair = home.json(&["key", "create"]);
    let text = |name: &str| pair[name].as_str().unwrap().to_owned();
    for (sdk, words) in SDKS {
        let mut command = home.command(&["env", "--sdk", sdk]);
        command.env("JINGKU_PUBLIC_KEY", text("PublicKey")).env("JINGKU_PRIVATE_KEY", text("PrivateKey"));
        let program = Ended::of(&mut command).succeeded().out;
        let (public_key, private_key) = (text("PublicKey"), text("PrivateKey"));
        for word in [words, &server.base_url, &public_key, &private_key, "cn-wlcb", "cn-wlcb-01"] {
            assert!(program.contains(word), "{word} in {program}");
        }
        let chinese = home.run(&["env", "--sdk", sdk, "--lang", "zh"]).succeeded().out;
        assert_eq!(chinese.is_ascii(), sdk == "go", "only Go has no comment: {chinese}");
    }
    home.run(&["env", "--sdk", "perl"]).failed(2, &["perl"]);
}

#[test]
fn a_shell_evaluates_the_output_without_an_sdk() {
    let home = Home::new();
    let server = home.serve();
    let odd = "a'b \"$HOME\" `x` \\";
    let script = format!(
        "eval \"$('{}' env --region cn-sh2 --public-key \"$ODD\" --zone cn-sh2-02)\"; \
         printf '%s\\n' \"$COMPSHARE_BASE_URL\" \"$COMPSHARE_REGION\" \"$COMPSHARE_ZONE\" \"$UCLOUD_PUBLIC_KEY\" \"$COMPSHARE_PUBLIC_KEY\"",
        env!("CARGO_BIN_EXE_jingku")
    );
    let ended = Ended::of(home.other_command("sh", &["-c", &script]).env("ODD", odd)).succeeded();
    assert_eq!(ended.out.lines().collect::<Vec<_>>(), [&server.base_url, "cn-sh2", "cn-sh2-02", odd, odd]);

    let document = home.json(&["env"]);
    assert_eq!(document["BaseUrl"], server.base_url);
    assert_eq!((&document["Region"], &document["Zone"]), (&"cn-wlcb".into(), &"cn-wlcb-01".into()));
    assert!(
        document["Sdk"].is_null()
            && document["Text"].as_str().unwrap().starts_with("export COMPSHARE_BASE_URL=http")
    );
    let document = home.json(&["env", "--sdk", "go"]);
    assert!(document["Sdk"] == "go" && document["Text"].as_str().unwrap().contains("package main"));
}

#[test]
fn region_and_zone_are_ones_of_the_server() {
    let home = Home::new();
    home.refuses(&["env"], 2, &["No server has run here yet"], &["此处还没有运行过服务"]);
    let server = home.serve();
    assert_eq!(home.json(&["env", "--zone", "cn-sh2-02"])["Region"], "cn-sh2");
    assert_eq!(home.json(&["env", "--region", "cn-sh2"])["Zone"], "cn-sh2-02");
    home.refuses(&["env", "--region", "moon"], 3, &["no zone for \"moon\""], &["\"moon\""]);
    server.stop();
    home.refuses(&["env"], 5, &["No server answers"], &["没有服务应答"]);
    // With both options the server is not asked.
    home.run(&["env", "--region", "moon", "--zone", "moon-1"]).succeeded();
}
