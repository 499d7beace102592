# pip install ucloud-sdk-python3
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
