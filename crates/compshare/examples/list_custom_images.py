"""Lists the account's custom images with ucloud-sdk-python3, like list_custom_images.rs."""

import os

from ucloud.client import Client

client = Client(
    {
        "base_url": os.environ["COMPSHARE_BASE_URL"],
        "public_key": os.environ["COMPSHARE_PUBLIC_KEY"],
        "private_key": os.environ["COMPSHARE_PRIVATE_KEY"],
        "region": "cn-wlcb",
    }
)
reply = client.ucompshare().describe_comp_share_custom_images({"Zone": "cn-wlcb-01"})
for image in reply["ImageSet"]:
    print(image["CompShareImageId"], image["Name"], image["Status"])
