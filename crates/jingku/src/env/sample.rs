//! A sample program for each SDK that lists your own images.

use super::literal::{double_quoted, single_quoted};
use crate::args::Sdk;
use crate::messages::tr;

/// The settings of a client.
// No `Debug`: it holds a private key.
pub(super) struct Access {
    pub(super) base_url: String,
    pub(super) public_key: String,
    pub(super) private_key: String,
    pub(super) region: String,
    pub(super) zone: String,
}

const PYTHON: &str = r#"# pip install ucloud-sdk-python3
import logging

from ucloud.client import Client

# {logger}
logging.getLogger("ucloud").setLevel(logging.WARNING)
client = Client(
    {
        "base_url": {base_url},
        "public_key": {public_key},
        "private_key": {private_key},
        "region": {region},
    }
)
# {typed}
reply = client.ucompshare().describe_comp_share_custom_images({"Zone": {zone}, "Limit": 20})
for image in reply["ImageSet"]:
    print(image["CompShareImageId"], image["Name"], image["Status"])
"#;

const GO: &str = r#"// go get github.com/ucloud/ucloud-sdk-go
package main

import (
	"fmt"
	"log"

	"github.com/ucloud/ucloud-sdk-go/services/ucompshare"
	"github.com/ucloud/ucloud-sdk-go/ucloud"
	"github.com/ucloud/ucloud-sdk-go/ucloud/auth"
)

func main() {
	cfg := ucloud.NewConfig()
	cfg.BaseUrl = {base_url}
	cfg.Region = {region}
	cfg.Zone = {zone}
	credential := auth.NewCredential()
	credential.PublicKey = {public_key}
	credential.PrivateKey = {private_key}
	client := ucompshare.NewClient(&cfg, &credential)

	request := client.NewDescribeCompShareCustomImagesRequest()
	request.Limit = ucloud.Int(20)
	reply, err := client.DescribeCompShareCustomImages(request)
	if err != nil {
		log.Fatal(err)
	}
	for _, image := range reply.ImageSet {
		fmt.Println(image.CompShareImageId, image.Name, image.Status)
	}
}
"#;

const JS: &str = r#"// npm install @ucloud-sdks/ucloud-sdk-js
const { Client, Request } = require("@ucloud-sdks/ucloud-sdk-js");

// {logger}
const client = new Client({
  config: { baseUrl: {base_url}, region: {region}, logger: null },
  credential: { publicKey: {public_key}, privateKey: {private_key} },
});
// {retries}
client
  .invoke(new Request({ Action: "DescribeCompShareCustomImages", Zone: {zone}, Limit: 20 }))
  .then((reply) => {
    for (const image of reply.toObject().ImageSet) {
      console.log(image.CompShareImageId, image.Name, image.Status);
    }
  })
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
"#;

const JAVA: &str = r#"// cn.ucloud:ucloud-sdk-java-ucompshare, saved as ListImages.java
import cn.ucloud.common.config.Config;
import cn.ucloud.common.credential.Credential;
import cn.ucloud.ucompshare.client.UCompShareClient;
import cn.ucloud.ucompshare.models.DescribeCompShareCustomImagesRequest;
import cn.ucloud.ucompshare.models.DescribeCompShareCustomImagesResponse.CompShareImage;
import org.slf4j.helpers.NOPLogger;

public class ListImages {
    public static void main(String[] args) throws Exception {
        Config config = new Config();
        config.setBaseUrl({base_url});
        config.setRegion({region});
        // {logger}
        config.setLogger(NOPLogger.NOP_LOGGER);
        Credential credential = new Credential({public_key}, {private_key});
        UCompShareClient client = new UCompShareClient(config, credential);

        DescribeCompShareCustomImagesRequest request = new DescribeCompShareCustomImagesRequest();
        // {typed_only}
        request.setZone({zone});
        request.setLimit(20);
        for (CompShareImage image : client.describeCompShareCustomImages(request).getImageSet()) {
            System.out.println(image.getCompShareImageId() + " " + image.getName() + " " + image.getStatus());
        }
    }
}
"#;

const PHP: &str = r"<?php
// composer require ucloud/ucloud-sdk-php
require __DIR__ . '/vendor/autoload.php';

use UCloud\Core\Client;
use UCloud\Core\Logger\DisabledLogger;
use UCloud\Core\Request\Request;

// {untyped}
$client = new Client([
    'baseUrl' => {base_url},
    'publicKey' => {public_key},
    'privateKey' => {private_key},
    'region' => {region},
    // {logger}
    'logger' => new DisabledLogger(),
]);
$request = new Request(['Action' => 'DescribeCompShareCustomImages', 'Zone' => {zone}, 'Limit' => 20]);
foreach ($client->invoke($request)->toArray()['ImageSet'] as $image) {
    echo $image['CompShareImageId'], ' ', $image['Name'], ' ', $image['Status'], PHP_EOL;
}
";

/// The program with all values filled in.
pub(super) fn of(sdk: Sdk, access: &Access) -> String {
    let (template, literal): (_, fn(&str) -> String) = match sdk {
        Sdk::Python => (PYTHON, double_quoted),
        Sdk::Go => (GO, double_quoted),
        Sdk::Js => (JS, double_quoted),
        Sdk::Java => (JAVA, double_quoted),
        Sdk::Php => (PHP, single_quoted),
    };
    let call = r#"client.invoke("DescribeCompShareCustomImages", {"Limit": 20})"#;
    let marks = [
        ("{logger}", tr!("env-logger")),
        ("{untyped}", tr!("env-untyped")),
        ("{base_url}", literal(&access.base_url)),
        ("{public_key}", literal(&access.public_key)),
        ("{private_key}", literal(&access.private_key)),
        ("{region}", literal(&access.region)),
        ("{zone}", literal(&access.zone)),
        ("{typed}", tr!("env-typed", call)),
        ("{typed_only}", tr!("env-typed-only")),
        ("{retries}", tr!("env-retries")),
    ];
    fill(template, &marks)
}

/// Replaces marks by values from left to right. A value that looks like a mark is kept.
fn fill(mut template: &str, marks: &[(&str, String)]) -> String {
    let mut text = String::new();
    while let Some((at, (mark, value))) =
        marks.iter().filter_map(|mark| Some((template.find(mark.0)?, mark))).min_by_key(|(at, _)| *at)
    {
        text.push_str(&template[..at]);
        text.push_str(value);
        template = &template[at + mark.len()..];
    }
    text + template
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_looks_like_a_mark_stays() {
        let marks = [("{a}", "{b}".to_owned()), ("{b}", "2".to_owned())];
        assert_eq!(fill("{b}{a} {c}", &marks), "2{b} {c}");
    }

    #[test]
    fn every_program_is_filled() {
        let name = |name: &str| format!("<{name}>");
        let access = Access {
            base_url: name("base"),
            public_key: name("public"),
            private_key: name("private"),
            region: name("region"),
            zone: name("zone"),
        };
        for sdk in [Sdk::Python, Sdk::Go, Sdk::Js, Sdk::Java, Sdk::Php] {
            let program = of(sdk, &access);
            for value in ["<base>", "<public>", "<private>", "<region>", "<zone>"] {
                assert!(program.contains(value), "{value} of {sdk:?}");
            }
            assert!(
                !program.contains("{t") && !program.contains("{r") && !program.contains("{z"),
                "{program}"
            );
        }
    }
}
